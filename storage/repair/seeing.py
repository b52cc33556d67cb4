"""Reading how keys stand on both stores now, some hundred at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from contracts.vocabulary import StoreName
from storage.parity.together import together
from storage.repair.ports import RepairSide, Seen

KEYS_AT_ONCE = 500

Both = dict[StoreName, Seen]
"""How one key stands on each store."""


def see_both(sides: Mapping[StoreName, RepairSide], keys: Sequence[str]) -> Iterator[tuple[str, Both]]:
    """Yield keys that both stores can hold, in their order, each with how it stands on both.

    Both stores are asked at once; what moves in between is found when a step is taken.

    Raises:
        TwinstoreError: A store cannot be asked.
    """
    for some in _batches(keys):
        seen = together(*(partial(sides[store].see, some) for store in (StoreName.PRISMA, StoreName.SUPABASE)))
        for key in some:
            yield key, {store: found[key] for store, found in zip(StoreName, seen, strict=True)}


def see_primary(sides: Mapping[StoreName, RepairSide], keys: Sequence[str]) -> Iterator[tuple[str, Seen]]:
    """Yield keys that the secondary cannot hold, so that only the primary is asked.

    Raises:
        TwinstoreError: The primary cannot be asked.
    """
    for some in _batches(keys):
        seen = sides[StoreName.PRISMA].see(some)
        for key in some:
            yield key, seen[key]


def _batches(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(keys), KEYS_AT_ONCE):
        yield keys[start : start + KEYS_AT_ONCE]
