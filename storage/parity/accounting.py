"""Conservation of rows: what a separate count read on each side is what was accounted for, range by range."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum

from contracts.dataset import Dataset
from contracts.errors import InternalFault
from contracts.verdicts import RangeAccount, RowTotals, SideCounts
from contracts.vocabulary import DifferenceKind, Exclusion
from storage.parity.candidates import FirstLook
from storage.parity.ranges import limits, range_of
from storage.parity.recheck import Checked, Outcome
from storage.ports import Digest, RangeCount

Counts = tuple[Mapping[int, RangeCount], Mapping[int, RangeCount]]
"""Rows by range, primary and secondary."""


class Term(StrEnum):
    """Where a row of one side went."""

    MATCHED = "matched"
    DIFFERING = "differing"
    ONLY = "only"
    DEFERRED = "deferred"
    PENDING = "pending"


AGREED = frozenset({Outcome.SETTLED, Outcome.GONE, Outcome.REPRESENTATION, Outcome.RULE})


class Accounts:
    """Takes down where every row went, and proves that none is left over.

    Args:
        dataset: The dataset that both sides hold.
        counts: Rows by range, primary and secondary, as counted apart from everything else.
        look: What the first look found.
    """

    def __init__(self, dataset: Dataset, counts: Counts, look: FirstLook) -> None:
        self._dataset = dataset
        self._counts = counts
        self._terms: tuple[Counter[tuple[int, Term]], Counter[tuple[int, Term]]] = (Counter(), Counter())
        self._keys: Counter[str] = Counter()
        for number, rows in look.equal.items():
            for side in self._terms:
                side[number, Term.MATCHED] += rows
            self._keys["matched"] += rows
        for number, overflow in look.overflow.items():
            for side, rows in zip(self._terms, overflow, strict=True):
                side[number, Term.DEFERRED] += rows
            self._keys["deferred"] += max(overflow)

    @classmethod
    def one_sided(
        cls, dataset: Dataset, counts: Counts, digests: Mapping[int, Digest], kind: DifferenceKind
    ) -> Accounts:
        """Account for a pair of which one side is empty: every digested row of the other is one-sided."""
        accounts = cls(dataset, counts, FirstLook())
        side = accounts._terms[0 if kind is DifferenceKind.ONLY_PRIMARY else 1]
        for number, digest in digests.items():
            side[number, Term.ONLY] += digest.count
            accounts._keys[kind] += digest.count
        return accounts

    def add(self, checked: Checked) -> None:
        """Take down one candidate. A row of the first look that is gone meanwhile was deferred on its side."""
        first, number = checked.first, range_of(self._dataset, checked.first.key)
        for side, was, row in zip(
            self._terms, (first.primary, first.secondary), (checked.primary, checked.secondary), strict=True
        ):
            if was is not None:
                side[number, _term(checked, here=row is not None)] += 1
        self._keys[_name(checked)] += 1
        if checked.outcome in AGREED and first.primary and first.secondary:
            self._keys["matched"] += 1

    def ranges(self) -> tuple[RangeAccount, ...]:
        """Return the account of every range that holds rows, in key order.

        Raises:
            InternalFault: Rows that were read are not accounted for, or the reverse.
        """
        numbers = sorted({n for side in self._counts for n in side} | {n for side in self._terms for n, _ in side})
        accounts = tuple(self._range(number) for number in numbers)
        for account in accounts:
            for store, side in (("prisma", account.primary), ("supabase", account.secondary)):
                if side.balance:
                    raise InternalFault(
                        f"{side.read} rows were counted on {store} from key {account.low or 'the first'} on, "
                        f"but {side.read - side.balance} are accounted for.",
                        "Run the check again; if this comes back, report it: nothing was concluded.",
                        store=store,
                    )
        return accounts

    def totals(self) -> RowTotals:
        """Return the totals over all ranges."""
        keys = self._keys
        return RowTotals(
            primary=sum(c.total for c in self._counts[0].values()),
            secondary=sum(c.total for c in self._counts[1].values()),
            matched=keys["matched"],
            matched_representation=keys[Outcome.REPRESENTATION],
            differing=keys[DifferenceKind.DIFFERING],
            only_primary=keys[DifferenceKind.ONLY_PRIMARY],
            only_secondary=keys[DifferenceKind.ONLY_SECONDARY],
            deferred=keys["deferred"],
            pending=keys[Outcome.PENDING],
            settled=keys[Outcome.SETTLED] + keys[Outcome.GONE],
            excluded=sum(c.excluded for side in self._counts for c in side.values()),
        )

    def _range(self, number: int) -> RangeAccount:
        low, high = limits(self._dataset, number)
        primary, secondary = (
            self._side(counts, terms, number) for counts, terms in zip(self._counts, self._terms, strict=True)
        )
        return RangeAccount(low=low, high=high, primary=primary, secondary=secondary)

    @staticmethod
    def _side(counts: Mapping[int, RangeCount], terms: Counter[tuple[int, Term]], number: int) -> SideCounts:
        count = counts.get(number, RangeCount(0, 0))
        return SideCounts(
            read=count.total,
            matched=terms[number, Term.MATCHED],
            differing=terms[number, Term.DIFFERING],
            only=terms[number, Term.ONLY],
            deferred=terms[number, Term.DEFERRED],
            pending=terms[number, Term.PENDING],
            excluded={Exclusion.ID_NOT_REPLICABLE: count.excluded} if count.excluded else {},
        )


def kind_of(checked: Checked) -> DifferenceKind:
    """Return how the two rows that were read last disagree."""
    if checked.primary is None:
        return DifferenceKind.ONLY_SECONDARY
    return DifferenceKind.DIFFERING if checked.secondary else DifferenceKind.ONLY_PRIMARY


def _term(checked: Checked, *, here: bool) -> Term:
    match checked.outcome:
        case outcome if outcome in AGREED:
            return Term.MATCHED
        case Outcome.PENDING:
            return Term.PENDING
        case Outcome.CONFIRMED if here:
            return Term.DIFFERING if checked.primary and checked.secondary else Term.ONLY
        case _:
            return Term.DEFERRED


def _name(checked: Checked) -> str:
    return str(kind_of(checked)) if checked.outcome is Outcome.CONFIRMED else str(checked.outcome)
