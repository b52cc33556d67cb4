"""Writes: on the primary first, which orders them; on the secondary as a proposal where the primary is not there.

After a commit of the primary the secondary is tried once, for a moment. Whatever comes of that, the key stays marked
until the secondary has the write: nothing here is ever the only place where that is known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from contracts.errors import TwinstoreError
from contracts.replication import Applied
from contracts.results import Consistency, DualStorageResult, Outcome, StoreResult
from contracts.vocabulary import StoreName
from storage.dual.asking import UNUSED, Asked, Asking, both_failed, mode, results
from storage.dual.homing import Found, Homing
from storage.dual.permission import NotSent, Permission
from storage.dual.rows import record_of
from storage.dual.writing import Attempt, Done, Wish, error_of, write, write_again
from storage.replication.doors import PrimaryDoors, SecondaryDoors

if TYPE_CHECKING:
    from storage.replication.messages import Item
    from storage.replication.relay import Relay

WRITE_S = 3.0  # seconds that a store has for a step of a write
_THERE = (Applied.APPLIED, Applied.STALE)
_UNWRITTEN = (Outcome.MISSING, Outcome.UNCHANGED)
_WHY_NOT = {
    Applied.BUSY: "supabase holds a change of this record that prisma has not judged yet, or both are being adopted; "
    "the relay carries it over",
    Applied.LOCKED: "somebody is writing this record on supabase; the relay tries again",
    Applied.REJECTED: "supabase cannot hold this record; `twinstore sync dead-letters list` says why",
}


@dataclass(slots=True, kw_only=True)
class _Course:
    """A write under way.

    Attributes:
        wish: What is wanted.
        started: When it began.
        attempt: What was sent to the primary.
        primary: What came of the primary.
        found: What the secondary held of a record that the primary lacks, or need not write; None unless it was asked.
        secondary: What came of the secondary.
    """

    wish: Wish
    started: float
    attempt: Attempt
    primary: Asked[Done]
    found: Found | None = None
    secondary: Asked[Done] | Asked[str] | Asked[Item] | None = None


class Saving:
    """Carries out wishes. Threads may share it; no lock is held during a call.

    Args:
        primary: Doors of the primary.
        secondary: Doors of the secondary; None when there is none.
        relay: The relay between them; None when nothing is delivered here.
        asking: Asks stores.
        clock: The present, UTC.
        fast_path_s: Seconds that the secondary has for a delivery right after a write.
    """

    def __init__(
        self,
        primary: PrimaryDoors,
        secondary: SecondaryDoors | None,
        relay: Relay | None,
        *,
        asking: Asking,
        clock: Callable[[], datetime],
        fast_path_s: float,
    ) -> None:
        self._primary = primary
        self._secondary = secondary
        self._relay = relay
        self._asking = asking
        self._clock = clock
        self._fast_path_s = fast_path_s
        self._permission = None
        if relay is not None and secondary is not None:
            self._permission = Permission(primary, secondary, relay, asking, deadline_s=fast_path_s)
        self._homing = Homing(primary, secondary, self._permission, asking)

    def carry_out(self, wish: Wish) -> DualStorageResult:
        """Carry a wish out, and say what became of it on each store.

        Raises:
            Invalid: What would come out breaks the contract, or the request's key was used for something else.
        """
        started, attempt, key = self._asking.now(), Attempt(), wish.key
        if self._homing.lent(key):
            self._homing.bring(key, deadline_s=WRITE_S)
        asked, found = self._on_primary(wish, attempt), None
        done = asked.answer
        if done is not None and done.outcome in _UNWRITTEN:
            moment_s = WRITE_S if done.outcome is Outcome.MISSING else self._fast_path_s
            found = self._homing.bring(key, deadline_s=moment_s)
            found = None if found is None else replace(found, owed=done.dirty)
            if found is not None and found.differs(done.row):
                asked = self._on_primary(wish, attempt, always=found.waits)  # so that what waits becomes a conflict
        secondary = None if found is None else found.looked
        course = _Course(wish=wish, started=started, attempt=attempt, primary=asked, found=found, secondary=secondary)
        return self._without_primary(course) if asked.answer is None else self._with_primary(course, asked.answer)

    # With the primary

    def _on_primary(self, wish: Wish, attempt: Attempt, *, always: bool = False) -> Asked[Done]:
        return self._asking.ask(
            StoreName.PRISMA, lambda: write(self._primary, wish, attempt, always=always, deadline_s=WRITE_S)
        )

    def _with_primary(self, course: _Course, done: Done) -> DualStorageResult:
        primary, found = course.primary, course.found
        secondary = UNUSED if found is None else found.looked.result(success=False)
        if found is not None and done.outcome in _UNWRITTEN:
            done, secondary = found.weighed(done)
        missing = done.outcome is Outcome.MISSING and course.wish.verb != "delete"
        if missing or done.why is not None or done.outcome in (Outcome.CONFLICT, Outcome.FAILED):
            error = error_of(done, course.wish)
            refused = primary.result(success=False, outcome=done.outcome, error=error)
            return self._answer(course, done, refused, secondary.model_copy(update={"success": False}), error=error)
        if done.dirty:
            secondary, dirty = self._delivered(course)
            done = done._replace(dirty=dirty)
        return self._answer(course, done, primary.result(outcome=done.outcome), secondary)

    def _delivered(self, course: _Course) -> tuple[StoreResult, bool]:
        """Try once to deliver what was written; return what the secondary did, and whether it is still owed."""
        relay, permission = self._relay, self._permission
        if relay is None or permission is None:
            return UNUSED, True
        asked: Asked[str] | None = permission.refusal()
        if asked is None:
            asked = self._asking.ask(StoreName.SUPABASE, lambda: self._deliver(relay, course.wish.key))
        if asked.unavailable and not asked.circuit_open:
            permission.forget()
        course.secondary = asked
        if isinstance(asked.error, NotSent):
            return UNUSED.model_copy(update={"error": asked.error.what}), True
        verdict = asked.answer
        there = verdict in _THERE
        why = None if there or verdict is None else _WHY_NOT.get(Applied(verdict), verdict)
        return asked.result(success=there, outcome=verdict, error=why), not there

    def _deliver(self, relay: Relay, key: str) -> str:
        try:
            return relay.deliver(key, deadline_s=self._fast_path_s)
        except TwinstoreError as exc:
            if exc.store == StoreName.PRISMA:  # it says nothing about the secondary
                raise NotSent(str(exc), "The relay delivers it.") from None
            raise

    # Without the primary

    def _without_primary(self, course: _Course) -> DualStorageResult:
        primary = course.primary
        secondary = self._secondary
        if not primary.unavailable or secondary is None:
            return self._failed(course, UNUSED)
        wish = course.wish

        def propose() -> Done:
            if primary.unknown:
                return write_again(secondary, wish, course.attempt, deadline_s=WRITE_S)
            return write(secondary, wish, Attempt(), always=True, deadline_s=WRITE_S)

        asked = self._asking.ask(StoreName.SUPABASE, propose)
        course.secondary = asked
        done = asked.answer
        if done is None:
            return self._failed(course, asked.result())
        if done.outcome in (Outcome.CONFLICT, Outcome.FAILED, Outcome.MISSING):
            error = error_of(done, wish)
            return self._failed(course, asked.result(success=False, outcome=done.outcome, error=error), done)
        self._homing.lend(wish.key)
        return self._answer(course, done, primary.result(), asked.result(outcome=done.outcome))

    def _failed(self, course: _Course, secondary: StoreResult, done: Done | None = None) -> DualStorageResult:
        primary = course.primary
        own = primary.result()
        unknown = primary.unknown or secondary.outcome == Outcome.UNKNOWN
        outcome = Outcome.UNKNOWN if unknown else Outcome.FAILED
        if done is not None and not unknown and done.outcome in (Outcome.CONFLICT, Outcome.MISSING):
            outcome = done.outcome
        if unknown:
            unsure = own if primary.unknown else secondary
            error = f"Nobody can say whether the {course.wish.verb} was carried out: {unsure.error}"
        elif not primary.unavailable:
            error = f"The {course.wish.verb} failed on prisma: {own.error}"
        else:
            error = both_failed(course.wish.verb, own, secondary, alone=self._secondary is None)
        return self._answer(course, Done(outcome, None, dirty=False), own, secondary, error=error)

    # The answer

    def _answer(
        self,
        course: _Course,
        done: Done,
        primary: StoreResult,
        secondary: StoreResult,
        *,
        error: str | None = None,
    ) -> DualStorageResult:
        success = error is None
        store = StoreName.PRISMA if primary.success or not secondary.success else StoreName.SUPABASE
        consistency = Consistency.PARTIAL if success else Consistency.FAILED
        owed = done.dirty or secondary.error is not None
        if success and primary.success and self._secondary is not None and not owed:
            consistency = Consistency.FULL
        partial = secondary.error or (None if primary.success else primary.error)
        if success and consistency is Consistency.PARTIAL and partial is not None:
            later = ", the other store gets it later" if done.dirty else ""
            error = f"Partial {course.wish.verb}{later}: {partial}"
        return DualStorageResult(
            id=course.wish.key,
            success=success,
            error=error,
            details=results(primary, secondary),
            consistency=consistency,
            degradation_mode=mode(course.primary, course.secondary, alone=self._secondary is None),
            timestamp=round(self._clock().timestamp() * 1000),
            total_time_ms=self._asking.ms_since(course.started),
            prisma_success=primary.success,
            supabase_success=secondary.success,
            prisma_error=primary.error,
            supabase_error=secondary.error,
            outcome=done.outcome,
            record=None if done.row is None else record_of(done.row, store=store, pending=done.dirty),
            repeated=done.repeated,
        )
