"""Find the keys on which two snapshots disagree, reading as few rows as the number of differences allows.

Ranges with equal digests are done. In the others, few differences are read off a sketch of both sides; many are found
by walking through all keys and hashes of both sides in key order. Either way what remains in each range must have
equal digests afterwards, else nothing is concluded.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from contracts.errors import InternalFault
from storage.parity import sketch
from storage.parity.ranges import RANGES, range_of
from storage.parity.together import together
from storage.ports import Digest, KeyHash, Snapshot

FEW_ROWS = 20_000  # ranges that hold no more rows than this are walked through at once
SKETCH_LIMIT = 8_000  # differing keys beyond which no sketch is tried
SKETCH_MANY = 2_000  # differing keys that are supposed when every range differs: more can hardly be told apart
SKETCH_AGAIN = 4  # a sketch that could not be read is tried once more, so many times as large


class Candidate(NamedTuple):
    """A key on which the first look found the stores to disagree; None where a side does not hold it."""

    key: str
    primary: KeyHash | None
    secondary: KeyHash | None


@dataclass(slots=True)
class FirstLook:
    """What a first look found.

    Attributes:
        candidates: Disagreeing keys, at most the budget, in key order.
        overflow: Per range and side (primary, secondary), rows beyond the budget that were only counted.
        equal: Per range, number of rows proven equal: the same on both sides.
    """

    candidates: list[Candidate] = field(default_factory=list)
    overflow: dict[int, tuple[int, int]] = field(default_factory=dict)
    equal: dict[int, int] = field(default_factory=dict)


Digests = Mapping[int, Digest]


def first_look(primary: Snapshot, secondary: Snapshot, digests: tuple[Digests, Digests], *, budget: int) -> FirstLook:
    """Return the disagreeing keys of two snapshots whose digests are known.

    Args:
        primary: Snapshot of the primary.
        secondary: Snapshot of the secondary.
        digests: Digests by range of both.
        budget: Largest number of candidates that is kept.

    Raises:
        InternalFault: What was found does not account for the difference of the digests.
    """
    unequal = unequal_ranges(*digests)
    if not unequal:
        return _prove(digests, [], budget)
    found: Iterable[Candidate] | None = _by_sketch(primary, secondary, digests, unequal)
    if found is None:
        found = _merge(primary.pairs(unequal), secondary.pairs(unequal))
    return _prove(digests, found, budget)


def unequal_ranges(primary: Digests, secondary: Digests) -> list[int]:
    """Return the ranges whose digests differ; a range that one side does not have counts as empty there."""
    numbers = sorted(primary.keys() | secondary.keys())
    return [n for n in numbers if primary.get(n, Digest()) != secondary.get(n, Digest())]


def estimate(digests: tuple[Digests, Digests], unequal: list[int]) -> int:
    """Estimate the number of differing keys from how many ranges they hit, as if they were scattered evenly."""
    primary, secondary = digests
    missing = sum(abs(primary.get(n, Digest()).count - secondary.get(n, Digest()).count) for n in unequal)
    if len(unequal) == RANGES:
        return max(missing, SKETCH_MANY)
    return max(missing, math.ceil(-RANGES * math.log(1 - len(unequal) / RANGES)))


def _by_sketch(
    primary: Snapshot, secondary: Snapshot, digests: tuple[Digests, Digests], unequal: list[int]
) -> list[Candidate] | None:
    rows = max(sum(side.get(n, Digest()).count for n in unequal) for side in digests)
    expected = estimate(digests, unequal)
    if rows <= FEW_ROWS or expected > SKETCH_LIMIT:
        return None
    cells = sketch.size_for(expected)
    found = _peeled(primary, secondary, unequal, cells)
    if found is None:
        found = _peeled(primary, secondary, unequal, min(SKETCH_AGAIN * cells, sketch.MAX_CELLS))
    if found is None:
        return None
    sides = together(
        lambda: _looked_up(primary, [f for f in found if f.on_primary]),
        lambda: _looked_up(secondary, [f for f in found if not f.on_primary]),
    )
    keys = sorted(sides[0].keys() | sides[1].keys())
    return [Candidate(k, sides[0].get(k), sides[1].get(k)) for k in keys]


def _peeled(primary: Snapshot, secondary: Snapshot, unequal: list[int], cells: int) -> list[sketch.Found] | None:
    sketches = together(lambda: primary.sketch(unequal, cells), lambda: secondary.sketch(unequal, cells))
    return sketch.peel(sketch.subtract(*sketches), cells)


def _looked_up(snapshot: Snapshot, found: list[sketch.Found]) -> dict[str, KeyHash]:
    hashes = {(f.hash1, f.hash2) for f in found}
    rows = snapshot.find({f.key_hash for f in found}) if found else []
    return {r.key: r for r in rows if (r.hash1, r.hash2) in hashes}


def _merge(primary: Iterator[KeyHash], secondary: Iterator[KeyHash]) -> Iterator[Candidate]:
    """Walk through both sides in key order and yield where they disagree."""
    p, s = next(primary, None), next(secondary, None)
    while p is not None or s is not None:
        if s is None or (p is not None and p.key < s.key):
            yield Candidate(p.key, p, None)  # type: ignore[union-attr]  # one of the two is there
            p = next(primary, None)
        elif p is None or s.key < p.key:
            yield Candidate(s.key, None, s)
            s = next(secondary, None)
        else:
            if p != s:
                yield Candidate(p.key, p, s)
            p, s = next(primary, None), next(secondary, None)


def _prove(digests: tuple[Digests, Digests], found: Iterable[Candidate], budget: int) -> FirstLook:
    """Take what was found out of the digests; the rest of each range must be equal on both sides."""
    look = FirstLook()
    taken: tuple[dict[int, Digest], dict[int, Digest]] = ({}, {})
    for candidate in found:
        number = range_of(candidate.key)
        hashes = (candidate.primary, candidate.secondary)
        for side, hashed in zip(taken, hashes, strict=True):
            if hashed is not None:
                side[number] = side.get(number, Digest()).plus(hashed)
        if len(look.candidates) < budget:
            look.candidates.append(candidate)
        else:
            before = look.overflow.get(number, (0, 0))
            look.overflow[number] = (before[0] + (hashes[0] is not None), before[1] + (hashes[1] is not None))
    for number in digests[0].keys() | digests[1].keys():
        rest = [d.get(number, Digest()).minus(t.get(number, Digest())) for d, t in zip(digests, taken, strict=True)]
        if rest[0] != rest[1]:
            raise InternalFault(
                f"The differences that were found do not explain why range {number} differs.",
                "Run the check again; if this comes back, report it: nothing was concluded.",
            )
        look.equal[number] = rest[0].count
    return look
