"""Follow the changes of both stores for as long as the process lives: one loop per dataset, and what goes with it.

Nothing but a request to stop ends a loop. A store that is away is waited for, longer each time; what only a person can
mend (a gap, a refusal, a missing migration) is told once and looked at now and then, so that the loop goes on by itself
when it is mended. Values of records are told nowhere.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Event as Flag
from typing import TYPE_CHECKING

from contracts.errors import (
    CircuitOpen,
    Conflict,
    ProtocolError,
    TimedOut,
    TwinstoreError,
    Unavailable,
)
from contracts.vocabulary import StoreName
from flows.replicating import Replication
from flows.sync import YIELD_S, Slice, Turn, carry
from flows.unexpected import understood

if TYPE_CHECKING:
    from storage.breaker import Guard
    from storage.replication.relay import Relay

PASSING = (Unavailable, TimedOut, ProtocolError, Conflict)
"""What may be gone by itself."""

_LEFT_OVER = ("busy", "locked")  # outcomes that are tried again soon


class Told(StrEnum):
    """What is told of a loop."""

    STARTED = "started"
    CARRIED = "carried"
    UNAVAILABLE = "unavailable"  # it is tried again by itself
    REFUSED = "refused"  # a person has to do something
    RESUMED = "resumed"
    WAITING = "waiting"  # another process has its turn
    BREAKER = "breaker"  # the circuit of a store opened or closed
    ALERT = "alert"  # raised by the watch; sent to those who are to be told
    RESOLVED = "resolved"
    STOPPING = "stopping"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Something worth a line of log; it holds counts, names and our own sentences, never a value of a record.

    Attributes:
        told: What it is.
        dataset: The dataset that it concerns, if it concerns one.
        facts: Counts and words.
        what: One sentence, where something is wrong.
        todo: What to do about it.
    """

    told: Told
    dataset: str | None = None
    facts: Mapping[str, object] = field(default_factory=dict)
    what: str = ""
    todo: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pauses:
    """How long is waited, in seconds.

    Attributes:
        interval_s: Between two looks at both stores while all is well.
        longest_s: At most, while a store is away; the first wait is `interval_s`, each further one twice as long.
        asked_s: At most, when a store says for how long it wants to be left alone.
        refused_s: While a person has to do something.
        look_again_s: Between two looks at keys that failed, when nothing else changed.
        turn_s: While another process has its turn.
        yield_s: After a turn that left something, so that others can have theirs.
    """

    interval_s: float = 1.0
    longest_s: float = 30.0
    asked_s: float = 900.0
    refused_s: float = 30.0
    look_again_s: float = 30.0
    turn_s: float = 1.0
    yield_s: float = YIELD_S


class Follower:
    """Follows the changes of one dataset, one step at a time.

    Args:
        replication: What carries them over.
        turn: Takes the lease, so that processes take turns.
        tell: Is told the news.
        stop: Set when somebody asks to stop.
        pauses: How long is waited.
        clock: Tells a time in seconds that only grows.
        chance: Returns a random number from 0 to 1, so that processes do not knock at the same moment.
    """

    def __init__(
        self,
        replication: Replication,
        turn: Turn,
        *,
        tell: Callable[[News], None],
        stop: Flag,
        pauses: Pauses | None = None,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.name = replication.dataset.name
        self._replication = replication
        self._turn = turn
        self._tell = tell
        self._stop = stop
        self._pauses = pauses or Pauses()
        self._clock = clock
        self._chance = chance
        self._failures = 0
        self._trouble: tuple[Told, str] | None = None
        self._since = 0.0
        self._seen: tuple[int | None, ...] = ()
        self._look_at = 0.0
        self._fruitless = 0

    def run(self) -> None:
        """Take one step after the other until somebody asks to stop."""
        while not self._stop.is_set():
            self._stop.wait(self.step())

    def step(self) -> float:
        """Carry over what waits, and return the seconds until the next step. It never raises."""
        from storage.state.leases import Held

        try:
            finished = self._work()
        except Held as held:
            self._in_trouble(Told.WAITING, held)
            return self._pauses.turn_s
        except Exception as exc:  # noqa: BLE001 - whatever it is, the loop goes on
            return self._troubled(understood(exc, None))
        self._well()
        return self._pauses.interval_s if finished else self._pauses.yield_s

    def _work(self) -> bool:
        """Look at both stores, and carry over what waits; False when more is there to be carried at once."""
        _, _, relay = self._replication.both()
        before = relay.prove()
        sides = [side for side in (before.primary, before.secondary) if side is not None]
        seen = (*(side.last_change for side in sides), before.dead_letters, before.failing)
        if not any(side.dirty for side in sides):
            return True
        if seen == self._seen and self._clock() < self._look_at:
            return True  # what waits was tried, and its time has not come
        part = self._carried(relay)
        left_over = any(part.done.outcomes[outcome] for outcome in _LEFT_OVER)
        self._fruitless = 0 if part.done.carried else min(self._fruitless + 1, 20)
        wait_s = self._pauses.interval_s * 2.0**self._fruitless if left_over else self._pauses.look_again_s
        self._look_at = self._clock() + min(wait_s, self._pauses.look_again_s)
        self._seen = seen if part.finished else ()
        return part.finished

    def _carried(self, relay: Relay) -> Slice:
        began = self._clock()
        with self._turn():
            part = carry(relay, stop=self._stop.is_set)
        done = part.done
        if done.carried or done.given_up:
            facts: dict[str, object] = {
                **{outcome: count for outcome, count in sorted(done.outcomes.items()) if count},
                "given_up": done.given_up,
                "delayed": done.delayed,
                "seconds": round(self._clock() - began, 3),
            }
            self._tell(News(told=Told.CARRIED, dataset=self.name, facts=facts))
        return part

    def _troubled(self, error: TwinstoreError) -> float:
        """Tell what is wrong, and return for how long to wait."""
        if not isinstance(error, PASSING):
            self._in_trouble(Told.REFUSED, error)
            return self._pauses.refused_s
        wait_s = min(self._pauses.longest_s, self._pauses.interval_s * 2.0**self._failures)
        self._failures = min(self._failures + 1, 20)
        wait_s *= 0.5 + self._chance() / 2
        asked_s = error.wait_s if isinstance(error, CircuitOpen) else getattr(error, "retry_after_s", None)
        if asked_s is not None:
            wait_s = max(wait_s, min(asked_s, self._pauses.asked_s))
        self._in_trouble(Told.UNAVAILABLE, error, wait_s=round(wait_s, 1))
        return wait_s

    def _in_trouble(self, told: Told, error: TwinstoreError, **facts: object) -> None:
        """Tell trouble once: again only when it is another one."""
        trouble = (told, error.store or "")
        if told is Told.REFUSED:
            trouble = (told, error.what)
        if self._trouble is None:
            self._since = self._clock()
        if trouble != self._trouble and not isinstance(error, CircuitOpen):
            store = {} if error.store is None else {"store": str(error.store)}
            self._tell(
                News(told=told, dataset=self.name, facts={**store, **facts}, what=error.what, todo=error.todo),
            )
            self._trouble = trouble

    def _well(self) -> None:
        if self._trouble is not None:
            seconds = round(self._clock() - self._since, 1)
            self._tell(News(told=Told.RESUMED, dataset=self.name, facts={"seconds": seconds}))
        self._trouble, self._failures = None, 0


def tell_of_breakers(guards: Mapping[StoreName, Guard], tell: Callable[[News], None]) -> None:
    """Tell from now on when the circuit of a store opens or closes."""
    from storage.breaker import Event, EventKind

    def listener(store: StoreName) -> Callable[[Event], None]:
        def listen(event: Event) -> None:
            if event.kind is EventKind.TRANSITION:
                facts = {"store": str(store), "before": str(event.before), "state": str(event.state)}
                tell(News(told=Told.BREAKER, facts=facts | ({"why": str(event.why)} if event.why else {})))

        return listen

    for store, guard in guards.items():
        guard.listen(listener(store))
