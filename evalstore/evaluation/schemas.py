"""What evaluators are handed: the run of a target, and the example it ran on.

Both have the fields of LangSmith's objects of the same name. Nothing here asks for these classes: any object with the
attributes that an evaluator reads will do.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

__all__ = ["Example", "Run"]


def _as_uuid(given: Any) -> Any:
    """A text that is a UUID becomes one; any other text stays, since the keys of rows often are no UUIDs."""
    if isinstance(given, str):
        try:
            return UUID(given)
        except ValueError:
            return given
    return given


Identity = Annotated[UUID | str | int, BeforeValidator(_as_uuid)]


class Example(BaseModel):
    """One item of a dataset: `inputs`, and the reference `outputs` where there are some.

    `id` may be a UUID, the text of one, or any other text or whole number.
    """

    model_config = ConfigDict(frozen=True)

    id: Identity
    dataset_id: UUID = UUID(int=0)
    inputs: dict[str, Any] | None = None
    outputs: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    created_at: datetime = datetime.fromtimestamp(0, UTC)
    modified_at: datetime | None = None
    source_run_id: UUID | None = None
    attachments: dict[str, Any] | None = None


class Run(BaseModel):
    """One call of the target: what went in, what came out or the error, and when (UTC).

    `trace_id` is `id` where none is given. Fields that only a server fills stay None.
    """

    id: UUID
    name: str
    start_time: datetime
    run_type: str = "chain"
    end_time: datetime | None = None
    extra: dict[str, Any] | None = Field(default_factory=lambda: {"metadata": {}})
    error: str | None = None
    serialized: dict[str, Any] | None = None
    events: list[dict[str, Any]] | None = None
    inputs: dict[str, Any] = Field(default_factory=dict)
    outputs: dict[str, Any] | None = None
    reference_example_id: Identity | None = None
    parent_run_id: UUID | None = None
    tags: list[str] | None = None
    attachments: dict[str, Any] = Field(default_factory=dict)
    session_id: UUID | None = None
    session_name: str | None = None
    child_run_ids: list[UUID] | None = None
    child_runs: list[Any] | None = None
    feedback_stats: dict[str, Any] | None = None
    app_path: str | None = None
    manifest_id: UUID | None = None
    status: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    prompt_token_details: dict[str, int] | None = None
    completion_token_details: dict[str, int] | None = None
    first_token_time: datetime | None = None
    total_cost: Decimal | None = None
    prompt_cost: Decimal | None = None
    completion_cost: Decimal | None = None
    prompt_cost_details: dict[str, Decimal] | None = None
    completion_cost_details: dict[str, Decimal] | None = None
    parent_run_ids: list[UUID] | None = None
    trace_id: UUID = UUID(int=0)
    dotted_order: str = ""
    in_dataset: bool | None = None

    @model_validator(mode="after")
    def _own_trace(self) -> Run:
        if "trace_id" not in self.model_fields_set:
            self.trace_id = self.id
        return self

    @classmethod
    def trusted(cls, **fields: Any) -> Run:
        """A run of fields that need no check, `id`, `name` and `start_time` among them: one is made for each row."""
        run = cls.__new__(cls)
        object.__setattr__(run, "__dict__", {**_RUN_DEFAULTS, "attachments": {}, "trace_id": fields["id"], **fields})
        object.__setattr__(run, "__pydantic_fields_set__", _ALL_FIELDS)  # one set for all runs: Python counts objects
        object.__setattr__(run, "__pydantic_extra__", None)
        object.__setattr__(run, "__pydantic_private__", None)
        return run

    @property
    def metadata(self) -> dict[str, Any]:
        """The metadata of the experiment that the run belongs to."""
        if self.extra is None:
            self.extra = {}
        found: dict[str, Any] = self.extra.setdefault("metadata", {})
        return found

    @property
    def latency(self) -> float | None:
        """Seconds from start to end; None while there is no end."""
        return None if self.end_time is None else (self.end_time - self.start_time).total_seconds()


_ALL_FIELDS = set(Run.model_fields)
_RUN_DEFAULTS = {name: field.default for name, field in Run.model_fields.items() if field.default_factory is None}
