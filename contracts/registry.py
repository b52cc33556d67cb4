"""All contracts, by the name of their dataset: adding a dataset adds one line here and one file with its rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.errors import ConfigurationError
from contracts.judge import Contract, Evaluator, frame_evaluators
from contracts.planning import PLANNING
from contracts.rules import PLANNING_RULES
from contracts.vocabulary import StoreName

if TYPE_CHECKING:
    import pyarrow as pa


def _planning_evaluators(store: StoreName) -> tuple[Evaluator, ...]:
    from contracts.planning_bodies import BODY_RULES, METADATA_VALID, judge_bodies, judge_metadata
    from contracts.planning_frame import planning_frame

    def bodies(batch: pa.RecordBatch) -> dict[str, list[int]]:
        return judge_bodies(*(batch.column(name).to_pylist() for name in ("id", "type", "content")))

    def metadata(batch: pa.RecordBatch) -> dict[str, list[int]]:
        return judge_metadata(batch.column("metadata").to_pylist())

    return (
        *frame_evaluators(planning_frame(store), PLANNING_RULES),
        Evaluator(rules=BODY_RULES, columns=("id", "type", "content"), run=bodies),
        Evaluator(rules=(METADATA_VALID,), columns=("metadata",), run=metadata),
    )


_CONTRACTS = {
    "planning": Contract(dataset=PLANNING, rules=PLANNING_RULES, evaluators=_planning_evaluators),
}


def known_datasets() -> tuple[str, ...]:
    """Return the names of all datasets."""
    return tuple(sorted(_CONTRACTS))


def contract_for(dataset_name: str) -> Contract:
    """Return the contract of a dataset.

    Raises:
        ConfigurationError: No such dataset is known.
    """
    try:
        return _CONTRACTS[dataset_name]
    except KeyError:
        known = ", ".join(sorted(_CONTRACTS))
        raise ConfigurationError(f"There is no dataset {dataset_name!r}.", f"Use one of: {known}.") from None
