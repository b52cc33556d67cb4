"""The command that plans the repair of what a run found, where it can be repaired."""

from __future__ import annotations

from contracts.verdicts import DatasetReport, RunReport
from contracts.vocabulary import Verdict

_BLIND = frozenset({Verdict.ERRORED, Verdict.INCOMPLETE})


def plan_offer(report: RunReport, dataset: DatasetReport) -> str:
    """Return the command that plans the repair of a dataset; empty where nothing differs, or no plan may rest on it."""
    blind = dataset.verdict in _BLIND or any(reason.verdict in _BLIND for reason in dataset.reasons)
    if blind or dataset.replication is None or not dataset.differences_total:
        return ""
    several = sum(one.replication is not None for one in report.datasets) > 1
    return f"twinstore repair plan --run {report.run_id}" + (f" --dataset {dataset.name}" if several else "")
