"""How a confirmed disagreement stands in replication, as the engine asks for it; `storage.replication` answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from contracts.replication import Place
from storage.parity.recheck import Checked, Outcome

KEYS_AT_ONCE = 500


class Placed(NamedTuple):
    """A candidate with how it stands.

    Attributes:
        checked: The candidate; its rows and its outcome are those of the moment at which it was looked at last.
        place: How it stands; None for one that is no difference, and where the stores do not replicate.
        waiting_s: For how many seconds its change has waited; None where none waits.
    """

    checked: Checked
    place: Place | None = None
    waiting_s: float | None = None


class Placing(Protocol):
    """Tells how confirmed candidates stand."""

    def place(self, confirmed: Sequence[Checked]) -> Iterator[Placed]:
        """Yield each of them once: confirmed with its place, or with another outcome than it had.

        Raises:
            TwinstoreError: A store cannot be asked.
        """
        ...


@dataclass(frozen=True, slots=True)
class Unplaced:
    """Stores that do not replicate: what differs has no place."""

    def place(self, confirmed: Sequence[Checked]) -> Iterator[Placed]:
        """Yield each as it is."""
        return map(Placed, confirmed)


def place_confirmed(checked: Iterable[Checked], placing: Placing) -> Iterator[Placed]:
    """Yield every candidate, the confirmed ones with their place; no more are held than are asked for at once."""
    held: list[Checked] = []
    for item in checked:
        if item.outcome is not Outcome.CONFIRMED:
            yield Placed(item)
            continue
        held.append(item)
        if len(held) == KEYS_AT_ONCE:
            yield from placing.place(held)
            held = []
    if held:
        yield from placing.place(held)
