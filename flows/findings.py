"""What a run found of what was planted: fault by fault, and what it found beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from contracts.replication import ReplicationState
from contracts.verdicts import DatasetReport, Difference, ReplicationReport
from contracts.vocabulary import CheckStatus, StoreName
from storage.local.faults import Injected, outermost

CheckOn = tuple[str, StoreName]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What became of one planted fault.

    Attributes:
        fault: Its id.
        title: What is wrong, in one sentence.
        finding: What the run says of its rows; how many are excluded, or equal in canonical form, is told for all
            faults together only, so that the catalogue's number stands here and `invented` compares the sums.
        cause: The causes that the run names.
        wrong: What is not as the catalogue says; empty when the fault was found.
    """

    fault: str
    title: str
    finding: str
    cause: str
    wrong: tuple[str, ...] = ()

    @property
    def found(self) -> bool:
        """Whether the run says exactly what the catalogue says."""
        return not self.wrong


def findings(planted: Iterable[Injected], report: DatasetReport) -> list[Finding]:
    """Hold a report against what was planted, fault by fault."""
    by_key = {d.key: d for d in report.differences}
    under_way = frozenset(one.key for one in report.replication.pending) if report.replication else frozenset[str]()
    return [_finding(injected, by_key, _failing(report), under_way) for injected in planted]


def invented(planted: Sequence[Injected], report: DatasetReport) -> list[str]:
    """Return what the report says that nobody planted, in words."""
    replication = report.replication or ReplicationReport(state=ReplicationState.OFF)
    keys = {key for i in planted if i.fault.expects.kind for key in i.found}
    rules = {check for i in planted for check in i.fault.expects.checks}
    stray = [f"{d.kind} {d.key} ({d.cause})" for d in report.differences if d.key not in keys]
    stray += [f"{check} fails on {store}" for check, store in sorted(_failing(report) - rules)]
    for name, counted, expected in (
        ("excluded", report.rows.excluded, sum(i.fault.expects.excluded for i in planted)),
        (
            "equal in canonical form only",
            report.rows.matched_representation,
            sum(i.fault.expects.representation for i in planted),
        ),
        ("under way", report.rows.pending, sum(i.fault.expects.pending for i in planted)),
        ("in open conflicts", replication.conflicts or 0, sum(i.fault.expects.conflicts for i in planted)),
        ("given up", replication.dead_letters or 0, sum(i.fault.expects.dead_letters for i in planted)),
    ):
        if counted != expected:
            stray.append(f"{counted} rows {name} instead of {expected}")
    return stray


def _failing(report: DatasetReport) -> set[CheckOn]:
    return {(check.id, check.store) for check in report.checks if check.status is CheckStatus.FAILED}


def _finding(
    injected: Injected, by_key: dict[str, Difference], failing: set[CheckOn], under_way: frozenset[str]
) -> Finding:
    fault, expects = injected.fault, injected.fault.expects
    seen = [by_key.get(key) for key in injected.found] if expects.kind else []
    wrong = [problem for d in seen if (problem := _problem(injected, d))]
    wrong += [f"{check} does not fail on {store}" for check, store in sorted(expects.checks - failing)]
    wrong += ["not under way"] if expects.pending and not under_way.issuperset(injected.found) else []
    kinds = Counter(d.kind for d in seen if d)
    parts = [f"{number} {kind}" for kind, number in kinds.items()] or ["no difference"]
    parts += [f"{check} fails on {store}" for check, store in sorted(expects.checks & failing)]
    parts += [f"{expects.pending} under way"] if expects.pending else []
    parts += [f"{expects.excluded} excluded"] if expects.excluded else []
    parts += [f"{expects.representation} equal in canonical form"] if expects.representation else []
    return Finding(
        fault=fault.id,
        title=fault.title,
        finding=", ".join(parts),
        cause=", ".join(sorted({d.cause for d in seen if d})) or "none",
        wrong=tuple(dict.fromkeys(wrong)),
    )


def _problem(injected: Injected, difference: Difference | None) -> str | None:
    """Say what a difference lacks or has too much of; None when it is as the catalogue says."""
    expects = injected.fault.expects
    if difference is None:
        return "not found"
    if difference.kind is not expects.kind:
        return f"found as {difference.kind}"
    if {e.cause for e in difference.explanations} != expects.causes:
        return f"explained as {difference.cause}"
    blamed = {e.store for e in difference.explanations}
    if expects.at_fault is not None and expects.at_fault not in blamed:
        return f"blamed on {', '.join(sorted(str(store) for store in blamed))}"
    if difference.place is not expects.place:
        return f"placed as {difference.place}"
    fields = outermost(f.field for f in difference.fields)
    return f"found in {', '.join(sorted(fields))}" if fields != expects.fields else None
