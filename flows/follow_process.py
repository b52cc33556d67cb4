"""The process that follows both stores: a thread per dataset, chores beside them, and an orderly end.

Whoever asks it to end gets it within seconds: a batch that is under way is finished; one that hangs is left alone,
since the protocol carries it over again or finds it done, and its lease is given back for it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event as Flag
from typing import TYPE_CHECKING

from contracts.errors import Conflict, TwinstoreError
from flows.follow import Follower, News, Told
from flows.unexpected import understood

if TYPE_CHECKING:
    from storage.state import State

END_S = 5.0  # for a batch that is under way
PATIENCE_S = {"relay": 60.0, "check": 60.0}  # of a single drain; a loop asks again by itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Chore:
    """Something that is done now and then beside the loops.

    Attributes:
        name: What it is, for the log.
        every_s: Seconds between two times.
        work: Does it. What it raises is told, and it is tried again the next time.
    """

    name: str
    every_s: float
    work: Callable[[], None]


class Turns:
    """Takes the lease of one dataset for one turn at a time, and can give it back from another thread.

    Without a memory there are no turns: the protocol is safe without them, they only save work.

    Args:
        memory: The tool's memory; None when it cannot be used.
        dataset: Name of the dataset.
        owner: Who asks, for others who wait.
        patience_s: For how many seconds to wait for a holder, by the kind of its work.
    """

    def __init__(
        self, memory: State | None, dataset: str, *, owner: str, patience_s: dict[str, float] | None = None
    ) -> None:
        self._memory = memory
        self._dataset = dataset
        self._owner = owner
        self._patience_s = patience_s or {}
        self._held = ExitStack()

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Hold the lease while the block runs.

        Raises:
            Held: Somebody else holds it.
        """
        if self._memory is None:
            yield
            return
        lease = self._lease(self._memory)
        try:
            self._held.enter_context(lease)
        except Conflict:
            raise
        except TwinstoreError:  # the memory is away: on without turns
            yield
            return
        try:
            yield
        finally:
            self.release()

    def release(self) -> None:
        """Give the lease back, if it is held; a memory that went away lets it lapse."""
        with suppress(TwinstoreError):
            self._held.pop_all().close()

    def _lease(self, memory: State) -> AbstractContextManager[object]:
        return memory.lease(
            self._dataset, "relay", owner=self._owner, now=lambda: datetime.now(UTC), patience_s=self._patience_s
        )


def follow(
    followers: Sequence[tuple[Follower, Turns]],
    chores: Sequence[Chore],
    *,
    tell: Callable[[News], None],
    stop: Flag,
    end_s: float = END_S,
) -> bool:
    """Follow until somebody asks to stop; True when every batch that was under way came to its end.

    Args:
        followers: One per dataset, with its turns.
        chores: What is done beside them.
        tell: Is told the news.
        stop: Set when somebody asks to stop.
        end_s: Seconds that a batch which is under way has to end.
    """
    threads = [threading.Thread(target=one.run, name=f"follow {one.name}", daemon=True) for one, _ in followers]
    beside = [
        threading.Thread(target=_repeat, args=(chore, tell, stop), name=chore.name, daemon=True) for chore in chores
    ]
    for thread in (*threads, *beside):
        thread.start()
    stop.wait()
    tell(News(told=Told.STOPPING))
    deadline = time.monotonic() + end_s
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    hanging = [turns for thread, (_, turns) in zip(threads, followers, strict=True) if thread.is_alive()]
    for turns in hanging:
        turns.release()
    return not hanging


def _repeat(chore: Chore, tell: Callable[[News], None], stop: Flag) -> None:
    trouble = ""
    while not stop.is_set():
        try:
            chore.work()
            trouble = ""
        except Exception as exc:  # noqa: BLE001 - whatever it is, it is tried again
            error = understood(exc, None)
            if error.what != trouble:
                facts = {"chore": chore.name}
                tell(News(told=Told.UNAVAILABLE, facts=facts, what=error.what, todo=error.todo))
            trouble = error.what
        stop.wait(chore.every_s)
