"""From an application with one store to one with two, with real commands: the way that `docs/replication.md` shows."""

from __future__ import annotations

from pathlib import Path

import pytest

import twinstore
from contracts.vocabulary import StoreName
from storage.local import stores
from storage.migrations import Side, migrate
from tests.support.command import flat
from tests.support.command import twinstore as command
from tests.support.dual import scenario
from tests.support.servers import Pair
from tests.support.two_stores import titles


@pytest.mark.soak
def test_the_primary_serves_alone_until_there_is_a_key(
    empty_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written without Supabase is in Supabase once the stores are adopted and the relay has run."""
    stores.create_prisma_table(empty_pair.primary)
    one_store = {"DATABASE_URL": empty_pair.primary}
    assert "applied" in command(None, home, "migrate", "--side", "primary", settings=one_store).stdout
    assert "captured" in command(None, home, "capture", "on", settings=one_store).stdout
    monkeypatch.setenv("DATABASE_URL", empty_pair.primary)
    monkeypatch.setenv("TWINSTORE_HOME", str(home))
    with twinstore.open_repository() as planning:
        kept, changed, deleted = (planning.save(scenario(title=title)) for title in ("kept", "before", "deleted"))
        assert (kept.success, kept.degradation_mode) == (True, "supabase-disabled")
        assert planning.update(changed.id, {"title": "after"}).success
        assert planning.delete(deleted.id).success
        assert {record.title for record in planning.list(limit=10).records} == {"kept", "after"}
    waiting = command(None, home, "sync", "status", settings=one_store)
    assert waiting.returncode == 2
    assert "3 keys wait" in waiting.stdout
    assert "No key of service_role leads to supabase" in flat(waiting.stdout)

    migrate(empty_pair.secondary, Side.SECONDARY)
    assert titles(empty_pair, StoreName.SUPABASE) == {}
    assert command(empty_pair, home, "adopt", "--yes", "--accept-differences", "2").returncode == 0
    assert command(empty_pair, home, "sync", "run").returncode == 0
    assert titles(empty_pair, StoreName.SUPABASE) == {kept.id: "kept", changed.id: "after"}
