"""A repair over rows, where nothing tells which changes of the secondary wait to be carried over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from contracts.vocabulary import Channel, StoreName
from flows.opening import Opened
from tests.support.command import flat
from tests.support.repairing import environment_of, remember_run, say
from tests.support.servers import Pair
from tests.support.two_stores import adopted_as_equal, keys, titled, titles, work_on

PRISMA, SUPABASE = StoreName


def test_an_adopted_pair_is_not_repaired_over_rows(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither planned, carried out nor taken back, so that no write that waits is lost; once capture is off, it is."""
    fresh, repaired = keys(seeded_pair, 2)
    right = titles(seeded_pair, PRISMA)
    with environment_of(seeded_pair, Channel.ROWS, home, monkeypatch, TWINSTORE_CHANNEL="rows"):
        for key in (fresh, repaired):
            titled(seeded_pair, SUPABASE, key, "wrong")
        run_id = remember_run(home, {fresh: "differing", repaired: "differing"})
        done = say("repair", "plan", "--run", run_id, "--key", repaired, "--json").document
        assert say("repair", "apply", done["id"], "--approve", done["plan_hash"]).code == 0
        undo = say("repair", "undo", done["id"], "--json").document
        made = say("repair", "plan", "--run", run_id, "--key", fresh, "--json").document
        titled(seeded_pair, SUPABASE, fresh, right[fresh])
        with _by_sql(seeded_pair, home) as work:
            adopted_as_equal(work)
        titled(seeded_pair, SUPABASE, fresh, "meant by an application")
        before = titles(seeded_pair, SUPABASE)
        for words in (
            ("plan", "--run", run_id),
            ("apply", made["id"], "--approve", made["plan_hash"]),
            ("undo", done["id"]),
            ("undo", done["id"], "--approve", undo["plan_hash"]),
        ):
            said = say("repair", *words)
            refused = "over rows nobody sees which changes of supabase wait" in flat(said.err)
            assert (said.code, refused) == (2, True), said
        assert titles(seeded_pair, SUPABASE) == before
        assert say("repair", "verify", done["id"]).code == 0
        with _by_sql(seeded_pair, home):
            assert say("capture", "off", "--yes").code == 0
        assert say("repair", "plan", "--run", run_id, "--key", fresh, "--json").document["steps"] == 1


@contextmanager
def _by_sql(pair: Pair, home: Path) -> Iterator[Opened]:
    """Reach the secondary by SQL, for as long as the block runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TWINSTORE_CHANNEL", "sql")
        with work_on(pair, Channel.SQL, home, patch) as work:
            yield work
