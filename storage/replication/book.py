"""What the relay keeps on the primary beside the doors: refusals and dead letters, conflicts, adoption, gaps.

Plain statements, since the primary is always reached by SQL.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from contracts.dataset import Dataset
from contracts.errors import ConfigurationError
from contracts.keys import split_key
from contracts.replication import Conflict, DeadLetter, Direction, Gap
from storage.migrations.texts import text
from storage.ports import Row
from storage.replication.by_sql import SqlCall
from storage.replication.messages import Verdict
from storage.replication.patience import course_of

if TYPE_CHECKING:
    import psycopg

_WAITING = """
SELECT key, change_id FROM twinstore.delivery
WHERE dataset = %s AND direction = %s AND key = ANY(%s) AND (dead_at IS NOT NULL OR next_at > clock_timestamp())
"""
_ATTEMPTS = """
SELECT key, attempts FROM twinstore.delivery WHERE dataset = %s AND direction = %s AND key = ANY(%s)
                                               AND (key, change_id) IN (SELECT * FROM unnest(%s::text[], %s::bigint[]))
"""
_NOTE = """
INSERT INTO twinstore.delivery AS held (dataset, key, direction, change_id, attempts, next_at, code, rule, dead_at)
VALUES (%(dataset)s, %(key)s, %(direction)s, %(change)s, %(attempts)s,
        clock_timestamp() + make_interval(secs => %(wait_s)s), %(code)s, %(rule)s,
        CASE WHEN %(dead)s THEN clock_timestamp() END)
ON CONFLICT (dataset, key, direction) DO UPDATE
SET change_id = excluded.change_id, attempts = excluded.attempts, next_at = excluded.next_at, code = excluded.code,
    rule = excluded.rule, dead_at = excluded.dead_at,
    first_at = CASE WHEN held.change_id = excluded.change_id THEN held.first_at ELSE excluded.first_at END
"""
_TROUBLED = """
SELECT key, direction, change_id, code, rule, attempts, first_at, dead_at FROM twinstore.delivery
WHERE dataset = %s AND (dead_at IS NOT NULL OR NOT %s) ORDER BY first_at, key LIMIT %s
"""
_COUNTS = """
SELECT (SELECT count(*) FROM twinstore.conflict WHERE dataset = %(dataset)s AND resolved_at IS NULL),
       (SELECT count(*) FROM twinstore.delivery WHERE dataset = %(dataset)s AND dead_at IS NOT NULL),
       (SELECT count(*) FROM twinstore.delivery WHERE dataset = %(dataset)s AND dead_at IS NULL)
"""
_RETRY = """
DELETE FROM twinstore.delivery WHERE dataset = %s AND dead_at IS NOT NULL AND (%s::text[] IS NULL OR key = ANY(%s))
"""
_FORGET_LETTER = """
DELETE FROM twinstore.delivery WHERE dataset = %s AND key = %s AND direction = %s AND change_id = %s
"""
_CONFLICTS = """
SELECT id, key, kind, found_at, loser, resolved_at, resolution FROM twinstore.conflict
WHERE dataset = %(dataset)s AND (%(all)s OR resolved_at IS NULL) AND (%(keys)s::text[] IS NULL OR key = ANY(%(keys)s))
ORDER BY id LIMIT %(at_most)s
"""
_DISPUTED = """
SELECT DISTINCT key FROM twinstore.conflict WHERE dataset = %s AND key = ANY(%s) AND resolved_at IS NULL
"""
_DEAD = """
SELECT key, direction, change_id FROM twinstore.delivery WHERE dataset = %s AND key = ANY(%s) AND dead_at IS NOT NULL
"""
_UNDECIDED = "SELECT id FROM twinstore.conflict WHERE id = %s AND resolved_at IS NULL FOR UPDATE"
_RESOLVE = "UPDATE twinstore.conflict SET resolved_at = clock_timestamp(), resolution = %s WHERE id = %s"
_KEEP = """
INSERT INTO twinstore.conflict (dataset, key, kind, rev, lseq, loser)
SELECT given.* FROM (VALUES (%s, %s, %s, %s, %s::bigint, %s::jsonb)) AS given(dataset, key, kind, rev, lseq, loser)
WHERE NOT EXISTS (SELECT FROM twinstore.conflict AS held
                  WHERE (held.dataset, held.key, held.kind) = (given.dataset, given.key, given.kind)
                    AND held.loser IS NOT DISTINCT FROM given.loser AND held.resolved_at IS NULL)
ON CONFLICT (dataset, key, lseq) DO NOTHING
"""
_TOUCH = "INSERT INTO twinstore.change (dataset, key, parts) VALUES (%s, %s, %s) RETURNING id"
_MARK = "UPDATE twinstore.change SET horizon = '0' WHERE id = ANY(%s)"
_HORIZON = f"UPDATE twinstore.change SET horizon = {text('replication/horizon.sql')} WHERE id = ANY(%s)"  # noqa: S608 - a file of ours
_GIVE_UP = """
WITH gone AS (DELETE FROM twinstore.change WHERE dataset = %(dataset)s AND key = %(key)s AND id <= %(change)s)
INSERT INTO twinstore.row_state AS held (dataset, key, rev) VALUES (%(dataset)s, %(key)s, %(change)s)
ON CONFLICT (dataset, key) DO UPDATE SET rev = greatest(held.rev, excluded.rev)
"""
_SEEN = """
INSERT INTO twinstore.row_state AS held (dataset, key, seen) VALUES (%s, %s, %s)
ON CONFLICT (dataset, key) DO UPDATE SET seen = greatest(held.seen, excluded.seen)
"""
_GAP = """
UPDATE twinstore.capture SET gap_at = clock_timestamp(), gap_reason = %s
WHERE dataset = %s AND gap_at IS NULL AND adopted_at IS NOT NULL AND adoption = %s
"""
_ADOPT = f"""
UPDATE twinstore.capture
SET adopted_at = clock_timestamp(), adoption = %s,
    adopted_rev = (SELECT number FROM {text("replication/last_number.sql")} AS last)
WHERE dataset = %s
"""  # noqa: S608 - a file of ours
_HALT = "UPDATE twinstore.capture SET adopted_at = NULL WHERE dataset = %s"
_UNDER_WAY = "SELECT FROM twinstore.capture WHERE dataset = %s FOR UPDATE"


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

    def waiting(self, direction: Direction, keys: Collection[str]) -> dict[str, int]:
        """Return, of these keys, those that are not to be tried now, with the line that was refused."""
        if not keys:
            return {}
        with self._call.session() as session:
            rows = session.execute(_WAITING, [self._dataset.name, direction, list(keys)]).fetchall()
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
            before = dict(session.execute(_ATTEMPTS, asked).fetchall())
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
                session.execute(_NOTE, values)
        return given_up

    def counts(self) -> tuple[int, int, int]:
        """Return the numbers of open conflicts, of dead letters, and of keys that failed and are tried again."""
        with self._call.session() as session:
            ((conflicts, dead, failing),) = session.execute(_COUNTS, {"dataset": self._dataset.name}).fetchall()
        return conflicts, dead, failing

    def letters(self, *, dead_only: bool = True, at_most: int = 1000) -> tuple[DeadLetter, ...]:
        """Return changes that could not be carried over, oldest first."""
        with self._call.session() as session:
            rows = session.execute(_TROUBLED, [self._dataset.name, dead_only, at_most]).fetchall()
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
            return session.execute(_RETRY, [self._dataset.name, wanted, wanted]).rowcount

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
            rows = session.execute(_CONFLICTS, values).fetchall()
        return tuple(self._conflict(*row) for row in rows)

    def disputed(self, keys: Collection[str]) -> frozenset[str]:
        """Return, of these keys, those with an open conflict."""
        if not keys:
            return frozenset()
        with self._call.session() as session:
            return frozenset(key for (key,) in session.execute(_DISPUTED, [self._dataset.name, list(keys)]))

    def dead(self, keys: Collection[str]) -> dict[tuple[str, Direction], int]:
        """Return, of these keys, the directions in which they are dead letters, with the line that was refused."""
        if not keys:
            return {}
        with self._call.session() as session:
            rows = session.execute(_DEAD, [self._dataset.name, list(keys)]).fetchall()
        return {(key, Direction(direction)): change for key, direction, change in rows}

    @contextmanager
    def deciding(self, conflict: Conflict, *, keep: str) -> Iterator[bool]:
        """Tell whether a conflict is undecided still, and note at the end of the block that it was decided.

        Whoever decides it at the same time waits until then. Keeping the primary delivers its row.
        """
        with self._call.session() as session:
            undecided = session.execute(_UNDECIDED, [conflict.id]).fetchone() is not None
            yield undecided
            if undecided:
                session.execute(_RESOLVE, [keep, conflict.id])
                if keep == "primary":
                    self._touch(session, [conflict.key])

    def keep(self, kind: str, rows: Mapping[str, Row | None], *, rev: int = 0) -> int:
        """Keep rows of the secondary as conflicts: differences that were there before, `adopted`; return how many.

        A row that an open conflict of the same kind holds already is not kept twice.
        """
        if not rows:
            return 0
        with self._call.session() as session, session.cursor() as cursor:
            cursor.executemany(
                _KEEP,
                [(self._dataset.name, key, kind, rev, None, self._texts(row)) for key, row in rows.items()],
            )
            return cursor.rowcount

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
            session.execute(_KEEP, [name, key, "discarded", 0, change if proposed else None, self._texts(row)])
            if proposed:
                session.execute(_SEEN, [name, key, change])
                self._touch(session, [key])
            else:
                session.execute(_GIVE_UP, {"dataset": name, "key": key, "change": change})
            session.execute(_FORGET_LETTER, [name, key, letter.direction, change])

    def forget(self, letter: DeadLetter) -> None:
        """Forget a dead letter whose change does not wait any more."""
        with self._call.session() as session:
            session.execute(_FORGET_LETTER, [self._dataset.name, letter.key, letter.direction, letter.change])

    def gap(self, reason: Gap, *, adoption: str | None) -> None:
        """Note that writes may have passed by: nothing is carried over until somebody has looked.

        Args:
            reason: Why.
            adoption: The adoption that held when it was seen: one that was begun since compares all rows anyway.
        """
        with self._call.session() as session:
            session.execute(_GAP, [reason, self._dataset.name, adoption])

    def adopt(self, adoption: str | None) -> None:
        """Let the relay deliver from now on, what is read from now on and carries the name of this adoption."""
        with self._call.session() as session:
            session.execute(_ADOPT, [adoption, self._dataset.name])

    def halt(self) -> None:
        """Let nothing be carried over until the stores are adopted again; what is being judged now is waited for."""
        with self._call.session() as session:
            session.execute(_HALT, [self._dataset.name])  # at once: those that come from now on are turned away
        with self._call.session() as session:
            session.execute(_UNDER_WAY, [self._dataset.name])

    def _touch(self, session: psycopg.Connection[Any], keys: Collection[str]) -> None:
        """Add lines without a lock on their rows.

        The horizon is taken after the numbers, by a subtransaction, whose number is larger than all that were given
        before: whoever took a smaller line is older than it. The xmax of a snapshot would not do, since transactions
        that have begun after the last one that ended are beyond it.
        """
        lines = []
        with session.cursor() as cursor:
            for key in keys:
                cursor.execute(_TOUCH, (self._dataset.name, key, self._parts(key)))
                lines += [number for (number,) in cursor.fetchall()]
        with session.transaction():
            session.execute(_MARK, [lines])
        session.execute(_HORIZON, [lines])

    def _parts(self, key: str) -> list[str]:
        return list(split_key(self._dataset, key))

    def _texts(self, row: Row | None) -> Any:
        from psycopg.types.json import Jsonb

        return None if row is None else Jsonb([row[column.name] for column in self._dataset.columns])

    def _conflict(self, number: int, key: str, kind: str, found_at: Any, loser: Any, *rest: Any) -> Conflict:
        names = [column.name for column in self._dataset.columns]
        if loser is not None and len(loser) != len(names):
            raise ConfigurationError(
                f"Conflict {number} of {self._dataset.name} was kept with other columns.",
                "Resolve it with the version of twinstore that found it.",
            )
        resolved_at, resolution = rest
        return Conflict(
            id=number,
            key=key,
            kind=kind,
            found_at=found_at,
            loser=None if loser is None else dict(zip(names, loser, strict=True)),
            resolved_at=resolved_at,
            resolution=resolution,
        )
