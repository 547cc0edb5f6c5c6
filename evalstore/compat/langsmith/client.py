"""LangSmith's Client, as far as it runs evaluations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evalstore.evaluation import aevaluate, evaluate

if TYPE_CHECKING:
    import os

    from evalstore.evaluation import AsyncExperimentResults, ExperimentResults
    from evalstore.store import Store

__all__ = ["Client"]


class Client:
    """Runs evaluations and stores them. What a connection needs (address, key, ...) is taken and not used."""

    def __init__(self, *_: Any, store: Store | str | os.PathLike[str] | None = None, **__: Any) -> None:
        """`store`: where results go and where datasets are; without one, as for `evaluate`."""
        self.store = store

    def evaluate(self, target: Any, /, data: Any = None, *given: Any, **options: Any) -> ExperimentResults:
        """As `evaluate`, with the store of this client."""
        return evaluate(target, data, *given, **{"client": self, **options})

    async def aevaluate(self, target: Any, /, data: Any = None, *given: Any, **options: Any) -> AsyncExperimentResults:
        """As `aevaluate`, with the store of this client."""
        return await aevaluate(target, data, *given, **{"client": self, **options})

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"this Client has no {name!r}: there is no server behind it. It has evaluate() and aevaluate(); datasets "
            "are kept by store.datasets.add(name, rows), results are asked for through the store"
        )
