"""Which two databases a run looked at: what was seen in others says nothing about these."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import Connection, and_, delete, select, update

from contracts.verdicts import StoreFacts
from contracts.verdicts.run import PLACED
from contracts.vocabulary import StoreName
from storage.state.history import Entry
from storage.state.repair_tables import UNSTEADY_KEYS
from storage.state.tables import AUDITS, DATASET_RUNS, DATASETS, DIFFERENCES, FAILING_CHECKS

_R = DATASET_RUNS.c
_D = DIFFERENCES.c

PLACES = f"{PLACED}%"  # LIKE this are databases of which only the place is known


class Pair(NamedTuple):
    """By what the databases of a run are known again; None where nothing tells."""

    primary: str | None
    secondary: str | None

    @property
    def known(self) -> bool:
        """True when both are known."""
        return None not in self


class Kin(StrEnum):
    """How the databases of a run are related to those of the runs before it."""

    SAME = "same"  # those of the last one
    UNPROVEN = "unproven"  # they may be the same: what forbids something counts on, what allows something does not
    OTHER = "other"  # one of them has another id than was last shown: nothing that was seen before counts


NOTES = {
    Kin.UNPROVEN: "It is not proven that earlier runs looked at these very databases: a repair deletes only what two "
    "runs see from now on",
    Kin.OTHER: "Earlier runs looked at other databases, so that history begins anew with this one. Pairs of stores "
    "that are both in use need a name each: TWINSTORE_ENVIRONMENT",
}
LEFT_OUT = (
    "Earlier runs looked at other databases, and this one could not tell enough to begin their history anew: it does "
    "not count. Pairs of stores that are both in use need a name each: TWINSTORE_ENVIRONMENT"
)


def pair_of(stores: Iterable[StoreFacts]) -> Pair:
    """Return the databases that a run looked at."""
    known = {facts.store: facts.known_as or None for facts in stores}
    return Pair(known.get(StoreName.PRISMA), known.get(StoreName.SUPABASE))


def kin_of(connection: Connection, dataset: int, now: Pair, *, run_id: str) -> Kin | None:
    """Return how the databases of a run are related to those of the ones before it; None where there was none."""
    before = [pair for earlier, pair in _compared(connection, dataset) if earlier < run_id]
    if not before:
        return None
    if now.known and before[-1] == now:
        return Kin.SAME
    return Kin.OTHER if _differ(_last_ids(before), _ids(now)) else Kin.UNPROVEN


def id_of(connection: Connection, dataset: int, store: StoreName, known_as: str | None) -> str | None:
    """Return the id of a database; where it shows none now, the last one of its history, None where none was shown."""
    known = _last_ids(pair for _, pair in _compared(connection, dataset))
    return _id(known_as) or (known.primary if store is StoreName.PRISMA else known.secondary)


def reach(connection: Connection, dataset: int) -> tuple[Pair, str]:
    """Return the databases of the last run that counts, and the last run before it that did not look at them.

    That one's id is empty where all did. What runs saw counts for these databases if they are later than it.
    """
    found = _compared(connection, dataset)
    if not found:
        return Pair(None, None), ""
    last, pair = found[-1]
    if not pair.known:
        return pair, last
    return pair, max((run_id for run_id, other in found if other != pair), default="")


def as_known(entry: Entry | None, kin: Kin | None, *, run_id: str) -> Entry | None:
    """Return what an entry of the ledger says about the databases of a run, whether or not that was taken in."""
    if entry is None or kin is Kin.SAME or entry.last_run_id == run_id:
        return entry
    return None if kin is Kin.OTHER else replace(entry, runs_seen=0)


def part(connection: Connection, dataset: int, kin: Kin | None) -> None:
    """Before a run is taken in, forget what was seen in other databases, and what may have been and allows something.

    That a row was seen missing allows to delete it. That it was lost with others, or did not stay repaired, forbids
    something, and is forgotten only where the databases are proven to be others. Runs and reports stay.
    """
    if kin is Kin.SAME:
        return
    if kin is not Kin.OTHER:
        seen = and_(_D.dataset_id == dataset, _D.gone_run_id.is_(None))
        connection.execute(update(DIFFERENCES).where(seen).values(runs_seen=0))
        return
    for table in (DIFFERENCES, FAILING_CHECKS, AUDITS):
        connection.execute(delete(table).where(table.c.dataset_id == dataset))
    named = select(DATASETS.c.environment, DATASETS.c.name).where(DATASETS.c.id == dataset)
    environment, name = connection.execute(named).one()
    keys = UNSTEADY_KEYS.c
    connection.execute(delete(UNSTEADY_KEYS).where(keys.environment == environment, keys.dataset == name))


def _compared(connection: Connection, dataset: int) -> list[tuple[str, Pair]]:
    """Return the runs that later ones are compared with, and their databases, oldest first."""
    mine = and_(_R.dataset_id == dataset, _R.compared)
    rows = connection.execute(select(_R.run_id, _R.known_primary, _R.known_secondary).where(mine).order_by(_R.run_id))
    return [(row.run_id, Pair(row.known_primary, row.known_secondary)) for row in rows]


def _last_ids(pairs: Iterable[Pair]) -> Pair:
    """Return the ids that were last shown in the history of the last of these runs, which are in their order."""
    last = Pair(None, None)
    for pair in pairs:
        now = _ids(pair)
        last = now if _differ(last, now) else Pair(now.primary or last.primary, now.secondary or last.secondary)
    return last


def _differ(before: Pair, now: Pair) -> bool:
    return any(None not in ids and ids[0] != ids[1] for ids in zip(before, now, strict=True))


def _ids(pair: Pair) -> Pair:
    return Pair(_id(pair.primary), _id(pair.secondary))


def _id(known_as: str | None) -> str | None:
    """Return the id by which a database is known; None where only its place is, which others can take."""
    return None if not known_as or known_as.startswith(PLACED) else known_as
