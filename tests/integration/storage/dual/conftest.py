"""Two real stores that replicate, without rows; the secondary by SQL, and over REST by the real supabase-py."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.support.dual import Twins
from tests.support.gateway import serve
from tests.support.replicating import replicating
from tests.support.servers import Pair, Servers

pytest.register_assert_rewrite("tests.support.fault_trial")  # it is imported by tests, and its asserts are theirs


@pytest.fixture(params=["sql", "rpc"])
def twins(request: pytest.FixtureRequest, servers: Servers, pair: Pair) -> Iterator[Twins]:
    """Adopted stores, once by each way to the secondary."""
    with ExitStack() as stack:
        rest = stack.enter_context(serve(pair.secondary_gate)) if request.param == "rpc" else None
        replication = stack.enter_context(replicating(pair, rest))
        yield Twins(pair=pair, replication=replication, servers=servers)


@pytest.fixture
def by_sql(servers: Servers, pair: Pair) -> Iterator[Twins]:
    """Adopted stores, both by SQL, for what does not depend on the way to the secondary."""
    with replicating(pair) as replication:
        yield Twins(pair=pair, replication=replication, servers=servers)
