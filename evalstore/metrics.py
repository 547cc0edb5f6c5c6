"""Declarations of metrics for a whole store, made apart from any job."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from evalstore import meta, models, store_folder
from evalstore.markers import Marker, place_marker

if TYPE_CHECKING:
    from pathlib import Path

    from evalstore.catalog import Catalog

__all__ = ["Metrics"]


class Metrics:
    """What is known of the metrics of a workspace.

    For the aggregates of a job, a declaration made with the job goes before one made here; for the direction of a
    ranking, which is one for all its jobs, it is the other way round.
    """

    def __init__(self, root: Path, workspace: str, catalog: Catalog) -> None:
        self._root, self._workspace, self._catalog = root, workspace, catalog

    def declare(self, metric: str, **fields: Any) -> models.MetricDeclaration:
        """Declares a metric, or one `name` of it: minimum and maximum, or a rubric; higher_is_better; threshold; class.

        It counts from now on: for the aggregates of jobs that are committed later, and for the direction in every
        question. The last declaration of a metric replaces the one before.

        Raises: UsageError.
        """
        if "class_" in fields:
            fields["class"] = fields.pop("class_")
        [declaration] = models.declarations({metric: fields})
        store_folder.create(self._root)
        now = datetime.now(UTC).isoformat()
        meta.append(
            self._root, "metrics.jsonl", {"workspace": self._workspace, **declaration.document(), "declared_at": now}
        )
        place_marker(self._root, Marker("meta", str(uuid.uuid4()), "metrics.jsonl"))
        self._catalog.publish_if_possible()
        return declaration

    def in_force(self) -> list[dict[str, Any]]:
        """The declarations of this workspace."""
        found = meta.latest_declarations(self._root)
        return [
            {field: value for field, value in one.items() if field not in ("workspace", "declared_at")}
            for one in found
            if one["workspace"] == self._workspace
        ]
