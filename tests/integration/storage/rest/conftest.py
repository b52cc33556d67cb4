"""The seeded secondary, served over REST."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.gateway import Rest, serve
from tests.support.servers import Pair


@pytest.fixture
def rest(seeded_pair: Pair) -> Iterator[Rest]:
    """The 300 records of the seeded secondary over REST, with the row cap of a hosted project."""
    with serve(seeded_pair.secondary_gate) as rest:
        yield rest
