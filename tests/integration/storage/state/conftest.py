"""The memory on each of the two servers that can hold it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from storage.state import State, open_state
from tests.support.servers import Pair


@pytest.fixture(params=["sqlite", "postgresql"])
def state_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of an empty memory: a file that is not there yet, or an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/home/state.db"
        return
    pair: Pair = request.getfixturevalue("still_empty_pair")
    yield pair.primary
    with psycopg.connect(pair.primary) as connection:
        connection.execute("DROP SCHEMA IF EXISTS twinstore_state CASCADE")


either_server = pytest.mark.parametrize(
    "state_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.soak)], indirect=True
)
"""For tests that take seconds: the file always, the server in the long tests."""


@pytest.fixture
def state(state_url: str) -> Iterator[State]:
    """An empty memory."""
    with open_state(state_url) as state:
        yield state
