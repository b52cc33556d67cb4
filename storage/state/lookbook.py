"""What is remembered of when runs looked everywhere, and since when each key was seen to differ."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, and_, or_, select

from storage.state.book import Book
from storage.state.pairs import Pair, reach
from storage.state.runs import dataset_id
from storage.state.tables import DATASET_RUNS, DATASETS, DIFFERENCES, RUNS

_D = DIFFERENCES.c


class Lookbook(Book):
    """What the memory of one environment knows about what runs looked at."""

    def complete_runs(self, dataset: str, since: datetime) -> tuple[tuple[datetime, datetime], ...]:
        """Return when each run that began since then and looked everywhere began and ended, in their order.

        One that saw an empty side looked at no row, what an overtaken one saw is not remembered, and what was seen in
        other databases says nothing.
        """
        mine = and_(DATASETS.c.environment == self._environment, DATASETS.c.name == dataset)
        began = DATASET_RUNS.c.started_at
        wanted = (
            select(began, RUNS.c.finished_at)
            .join(DATASETS, DATASET_RUNS.c.dataset_id == DATASETS.c.id)
            .join(RUNS, RUNS.c.run_id == DATASET_RUNS.c.run_id)
            .where(mine, DATASET_RUNS.c.trusted, DATASET_RUNS.c.compared, began > since)
            .order_by(began)
        )
        with self._database.reading() as connection:
            _, other = self._reach(connection, dataset)
            found = connection.execute(wanted.where(DATASET_RUNS.c.run_id > other))
            return tuple((row.started_at, row.finished_at) for row in found)

    def pair(self, dataset: str, run_id: str) -> Pair:
        """Return which databases a run looked at; none where nothing tells."""
        mine = and_(DATASETS.c.environment == self._environment, DATASETS.c.name == dataset)
        this = and_(DATASET_RUNS.c.dataset_id == DATASETS.c.id, DATASET_RUNS.c.run_id == run_id)
        columns = select(DATASET_RUNS.c.known_primary, DATASET_RUNS.c.known_secondary)
        with self._database.reading() as connection:
            row = connection.execute(columns.join(DATASETS, mine).where(this)).first()
        return Pair(None, None) if row is None else Pair(*row)

    def reach(self, dataset: str) -> tuple[Pair, str]:
        """Return the databases of the last run that counts, and the last run before it that looked at others.

        That one's id is empty where all looked at these.
        """
        with self._database.reading() as connection:
            return self._reach(connection, dataset)

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

    def _reach(self, connection: Connection, dataset: str) -> tuple[Pair, str]:
        number = dataset_id(connection, self._environment, dataset)
        return (Pair(None, None), "") if number is None else reach(connection, number)
