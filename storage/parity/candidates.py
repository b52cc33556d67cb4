"""Find the keys on which two snapshots disagree, reading as few rows as the number of differences allows.

Ranges with equal digests are done. In the others, few differences are read off a sketch of both sides; many are found
by walking through all keys and hashes of both sides in order. Either way what remains in each range must have equal
digests afterwards, else nothing is concluded of it. Where a side is not frozen, rows may have moved between its digest
and its sketch: ranges in which they did are walked through, and the digests of that walk's own moment count.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from contracts.dataset import Dataset
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


Digests = Mapping[int, Digest]


@dataclass(slots=True)
class Findings:
    """Candidates as they were found, not yet proven to be all there are.

    Attributes:
        candidates: By range, at most the budget in all.
        overflow: Per range and side (primary, secondary), rows beyond the budget that were only counted.
        taken: Per side and range, the digest of all rows of candidates, those beyond the budget included.
    """

    candidates: defaultdict[int, list[Candidate]] = field(default_factory=lambda: defaultdict(list))
    overflow: dict[int, tuple[int, int]] = field(default_factory=dict)
    taken: tuple[dict[int, Digest], dict[int, Digest]] = field(default_factory=lambda: ({}, {}))

    @classmethod
    def of(cls, dataset: Dataset, found: Iterable[Candidate], budget: int) -> Findings:
        """Gather what was found, and keep `budget` candidates of it."""
        findings = cls()
        for position, candidate in enumerate(found):
            number = range_of(dataset, candidate.key)
            hashes = (candidate.primary, candidate.secondary)
            for side, hashed in zip(findings.taken, hashes, strict=True):
                if hashed is not None:
                    side[number] = side.get(number, Digest()).plus(hashed)
            if position < budget:
                findings.candidates[number].append(candidate)
            else:
                before = findings.overflow.get(number, (0, 0))
                findings.overflow[number] = (
                    before[0] + (hashes[0] is not None),
                    before[1] + (hashes[1] is not None),
                )
        return findings

    def left(self, digests: tuple[Digests, Digests], number: int) -> tuple[Digest, Digest]:
        """Return what remains of the digests of one range when the candidates are taken out."""
        primary, secondary = (
            digest.get(number, Digest()).minus(taken.get(number, Digest()))
            for digest, taken in zip(digests, self.taken, strict=True)
        )
        return primary, secondary


@dataclass(slots=True)
class FirstLook:
    """What a first look found.

    Attributes:
        candidates: Disagreeing keys, at most the budget.
        overflow: Per range and side (primary, secondary), rows beyond the budget that were only counted.
        equal: Per range, number of rows proven equal: the same on both sides.
    """

    candidates: list[Candidate] = field(default_factory=list)
    overflow: dict[int, tuple[int, int]] = field(default_factory=dict)
    equal: dict[int, int] = field(default_factory=dict)

    def conclude(self, found: Findings, digests: tuple[Digests, Digests], ranges: Collection[int]) -> list[int]:
        """Take over what was found in the ranges that it explains wholly, and return the others."""
        unexplained = []
        for number in sorted(ranges):
            primary, secondary = found.left(digests, number)
            if primary != secondary:
                unexplained.append(number)
                continue
            self.equal[number] = primary.count
            self.candidates += found.candidates.get(number, ())
            if number in found.overflow:
                self.overflow[number] = found.overflow[number]
        return unexplained


def first_look(
    dataset: Dataset, primary: Snapshot, secondary: Snapshot, digests: tuple[Digests, Digests], *, budget: int
) -> FirstLook:
    """Return the disagreeing keys of two snapshots whose digests are known.

    Args:
        dataset: The dataset that both hold.
        primary: Snapshot of the primary.
        secondary: Snapshot of the secondary.
        digests: Digests by range of both.
        budget: Largest number of candidates that is kept.

    Raises:
        InternalFault: What was found does not account for the difference of the digests.
    """
    unequal = unequal_ranges(*digests)
    look = FirstLook()
    look.conclude(Findings(), digests, (digests[0].keys() | digests[1].keys()).difference(unequal))
    by_sketch = _by_sketch(primary, secondary, digests, unequal) if unequal else None
    if by_sketch is not None:
        unequal = look.conclude(Findings.of(dataset, by_sketch, budget), digests, unequal)
        if unequal and primary.frozen and secondary.frozen:
            raise _unexplained(unequal[0])
    if unequal:
        pairs = merge(dataset, primary.pairs(unequal), secondary.pairs(unequal))
        found = Findings.of(dataset, pairs, budget - len(look.candidates))
        digests = _as_of_pairs(primary, digests[0]), _as_of_pairs(secondary, digests[1])
        if unexplained := look.conclude(found, digests, unequal):
            raise _unexplained(unexplained[0])
    return look


def _as_of_pairs(snapshot: Snapshot, digests: Digests) -> Digests:
    return digests if snapshot.frozen else snapshot.digests()


def _unexplained(number: int) -> InternalFault:
    return InternalFault(
        f"The differences that were found do not explain why range {number} differs.",
        "Run the check again; if this comes back, report it: nothing was concluded.",
    )


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


def merge(dataset: Dataset, primary: Iterator[KeyHash], secondary: Iterator[KeyHash]) -> Iterator[Candidate]:
    """Walk through both sides, which are ordered by range and key, and yield where they disagree."""
    p, s = next(primary, None), next(secondary, None)
    while p is not None or s is not None:
        if p is not None and s is not None and p.key == s.key:
            if p != s:
                yield Candidate(p.key, p, s)
            p, s = next(primary, None), next(secondary, None)
        elif s is None or (p is not None and _place(dataset, p) < _place(dataset, s)):
            yield Candidate(p.key, p, None)  # type: ignore[union-attr]  # one of the two is there
            p = next(primary, None)
        else:
            yield Candidate(s.key, None, s)
            s = next(secondary, None)


def _place(dataset: Dataset, pair: KeyHash) -> tuple[int, str]:
    """Return what orders pairs; texts of Python compare by code point, as C collation compares UTF-8."""
    return range_of(dataset, pair.key), pair.key
