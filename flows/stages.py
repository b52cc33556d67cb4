"""The stages of a check, as plain functions on values: each runs, and is tested, without Prefect.

A stage that fails says so in its value instead of raising: a store that is down must not hide what the other one shows,
and must never look like "nothing found".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import cast

from contracts.errors import SchemaMismatch
from contracts.judge import ContractJudge, inherited
from contracts.registry import contract_for
from contracts.verdicts import CheckResult, StoreFacts
from contracts.vocabulary import CheckSource, CheckStatus, Severity, StoreName
from flows.job import Job
from flows.outcomes import UNASKED, Capture, Comparison, Look
from flows.unexpected import understood
from storage.canonical_text import key_text
from storage.parity.engine import compare, require_two_stores
from storage.ports import HashKind, Spooling

HIDDEN_SENTENCE = "Rows may be hidden from our role, so that nothing can be said of all of them."


def look_at(job: Job, store: StoreName) -> Look:
    """Prove that a store can be read as the dataset declares it."""
    try:
        facts = _facts(job, store)
        _require_migrated(job, store)
        return Look(store=store, facts=facts)
    except Exception as exc:  # noqa: BLE001 - whatever it is, the store counts as not looked at
        return Look(store=store, error=understood(exc, store))


def _facts(job: Job, store: StoreName) -> StoreFacts:
    """Return the facts; of a table that does not fit, a wrong database or a missing migration says more."""
    try:
        facts = job.reader(store).facts()
        return replace(facts, known_as=job.stores.known_as(store, facts))
    except SchemaMismatch:
        _require_migrated(job, store)
        raise


def _require_migrated(job: Job, store: StoreName) -> None:
    """Refuse a store whose migrations are not those of this version; functions for REST matter to REST alone."""
    if not job.stores.by_sql(store):
        return  # over REST the reader's own facts tell
    from storage.migrations import Side, state

    found = state(job.stores.sql(store).dsn, Side.of(store))
    pending = [m.name for m in found.pending if not m.repeatable]
    if pending or found.changed or found.unknown:
        names = pending + [m.name for m in found.changed] + list(found.unknown)
        todo = "Run `twinstore migrate`." if pending else "Use the version of twinstore that applied them."
        wrong = "are not applied" if pending else "are not those of this version"
        raise SchemaMismatch(f"Migrations of {store} {wrong}: {', '.join(names)}.", todo, store=store)


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


def run_expectations(job: Job, look: Look, trend: tuple[int, ...] = ()) -> tuple[CheckResult, ...]:
    """Evaluate the suite on the server where the data lie.

    Args:
        job: The check.
        look: What the first look at the store found.
        trend: Row counts of earlier runs that looked at this database, oldest first.
    """
    if look.facts is None:
        return ()
    from expectations.registry import declared_checks
    from expectations.runner import run_suite

    if not look.whole:
        declared = ((key, severity) for key, severity, _ in declared_checks(job.name))
        return _unjudged(look.store, CheckSource.EXPECTATION, declared, CheckStatus.SKIPPED, HIDDEN_SENTENCE)
    if not job.stores.by_sql(look.store):
        return _run_on_spool(job, look.store, trend)
    schema, table = job.dataset.tables[look.store]
    return run_suite(
        job.name,
        look.store,
        url=job.stores.sql(look.store).sqlalchemy,
        schema=schema,
        table=table,
        now=job.now,
        trend=trend,
        timeout_s=job.settings.statement_timeout_s,
    )


def _run_on_spool(job: Job, store: StoreName, trend: tuple[int, ...]) -> tuple[CheckResult, ...]:
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
                trend=trend,
                timeout_s=job.settings.statement_timeout_s,
            )
    except Exception as exc:  # noqa: BLE001 - whatever it is, no check was evaluated on the whole table
        declared = ((key, severity) for key, severity, _ in declared_checks(job.name))
        return _unjudged(store, CheckSource.EXPECTATION, declared, CheckStatus.ERRORED, str(understood(exc, store)))


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
