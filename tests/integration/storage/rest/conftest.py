"""The seeded secondary, served over REST: one for all tests that only read, or one of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.gateway import Rest, serve
from tests.support.servers import Pair


@pytest.fixture(scope="package")
def rest(still_pair: Pair) -> Iterator[Rest]:
    """The records of the shared secondary over REST, with the row cap of a hosted project."""
    with serve(still_pair.secondary_gate) as rest:
        yield rest


@pytest.fixture
def own_rest(seeded_pair: Pair) -> Iterator[Rest]:
    """The records of a secondary of the test's own over REST."""
    with serve(seeded_pair.secondary_gate) as rest:
        yield rest
