"""How fast the relay carries over what waits on both sides, and whether both hold the same afterwards."""

from __future__ import annotations

from flows.bench.replicated import Replicated
from flows.bench.rounds import Sample, timed
from flows.replicating import Replication
from storage.local.writers import write_everywhere


def drain(stage: Replicated, replication: Replication) -> Sample:
    """Write every record once, by one statement on each side, and let the relay carry all of them over.

    The clock sees the relay alone. That both stores hold the same afterwards is proven by their digests.

    Args:
        stage: The pair.
        replication: What carries the changes, over the channel that is measured.
    """
    written = write_everywhere(*stage.bench.dsns)
    stage.bench.settle()
    seconds, done = timed(replication.both()[2].drain)
    facts = {"rows": float(written), "carried": float(done.carried), "per_s": written / seconds}
    return Sample(seconds=seconds, facts={**facts, "same": float(stage.same())})
