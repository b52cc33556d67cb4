"""Evaluates a suite where the data lives, and fails closed: what has no clear answer is errored, never passed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from contracts.registry import contract_for
from contracts.verdicts import CheckResult
from contracts.vocabulary import CheckSource, CheckStatus, Severity, StoreName
from expectations.connections import Connections, FileConnections, connections
from expectations.engine import load_gx, open_batch
from expectations.registry import suite_for
from expectations.suite import Ask, DeclaredCheck, Facts, Finding, Skip, Suite
from expectations.troubles import why

TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The table that a suite is run on.

    Attributes:
        store: The store that holds it.
        url: SQLAlchemy URL of the store, or of the SQLite file that the table was spooled to; never shown.
        schema: Schema of the table; None in a file.
        table: Its name.
        columns: What columns are called on the server, by canonical name; a file has them by their canonical names.
        timeout_s: Limit per statement, in seconds.
        allow_empty: Take an empty table for a fact, not for a sign that we see nothing of it.
    """

    store: StoreName
    url: str
    schema: str | None
    table: str
    columns: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = TIMEOUT_S
    allow_empty: bool = False

    def __repr__(self) -> str:
        return f"Target({self.store}, {self.table if self.schema is None else f'{self.schema}.{self.table}'})"


def run_suite(
    dataset_name: str,
    store: StoreName,
    *,
    url: str,
    schema: str | None,
    table: str,
    now: datetime,
    trend: tuple[int, ...] = (),
    thresholds: Any = None,
    timeout_s: float = TIMEOUT_S,
    allow_empty: bool = False,
) -> tuple[CheckResult, ...]:
    """Evaluate the suite of a dataset on one store. This is a read-only operation; it raises for nothing on the store.

    Where there is no SQL channel, the table is a SQLite file: the columns of `expectations.registry.needed_columns` by
    their canonical names, all of them texts in canonical form (instants in UTC, without a zone).

    Args:
        dataset_name: Name of the dataset.
        store: The store that holds the table.
        url: SQLAlchemy URL of the store, or `sqlite:////path` of a file; it is in no result and no error.
        schema: Schema of the table; None in a file.
        table: Its name.
        now: The moment of the run; with a time zone.
        trend: Numbers of rows of this table in earlier runs, oldest first.
        thresholds: Limits of the suite; its own by default.
        timeout_s: Limit per statement, in seconds.
        allow_empty: Take an empty table for a fact (all checks skipped), not for a sign that we see nothing of it.

    Returns:
        One result per declared check, in the order of the suite. A suite without any check gives one errored result.

    Raises:
        ConfigurationError: No such dataset is known.
        ValueError: `now` has no time zone.
    """
    if now.tzinfo is None:
        raise ValueError("now needs a time zone")
    suite = suite_for(dataset_name)
    target = Target(
        store=store,
        url=url,
        schema=schema,
        table=table,
        columns={column.name: column.name_in(store) for column in contract_for(dataset_name).dataset.columns},
        timeout_s=timeout_s,
        allow_empty=allow_empty,
    )
    return evaluate(suite, target, now=now, trend=trend, thresholds=thresholds)


def evaluate(
    suite: Suite[Any], target: Target, *, now: datetime, trend: tuple[int, ...] = (), thresholds: Any = None
) -> tuple[CheckResult, ...]:
    """Evaluate any suite on a table; see `run_suite`."""
    if not suite.checks:
        return (_empty_suite(suite.dataset_name, target.store),)
    try:
        with connections(target.url, target.timeout_s) as source:
            rows = _count(source, target)
            facts = Facts(
                store=target.store,
                dialect=source.dialect,
                columns={} if isinstance(source, FileConnections) else target.columns,
                rows=rows,
                now=now,
                trend=trend,
                thresholds=thresholds or suite.thresholds,
            )
            return _on_rows(suite, target, source, facts)
    except Exception as exc:  # noqa: BLE001 - whatever it is, nothing was proven; its text may hold the URL
        return tuple(_errored(check, target.store, why(exc)) for check in suite.checks)


def _count(source: Connections, target: Target) -> int:
    import sqlalchemy as sa

    with source.engine.connect() as connection:
        table = sa.table(target.table, schema=target.schema)
        return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def _on_rows(suite: Suite[Any], target: Target, source: Connections, facts: Facts[Any]) -> tuple[CheckResult, ...]:
    store = target.store
    if facts.rows == 0 and target.allow_empty:
        return tuple(_result(c, store, CheckStatus.SKIPPED, message="The table holds no row.") for c in suite.checks)
    if facts.rows == 0:
        return tuple(_errored(check, store, "not a single row is seen in the table") for check in suite.checks)
    gx = load_gx()
    plans = {check.id: _plan(check, facts) for check in suite.checks}
    asks = {key: plan for key, plan in plans.items() if isinstance(plan, Ask)}
    with open_batch(gx, source, target.schema, target.table) as batch:
        answers, trouble = _answers(gx, suite, asks, batch)
    return tuple(_judge(check, store, plans[check.id], answers.get(check.id), trouble) for check in suite.checks)


def _plan(check: DeclaredCheck[Any], facts: Facts[Any]) -> Ask | Skip | str:
    """Return the plan of a check, or why there is none."""
    try:
        return check.plan(replace(facts, columns={name: facts.columns.get(name, name) for name in check.columns}))
    except Exception as exc:  # noqa: BLE001 - a check that cannot be planned is errored; the others go on
        return f"its expectation could not be made ({type(exc).__name__})"


def _answers(gx: Any, suite: Suite[Any], asks: Mapping[str, Ask], batch: Any) -> tuple[dict[str, Any], str | None]:
    """Return the answers by id, and why none of them may be believed, if so.

    Great Expectations drops an expectation that equals another one, answers in another order, and calls a suite that
    lost all of its expectations a success.
    """
    if not asks:
        return {}, None
    severities = {check.id: check.severity for check in suite.checks}
    expectations = [
        ask.expectation.copy(update={"meta": {"id": key}, "severity": str(severities[key])})
        for key, ask in asks.items()
    ]
    made = gx.ExpectationSuite(name=suite.dataset_name, expectations=expectations)
    results = batch.validate(made, result_format="COMPLETE").results
    answers: dict[str, Any] = {(result.expectation_config.meta or {})["id"]: result for result in results}
    if len(answers) != len(results) or not answers.keys() <= asks.keys():
        return {}, "the answers cannot be told apart"
    return answers, None


def _judge(
    check: DeclaredCheck[Any], store: StoreName, plan: Ask | Skip | str, answer: Any, trouble: str | None
) -> CheckResult:
    if isinstance(plan, Skip):
        return _result(check, store, CheckStatus.SKIPPED, message=plan.why)
    if isinstance(plan, str) or trouble or answer is None:
        return _errored(check, store, plan if isinstance(plan, str) else trouble or "it was not answered")
    finding = _finding(plan, answer)
    if isinstance(finding, str):
        return _errored(check, store, finding)
    if answer.success:
        return _result(check, store, CheckStatus.PASSED, finding=replace(finding, failing_rows=0, sample_keys=()))
    return _result(check, store, CheckStatus.FAILED, finding=finding)


def _finding(ask: Ask, answer: Any) -> Finding | str:
    """Return what an answer found, or why it proves nothing."""
    raised = _raised(answer.exception_info)
    if raised is not None:
        return why(raised)
    if answer.success is not True and answer.success is not False:
        return "its answer is neither yes nor no"
    try:
        return ask.read(answer.result)
    except Exception as exc:  # noqa: BLE001 - an answer that cannot be read proves nothing
        return f"its answer could not be read ({type(exc).__name__})"


def _raised(info: Any) -> str | None:
    """Return the text of the exception that an answer reports, in either of the two shapes that it comes in."""
    if not isinstance(info, Mapping):
        return "" if info else None
    if "raised_exception" not in info:
        texts = [text for part in info.values() if (text := _raised(part)) is not None]
        return " ".join(texts) if texts else None
    return f"{info.get('exception_message')} {info.get('exception_traceback')}" if info["raised_exception"] else None


def _result(
    check: DeclaredCheck[Any],
    store: StoreName,
    status: CheckStatus,
    *,
    message: str | None = None,
    finding: Finding | None = None,
) -> CheckResult:
    return CheckResult(
        id=check.id,
        source=CheckSource.EXPECTATION,
        store=store,
        severity=check.severity,
        status=status,
        message=message or check.sentence,
        failing_rows=finding.failing_rows if finding else 0,
        sample_keys=finding.sample_keys if finding else (),
        observed=finding.observed if finding else None,
    )


def _errored(check: DeclaredCheck[Any], store: StoreName, trouble: str) -> CheckResult:
    message = f"The check could not be evaluated on {store}: {trouble}."
    return _result(check, store, CheckStatus.ERRORED, message=message)


def _empty_suite(dataset_name: str, store: StoreName) -> CheckResult:
    return CheckResult(
        id=f"{dataset_name}.suite",
        source=CheckSource.EXPECTATION,
        store=store,
        severity=Severity.CRITICAL,
        status=CheckStatus.ERRORED,
        message=f"The suite of {dataset_name} declares no check, so nothing was evaluated.",
    )
