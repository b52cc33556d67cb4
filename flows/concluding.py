"""The last stage of a check: what was found about a dataset, put together, with its reasons and its verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from contracts.errors import TwinstoreError
from contracts.judgement import judge_checks, judge_replication, sort_reasons, verdict_of
from contracts.registry import contract_for
from contracts.replication import Place
from contracts.verdicts import CheckResult, DatasetReport, Reason, ReplicationReport
from contracts.vocabulary import CheckSource, CheckStatus, StoreName, Verdict
from flows.job import Job
from flows.outcomes import UNASKED, Capture, Comparison, Look
from flows.own_checks import OF_THE_COMPARISON
from storage.parity.engine import Parity


def conclude(
    job: Job,
    looks: tuple[Look, Look],
    comparison: Comparison,
    checks: tuple[CheckResult, ...],
    capture: Capture = UNASKED,
) -> DatasetReport:
    """Put together what was found about the dataset, with its verdict."""
    from expectations.registry import declared_checks

    declared = {rule.id for rule in contract_for(job.name).rules} | {name for name, *_ in declared_checks(job.name)}
    expected = {look.store: declared for look in looks if look.facts is not None}
    parity = comparison.parity or Parity()
    reasons = sort_reasons(
        [
            *(_errored(error) for error in (looks[0].error, looks[1].error, comparison.error) if error),
            *parity.reasons,
            *judge_checks(checks, expected),
            *judge_replication(capture.report),
            *_not_looked_at(job, looks, comparison, checks),
        ]
    )
    return DatasetReport(
        name=job.name,
        verdict=verdict_of(reasons),
        reasons=reasons,
        stores=(looks[0].shown(), looks[1].shown()),
        rows=parity.rows,
        ranges=parity.ranges,
        differences=parity.differences,
        differences_total=parity.different,
        clusters=parity.clusters,
        checks=checks,
        proof=parity.proof,
        notes=(*parity.notes, *_unproven(looks, comparison)),
        replication=_replication(capture, parity),
        unsettled=parity.unsettled,
    )


def _errored(error: TwinstoreError) -> Reason:
    return Reason(verdict=Verdict.ERRORED, text=f"{error.what.rstrip('.')}. {error.todo.rstrip('.')}")


def _replication(capture: Capture, parity: Parity) -> ReplicationReport | None:
    """Return how replication stood, with what the comparison found."""
    if capture.report is None:
        return None
    places = Counter(difference.place for difference in parity.differences if difference.place is not None)
    return replace(
        capture.report,
        places={place: places[place] for place in Place if places[place]},
        pending=parity.pending,
        pending_total=parity.rows.pending,
    )


def _unproven(looks: tuple[Look, Look], comparison: Comparison) -> tuple[str, ...]:
    """Say that two settings may lead to one store, where nothing tells; a store always equals itself."""
    if not comparison.looked or all(look.facts and look.facts.identity for look in looks):
        return ()
    return ("It was not proven that the two settings lead to two different databases: one of them shows no identity",)


def _not_looked_at(
    job: Job, looks: tuple[Look, Look], comparison: Comparison, checks: tuple[CheckResult, ...]
) -> Iterator[Reason]:
    """Yield a reason for everything that should have been looked at and was not, whatever kept us from it."""
    if comparison.parity is None:
        if not any((looks[0].error, looks[1].error, comparison.error)):
            yield Reason(verdict=Verdict.ERRORED, text="the rows were not compared")
        return
    counted = {StoreName.PRISMA: comparison.parity.rows.primary, StoreName.SUPABASE: comparison.parity.rows.secondary}
    others = {f"{job.name}.{rule}" for rule in OF_THE_COMPARISON}
    for store, source in product(StoreName, CheckSource):
        found = {c.status for c in checks if (c.store, c.source) == (store, source) and c.id not in others}
        if counted[store] and found == {CheckStatus.SKIPPED}:
            text = f"no {source} was judged on {store}, though {counted[store]:,} rows were counted there"
            yield Reason(verdict=Verdict.ERRORED, text=text)
