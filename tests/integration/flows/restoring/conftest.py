"""Two stores, and backups of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.vocabulary import Channel
from tests.support.restoring import Scene
from tests.support.servers import Pair, Servers
from tests.support.two_stores import work_on


@pytest.fixture
def scene(seeded_pair: Pair, servers: Servers, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """Two stores that were never adopted."""
    with work_on(seeded_pair, Channel.SQL, home, monkeypatch, remembering=True) as work:
        yield Scene(seeded_pair, work, servers)
