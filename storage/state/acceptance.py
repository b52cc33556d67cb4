"""What people accepted: waivers, and the baseline from which a gate counts new violations."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, literal, select

from contracts.baseline import Baseline
from contracts.errors import ConfigurationError
from contracts.ledger import Identity
from contracts.vocabulary import DifferenceKind, StoreName
from contracts.waivers import Waiver
from storage.state.ledger import unpack
from storage.state.tables import (
    BASELINE_CHECKS,
    BASELINE_DIFFERENCES,
    BASELINES,
    DATASET_RUNS,
    DIFFERENCES,
    FAILING_CHECKS,
    WAIVERS,
)


def fetch_waivers(connection: Connection, dataset: int, name: str) -> tuple[Waiver, ...]:
    """Return the waivers of a dataset, expired ones included, by target and store."""
    columns = WAIVERS.c
    rows = connection.execute(
        select(WAIVERS).where(columns.dataset_id == dataset).order_by(columns.target, columns.store)
    )
    return tuple(
        Waiver(
            target=row.target,
            dataset=name,
            store=StoreName(row.store) if row.store else None,
            owner=row.owner,
            reason=row.reason,
            expires=row.expires,
        )
        for row in rows
    )


def put_waiver(connection: Connection, dataset: int, waiver: Waiver) -> None:
    """Write a waiver in place of an older one with the same target and store."""
    drop_waiver(connection, dataset, waiver.target, waiver.store)
    connection.execute(
        insert(WAIVERS).values(
            dataset_id=dataset,
            target=waiver.target,
            store=str(waiver.store or ""),
            owner=waiver.owner,
            reason=waiver.reason,
            expires=waiver.expires,
        )
    )


def drop_waiver(connection: Connection, dataset: int, target: str, store: StoreName | None) -> bool:
    """Remove a waiver; False when there was none with this target and store."""
    columns = WAIVERS.c
    this = (columns.dataset_id == dataset, columns.target == target, columns.store == str(store or ""))
    return connection.execute(delete(WAIVERS).where(*this)).rowcount > 0


def accept_run(connection: Connection, run_id: str, *, owner: str, reason: str, now: datetime) -> int:
    """Make what run `run_id` found the baseline of its datasets; return how many findings that are.

    Raises:
        ConfigurationError: The run is unknown, could not look everywhere, or is not the last one of a dataset; or
            owner or reason is blank.
    """
    if not owner.strip() or not reason.strip():
        raise ConfigurationError("A baseline needs an owner and a reason.", "Say who accepts it, and why.")
    runs = DATASET_RUNS.c
    datasets = connection.execute(select(runs.dataset_id, runs.trusted).where(runs.run_id == run_id)).all()
    if not datasets:
        raise ConfigurationError(f"There is no run {run_id} in the state.", "Name a run that was remembered.")
    if not all(trusted for _, trusted in datasets):
        raise ConfigurationError(
            f"Run {run_id} could not look everywhere.", "Accept a run that is neither errored nor incomplete."
        )
    later = select(runs.run_id).where(
        runs.dataset_id.in_([d for d, _ in datasets]), runs.compared, runs.run_id > run_id
    )
    if connection.execute(later.limit(1)).first() is not None:
        raise ConfigurationError(f"Run {run_id} is not the last one.", "Accept the last run.")
    head = {"run_id": run_id, "owner": owner.strip(), "reason": reason.strip(), "accepted_at": now}
    return sum(_accept(connection, dataset, head) for dataset, _ in datasets)


def fetch_baseline(connection: Connection, dataset: int) -> Baseline | None:
    """Return what was accepted of a dataset; None when nothing was."""
    head = connection.execute(select(BASELINES).where(BASELINES.c.dataset_id == dataset)).first()
    if head is None:
        return None
    differences = connection.execute(select(BASELINE_DIFFERENCES).where(BASELINE_DIFFERENCES.c.dataset_id == dataset))
    checks = connection.execute(select(BASELINE_CHECKS).where(BASELINE_CHECKS.c.dataset_id == dataset))
    return Baseline(
        run_id=head.run_id,
        owner=head.owner,
        reason=head.reason,
        accepted_at=head.accepted_at,
        differences=frozenset(
            Identity(key=row.key, kind=DifferenceKind(row.kind), fields=unpack(row.fields)) for row in differences
        ),
        checks={(row.check_id, StoreName(row.store)): row.failing_rows for row in checks},
    )


def _accept(connection: Connection, dataset: int, head: Mapping[str, object]) -> int:
    """Copy what the run saw from the ledgers, which hold no value of a record, inside the database."""
    connection.execute(delete(BASELINES).where(BASELINES.c.dataset_id == dataset))
    connection.execute(insert(BASELINES).values(dataset_id=dataset, **head))
    accepted = 0
    for ledger, baseline in ((DIFFERENCES, BASELINE_DIFFERENCES), (FAILING_CHECKS, BASELINE_CHECKS)):
        connection.execute(delete(baseline).where(baseline.c.dataset_id == dataset))
        names = [column.name for column in baseline.c if column.name != "dataset_id"]
        seen = select(literal(dataset), *(ledger.c[name] for name in names)).where(
            ledger.c.dataset_id == dataset, ledger.c.last_run_id == head["run_id"]
        )
        connection.execute(insert(baseline).from_select(["dataset_id", *names], seen))
        mine = select(func.count()).select_from(baseline).where(baseline.c.dataset_id == dataset)
        accepted += connection.execute(mine).scalar_one()
    return accepted
