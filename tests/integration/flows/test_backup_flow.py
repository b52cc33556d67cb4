"""The weekly backup as a flow: made, proven, old ones removed; a message that says what failed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.client.schemas.objects import StateType
from prefect.testing.utilities import prefect_test_harness

from flows.backup import known_backups
from flows.backup_flow import weekly_backup
from flows.settings import load_settings
from tests.support.servers import Pair
from tests.support.two_stores import settings_of

pytestmark = [pytest.mark.soak, pytest.mark.xdist_group("prefect")]


@pytest.fixture(scope="module")
def _server() -> Iterator[None]:
    with prefect_test_harness(server_startup_timeout=180):
        yield


@pytest.fixture
def _stores(seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**settings_of(seeded_pair, home), "TWINSTORE_BACKUPS_KEEP": "1"}.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("_server", "_stores")
def test_the_flow_leaves_one_proven_backup() -> None:
    """Each run makes one and removes the older one; the state says which it is."""
    for _ in range(2):
        state = weekly_backup(return_state=True)
        assert state.type is StateType.COMPLETED, state.message
        (kept,) = known_backups(load_settings())
        assert kept.verified_at is not None
        assert kept.id in (state.message or "")


@pytest.mark.usefixtures("_server", "_stores")
def test_a_flow_that_cannot_back_up_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the sentence of the error, and no backup is removed."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:1/none")
    state = weekly_backup(return_state=True)
    assert state.type is StateType.FAILED
    assert "cannot be reached" in (state.message or "")
    assert "secret" not in (state.message or "")
