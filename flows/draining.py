"""One drain of one dataset from its beginning to its conclusion, for a command and for a flow."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contracts.errors import SchemaMismatch
from contracts.replication import MANY
from flows.follow_process import PATIENCE_S, Turns
from flows.opening import Opened
from flows.replicating import Replication
from flows.sync import Conclusion, Slice, Survey, drain, survey

if TYPE_CHECKING:
    from storage.replication.relay import Pass

_FOR_A_PERSON = "conflict"  # the outcome that leaves something to decide


@dataclass(frozen=True, slots=True, kw_only=True)
class Drained:
    """What one drain did.

    Attributes:
        dataset: The dataset.
        part: What was carried over; None when the stores were not ready for it.
        after: How far the stores had come afterwards.
    """

    dataset: str
    part: Slice | None
    after: Survey

    @property
    def carried(self) -> int:
        """Number of keys that were carried over."""
        return self.part.done.carried if self.part else 0

    @property
    def left(self) -> int:
        """Number of keys that still wait, as far as they were counted; see `contracts.replication.MANY`."""
        sides = (self.after.status.primary, self.after.status.secondary)
        return sum(side.dirty for side in sides if side is not None)

    @property
    def outcomes(self) -> dict[str, int]:
        """Number of keys by outcome."""
        return {name: count for name, count in sorted(self.part.done.outcomes.items()) if count} if self.part else {}

    @property
    def exit_code(self) -> int:
        """0 when all was carried over that could be, 1 when this left something for a person, 2 when unknown."""
        if self.after.conclusion is Conclusion.UNKNOWN:
            return Conclusion.UNKNOWN.exit_code
        if self.part is None:
            return 1
        return 1 if self.part.done.given_up or self.part.done.outcomes[_FOR_A_PERSON] else 0

    @property
    def sentence(self) -> str:
        """What was done, in one sentence."""
        words = ", ".join(f"{outcome} {count:,}" for outcome, count in self.outcomes.items())
        keys = "1 key" if self.carried == 1 else f"{self.carried:,} keys"
        text = f"{self.dataset}: {keys} carried over" + (f" ({words})" if words else "")
        left = f"{self.left:,}" if self.left <= MANY else f"more than {MANY:,} changes"
        return text + (f"; {left} still wait." if self.left else ".")


def drain_once(
    work: Opened,
    replication: Replication,
    *,
    owner: str,
    stop: Callable[[], bool] = lambda: False,
    begin: Callable[[int], Callable[[Pass], None]] = lambda _: lambda _: None,
) -> Drained:
    """Carry over what waits, if the stores are adopted and capture has no gap, and say how far they have come.

    Args:
        work: What it works with.
        replication: The replication of the dataset.
        owner: Who asks, for others who wait for their turn.
        stop: Tells whether to stop.
        begin: Is told how many keys wait, and returns what is told of the progress.

    Raises:
        TwinstoreError: A store cannot be reached. What was carried over stays so.
    """
    name = replication.dataset.name
    before = survey(replication)
    if before.errors:
        raise before.errors[0]
    part = None
    if before.status.ready:
        waiting = Drained(dataset=name, part=None, after=before).left
        turn = Turns(work.memory, name, owner=owner, patience_s=PATIENCE_S)
        part = drain(replication.both()[2], turn, stop=stop, progress=begin(waiting))
    else:
        with suppress(SchemaMismatch):  # a restore that is seen once is remembered: new numbers would hide it
            replication.both()[2].prove()
    return Drained(dataset=name, part=part, after=survey(replication))
