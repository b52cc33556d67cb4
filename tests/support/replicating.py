"""Two stores of a test that replicate: adopted, and carried over when the test says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flows.replicating import Replication, open_replication
from storage.replication import adoption
from tests.support.checking import job_of, stores_of
from tests.support.gateway import Rest
from tests.support.servers import Pair


def relaying(replication: Replication) -> Callable[[], None]:
    """Return what carries everything over that can be."""
    _, _, relay = replication.both()

    def carry() -> None:
        relay.drain()

    return carry


@contextmanager
def replicating(pair: Pair, rest: Rest | None = None) -> Iterator[Replication]:
    """Adopt two stores that hold equal rows, and provide what carries their changes."""
    settings = job_of(pair, rest=rest).settings
    with open_replication(settings, stores_of(pair, rest), "planning") as replication:
        primary, secondary, _ = replication.both()
        _, theirs = adoption.begin(primary, secondary, replication.book)
        adoption.finish(secondary, replication.book, differing=(), begun=theirs)
        yield replication
