"""Where the rows of each side went: the sums over all ranges, and whether they add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from contracts.verdicts import DatasetReport, RangeAccount, SideCounts
from contracts.vocabulary import Exclusion, StoreName


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Conservation of the rows of one side over all ranges."""

    store: StoreName
    counts: SideCounts


def accounts(dataset: DatasetReport) -> tuple[Account, ...]:
    """Return the account of both sides, primary first; nothing where no rows were accounted for."""
    if not dataset.ranges:
        return ()
    return (
        Account(store=StoreName.PRISMA, counts=_total([r.primary for r in dataset.ranges])),
        Account(store=StoreName.SUPABASE, counts=_total([r.secondary for r in dataset.ranges])),
    )


def unbalanced(dataset: DatasetReport) -> tuple[RangeAccount, ...]:
    """Return the ranges that do not add up on some side."""
    return tuple(r for r in dataset.ranges if r.primary.balance or r.secondary.balance)


def exclusions(dataset: DatasetReport) -> dict[Exclusion, tuple[int, int]]:
    """Return how many rows of each side are excluded, by reason, primary first."""
    sides = accounts(dataset)
    reasons = {reason for side in sides for reason in side.counts.excluded}
    return {r: (sides[0].counts.excluded.get(r, 0), sides[1].counts.excluded.get(r, 0)) for r in sorted(reasons)}


def _total(counts: Sequence[SideCounts]) -> SideCounts:
    excluded: Counter[Exclusion] = Counter()
    for each in counts:
        excluded.update(each.excluded)
    return SideCounts(
        read=sum(c.read for c in counts),
        matched=sum(c.matched for c in counts),
        differing=sum(c.differing for c in counts),
        only=sum(c.only for c in counts),
        deferred=sum(c.deferred for c in counts),
        pending=sum(c.pending for c in counts),
        excluded=dict(excluded),
    )
