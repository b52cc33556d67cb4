"""The memory on each of the two servers that can hold it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.state import State, open_state
from tests.support.servers import Pair


@pytest.fixture(params=["sqlite", "postgresql"])
def state_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty memory: a file that is not there yet, or an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/home/state.db"
    pair: Pair = request.getfixturevalue("empty_pair")
    return pair.primary


@pytest.fixture
def state(state_url: str) -> Iterator[State]:
    """An empty memory."""
    with open_state(state_url) as state:
        yield state
