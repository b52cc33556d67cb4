"""The ledger of failing checks: which fail, since which run, and which a later run found to hold again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, insert, select, update

from contracts.verdicts import CheckResult
from contracts.vocabulary import StoreName
from storage.state.history import CheckKey, failing_checks, passed_checks
from storage.state.tables import FAILING_CHECKS

_C = FAILING_CHECKS.c


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckChanges:
    """Ids of the checks that began to fail, and of those that no longer do, sorted."""

    new: tuple[str, ...]
    gone: tuple[str, ...]


def changes(
    connection: Connection, dataset_id: int, checks: Iterable[CheckResult], *, run_id: str, anew: bool = False
) -> CheckChanges:
    """Compare the checks of run `run_id` with what failed before it; a check that could not tell changes nothing.

    Where history begins anew, nothing failed before.
    """
    results = tuple(checks)
    before = frozenset[CheckKey]() if anew else _failing_before(connection, dataset_id, run_id=run_id)
    failing, passed = failing_checks(results), passed_checks(results)
    still = {check_id for check_id, _ in failing | (before - passed)}
    return CheckChanges(
        new=tuple(sorted({check_id for check_id, _ in failing - before})),
        gone=tuple(sorted({check_id for check_id, _ in before & passed} - still)),
    )


def record(
    connection: Connection, dataset_id: int, checks: Iterable[CheckResult], *, run_id: str, now: datetime
) -> None:
    """Take in which checks fail and which hold, as run `run_id` found them."""
    results = tuple(checks)
    known = {
        (row.check_id, StoreName(row.store)): row.gone_run_id is not None
        for row in connection.execute(select(FAILING_CHECKS).where(_C.dataset_id == dataset_id))
    }
    passed = passed_checks(results)
    rows = {(check.id, check.store): check.failing_rows for check in results}
    for check in failing_checks(results):
        _fails(connection, dataset_id, check, rows[check], run_id=run_id, now=now, gone=known.get(check))
    for check in passed & {check for check, gone in known.items() if not gone}:
        holds = {"gone_run_id": run_id, "gone_at": now}
        connection.execute(update(FAILING_CHECKS).where(_is(dataset_id, check)).values(holds))


def _fails(
    connection: Connection,
    dataset_id: int,
    check: CheckKey,
    failing_rows: int,
    *,
    run_id: str,
    now: datetime,
    gone: bool | None,
) -> None:
    """Write one failing check. A dataset has tens of them, not thousands, so that one statement each is no matter."""
    if gone is None:
        values = {"check_id": check[0], "store": str(check[1]), "first_seen": now, "opened_run_id": run_id}
        seen = {"last_run_id": run_id, "failing_rows": failing_rows}
        connection.execute(insert(FAILING_CHECKS).values(dataset_id=dataset_id, **values, **seen))
        return
    again: dict[str, object] = {"last_run_id": run_id, "failing_rows": failing_rows}
    if gone:
        again |= {"opened_run_id": run_id, "gone_run_id": None, "gone_at": None}
    connection.execute(update(FAILING_CHECKS).where(_is(dataset_id, check)).values(again))


def _is(dataset_id: int, check: CheckKey) -> ColumnElement[bool]:
    return and_(_C.dataset_id == dataset_id, _C.check_id == check[0], _C.store == str(check[1]))


def _failing_before(connection: Connection, dataset_id: int, *, run_id: str) -> frozenset[CheckKey]:
    mine = (_C.dataset_id == dataset_id, _C.opened_run_id != run_id)
    rows = connection.execute(select(FAILING_CHECKS).where(*mine))
    return frozenset(
        (row.check_id, StoreName(row.store)) for row in rows if row.gone_run_id is None or row.gone_run_id == run_id
    )
