"""What the relay keeps on the primary beside the doors: refusals and dead letters, conflicts, adoption, gaps.

Plain statements, since the primary is always reached by SQL.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from contracts import errors
from contracts.dataset import Dataset
from contracts.keys import split_key
from contracts.replication import Conflict, DeadLetter, Direction, Gap
from storage.ports import Row
from storage.replication import book_sql as sql
from storage.replication.by_sql import SqlCall
from storage.replication.messages import Item, Verdict
from storage.replication.patience import course_of

if TYPE_CHECKING:
    import psycopg


class Book:
    """What is kept on the primary for one dataset.

    Every method may raise the errors of `contracts.errors`.

    Args:
        call: The primary.
        dataset: The dataset.
    """

    def __init__(self, call: SqlCall, dataset: Dataset) -> None:
        self._call = call
        self._dataset = dataset
        self._names = [column.name for column in dataset.columns]

    def waiting(self, direction: Direction, keys: Collection[str]) -> dict[str, int]:
        """Return, of these keys, those that are not to be tried now, with the line that was refused."""
        if not keys:
            return {}
        with self._call.session() as session:
            rows = session.execute(sql.WAITING, [self._dataset.name, direction, list(keys)]).fetchall()
        return dict(rows)

    def refused(self, direction: Direction, refusals: Sequence[tuple[Verdict, int]]) -> int:
        """Note refusals, each with the line that was tried; return how many of them are given up."""
        if not refusals:
            return 0
        keys = [verdict.key for verdict, _ in refusals]
        changes = [change for _, change in refusals]
        given_up = 0
        with self._call.session() as session:
            asked = [self._dataset.name, direction, keys, keys, changes]
            before = dict(session.execute(sql.ATTEMPTS, asked).fetchall())
            for verdict, change in sorted(refusals, key=lambda refusal: refusal[0].key):  # as `settle` takes them
                attempts = before.get(verdict.key, 0) + 1
                wait_s = course_of(verdict.code or "").wait_s(attempts)
                given_up += wait_s is None
                values = {
                    "dataset": self._dataset.name,
                    "key": verdict.key,
                    "direction": direction,
                    "change": change,
                    "attempts": attempts,
                    "wait_s": wait_s or 0.0,
                    "code": verdict.code or "",
                    "rule": verdict.rule,
                    "dead": wait_s is None,
                }
                session.execute(sql.NOTE, values)
        return given_up

    def counts(self) -> tuple[int, int, int]:
        """Return the numbers of open conflicts, of dead letters, and of keys that failed and are tried again."""
        with self._call.session() as session:
            ((conflicts, dead, failing),) = session.execute(sql.COUNTS, {"dataset": self._dataset.name}).fetchall()
        return conflicts, dead, failing

    def letters(self, *, dead_only: bool = True, at_most: int = 1000) -> tuple[DeadLetter, ...]:
        """Return changes that could not be carried over, oldest first."""
        with self._call.session() as session:
            rows = session.execute(sql.TROUBLED, [self._dataset.name, dead_only, at_most]).fetchall()
        return tuple(
            DeadLetter(
                key=key,
                direction=Direction(direction),
                change=change,
                code=code,
                rule=rule,
                attempts=attempts,
                first_at=first_at,
                dead_at=dead_at,
            )
            for key, direction, change, code, rule, attempts, first_at, dead_at in rows
        )

    def retry(self, keys: Collection[str] | None = None) -> int:
        """Have dead letters tried again, all of them unless keys are given; return how many."""
        wanted = None if keys is None else list(keys)
        with self._call.session() as session:
            return session.execute(sql.RETRY, {"dataset": self._dataset.name, "keys": wanted}).rowcount

    def conflicts(
        self, *, keys: Collection[str] | None = None, resolved: bool = False, at_most: int = 1000
    ) -> tuple[Conflict, ...]:
        """Return conflicts by number, the open ones unless `resolved`."""
        values = {
            "dataset": self._dataset.name,
            "all": resolved,
            "keys": None if keys is None else list(keys),
            "at_most": at_most,
        }
        with self._call.session() as session:
            rows = session.execute(sql.CONFLICTS, values).fetchall()
        return tuple(self._conflict(*row) for row in rows)

    def disputed(self, keys: Collection[str]) -> frozenset[str]:
        """Return, of these keys, those with an open conflict."""
        if not keys:
            return frozenset()
        with self._call.session() as session:
            return frozenset(key for (key,) in session.execute(sql.DISPUTED, [self._dataset.name, list(keys)]))

    def dead(self, keys: Collection[str]) -> dict[tuple[str, Direction], int]:
        """Return, of these keys, the directions in which they are dead letters, with the line that was refused."""
        if not keys:
            return {}
        with self._call.session() as session:
            rows = session.execute(sql.DEAD, [self._dataset.name, list(keys)]).fetchall()
        return {(key, Direction(direction)): change for key, direction, change in rows}

    @contextmanager
    def deciding(self, conflict: Conflict, *, keep: str) -> Iterator[bool]:
        """Tell whether a conflict is undecided still, and note at the end of the block that it was decided.

        Whoever decides it at the same time waits until then. Keeping the primary delivers its row.
        """
        with self._call.session() as session:
            undecided = session.execute(sql.UNDECIDED, [conflict.id]).fetchone() is not None
            yield undecided
            if undecided:
                session.execute(sql.RESOLVE, [keep, conflict.id])
                if keep == "primary":
                    self._touch(session, [conflict.key])

    def keep(self, kind: str, rows: Mapping[str, Row | None], *, rev: int = 0) -> int:
        """Keep rows of the secondary as conflicts: differences that were there before, `adopted`; return how many.

        A row that an open conflict of the same kind holds already is not kept twice.
        """
        if not rows:
            return 0
        with self._call.session() as session:
            return self._keep(session, kind, rows, rev=rev)

    def take_over(self, items: Collection[Item]) -> int:
        """Keep the secondary's rows of keys that differ when the stores are adopted, and return how many are new.

        What waits of them counts as judged, since the conflict holds it: the secondary can settle it afterwards.
        """
        waiting = [(item.key, item.change) for item in items if item.change is not None]
        with self._call.session() as session:
            kept = self._keep(session, "adopted", {item.key: item.row for item in items})
            session.cursor().executemany(sql.SEEN, [(self._dataset.name, *ack) for ack in waiting])
            session.execute(sql.ANSWERED, {"dataset": self._dataset.name, "keys": [key for key, _ in waiting]})
            return kept

    def touch(self, keys: Collection[str]) -> None:
        """Count keys as written on the primary now."""
        if not keys:
            return
        with self._call.session() as session:
            self._touch(session, keys)

    def discard(self, letter: DeadLetter, row: Row | None) -> None:
        """Give a change up for good: the row of the secondary is kept as a conflict.

        What was given up on its way to the primary is replaced by the primary's row.

        Args:
            letter: The change.
            row: The row that is given up, as the secondary has it; None where it was deleted there.
        """
        name, key, change = self._dataset.name, letter.key, letter.change
        proposed = letter.direction is Direction.TO_PRIMARY
        with self._call.session() as session:
            number = change if proposed else None
            session.execute(sql.KEEP, [name, self._names, key, "discarded", 0, number, self._texts(row)])
            if proposed:
                session.execute(sql.SEEN, [name, key, change])
                self._touch(session, [key])
            else:
                session.execute(sql.GIVE_UP, {"dataset": name, "key": key, "change": change})
            session.execute(sql.FORGET_LETTER, [name, key, letter.direction, change])

    def forget(self, letter: DeadLetter) -> None:
        """Forget a dead letter whose change does not wait any more."""
        with self._call.session() as session:
            session.execute(sql.FORGET_LETTER, [self._dataset.name, letter.key, letter.direction, letter.change])

    def gap(self, reason: Gap, *, adoption: str | None) -> None:
        """Note that writes may have passed by: nothing is carried over until somebody has looked.

        Args:
            reason: Why.
            adoption: The adoption that held when it was seen: one that was begun since compares all rows anyway.
        """
        with self._call.session() as session:
            session.execute(sql.GAP, [reason, self._dataset.name, adoption])

    def adopt(self, adoption: str | None) -> None:
        """Let the relay deliver from now on, what is read from now on and carries the name of this adoption.

        Raises:
            Conflict: It is not the one any more: nobody has compared what was written since another one began, nor what
                may have passed by.
        """
        with self._call.session() as session:
            if not session.execute(sql.ADOPT, [self._dataset.name, adoption]).rowcount:
                raise errors.Conflict(
                    f"Another adoption began, or writes to {self._call.store} may have passed by, before this ended.",
                    "See `twinstore sync status`, and run `twinstore adopt` again where no other has ended since.",
                    store=self._call.store,
                )

    def halt(self, adoption: str | None = None) -> None:
        """Let nothing be carried over until the stores are adopted again; what is being judged now is waited for.

        Args:
            adoption: The name of the one that begins with it: no other can end from now on.
        """
        with self._call.session() as session:  # at once: those that come from now on are turned away
            session.execute(sql.HALT, [adoption, self._dataset.name])
        with self._call.session() as session:
            session.execute(sql.UNDER_WAY, [self._dataset.name])

    def _keep(
        self, session: psycopg.Connection[Any], kind: str, rows: Mapping[str, Row | None], *, rev: int = 0
    ) -> int:
        values = [
            (self._dataset.name, self._names, key, kind, rev, None, self._texts(row)) for key, row in rows.items()
        ]
        with session.cursor() as cursor:
            cursor.executemany(sql.KEEP, values)
            return cursor.rowcount

    def _touch(self, session: psycopg.Connection[Any], keys: Collection[str]) -> None:
        """Add lines without a lock on their rows.

        The horizon is taken after the numbers, by a subtransaction, whose number is larger than all that were given
        before: whoever took a smaller line is older than it. The xmax of a snapshot would not do, since transactions
        that have begun after the last one that ended are beyond it.
        """
        lines = []
        with session.cursor() as cursor:
            for key in keys:
                cursor.execute(sql.TOUCH, (self._dataset.name, key, self._parts(key)))
                lines += [number for (number,) in cursor.fetchall()]
        with session.transaction():
            session.execute(sql.MARK, [lines])
        session.execute(sql.HORIZON, [lines])

    def _parts(self, key: str) -> list[str]:
        return list(split_key(self._dataset, key))

    def _texts(self, row: Row | None) -> Any:
        from psycopg.types.json import Jsonb

        return None if row is None else Jsonb([row[name] for name in self._names])

    def _conflict(self, number: int, key: str, kind: str, found_at: Any, *rest: Any) -> Conflict:
        columns, loser, resolved_at, resolution = rest
        return Conflict(
            id=number,
            key=key,
            kind=kind,
            found_at=found_at,
            loser=None if loser is None else self._named(number, columns, loser),
            resolved_at=resolved_at,
            resolution=resolution,
        )

    def _named(self, number: int, columns: Sequence[str] | None, texts: Sequence[str | None]) -> Row:
        """Return the row of a conflict by the columns that it was kept with: the contract may have others by now."""
        names = self._names if columns is None else columns
        if len(texts) != len(names) or {*names} != {*self._names}:
            raise errors.ConfigurationError(
                f"Conflict {number} of {self._dataset.name} was kept with other columns.",
                "Decide it under the contract of that time.",
            )
        return dict(zip(names, texts, strict=True))
