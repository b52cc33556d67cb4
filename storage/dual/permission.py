"""Whether changes may be carried over at all: only between stores that were adopted, and not over a gap of capture."""

from __future__ import annotations

from contracts.vocabulary import StoreName
from storage.dual.asking import Asking
from storage.replication.doors import PrimaryDoors

FRESH_S = 5.0  # for how long an answer counts
_ASK_S = 3.0


class Permission:
    """Asks the primary now and then. Threads may share it.

    Args:
        primary: Doors of the primary.
        asking: Asks stores.
    """

    def __init__(self, primary: PrimaryDoors, asking: Asking) -> None:
        self._primary = primary
        self._asking = asking
        self._known: tuple[float, bool] | None = None  # replaced as a whole, so that no lock is needed

    def to_deliver(self) -> bool:
        """Tell whether the stores were adopted, as the primary said lately; False when it cannot be asked."""
        now, known = self._asking.now(), self._known
        if known is not None and now - known[0] < FRESH_S:
            return known[1]
        asked = self._asking.ask(StoreName.PRISMA, lambda: self._primary.standing(deadline_s=_ASK_S))
        standing = asked.answer
        allowed = standing is not None and standing.adopted_at is not None and standing.gap is None
        self._known = (now, allowed)
        return allowed
