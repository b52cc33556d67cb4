"""The stages of a check, as plain functions on values: each runs, and is tested, without Prefect.

A stage that fails says so in its value instead of raising: a store that is down must not hide what the other one shows,
and must never look like "nothing found".
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property, partial
from itertools import product
from typing import TYPE_CHECKING, cast

from contracts.dataset import Dataset
from contracts.errors import InternalFault, SchemaMismatch, TwinstoreError
from contracts.judge import ContractJudge, inherited
from contracts.judgement import judge_checks, judge_replication, sort_reasons, verdict_of
from contracts.registry import contract_for
from contracts.replication import Place
from contracts.verdicts import CheckResult, DatasetReport, Reason, ReplicationReport, StoreFacts
from contracts.vocabulary import CheckSource, CheckStatus, Severity, StoreName, Verdict
from flows.settings import Settings
from flows.wiring import Stores, make_reader
from storage.canonical_text import key_text
from storage.meter import Meter
from storage.parity.engine import Parity, ParityOptions, compare, require_two_stores
from storage.parity.recheck import Patience
from storage.ports import HashKind, Reader, Spooling

if TYPE_CHECKING:
    from flows.replicating import Replication
    from storage.parity.standing import Placing

logger = logging.getLogger("twinstore")

SETTLE_RULE = "rows_settle"
SETTLE_SENTENCE = "No row may keep changing whenever it is compared: what never stands still is never proven."
CAPTURE_RULE = "capture_gap"
CAPTURE_SENTENCE = "No write may pass by capture: what does is never carried over, and the stores stay unequal."
OF_THE_COMPARISON = {SETTLE_RULE: Severity.WARNING, CAPTURE_RULE: Severity.CRITICAL}
"""Checks that are about the comparison and what it rests on, not about rows, with their severities."""
HIDDEN_SENTENCE = "Rows may be hidden from our role, so that nothing can be said of all of them."


@dataclass(frozen=True)
class Job:
    """One check of one dataset.

    Attributes:
        settings: The settings.
        stores: The pair of stores.
        name: Name of the dataset.
        run_id: The run.
        now: When the run began, UTC.
        trends: Row counts of earlier runs per store, oldest first.
        meters: Costs per store, counted as the run goes.
        adopting: True for the comparison that an adoption rests on.
        progress: Is told what happens now.
    """

    settings: Settings
    stores: Stores
    name: str
    run_id: str
    now: datetime
    trends: dict[StoreName, tuple[int, ...]] = field(default_factory=dict)
    meters: dict[StoreName, Meter] = field(default_factory=lambda: {store: Meter() for store in StoreName})
    adopting: bool = False
    progress: Callable[[str], None] = lambda _: None
    _readers: dict[StoreName, Reader] = field(default_factory=dict, init=False, repr=False)
    _replications: list[Replication] = field(default_factory=list, init=False, repr=False)
    _opening: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    @cached_property
    def dataset(self) -> Dataset:
        """The dataset, as it lies in these stores and is compared today."""
        return self.stores.dataset(contract_for(self.name).dataset).as_of(self.now.date())

    def reader(self, store: StoreName) -> Reader:
        """Return the reader of one store; the same one for all stages, which share what it keeps."""
        with self._opening:
            if store not in self._readers:
                self._readers[store] = make_reader(self.settings, self.stores, store, self.dataset, self.meters[store])
            return self._readers[store]

    def replication(self, opened: Callable[[], Replication]) -> Replication:
        """Return the replication of the dataset; opened once, and closed with the job."""
        with self._opening:
            if not self._replications:
                self._replications.append(opened())
            return self._replications[0]

    def close(self) -> None:
        """Give back what the readers hold, and close the doors of replication."""
        with self._opening:
            while self._readers:
                self._readers.popitem()[1].close()
            while self._replications:
                self._replications.pop().close()

    def options(self) -> ParityOptions:
        """Return how patiently the stores are compared."""
        patience = Patience(grace_s=self.settings.grace_s, rounds=self.settings.recheck_rounds)
        return ParityOptions(patience=patience, row_budget=self.settings.row_budget)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a first look at a store found: facts, or the error that kept it from being looked at."""

    store: StoreName
    facts: StoreFacts | None = None
    error: TwinstoreError | None = None

    @property
    def whole(self) -> bool:
        """True when every row of the store can be seen."""
        return self.facts is not None and self.facts.sees_all_rows

    def shown(self) -> StoreFacts:
        """Return the facts, or what stands in for them in a report."""
        if self.facts is not None:
            return self.facts
        note = self.error.what if self.error else ""
        return StoreFacts(store=self.store, channel=None, reachable=False, note=note)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """Whether the stores replicate, as it was found before the comparison.

    Attributes:
        report: How replication stood; None for a dataset that cannot be replicated.
        checks: Whether every write is captured, per store; none where the stores do not replicate.
        placing: Tells how differences stand; None where nobody could tell.
    """

    report: ReplicationReport | None = None
    checks: tuple[CheckResult, ...] = ()
    placing: Placing | None = None


UNASKED = Capture()


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What the comparison found, or the error that kept it from being made."""

    parity: Parity | None = None
    error: TwinstoreError | None = None

    @property
    def looked(self) -> bool:
        """True when rows were compared: neither a failed store nor one that may hide rows kept us from it."""
        return self.parity is not None and not self.parity.blind


def look_at(job: Job, store: StoreName) -> Look:
    """Prove that a store can be read as the dataset declares it."""
    try:
        facts = _facts(job, store)
        _require_migrated(job, store)
        return Look(store=store, facts=facts)
    except Exception as exc:  # noqa: BLE001 - whatever it is, the store counts as not looked at
        return Look(store=store, error=understood(exc, store))


def compare_stores(job: Job, looks: tuple[Look, Look], capture: Capture = UNASKED) -> Comparison:
    """Compare the rows of both stores, if both can be read, and tell how what differs stands in replication."""
    facts = looks[0].facts, looks[1].facts
    if facts[0] is None or facts[1] is None:
        return Comparison()
    try:
        require_two_stores(facts[0], facts[1])
        parity = compare(
            job.reader(StoreName.PRISMA),
            job.reader(StoreName.SUPABASE),
            (facts[0], facts[1]),
            options=job.options(),
            placing=capture.placing,
            progress=job.progress,
        )
    except Exception as exc:  # noqa: BLE001 - whatever it is, nothing was concluded
        return Comparison(error=understood(exc, None))
    return Comparison(parity=parity)


def judge_contract(job: Job, look: Look) -> tuple[CheckResult, ...]:
    """Judge every row of one store by the contract; a rule that cannot be judged is errored."""
    if look.facts is None:
        return ()
    if not look.whole:
        rules = ((rule.id, rule.severity) for rule in contract_for(job.name).rules)
        return _unjudged(look.store, CheckSource.CONTRACT, rules, CheckStatus.SKIPPED, HIDDEN_SENTENCE)
    judge = ContractJudge(contract_for(job.name), look.store, key_text=partial(key_text, job.dataset))
    try:
        with job.reader(look.store).snapshot(HashKind.TEXT, fresh=False) as snapshot:
            expected = sum(count.total for count in snapshot.count().values())
            for batch in snapshot.batches():
                judge.judge(batch)
    except Exception as exc:  # noqa: BLE001 - whatever it is, no rule was judged on the whole table
        rules = ((rule.id, rule.severity) for rule in contract_for(job.name).rules)
        why = str(understood(exc, look.store))
        return _unjudged(look.store, CheckSource.CONTRACT, rules, CheckStatus.ERRORED, why)
    return judge.results(expected)


def inherit_contract(results: tuple[CheckResult, ...], store: StoreName) -> tuple[CheckResult, ...]:
    """Take the verdicts of one store over to the other, which was proven equal in the same run."""
    return inherited(results, store)


def run_expectations(job: Job, look: Look) -> tuple[CheckResult, ...]:
    """Evaluate the suite on the server where the data lie."""
    if look.facts is None:
        return ()
    from expectations.registry import declared_checks
    from expectations.runner import run_suite

    if not look.whole:
        declared = ((key, severity) for key, severity, _ in declared_checks(job.name))
        return _unjudged(look.store, CheckSource.EXPECTATION, declared, CheckStatus.SKIPPED, HIDDEN_SENTENCE)
    if not job.stores.by_sql(look.store):
        return _run_on_spool(job, look.store)
    schema, table = job.dataset.tables[look.store]
    return run_suite(
        job.name,
        look.store,
        url=job.stores.sql(look.store).sqlalchemy,
        schema=schema,
        table=table,
        now=job.now,
        trend=job.trends.get(look.store, ()),
        timeout_s=job.settings.statement_timeout_s,
    )


def _run_on_spool(job: Job, store: StoreName) -> tuple[CheckResult, ...]:
    """Evaluate the suite on the columns that it needs, pulled to this machine."""
    from expectations.registry import declared_checks, needed_columns
    from expectations.runner import run_suite

    try:
        with (
            job.reader(store).snapshot(HashKind.TEXT, fresh=False) as snapshot,
            cast("Spooling", snapshot).spool(needed_columns(job.name)) as file,
        ):
            return run_suite(
                job.name,
                store,
                url=f"sqlite:///{file}",
                schema=None,
                table=job.dataset.name,
                now=job.now,
                trend=job.trends.get(store, ()),
                timeout_s=job.settings.statement_timeout_s,
            )
    except Exception as exc:  # noqa: BLE001 - whatever it is, no check was evaluated on the whole table
        declared = ((key, severity) for key, severity, _ in declared_checks(job.name))
        return _unjudged(store, CheckSource.EXPECTATION, declared, CheckStatus.ERRORED, str(understood(exc, store)))


def settle_check(job: Job, comparison: Comparison, never_still: frozenset[str]) -> tuple[CheckResult, ...]:
    """Return the check that no row was deferred in three runs in a row."""
    if not comparison.looked:
        return ()
    status = CheckStatus.FAILED if never_still else CheckStatus.PASSED
    return tuple(
        CheckResult(
            id=f"{job.name}.{SETTLE_RULE}",
            source=CheckSource.CONTRACT,
            store=store,
            severity=Severity.WARNING,
            status=status,
            message=SETTLE_SENTENCE,
            failing_rows=len(never_still),
            sample_keys=tuple(sorted(never_still)[:20]),
        )
        for store in StoreName
    )


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
    )


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


def understood(exc: Exception, store: StoreName | None) -> TwinstoreError:
    """Return an error that can be shown: our own as it is, another one by its kind, since its text may hold values."""
    if isinstance(exc, TwinstoreError):
        return exc
    logger.debug("unexpected error", exc_info=exc)
    return InternalFault(
        f"An unexpected {type(exc).__name__} ended a part of the check.",
        "Run it again with --debug and report what it says.",
        store=store,
    )


def _facts(job: Job, store: StoreName) -> StoreFacts:
    """Return the facts; of a table that does not fit, a wrong database or a missing migration says more."""
    try:
        return job.reader(store).facts()
    except SchemaMismatch:
        _require_migrated(job, store)
        raise


def _require_migrated(job: Job, store: StoreName) -> None:
    """Refuse a store whose migrations are not those of this version; functions for REST matter to REST alone."""
    if not job.stores.by_sql(store):
        return  # over REST the reader's own facts tell
    from storage.migrations import Side, state

    found = state(job.stores.sql(store).dsn, Side.PRIMARY if store is StoreName.PRISMA else Side.SECONDARY)
    pending = [m.name for m in found.pending if not m.repeatable]
    if pending or found.changed or found.unknown:
        names = pending + [m.name for m in found.changed] + list(found.unknown)
        todo = "Run `twinstore migrate`." if pending else "Use the version of twinstore that applied them."
        wrong = "are not applied" if pending else "are not those of this version"
        raise SchemaMismatch(f"Migrations of {store} {wrong}: {', '.join(names)}.", todo, store=store)


def _errored(error: TwinstoreError) -> Reason:
    return Reason(verdict=Verdict.ERRORED, text=f"{error.what.rstrip('.')}. {error.todo.rstrip('.')}")


def _unjudged(
    store: StoreName,
    source: CheckSource,
    checks: Iterable[tuple[str, Severity]],
    status: CheckStatus,
    why: str,
) -> tuple[CheckResult, ...]:
    """Return one result per check, by id and severity, none of which was judged for the same reason."""
    return tuple(
        CheckResult(id=key, source=source, store=store, severity=severity, status=status, message=why)
        for key, severity in checks
    )
