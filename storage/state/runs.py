"""The runs that were made: what each found about each dataset, in numbers."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, or_, select, true

from contracts.verdicts import DatasetReport, RunReport, TrendPoint
from contracts.vocabulary import StoreName, Verdict
from storage.state.history import looked_everywhere
from storage.state.pairs import PLACES, Pair, id_of, pair_of
from storage.state.tables import DATASET_RUNS, DATASETS, DIFFERENCES, FAILING_CHECKS, RUNS

_R = DATASET_RUNS.c


def dataset_id(connection: Connection, environment: str, name: str) -> int | None:
    """Return the number under which a dataset of this environment is kept; None when it was never heard of."""
    mine = and_(DATASETS.c.environment == environment, DATASETS.c.name == name)
    return connection.execute(select(DATASETS.c.id).where(mine)).scalar()


def ensure_dataset(connection: Connection, environment: str, name: str) -> int:
    """Return the number of a dataset, giving it one when it is new. Needs a writing transaction."""
    known = dataset_id(connection, environment, name)
    if known is not None:
        return known
    connection.execute(insert(DATASETS).values(environment=environment, name=name))
    return ensure_dataset(connection, environment, name)


def insert_run(connection: Connection, environment: str, report: RunReport) -> bool:
    """Write the head of a run; False when it is there already."""
    if connection.execute(select(RUNS.c.run_id).where(RUNS.c.run_id == report.run_id)).first() is not None:
        return False
    connection.execute(
        insert(RUNS).values(
            run_id=report.run_id,
            environment=environment,
            started_at=report.started_at,
            finished_at=report.finished_at,
            verdict=str(report.verdict),
            version=report.version,
        )
    )
    return True


def insert_dataset_run(
    connection: Connection, dataset: int, report: DatasetReport, *, run_id: str, started_at: datetime, compared: bool
) -> None:
    """Write what a run found about one dataset."""
    connection.execute(
        insert(DATASET_RUNS).values(
            dataset_id=dataset,
            run_id=run_id,
            started_at=started_at,
            verdict=str(report.verdict),
            trusted=looked_everywhere(report),
            compared=compared,
            rows_primary=report.rows.primary,
            rows_secondary=report.rows.secondary,
            differences=report.differences_total,
            known_primary=pair_of(report.stores).primary,
            known_secondary=pair_of(report.stores).secondary,
        )
    )


def previous_run(connection: Connection, dataset: int, *, run_id: str) -> str | None:
    """Return the last run before `run_id` that later ones are compared with."""
    before = and_(_R.dataset_id == dataset, _R.compared, _R.run_id < run_id)
    return connection.execute(select(func.max(_R.run_id)).where(before)).scalar()


def is_overtaken(connection: Connection, dataset: int, *, run_id: str) -> bool:
    """Say whether a later run than `run_id` was taken in already; the ledger does not go back in time."""
    later = and_(_R.dataset_id == dataset, _R.compared, _R.run_id > run_id)
    return connection.execute(select(_R.run_id).where(later).limit(1)).first() is not None


def trend(connection: Connection, dataset: int, now: Pair, *, run_id: str, limit: int) -> tuple[TrendPoint, ...]:
    """Return the last runs before `run_id`, oldest first, those that could not tell included.

    Those that are proven to have looked at other databases than it does now are left out.
    """
    mine = (_may_be(connection, dataset, store, known_as) for store, known_as in zip(StoreName, now, strict=True))
    before = and_(_R.dataset_id == dataset, _R.run_id < run_id, *mine)
    rows = connection.execute(select(DATASET_RUNS).where(before).order_by(_R.run_id.desc()).limit(limit)).all()
    return tuple(
        TrendPoint(
            run_id=row.run_id,
            started_at=row.started_at,
            verdict=Verdict(row.verdict),
            differences=row.differences,
            rows_primary=row.rows_primary,
            rows_secondary=row.rows_secondary,
        )
        for row in reversed(rows)
    )


def row_counts(
    connection: Connection, dataset: int, store: StoreName, *, known_as: str | None, limit: int
) -> tuple[int, ...]:
    """Return the rows of one store in the last runs that looked everywhere, oldest first.

    Those that are proven to have looked at another database than the one that is `known_as` are left out.
    """
    count = _R.rows_primary if store is StoreName.PRISMA else _R.rows_secondary
    wanted = and_(_R.dataset_id == dataset, _R.trusted, _may_be(connection, dataset, store, known_as))
    rows = connection.execute(select(count).where(wanted).order_by(_R.run_id.desc()).limit(limit)).scalars().all()
    return tuple(reversed(rows))


def _may_be(connection: Connection, dataset: int, store: StoreName, known_as: str | None) -> ColumnElement[bool]:
    """Return the condition of runs that are not proven to have looked at another database than this one."""
    mine = id_of(connection, dataset, store, known_as)
    if mine is None:
        return true()
    known = _R.known_primary if store is StoreName.PRISMA else _R.known_secondary
    return or_(known.is_(None), known.like(PLACES), known == mine)


def prune(connection: Connection, environment: str, *, now: datetime, keep_runs: int, keep_days: int) -> int:
    """Forget what is old in every dataset of this environment; return how many runs were forgotten.

    A dataset's newest run stays, and so does every difference and check that is still open.
    """
    oldest = now - timedelta(days=keep_days)
    mine = select(DATASETS.c.id).where(DATASETS.c.environment == environment)
    for dataset in connection.execute(mine).scalars().all():
        _prune_dataset(connection, dataset, oldest=oldest, keep_runs=max(keep_runs, 1))
    unused = and_(RUNS.c.environment == environment, RUNS.c.run_id.not_in(select(_R.run_id)))
    first = connection.execute(select(func.min(_R.run_id)).where(_R.dataset_id.in_(mine))).scalar()
    idle = or_(RUNS.c.started_at < oldest, RUNS.c.run_id < (first or ""))  # a run that judged no dataset
    return connection.execute(delete(RUNS).where(unused, idle)).rowcount


def _prune_dataset(connection: Connection, dataset: int, *, oldest: datetime, keep_runs: int) -> None:
    newest_first = select(_R.run_id).where(_R.dataset_id == dataset).order_by(_R.run_id.desc())
    newest = connection.execute(newest_first.limit(1)).scalar()
    first_surplus = connection.execute(newest_first.offset(keep_runs).limit(1)).scalar()
    surplus = or_(_R.started_at < oldest, _R.run_id <= (first_surplus or ""))
    connection.execute(delete(DATASET_RUNS).where(_R.dataset_id == dataset, surplus, _R.run_id != newest))
    for ledger in (DIFFERENCES, FAILING_CHECKS):
        connection.execute(delete(ledger).where(ledger.c.dataset_id == dataset, ledger.c.gone_at < oldest))
