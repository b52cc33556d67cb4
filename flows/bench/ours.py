"""What twinstore itself does in the benchmark, and the yardsticks beside it, each as a work that can be repeated."""

from __future__ import annotations

from contextlib import closing

from contracts.vocabulary import StoreName
from flows.bench.pair import Bench, FarBench
from flows.bench.rounds import Sample, timed
from storage.local.yardsticks import copy_to_nothing
from storage.meter import Meter
from storage.parity.engine import Parity, ParityOptions, compare
from storage.parity.recheck import Patience
from storage.parity.together import together
from storage.ports import HashKind


def digest_both(bench: Bench) -> Sample:
    """Run the bare digest statements of both sides at once; connections are open before the clock starts."""
    primary, secondary = bench.readers()
    with primary.snapshot(HashKind.RECORD) as one, secondary.snapshot(HashKind.RECORD) as other:
        seconds, (ours, theirs) = timed(lambda: together(one.digests, other.digests))
    return Sample(seconds=seconds, facts={"equal": float(ours == theirs)})


def reach_verdict(bench: Bench) -> Sample:
    """Compare both stores, from the first connection to causes and accounts, without waiting for rows that move."""
    meters = Meter(), Meter()
    primary, secondary = bench.readers(*meters)

    def verdict() -> Parity:
        with closing(primary), closing(secondary):
            facts = together(primary.facts, secondary.facts)
            return compare(primary, secondary, facts, options=ParityOptions(patience=Patience(grace_s=0)))

    seconds, parity = timed(verdict)
    received, requests = sum(meter.rows for meter in meters), sum(meter.requests for meter in meters)
    return Sample(seconds=seconds, facts={"found": parity.different, "rows": received, "requests": requests})


def take_pages(far: FarBench) -> Sample:
    """Read all pages of the secondary over REST at once, as far as that is allowed, and throw them away."""
    seconds, found = timed(far.pages.take)
    return Sample(seconds=seconds, facts={"rows": found})


def pull(bench: Bench) -> Sample:
    """Pull a whole snapshot of the primary into Arrow, piece by piece."""
    reader, _ = bench.readers()

    def rows() -> int:
        with reader.snapshot(HashKind.RECORD) as snapshot:
            return sum(batch.num_rows for batch in snapshot.batches())

    seconds, found = timed(rows)
    return Sample(seconds=seconds, facts={"rows": found})


def copy(bench: Bench) -> Sample:
    """Read the same columns of the primary by COPY and throw them away."""
    store = StoreName.PRISMA
    seconds, size = timed(lambda: copy_to_nothing(store, bench.stores.urls[store].dsn, bench.dataset))
    return Sample(seconds=seconds, facts={"bytes": size})
