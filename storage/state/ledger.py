"""The ledger of differences: reads and writes it in bulk, a thousand keys a statement."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, and_, func, insert, or_, select, update

from contracts.ledger import FLAPPING_WINDOW, Identity
from contracts.vocabulary import DifferenceKind
from storage.state.history import Entry, is_flapping
from storage.state.tables import DIFFERENCES

CHUNK = 1000
T = TypeVar("T")
_C = DIFFERENCES.c


def chunks(items: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """Yield the items in lists of at most `size`."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


@lru_cache(maxsize=4096)
def pack(fields: tuple[str, ...]) -> str:
    """Return the stored form of a list of columns."""
    return json.dumps(fields, ensure_ascii=False)


@lru_cache(maxsize=4096)
def unpack(stored: str) -> tuple[str, ...]:
    """Return the list of columns that `pack` stored."""
    return tuple(json.loads(stored))


def fetch_entries(
    connection: Connection, dataset_id: int, identities: Iterable[Identity]
) -> Iterator[Mapping[Identity, Entry]]:
    """Yield, for a thousand identities at a time, each of them with what the ledger holds about it.

    Identities that the ledger does not know are absent; others that share a key with them may be there too.
    """
    for chunk in chunks(identities):
        wanted = {identity.key for identity in chunk}
        rows = connection.execute(select(DIFFERENCES).where(_C.dataset_id == dataset_id, _C.key.in_(wanted)))
        yield {_identity(row): _entry(row) for row in rows}


def record(
    connection: Connection, dataset_id: int, identities: Sequence[Identity], *, run_id: str, now: datetime
) -> None:
    """Record that run `run_id`, begun at `now`, saw these differences; each may be given once."""
    for chunk, known in zip(chunks(identities), fetch_entries(connection, dataset_id, identities), strict=True):
        unseen: list[dict[str, Any]] = []
        open_ids: list[int] = []
        gone_ids: list[int] = []
        for identity in chunk:
            entry = known.get(identity)
            if entry is None:
                unseen.append(_first(dataset_id, identity, run_id, now))
            elif entry.last_run_id != run_id:
                (gone_ids if entry.gone else open_ids).append(entry.id)
        if unseen:
            connection.execute(insert(DIFFERENCES), unseen)
        if open_ids:
            again = {"last_run_id": run_id, "runs_seen": _C.runs_seen + 1}
            connection.execute(update(DIFFERENCES).where(_C.id.in_(open_ids)).values(again))
        if gone_ids:
            connection.execute(update(DIFFERENCES).where(_C.id.in_(gone_ids)).values(_reopened(run_id, now)))


def close_unseen(connection: Connection, dataset_id: int, *, run_id: str, now: datetime) -> None:
    """Mark as gone what run `run_id`, which looked everywhere, did not see."""
    unseen = and_(_C.dataset_id == dataset_id, _C.gone_run_id.is_(None), _C.last_run_id != run_id)
    connection.execute(update(DIFFERENCES).where(unseen).values(gone_run_id=run_id, gone_at=now))


def count_before(connection: Connection, dataset_id: int, *, run_id: str) -> int:
    """Count the differences that were open before run `run_id`, whether or not the ledger took it in already."""
    open_before = or_(_C.gone_run_id.is_(None), _C.gone_run_id == run_id)
    mine = and_(_C.dataset_id == dataset_id, open_before, _C.opened_run_id != run_id)
    return connection.execute(select(func.count()).select_from(DIFFERENCES).where(mine)).scalar_one()


def fetch_flapping(connection: Connection, dataset_id: int, *, now: datetime) -> frozenset[Identity]:
    """Return the differences that came back three times or more within 30 days, open or not."""
    third = _C.returned_first >= now - FLAPPING_WINDOW
    rows = connection.execute(select(DIFFERENCES).where(_C.dataset_id == dataset_id, third))
    return frozenset(_identity(row) for row in rows if is_flapping(_entry(row).returns, now))


def _first(dataset_id: int, identity: Identity, run_id: str, now: datetime) -> dict[str, Any]:
    return {
        "dataset_id": dataset_id,
        "key": identity.key,
        "kind": str(identity.kind),
        "fields": pack(identity.fields),
        "first_seen": now,
        "opened_run_id": run_id,
        "last_run_id": run_id,
        "runs_seen": 1,
        "openings": 1,
    }


def _reopened(run_id: str, now: datetime) -> dict[str, Any]:
    return {
        "opened_run_id": run_id,
        "last_run_id": run_id,
        "runs_seen": 1,
        "openings": _C.openings + 1,
        "returned_at": now,
        "returned_before": _C.returned_at,
        "returned_first": _C.returned_before,
        "gone_at": None,
        "gone_run_id": None,
    }


def _identity(row: Row[Any]) -> Identity:
    return Identity(key=row.key, kind=DifferenceKind(row.kind), fields=unpack(row.fields))


def _entry(row: Row[Any]) -> Entry:
    returns = (row.returned_at, row.returned_before, row.returned_first)
    return Entry(
        id=row.id,
        first_seen=row.first_seen,
        opened_run_id=row.opened_run_id,
        last_run_id=row.last_run_id,
        runs_seen=row.runs_seen,
        openings=row.openings,
        returns=tuple(moment for moment in returns if moment is not None),
        gone=row.gone_run_id is not None,
    )
