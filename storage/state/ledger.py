"""The ledger of differences: reads and writes it in bulk, a thousand keys a statement."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, insert, literal, not_, or_, select, true, update

from contracts.ledger import FLAPPING_WINDOW, Identity
from contracts.vocabulary import DifferenceKind
from storage.chunks import chunks
from storage.state.bulk import CHUNK, among, rows_of
from storage.state.history import Entry, is_flapping
from storage.state.tables import DIFFERENCES, Instant

_C = DIFFERENCES.c
_KINDS = {str(kind): kind for kind in DifferenceKind}
_ENTRIES: Select[Any] = select(
    _C.key,
    _C.kind,
    _C.fields,
    _C.id,
    _C.first_seen,
    _C.opened_run_id,
    _C.last_run_id,
    _C.runs_seen,
    _C.openings,
    _C.gone_run_id,
    _C.returned_at,
    _C.returned_before,
    _C.returned_first,
)


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
    for chunk in chunks(identities, CHUNK):
        wanted = {identity.key for identity in chunk}
        known = and_(_C.dataset_id == dataset_id, among(connection, _C.key, wanted))
        yield dict(map(_entry, connection.execute(_ENTRIES.where(known)).all()))


def record(
    connection: Connection,
    dataset_id: int,
    found: Mapping[Identity, bool | None],
    *,
    run_id: str,
    now: datetime,
) -> None:
    """Record that run `run_id`, begun at `now`, saw these differences.

    Args:
        connection: The transaction.
        dataset_id: The dataset.
        found: The differences, and whether each was lost with all others of its time. What one run saw lost so stays
            so while it is open, and what one run could not tell (None) stays in doubt: later runs see less of it.
        run_id: The run.
        now: When it began.
    """
    for chunk, known in zip(chunks(found, CHUNK), fetch_entries(connection, dataset_id, found), strict=True):
        entries = [known[identity] for identity in chunk if identity in known]
        earlier = [entry for entry in entries if entry.last_run_id != run_id]
        _insert(connection, dataset_id, [i for i in chunk if i not in known], run_id=run_id, now=now)
        again = {"last_run_id": run_id, "runs_seen": _C.runs_seen + 1}
        _update(connection, [entry.id for entry in earlier if not entry.gone], again)
        _update(connection, [entry.id for entry in earlier if entry.gone], _reopened(run_id, now))
        _mark(connection, dataset_id, [identity for identity in chunk if found[identity] is None], lost=None)
        _mark(connection, dataset_id, [identity for identity in chunk if found[identity]], lost=True)


def fetch_unsettled(connection: Connection, dataset_id: int, keys: Mapping[str, DifferenceKind]) -> list[int]:
    """Return the open differences about which a run can say nothing.

    Args:
        connection: The transaction.
        dataset_id: The dataset.
        keys: What that run could not settle, and how the stores disagreed about it: a row that both hold by now, for
            instance, is no longer missing.
    """
    wanted = (Identity(key=key, kind=kind) for key, kind in keys.items())
    known = (entry for chunk in fetch_entries(connection, dataset_id, wanted) for entry in chunk.items())
    return [entry.id for identity, entry in known if not entry.gone and identity.kind is keys[identity.key]]


def close_unseen(
    connection: Connection, dataset_id: int, *, run_id: str, now: datetime, but: Sequence[int] = ()
) -> None:
    """Mark as gone what run `run_id`, which looked everywhere, did not see, but for what it could not settle."""
    unseen = and_(_C.dataset_id == dataset_id, _C.gone_run_id.is_(None), _C.last_run_id != run_id)
    if but:
        unseen = and_(unseen, not_(among(connection, _C.id, but)))
    connection.execute(update(DIFFERENCES).where(unseen).values(gone_run_id=run_id, gone_at=now))


def count_before(connection: Connection, dataset_id: int, *, run_id: str) -> int:
    """Count the differences that were open before run `run_id`, whether or not the ledger took it in already."""
    open_before = or_(_C.gone_run_id.is_(None), _C.gone_run_id == run_id)
    mine = and_(_C.dataset_id == dataset_id, open_before, _C.opened_run_id != run_id)
    return connection.execute(select(func.count()).select_from(DIFFERENCES).where(mine)).scalar_one()


def fetch_flapping(connection: Connection, dataset_id: int, *, now: datetime) -> frozenset[Identity]:
    """Return the differences that came back three times or more within 30 days, open or not."""
    third = _C.returned_first >= now - FLAPPING_WINDOW
    entries = map(_entry, connection.execute(_ENTRIES.where(_C.dataset_id == dataset_id, third)).all())
    return frozenset(identity for identity, entry in entries if is_flapping(entry.returns, now))


def _insert(
    connection: Connection, dataset_id: int, identities: Sequence[Identity], *, run_id: str, now: datetime
) -> None:
    if not identities:
        return
    given = rows_of(connection, [(i.key, i.kind, pack(i.fields)) for i in identities], ("key", "kind", "fields"))
    common: dict[str, ColumnElement[Any]] = {
        "dataset_id": literal(dataset_id),
        "first_seen": literal(now, Instant),
        "opened_run_id": literal(run_id),
        "last_run_id": literal(run_id),
        "runs_seen": literal(1),
        "openings": literal(1),
        "lost_window": literal(value=False),
    }
    complete = given.add_columns(*common.values())
    connection.execute(insert(DIFFERENCES).from_select(["key", "kind", "fields", *common], complete))


def _mark(connection: Connection, dataset_id: int, identities: Sequence[Identity], *, lost: bool | None) -> None:
    for kind in {identity.kind for identity in identities}:
        keys = [identity.key for identity in identities if identity.kind is kind]
        these = and_(_C.dataset_id == dataset_id, _C.kind == str(kind), among(connection, _C.key, keys))
        known = true() if lost else _C.lost_window.is_not(True)
        connection.execute(update(DIFFERENCES).where(these, known).values(lost_window=lost))


def _update(connection: Connection, ids: Sequence[int], values: dict[str, Any]) -> None:
    if ids:
        connection.execute(update(DIFFERENCES).where(among(connection, _C.id, ids)).values(values))


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
        "lost_window": False,
    }


def _entry(row: Sequence[Any]) -> tuple[Identity, Entry]:
    key, kind, fields, number, first_seen, opened_run_id, last_run_id, runs_seen, openings, gone, *returns = row
    entry = Entry(
        id=number,
        first_seen=first_seen,
        opened_run_id=opened_run_id,
        last_run_id=last_run_id,
        runs_seen=runs_seen,
        openings=openings,
        returns=tuple(moment for moment in returns if moment is not None),
        gone=gone is not None,
    )
    return Identity(key=key, kind=_KINDS[kind], fields=unpack(fields)), entry
