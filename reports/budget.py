"""How much of a run fits on one page: everything that grows with the data is cut by these limits, and says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

LISTED_PER_CLUSTER = 25
LISTED_BYTES = 2_400_000  # for all differences that are listed on a page
CLUSTERS_MAX = 120
CHECKS_MAX = 600  # check ids of a dataset; those that did not pass come first
FIELDS_MAX = 40
KEYS_MAX = 10
RANGES_MAX = 64
REASONS_MAX = 200
REASONS_OPEN = 5  # reasons that are shown without a click
CLUSTERS_OPEN = 15


@dataclass(slots=True)
class Budget:
    """Bytes that are left for one kind of content."""

    left: int

    def take(self, weight: int) -> bool:
        """Spend `weight` bytes if they are left; say whether they were."""
        if weight > self.left:
            return False
        self.left -= weight
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown(Generic[T]):
    """The first items of a longer list.

    Attributes:
        items: What is shown.
        total: How many there are.
    """

    items: tuple[T, ...]
    total: int

    @property
    def hidden(self) -> int:
        """How many are not shown."""
        return max(0, self.total - len(self.items))


def first(items: Sequence[T], limit: int, total: int | None = None) -> Shown[T]:
    """Return the first `limit` items; `total` where the list itself is already a part of something longer."""
    return Shown(items=tuple(items[:limit]), total=len(items) if total is None else max(total, len(items)))
