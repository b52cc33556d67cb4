"""A pair that no test of this folder changes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.servers import Pair, Servers


@pytest.fixture(scope="package")
def still_pair(servers: Servers, _seeded_template: str) -> Iterator[Pair]:
    """Two databases with the same 300 planning records, shared by the tests that only read."""
    with servers.clones(_seeded_template) as pair:
        yield pair
