"""Two adopted stores: one pair for all tests here, emptied before each; the secondary over each channel."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from contracts.vocabulary import Channel
from tests.support.replication import World, world
from tests.support.servers import Pair, Servers

pytest.register_assert_rewrite("tests.support.carrying")  # it is imported by tests, and its asserts are theirs

CHANNELS = (Channel.SQL, Channel.RPC)


@pytest.fixture(scope="package")
def adopted_pair(servers: Servers, _migrated_template: str) -> Iterator[Pair]:
    """Two databases for all tests here that put right what they break."""
    with servers.clones(_migrated_template) as pair:
        yield pair


@pytest.fixture(scope="package")
def _worlds(adopted_pair: Pair) -> Iterator[dict[Channel, World]]:
    with world(adopted_pair) as by_sql, world(adopted_pair, Channel.RPC, adopted=False) as by_rpc:
        yield {Channel.SQL: by_sql, Channel.RPC: by_rpc}


@pytest.fixture(params=CHANNELS)
def both(request: pytest.FixtureRequest, _worlds: dict[Channel, World]) -> World:
    """Two adopted stores without rows; the secondary is reached over each channel."""
    found = _worlds[request.param]
    found.empty()
    return found


@pytest.fixture
def here(_worlds: dict[Channel, World]) -> World:
    """The same with the secondary reached by SQL."""
    found = _worlds[Channel.SQL]
    found.empty()
    return found


@pytest.fixture
def own(pair: Pair) -> Iterator[World]:
    """Two adopted stores of the test's own, which it may break."""
    with world(pair) as found:
        yield found
