"""A plan that was made before its dataset got a column: not carried out any more, and taken back all the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from contracts.vocabulary import Channel, StoreName
from flows.repair.files import JOURNAL, PLAN
from flows.repair.sides import open_pair
from flows.repair.work import at_work
from flows.settings import load_settings
from storage.repair.plan_file import read_plan, write_plan
from tests.support.command import flat
from tests.support.repair_plans import older
from tests.support.repairing import environment_of, remember_run, say
from tests.support.servers import Pair
from tests.support.two_stores import keys, titled, titles

SUPABASE = StoreName.SUPABASE
LATER = "metadata"


def _made_before(home: Path, plan_id: str, column: str) -> str:
    """Let a plan, and its journal, be as they were before their dataset got a column; return the plan's hash."""
    folder = home / "repairs" / plan_id
    plan, before = read_plan(folder / PLAN)
    with at_work(load_settings()) as work:
        with open_pair(work.settings, work.stores, "planning") as pair:
            digest = write_plan(older(plan, pair.sides, column), folder)
        (repair,) = (one for one in work.memory.repairs.list() if one.id == plan_id)
        work.memory.repairs.plan(replace(repair, plan_hash=digest))
    if (journal := folder / JOURNAL).exists():
        journal.write_text(journal.read_text().replace(before, digest))
    return digest


def test_a_plan_of_before_a_column_is_not_carried_out_but_taken_back(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says which column it did not know, and begins nothing; what was written goes back."""
    with environment_of(seeded_pair, Channel.SQL, home, monkeypatch):
        (key,) = keys(seeded_pair, 1)
        titled(seeded_pair, SUPABASE, key, "wrong")
        run_id = remember_run(home, {key: "differing"})
        plan = say("repair", "plan", "--run", run_id, "--json").document["id"]
        refused = say("repair", "apply", plan, "--approve", _made_before(home, plan, LATER))
        assert (refused.code, f"other columns than when plan {plan} was made: {LATER}." in flat(refused.err)) == (
            2,
            True,
        )
        assert not (home / "repairs" / plan / JOURNAL).exists()
        plan = say("repair", "plan", "--run", run_id, "--json").document
        assert say("repair", "apply", plan["id"], "--approve", plan["plan_hash"]).code == 0
        _made_before(home, plan["id"], LATER)
        for words in (("verify",), ("show", "--all")):
            assert say("repair", words[0], plan["id"], *words[1:]).code == 0
        undo = say("repair", "undo", plan["id"], "--json").document
        assert say("repair", "undo", plan["id"], "--approve", undo["plan_hash"]).code == 0
        assert titles(seeded_pair, SUPABASE)[key] == "wrong"
