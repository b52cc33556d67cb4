"""Two stores that replicate, and processes beside them that are killed; one pair for all tests here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from storage.migrations.values import Side
from tests.support.gateway import serve
from tests.support.lives import Nursery, nursery
from tests.support.replication import World, world
from tests.support.servers import Pair, Servers
from tests.support.turmoil import REFUSED


@pytest.fixture(scope="package")
def crashing_pair(servers: Servers, _migrated_template: str) -> Iterator[Pair]:
    """Two databases; the primary cannot hold one title."""
    with servers.clones(_migrated_template) as pair:
        yield pair


@pytest.fixture(scope="package")
def _stores(crashing_pair: Pair) -> Iterator[World]:
    with world(crashing_pair) as found:
        found.run(Side.PRIMARY, f"ALTER TABLE public.planning ADD CONSTRAINT not_refused CHECK (title <> '{REFUSED}')")
        yield found


@pytest.fixture
def stores(_stores: World) -> World:
    """Two adopted stores without rows, and what recovers them: it lives on while other processes die."""
    _stores.empty()
    return _stores


@pytest.fixture(scope="package")
def by_sql(crashing_pair: Pair, _stores: World) -> Iterator[Nursery]:
    """Processes that reach both stores by SQL."""
    with nursery(crashing_pair) as found:
        yield found


@pytest.fixture(scope="package")
def by_rest(crashing_pair: Pair, _stores: World) -> Iterator[Nursery]:
    """Processes that reach the secondary over REST."""
    with serve(crashing_pair.secondary_gate) as rest, nursery(crashing_pair, rest) as found:
        yield found
