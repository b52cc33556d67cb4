"""Compare one dataset in two stores: digest, drill down, look again, account for every row, explain.

The steps are those of the design: one statement per side tells whether anything differs at all; only then is more read.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from heapq import nlargest
from operator import attrgetter

from contracts.dataset import Dataset
from contracts.errors import ConfigurationError, ProtocolError, SchemaMismatch
from contracts.replication import PLACES, Place
from contracts.verdicts import Cluster, Difference, RangeAccount, Reason, RowTotals, SelfProof, StoreFacts, UnderWay
from contracts.vocabulary import Cause, DifferenceKind, StoreName, Verdict
from storage.canonical import canonical_key
from storage.canonical_text import field_text
from storage.parity.accounting import Accounts, kind_of
from storage.parity.agreement import by_rule
from storage.parity.candidates import FirstLook
from storage.parity.explaining import Explainer
from storage.parity.overview import Overview, excluded_limit, overview
from storage.parity.recheck import Outcome, Patience, recheck
from storage.parity.standing import Placed, Placing, Unplaced, place_confirmed
from storage.parity.together import together
from storage.ports import HashKind, Reader, Row

Progress = Callable[[str], None]
DEFERRED_SHARE = 0.001  # more than this makes a run incomplete
PENDING_KEYS = 100  # that are named


@dataclass(frozen=True, slots=True, kw_only=True)
class ParityOptions:
    """How thoroughly and how patiently two stores are compared.

    Attributes:
        patience: Grace time and rounds of the second look.
        row_budget: Largest number of disagreeing keys that are looked at again and explained.
    """

    patience: Patience = field(default_factory=Patience)
    row_budget: int = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity:
    """What a comparison found.

    Attributes:
        rows: Totals over all ranges.
        ranges: Conservation per range.
        differences: Every confirmed difference, by key.
        clusters: The same by cause, largest first.
        blind: True when nothing was compared, since rows may be hidden from us.
        identical: True when every row of both sides was proven equal: what holds for one side holds for the other.
        deferred: Keys that moved every time they were looked at, sorted.
        pending: Keys whose change is under way, at most `PENDING_KEYS` of them, the oldest first.
        unsettled: All keys that are deferred or under way, and how the stores disagreed about each at last.
        excluded: Keys of rows that are not compared, at most `overview.excluded_limit` per side.
        proof: How the comparison tested itself; None when nothing was compared, or a side is empty.
        reasons: Why the verdict is not passed, as far as the comparison tells.
        notes: Sentences for the reader.
    """

    rows: RowTotals = field(default_factory=RowTotals)
    ranges: tuple[RangeAccount, ...] = ()
    differences: tuple[Difference, ...] = ()
    clusters: tuple[Cluster, ...] = ()
    blind: bool = False
    identical: bool = False
    deferred: tuple[str, ...] = ()
    pending: tuple[UnderWay, ...] = ()
    unsettled: Mapping[str, DifferenceKind] = field(default_factory=dict)
    excluded: tuple[str, ...] = ()
    proof: SelfProof | None = None
    reasons: tuple[Reason, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def different(self) -> int:
        """Number of keys on which the stores disagree, one by one or because a side is empty."""
        return self.rows.differing + self.rows.only_primary + self.rows.only_secondary


def require_two_stores(primary: StoreFacts, secondary: StoreFacts) -> None:
    """Refuse to compare a store with itself.

    Raises:
        ConfigurationError: Both settings reach the same database.
    """
    if primary.identity and primary.identity == secondary.identity:
        raise ConfigurationError(
            "DATABASE_URL and the Supabase settings reach the same database.",
            "Point one of them at the other store; a store cannot be compared with itself.",
        )


def compare(
    primary: Reader,
    secondary: Reader,
    facts: tuple[StoreFacts, StoreFacts],
    *,
    options: ParityOptions | None = None,
    placing: Placing | None = None,
    progress: Progress = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Parity:
    """Compare the rows of both stores.

    Args:
        primary: Reader of the primary.
        secondary: Reader of the secondary.
        facts: What both readers said of their stores.
        options: Patience and budget.
        placing: Tells how a difference stands in replication; None where the stores do not replicate.
        progress: Is told the name of each step as it begins.
        sleep: Waits for seconds.

    Raises:
        TwinstoreError: A store failed, or what was read does not add up. Nothing may be concluded then.
    """
    hidden = [f for f in facts if not f.sees_all_rows]
    if hidden:
        return Parity(blind=True, reasons=tuple(_blind(f) for f in hidden))
    options = options or ParityOptions()
    kind = agree_on_hash(primary, secondary)
    readers = (primary, secondary)
    patience = options.patience
    seen = overview(readers, kind, budget=options.row_budget, patience=patience, sleep=sleep, progress=progress)
    if seen.empty is not None:
        return _side_empty(primary.dataset, seen, seen.empty)
    candidates = seen.look.candidates
    accounts = Accounts(primary.dataset, seen.counts, seen.look)
    spellings = _spellings(primary.dataset, seen.excluded[0])
    spelt_all = len(seen.excluded[0]) < excluded_limit(options.row_budget)
    explainer = Explainer(primary, secondary, kind, spellings=spellings, spelt_all=spelt_all)
    deferred: list[str] = []
    pending: list[UnderWay] = []
    representation: Counter[str] = Counter()
    ruled: Counter[str] = Counter()
    if candidates:
        progress(f"look again at {len(candidates):,} rows")
    again = recheck(readers, kind, candidates, seen_at=seen.seen_at, patience=patience, sleep=sleep)
    for placed in place_confirmed(again, placing or Unplaced()):
        checked = placed.checked
        accounts.add(checked)
        if checked.outcome is Outcome.CONFIRMED:
            explainer.add(placed)
        elif checked.outcome is Outcome.PENDING:
            pending.append(_under_way(placed))
            explainer.defer(checked)
        elif checked.outcome is Outcome.DEFERRED:
            deferred.append(checked.first.key)
            explainer.defer(checked)
        elif checked.outcome is Outcome.REPRESENTATION and checked.primary and checked.secondary:
            representation.update(_written_differently(primary.dataset, checked.primary.row, checked.secondary.row))
        elif checked.outcome is Outcome.RULE and checked.primary and checked.secondary:
            ruled.update(by_rule(primary.dataset, checked.primary.row, checked.secondary.row) or ())
    progress("explain what differs")
    explained = explainer.finish(everything=not seen.look.overflow)
    differences = explained.differences
    ranges, totals = accounts.ranges(), accounts.totals()
    return Parity(
        rows=totals,
        ranges=ranges,
        differences=differences,
        clusters=explained.clusters,
        identical=not candidates and not any(seen.excluded),
        deferred=tuple(sorted(deferred)),
        pending=tuple(nlargest(PENDING_KEYS, sorted(pending, key=attrgetter("key")), key=attrgetter("waiting_s"))),
        unsettled=explained.unsettled,
        excluded=tuple(seen.excluded[0] + seen.excluded[1]),
        proof=seen.proof,
        reasons=(*_reasons(totals, seen.look, differences), *_untried(seen.proof)),
        notes=(*_notes(totals, representation), *_rules(primary.dataset, ruled), *explained.doubts),
    )


def agree_on_hash(primary: Reader, secondary: Reader) -> HashKind:
    """Return the fastest kind of hash on which both servers agree.

    Raises:
        ProtocolError: They agree on none.
    """
    for kind in HashKind:
        try:
            probes = together(partial(primary.hash_probe, kind), partial(secondary.hash_probe, kind))
        except SchemaMismatch:  # an old server does not know the function
            continue
        if probes[0] == probes[1]:
            return kind
    raise ProtocolError(
        "The two servers hash the same record differently, by every method that is known.",
        "Report both server versions; nothing was compared.",
    )


def _side_empty(dataset: Dataset, seen: Overview, empty: StoreName) -> Parity:
    """Report an empty side once, not row by row: such a state is an accident, never a list of missing rows."""
    kind = DifferenceKind.ONLY_PRIMARY if empty is StoreName.SUPABASE else DifferenceKind.ONLY_SECONDARY
    digests = seen.digests[0] if empty is StoreName.SUPABASE else seen.digests[1]
    rows = sum(d.count for d in digests.values())
    accounts = Accounts.one_sided(dataset, seen.counts, digests, kind)
    cluster = Cluster(
        cause=Cause.SIDE_EMPTY,
        kind=kind,
        fields=(),
        store=empty,
        sentence=f"{empty} holds no row at all, while {empty.other} holds {rows:,}",
        count=rows,
        sample_keys=(),
    )
    return Parity(
        rows=accounts.totals(),
        ranges=accounts.ranges(),
        clusters=(cluster,),
        reasons=(Reason(verdict=Verdict.FAILED, text=f"{empty} is empty"), *_excluded(accounts.totals())),
    )


def _written_differently(dataset: Dataset, primary: Row, secondary: Row) -> list[str]:
    """Return the columns that are equal in canonical form only, though the texts that are hashed differ."""
    columns = dataset.compared
    return [c.name for c in columns if field_text(c, primary[c.name]) != field_text(c, secondary[c.name])]


def _blind(facts: StoreFacts) -> Reason:
    return Reason(
        verdict=Verdict.INCOMPLETE,
        text=f"on {facts.store} rows may be hidden from our role, so nothing was compared: {facts.note or facts.table}",
    )


def _spellings(dataset: Dataset, keys: list[str]) -> dict[str, str]:
    """Map canonical keys to the other spellings under which prisma holds them."""
    found = {}
    for key in keys:
        try:
            found[canonical_key(dataset, key)] = key
        except ValueError:
            continue
    return found


def _under_way(placed: Placed) -> UnderWay:
    return UnderWay(key=placed.checked.first.key, kind=kind_of(placed.checked), waiting_s=placed.waiting_s or 0.0)


def _reasons(rows: RowTotals, look: FirstLook, differences: Sequence[Difference]) -> list[Reason]:
    reasons = []
    if different := rows.differing + rows.only_primary + rows.only_secondary:
        text = f"{_rows(different)} between the stores{_places(differences)}"
        reasons.append(Reason(verdict=Verdict.FAILED, text=text))
    if rows.pending:
        one = rows.pending == 1
        text = f"{rows.pending:,} {'row differs and is' if one else 'rows differ and are'} under way to the other store"
        reasons.append(Reason(verdict=Verdict.WARNED, text=text))
    if look.overflow:
        more = sum(max(sides) for sides in look.overflow.values())
        reasons.append(
            Reason(
                verdict=Verdict.INCOMPLETE, text=f"{more:,} more rows differed at first and were not looked at again"
            )
        )
    elif rows.deferred > DEFERRED_SHARE * max(rows.primary, rows.secondary):
        reasons.append(
            Reason(verdict=Verdict.INCOMPLETE, text=f"{rows.deferred:,} rows kept changing while they were compared")
        )
    return [*reasons, *_excluded(rows)]


def _untried(proof: SelfProof | None) -> list[Reason]:
    """Return a reason for faults that could not be planted: what is not proven to be seen counts as not looked at."""
    if proof is None or not proof.untried:
        return []
    names = ", ".join(proof.untried)
    text = f"rows kept changing, so that it could not be tested whether differences are seen in: {names}"
    return [Reason(verdict=Verdict.INCOMPLETE, text=text)]


def _places(differences: Sequence[Difference]) -> str:
    """Return how the differences stand in replication, in words; nothing where the stores do not replicate."""
    counts = Counter(difference.place for difference in differences if difference.place is not None)
    words = [f"{counts[place]:,} {PLACES[place]}" for place in Place if counts[place]]
    return f": {', '.join(words)}" if words else ""


def _rows(number: int) -> str:
    return "1 row differs" if number == 1 else f"{number:,} rows differ"


def _excluded(rows: RowTotals) -> list[Reason]:
    """Return a reason for rows that are not compared; no run that leaves rows out is simply passed."""
    if not rows.excluded:
        return []
    return [
        Reason(verdict=Verdict.WARNED, text=f"{rows.excluded:,} rows are not compared, since their keys are no UUIDs")
    ]


def _notes(rows: RowTotals, representation: Counter[str]) -> list[str]:
    if not rows.matched_representation:
        return []
    columns = ", ".join(f"`{name}` ({n:,})" for name, n in representation.most_common())
    return [f"{rows.matched_representation:,} rows are equal in canonical form only, written differently in {columns}"]


def _rules(dataset: Dataset, ruled: Counter[str]) -> Iterator[str]:
    """Yield what the rules of columns took for equal, and which columns are not compared yet."""
    for column in dataset.compared:
        name, rows = column.name, ruled[column.name]
        if column.pending:
            yield f"`{name}` is not compared before {column.pending_until}; rows that differ in it alone: {rows:,}"
        elif rows:
            yield f"`{name}` differs by no more than its compare rule allows; rows that are equal so: {rows:,}"
