"""What is remembered of when runs looked everywhere, and since when each key was seen to differ."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, or_, select

from storage.state.opening import Database
from storage.state.tables import DATASET_RUNS, DATASETS, DIFFERENCES, RUNS

_D = DIFFERENCES.c


class Lookbook:
    """What the memory of one environment knows about what runs looked at.

    Every method may raise the errors of `contracts.errors`.

    Args:
        database: Where it is kept.
        environment: Name of the pair of stores.
    """

    def __init__(self, database: Database, environment: str) -> None:
        self._database = database
        self._environment = environment

    def complete_runs(self, dataset: str, since: datetime) -> tuple[tuple[datetime, datetime], ...]:
        """Return when each run that began since then and looked everywhere began and ended, in their order."""
        mine = and_(DATASETS.c.environment == self._environment, DATASETS.c.name == dataset)
        began = DATASET_RUNS.c.started_at
        wanted = (
            select(began, RUNS.c.finished_at)
            .join(DATASETS, DATASET_RUNS.c.dataset_id == DATASETS.c.id)
            .join(RUNS, RUNS.c.run_id == DATASET_RUNS.c.run_id)
            .where(mine, DATASET_RUNS.c.trusted, began > since)
            .order_by(began)
        )
        with self._database.reading() as connection:
            return tuple((row.started_at, row.finished_at) for row in connection.execute(wanted))

    def differed(self, dataset: str, since: datetime) -> dict[str, tuple[tuple[datetime, datetime | None], ...]]:
        """Return, by key, when it was first seen to differ and when it was gone, of all that was not gone by then."""
        mine = and_(DATASETS.c.environment == self._environment, DATASETS.c.name == dataset)
        open_then = or_(_D.gone_at.is_(None), _D.gone_at > since)
        columns = (_D.key, _D.first_seen, _D.gone_at)
        wanted = select(*columns).join(DATASETS, _D.dataset_id == DATASETS.c.id).where(mine, open_then)
        found: dict[str, tuple[tuple[datetime, datetime | None], ...]] = {}
        with self._database.reading() as connection:
            for row in connection.execute(wanted):
                found[row.key] = (*found.get(row.key, ()), (row.first_seen, row.gone_at))
        return found
