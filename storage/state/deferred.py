"""Keys that kept moving while they were looked at: deferred once is bad luck, three times in a row is a finding."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, delete, insert, select, update

from storage.chunks import chunks
from storage.state.bulk import CHUNK
from storage.state.tables import DATASETS, DEFERRED_KEYS

RUNS_IN_A_ROW = 3

_C = DEFERRED_KEYS.c


def defer(
    connection: Connection, dataset: int, keys: Collection[str], *, run_id: str, anew: bool = False
) -> frozenset[str]:
    """Record the deferred keys of run `run_id`; return those deferred in three runs in a row, this one included.

    Asked again for the same run, or for an older one, it changes nothing. Where history begins `anew`, no key was
    deferred before.
    """
    last = connection.execute(select(DATASETS.c.deferred_run_id).where(DATASETS.c.id == dataset)).scalar()
    if last is None or last < run_id:
        _record(connection, dataset, frozenset(keys), anew=anew)
        connection.execute(update(DATASETS).where(DATASETS.c.id == dataset).values(deferred_run_id=run_id))
    elif last > run_id:
        return frozenset()
    lasting = select(_C.key).where(_C.dataset_id == dataset, _C.streak >= RUNS_IN_A_ROW)
    return frozenset(connection.execute(lasting).scalars())


def _record(connection: Connection, dataset: int, keys: frozenset[str], *, anew: bool) -> None:
    rows = connection.execute(select(_C.key, _C.streak).where(_C.dataset_id == dataset))
    before = {} if anew else {row.key: row.streak for row in rows}
    connection.execute(delete(DEFERRED_KEYS).where(_C.dataset_id == dataset))
    for chunk in chunks(sorted(keys), CHUNK):
        longer = [{"dataset_id": dataset, "key": key, "streak": before.get(key, 0) + 1} for key in chunk]
        connection.execute(insert(DEFERRED_KEYS), longer)
