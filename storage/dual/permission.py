"""Whether changes may be carried over at all: only between stores that were adopted, and not over a gap of capture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from contracts.errors import TwinstoreError
from contracts.vocabulary import StoreName
from storage.breaker import State
from storage.dual.asking import Asked, Asking

if TYPE_CHECKING:
    from storage.replication.doors import PrimaryDoors, SecondaryDoors
    from storage.replication.relay import Relay

FRESH_S = 5.0  # for how long an answer counts
ASK_S = 3.0  # seconds that a store has for an answer
NOT_ADOPTED = "nothing is delivered before `twinstore adopt`; the write is kept for it"


class NotSent(TwinstoreError):
    """Nothing was sent to the secondary, so that its circuit breaker learns nothing."""


class Permission:
    """Asks both stores now and then. Threads may share it.

    Args:
        primary: Doors of the primary.
        secondary: Doors of the secondary.
        relay: Tells what stands against carrying changes over, and remembers it.
        asking: Asks stores.
        deadline_s: Seconds that the secondary has for an answer when it has just failed.
    """

    def __init__(
        self, primary: PrimaryDoors, secondary: SecondaryDoors, relay: Relay, asking: Asking, *, deadline_s: float
    ) -> None:
        self._primary = primary
        self._secondary = secondary
        self._relay = relay
        self._asking = asking
        self._deadline_s = deadline_s
        self._known: tuple[float, Asked[Any] | None] | None = None  # until when; replaced as a whole, without a lock

    def refusal(self) -> Asked[Any] | None:
        """Return why nothing may be delivered now; None when it may be.

        Its error is `NotSent` where the stores do not allow it, or the primary cannot be asked; else the secondary's.
        """
        now, known = self._asking.now(), self._known
        if known is not None and now < known[0]:
            return known[1]
        refusal, fresh_s = self._asked()
        self._known = (now + fresh_s, refusal)
        return refusal

    def forget(self) -> None:
        """Ask again before the next delivery: a store that was away may have come back as another one."""
        self._known = None

    def _asked(self) -> tuple[Asked[Any] | None, float]:
        """Return the refusal, and for how many seconds it counts: a store that is away may be back at once."""
        if self._asking.shut(StoreName.SUPABASE):  # then nothing that the primary says can matter
            return self._asking.ask(StoreName.SUPABASE, _not_shut_any_more), 0.0
        primary = self._asking.ask(StoreName.PRISMA, lambda: self._primary.glance(deadline_s=ASK_S))
        ours = primary.answer
        if ours is None:
            return _not_sent(str(primary.error)), 0.0
        if ours.adopted_at is None:
            return _not_sent(NOT_ADOPTED), FRESH_S
        secondary = self._asking.ask(
            StoreName.SUPABASE, lambda: self._secondary.glance(heard=ours.heard, deadline_s=self._patience_s())
        )
        theirs = secondary.answer
        if theirs is None:
            return secondary, 0.0
        try:
            self._relay.accept(ours, theirs)
        except TwinstoreError as exc:
            return _not_sent(exc.what), FRESH_S
        return None, FRESH_S

    def _patience_s(self) -> float:
        """Return the seconds that the secondary has: that it is slow is no outage, unless it failed just now.

        Whatever opens a circuit makes one write wait for so long, and each probe afterwards.
        """
        doubted = self._asking.track_record(StoreName.SUPABASE).failures > 0
        probed = self._asking.state(StoreName.SUPABASE) in (State.OPEN, State.HALF_OPEN)
        return self._deadline_s if doubted and not probed else ASK_S


def _not_shut_any_more() -> NoReturn:
    raise NotSent("supabase may be asked again since this moment", "The write is kept, and delivered later.")


def _not_sent(why: str) -> Asked[Any]:
    return Asked(answer=None, error=NotSent(why, "The write is kept, and delivered later."), ms=0)
