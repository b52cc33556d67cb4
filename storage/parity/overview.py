"""The first look at both stores: how many rows, which ranges differ, on which keys, and whether a side is empty."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial

from contracts.verdicts import SelfProof
from contracts.vocabulary import Channel, StoreName
from storage.parity.accounting import Counts
from storage.parity.audit import audit, fingerprint
from storage.parity.candidates import FirstLook, first_look
from storage.parity.proof import prove
from storage.parity.recheck import Patience
from storage.parity.together import together
from storage.parity.torture import torture
from storage.ports import Digest, HashKind, RangeCount, Reader, Snapshot

EXCLUDED_KEYS = 10_000  # keys of excluded rows that are remembered at least, per side

Digests = tuple[Mapping[int, Digest], Mapping[int, Digest]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What one snapshot of each store showed.

    Attributes:
        seen_at: A time on the monotonic clock at which the moments of all that was read were past.
        counts: Rows by range, primary and secondary, as of the moment at which the range was read last.
        digests: Digests by range, as they were first.
        empty: The store that holds no comparable row while the other one does; then nothing else was looked for.
        excluded: Keys of rows that are not compared, primary and secondary.
        look: On which keys the stores disagree.
        proof: How what was asked of the stores was tested; None where a side is empty.
    """

    seen_at: float
    counts: Counts
    digests: Digests
    empty: StoreName | None = None
    excluded: tuple[list[str], list[str]] = ([], [])
    look: FirstLook = field(default_factory=FirstLook)
    proof: SelfProof | None = None


def excluded_limit(budget: int) -> int:
    """Return how many keys of rows that are not compared are known, per side; whoever finds so many knows not all."""
    return max(EXCLUDED_KEYS, budget)


def overview(
    readers: tuple[Reader, Reader],
    kind: HashKind,
    *,
    budget: int,
    patience: Patience,
    sleep: Callable[[float], None],
    progress: Callable[[str], None],
) -> Overview:
    """Look at both stores; a side that seems to be empty is looked at again after the grace time.

    Args:
        readers: Primary and secondary.
        kind: How rows are hashed.
        budget: Largest number of disagreeing keys that is kept.
        patience: How long a store must have been empty to be called so.
        sleep: Waits for seconds.
        progress: Is told the name of each step as it begins.
    """
    before: StoreName | None = None
    while True:
        progress("digest both stores")
        seen = _look(readers, kind, budget, progress)
        if seen.empty is None or seen.empty is before:
            return seen
        before = seen.empty
        progress(f"wait before looking again at {before}, which seems to be empty")
        sleep(patience.grace_s)


def _look(readers: tuple[Reader, Reader], kind: HashKind, budget: int, progress: Callable[[str], None]) -> Overview:
    dataset = readers[0].dataset
    with ExitStack() as stack:
        primary, secondary = together(*(partial(_open, stack, reader, kind) for reader in readers))
        seen_at = time.monotonic()
        values = torture(dataset, (primary, secondary), kind, by_rows=readers[1].channel is Channel.ROWS)
        (counts_p, digests_p), (counts_s, digests_s) = together(partial(_sums, primary), partial(_sums, secondary))
        counts: Counts = (counts_p, counts_s)
        digests = (digests_p, digests_s)
        empty = _empty_side(counts)
        if empty is not None:
            return Overview(seen_at=seen_at, counts=counts, digests=digests, empty=empty)
        excluded = together(*(partial(side.excluded, excluded_limit(budget)) for side in (primary, secondary)))
        progress("find what differs")
        look = first_look(dataset, primary, secondary, digests, budget=budget)
        progress("test the comparison itself")
        proof = _test(readers, (primary, secondary), counts, look)
        counts = _as_read_last(primary, counts_p), _as_read_last(secondary, counts_s)
        if not (primary.frozen and secondary.frozen):
            seen_at = time.monotonic()
    return Overview(
        seen_at=seen_at,
        counts=counts,
        digests=digests,
        excluded=excluded,
        look=look,
        proof=replace(proof, values=values, form=fingerprint(dataset, kind)),
    )


def _test(
    readers: tuple[Reader, Reader], snapshots: tuple[Snapshot, Snapshot], counts: Counts, look: FirstLook
) -> SelfProof:
    """Plant faults on both sides, and audit what was called equal."""
    dataset = readers[0].dataset
    rows = [sum(count.total for count in side.values()) for side in counts]
    sides = zip(snapshots, readers, rows, strict=True)
    ours, theirs = together(*(partial(prove, s, dataset, reader.store, rows=held) for s, reader, held in sides))
    audited = audit(dataset, snapshots, look, rows=rows[0])
    return SelfProof(
        sent_through=tuple(reader.store for reader in readers if reader.channel is not Channel.ROWS),
        planted=ours.found + theirs.found,
        untried=tuple(sorted({*ours.untried, *theirs.untried})),
        audited=audited.rows,
        moved=audited.moved,
    )


def _open(stack: ExitStack, reader: Reader, kind: HashKind) -> Snapshot:
    return stack.enter_context(reader.snapshot(kind))


def _sums(snapshot: Snapshot) -> tuple[dict[int, RangeCount], dict[int, Digest]]:
    return snapshot.count(), snapshot.digests()


def _as_read_last(snapshot: Snapshot, counts: Mapping[int, RangeCount]) -> Mapping[int, RangeCount]:
    return counts if snapshot.frozen else snapshot.count()


def _empty_side(counts: Counts) -> StoreName | None:
    held = [any(c.total > c.excluded for c in side.values()) for side in counts]
    if held[0] == held[1]:
        return None
    return StoreName.SUPABASE if held[0] else StoreName.PRISMA
