"""What is remembered of repairs: each plan and what became of it, and the keys that did not stay repaired."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, insert, select, update

from contracts.errors import Conflict
from contracts.repair import Brake, Ended, Mended, Mode, Override, Repair
from contracts.vocabulary import DifferenceKind
from storage.state.book import Book
from storage.state.ledger import unpack
from storage.state.repair_tables import REPAIRS, UNSTEADY_KEYS
from storage.state.tables import DATASET_RUNS, DATASETS, DIFFERENCES

_C = REPAIRS.c
_D = DIFFERENCES.c
_U = UNSTEADY_KEYS.c
WHY_MAX = 500  # characters of a sentence that are kept


class Open(NamedTuple):
    """A difference that is open.

    Attributes:
        key: The key.
        kind: One-sided, or differing.
        fields: The columns that disagree, as `contracts.ledger.Identity` has them.
        runs_seen: How many runs in a row saw it.
        first_seen: When it was first recorded.
        lost_window: Whether its row was ever lost with all others of its time; None where a run could not tell.
    """

    key: str
    kind: DifferenceKind
    fields: tuple[str, ...]
    runs_seen: int
    first_seen: datetime
    lost_window: bool | None


class Spent(NamedTuple):
    """What repairs of a dataset did.

    Attributes:
        rows: Number of steps; for a repair that was not carried out to its end, of its plan.
        deletes: Number of deletes; likewise.
        all_rows: The same with what somebody had released.
        all_deletes: Likewise.
        unfinished: Ids of those that were begun and have not ended.
    """

    rows: int
    deletes: int
    all_rows: int
    all_deletes: int
    unfinished: tuple[str, ...] = ()


class Repairbook(Book):
    """What the memory of one environment knows about repairs. It holds keys and counts, never a value of a record."""

    def plan(self, repair: Repair) -> None:
        """Remember a plan that was made; one with the same id is replaced."""
        with self._database.writing() as connection:
            connection.execute(delete(REPAIRS).where(self._this(repair.id)))
            connection.execute(insert(REPAIRS).values(environment=self._environment, **_texts(repair)))

    def begin(self, repair_id: str, *, by: str, overrides: Iterable[Override], now: datetime, deletes: int = 0) -> None:
        """Note that a plan is carried out, or gone on with.

        Args:
            repair_id: Id of its plan.
            by: Who approved it.
            overrides: The brakes that were released.
            now: The time, UTC.
            deletes: How many rows it deletes.

        Raises:
            Conflict: Somebody else ended it meanwhile.
        """
        values = {
            "ended": str(Ended.BEGUN),
            "begun_at": now,
            "approved_by": by,
            "overrides": _pack(overrides),
            "deletes": deletes,
        }
        with self._database.writing() as connection:
            self._go_on(connection, repair_id, values)

    def end(
        self,
        repair: Repair,
        *,
        took_back: bool = False,
        wrote: bool = False,
        steady: Iterable[str] = (),
        unsteady: Mapping[str, str] | None = None,
    ) -> None:
        """Note what became of a repair.

        Args:
            repair: The repair, with how it ended.
            took_back: True when nothing is left of the repair that it takes back. What that one had taken back itself
                stands again as soon as a row of it was written.
            wrote: True when it may have written rows that its outcomes do not name.
            steady: Keys that are as planned.
            unsteady: Keys that did not stay as they were written, each with a sentence that says why.

        Raises:
            Conflict: Somebody else ended it meanwhile.
        """
        with self._database.writing() as connection:
            self._go_on(connection, repair.id, _texts(repair))
            if repair.undoes is not None:
                if wrote or repair.outcomes.get(Mended.WRITTEN) or repair.outcomes.get(Mended.UNCLEAR):
                    self._stands_again(connection, self._undone_by(connection, repair.undoes), wholly=took_back)
                if took_back:
                    self._undone(connection, repair.undoes)
            self._keep(connection, repair, repair.ended_at, steady, unsteady or {})

    def taken_back(self, repair_id: str) -> None:
        """Note that nothing is left of a repair: each of its rows is as it was before."""
        with self._database.writing() as connection:
            self._stands_again(connection, self._undone_by(connection, repair_id), wholly=True)
            self._undone(connection, repair_id)

    def verified(self, repair: Repair, *, now: datetime, steady: Iterable[str], unsteady: Mapping[str, str]) -> Repair:
        """Note what was read after a repair, whose end stays as it is; one that was taken back meanwhile stays whole.

        Args:
            repair: The repair, with the counts of what was read.
            now: The time, UTC.
            steady: Keys that are as planned.
            unsteady: Keys that did not stay as they were written, each with a sentence that says why.

        Returns:
            The repair as it is remembered now.
        """
        standing = and_(self._this(repair.id), _C.ended != str(Ended.UNDONE))
        counts = {"agree": repair.agree, "unconverged": repair.unconverged}
        with self._database.writing() as connection:
            if connection.execute(update(REPAIRS).where(standing).values(counts)).rowcount:
                self._keep(connection, repair, now, steady, unsteady)
            row = connection.execute(select(REPAIRS).where(self._this(repair.id))).first()
        return repair if row is None else _repair(row)

    def get(self, repair_id: str) -> Repair | None:
        """Return a repair by the id of its plan; None where there is none."""
        with self._database.reading() as connection:
            row = connection.execute(select(REPAIRS).where(self._this(repair_id))).first()
        return None if row is None else _repair(row)

    def list(self, dataset: str | None = None) -> tuple[Repair, ...]:
        """Return the repairs of a dataset, or all of them, the newest first."""
        mine = _C.environment == self._environment
        wanted = mine if dataset is None else and_(mine, _C.dataset == dataset)
        with self._database.reading() as connection:
            rows = connection.execute(select(REPAIRS).where(wanted).order_by(_C.id.desc())).all()
        return tuple(_repair(row) for row in rows)

    def spent(self, dataset: str, *, since: datetime, but: str) -> Spent:
        """Return how much repairs of a dataset did, what was taken back aside.

        A cap that somebody released for a repair does not count what that one did.

        Args:
            dataset: The dataset.
            since: Repairs that ended since then. One that was begun and not carried out to its end may have written
                anything from when it was last gone on with; it counts with all of its steps if that was since then.
            but: The id of a repair that does not count.
        """
        done = [one for one in self.list(dataset) if one.id != but and _counts(one, since)]
        rows = {one.id: one.steps if one.ended in _CUT_OFF else one.outcomes.get(Mended.WRITTEN, 0) for one in done}
        return Spent(
            rows=sum(rows[one.id] for one in done if not _released(one, Brake.ROWS)),
            deletes=sum(one.deletes for one in done if not _released(one, Brake.DELETES)),
            all_rows=sum(rows.values()),
            all_deletes=sum(one.deletes for one in done),
            unfinished=tuple(one.id for one in done if one.ended is Ended.BEGUN),
        )

    def came_back(self, dataset: str) -> dict[str, str]:
        """Return the keys of a dataset that did not stay repaired, each with a sentence that says why."""
        mine = and_(_U.environment == self._environment, _U.dataset == dataset)
        with self._database.reading() as connection:
            rows = connection.execute(select(_U.key, _U.why).where(mine).order_by(_U.key)).all()
        return {row.key: row.why for row in rows}

    def looked_everywhere(self, dataset: str, run_id: str) -> bool | None:
        """Say whether a run looked everywhere in a dataset and nothing errored; None for one that is not remembered."""
        mine = and_(DATASETS.c.environment == self._environment, DATASETS.c.name == dataset)
        this = and_(DATASET_RUNS.c.dataset_id == DATASETS.c.id, DATASET_RUNS.c.run_id == run_id)
        with self._database.reading() as connection:
            return connection.execute(select(DATASET_RUNS.c.trusted).join(DATASETS, mine).where(this)).scalar()

    def open_differences(self, dataset: str, run_id: str) -> tuple[Open, ...]:
        """Return the differences that a run saw and that no later run proved to be gone, by key."""
        mine = and_(DATASETS.c.environment == self._environment, DATASETS.c.name == dataset)
        seen = and_(_D.opened_run_id <= run_id, _D.last_run_id >= run_id, _D.gone_run_id.is_(None))
        columns = (_D.key, _D.kind, _D.fields, _D.runs_seen, _D.first_seen, _D.lost_window)
        wanted = select(*columns).join(DATASETS, _D.dataset_id == DATASETS.c.id).where(mine, seen).order_by(_D.key)
        with self._database.reading() as connection:
            rows = connection.execute(wanted).all()
        return tuple(Open(row.key, DifferenceKind(row.kind), unpack(row.fields), *row[3:]) for row in rows)

    def forget(self, dataset: str, keys: Iterable[str]) -> int:
        """Forget that keys did not stay repaired; return how many were known."""
        with self._database.writing() as connection:
            return self._forget(connection, dataset, keys)

    def prune(self, *, now: datetime, kept: timedelta) -> tuple[str, ...]:
        """Forget repairs that are older than `kept`, and return their ids; one that has not ended stays.

        Args:
            now: The time, UTC.
            kept: For how long a repair is remembered after it ended, or after its plan was made.
        """
        old = and_(_C.environment == self._environment, _C.made_at < now - kept, _C.ended != str(Ended.BEGUN))
        with self._database.writing() as connection:
            rows = connection.execute(select(_C.id, _C.ended_at).where(old)).all()
            gone = tuple(row.id for row in rows if row.ended_at is None or row.ended_at < now - kept)
            for one in gone:
                connection.execute(delete(REPAIRS).where(self._this(one)))
        return gone

    def _go_on(self, connection: Connection, repair_id: str, values: Mapping[str, object]) -> None:
        """Note something of a repair that has not ended."""
        going_on = and_(self._this(repair_id), _C.ended.in_([str(Ended.PLANNED), str(Ended.BEGUN)]))
        if not connection.execute(update(REPAIRS).where(going_on).values(values)).rowcount:
            raise Conflict(
                f"Somebody else ended repair {repair_id} meanwhile.", "`twinstore repair list` says what became of it."
            )

    def _undone_by(self, connection: Connection, repair_id: str) -> str | None:
        return connection.execute(select(_C.undoes).where(self._this(repair_id))).scalar()

    def _undone(self, connection: Connection, repair_id: str) -> None:
        """Mark a repair as taken back, and keep how it had ended."""
        standing = and_(self._this(repair_id), _C.ended != str(Ended.UNDONE))
        connection.execute(update(REPAIRS).where(standing).values(before_undo=_C.ended, ended=str(Ended.UNDONE)))

    def _stands_again(self, connection: Connection, repair_id: str | None, *, wholly: bool) -> None:
        """Let a repair be again what it was before it was taken back; what that one took back is taken back again."""
        undone = and_(self._this(repair_id or ""), _C.ended == str(Ended.UNDONE))
        before = func.coalesce(_C.before_undo, str(Ended.PARTLY))
        if not connection.execute(update(REPAIRS).where(undone).values(ended=before)).rowcount or not wholly:
            return
        below = self._undone_by(connection, repair_id or "")
        was = and_(self._this(below or ""), _C.before_undo.is_not(None))  # undone once already
        if connection.execute(select(_C.id).where(was)).first() is not None:
            self._undone(connection, below or "")
            self._stands_again(connection, self._undone_by(connection, below or ""), wholly=True)

    def _keep(
        self,
        connection: Connection,
        repair: Repair,
        at: datetime | None,
        steady: Iterable[str],
        unsteady: Mapping[str, str],
    ) -> None:
        """Keep which keys did not stay repaired, and forget those that did."""
        self._forget(connection, repair.dataset, [*steady, *unsteady])
        for key, why in unsteady.items():
            row = {"key": key, "why": why[:WHY_MAX], "repair_id": repair.id, "at": at}
            place = {"environment": self._environment, "dataset": repair.dataset}
            connection.execute(insert(UNSTEADY_KEYS).values(**place, **row))

    def _forget(self, connection: Connection, dataset: str, keys: Iterable[str]) -> int:
        mine = and_(_U.environment == self._environment, _U.dataset == dataset)
        known = set(connection.execute(select(_U.key).where(mine)).scalars())
        found = known.intersection(keys)
        for key in found:
            connection.execute(delete(UNSTEADY_KEYS).where(mine, _U.key == key))
        return len(found)

    def _this(self, repair_id: str) -> ColumnElement[bool]:
        return and_(_C.environment == self._environment, _C.id == repair_id)


_CUT_OFF = frozenset({Ended.BEGUN, Ended.CLOSED})


def _counts(repair: Repair, since: datetime) -> bool:
    """Tell whether a repair counts for the caps of others, by when it wrote last."""
    if repair.mode is Mode.UNDO or repair.ended in (Ended.PLANNED, Ended.UNDONE):
        return False
    at = repair.begun_at if repair.ended in _CUT_OFF else repair.ended_at
    return at is not None and at >= since


def _released(repair: Repair, brake: Brake) -> bool:
    return any(override.brake == brake for override in repair.overrides)


def _texts(repair: Repair) -> dict[str, Any]:
    """Return the columns of a repair, where it belongs to aside."""
    values = {name: getattr(repair, name) for name in _PLAIN}
    return {
        **values,
        "mode": str(repair.mode),
        "ended": str(repair.ended),
        "left_over": repair.left,
        "overrides": _pack(repair.overrides),
        "outcomes": json.dumps({str(outcome): number for outcome, number in sorted(repair.outcomes.items())}),
    }


_PLAIN = (
    "id",
    "dataset",
    "plan_hash",
    "made_at",
    "run_id",
    "steps",
    "begun_at",
    "ended_at",
    "approved_by",
    "agree",
    "unconverged",
    "undoes",
    "deletes",
)


def _pack(overrides: Iterable[Override]) -> str:
    return json.dumps([asdict(override) for override in overrides])


def _repair(row: Row[Any]) -> Repair:
    return Repair(
        **{name: getattr(row, name) for name in _PLAIN if name != "deletes"},
        deletes=row.deletes or 0,
        environment=row.environment,
        mode=Mode(row.mode),
        left=row.left_over,
        ended=Ended(row.ended),
        overrides=tuple(Override(**one) for one in json.loads(row.overrides)),
        outcomes={Mended(name): number for name, number in json.loads(row.outcomes).items()},
    )
