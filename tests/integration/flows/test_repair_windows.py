"""Rows that were lost with all others of their time are never deleted, whatever is known of them later."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from contracts.verdicts import Explanation
from contracts.vocabulary import Cause, Channel, StoreName
from storage.state import open_state
from tests.support.repairing import environment_of, remember_run, say
from tests.support.servers import Pair
from tests.support.two_stores import TABLE, adopted_as_equal, keys, run, titles, work_on

PRISMA, SUPABASE = StoreName
LOST = (Explanation(cause=Cause.WRITE_WINDOW, fields=()),)
SPELT = (Explanation(cause=Cause.KEY_CASE, fields=("id",)),)
NAMED = ("--mode", "source-of-truth", "--json")


def _left(plan: Mapping[str, Any]) -> dict[str, int]:
    return {one["why"]: one["rows"] for one in plan["left_to_people"]}


def test_what_was_once_lost_with_its_time_stays_so(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where its report is gone, and where later checks see too few of those rows to tell; until it is gone."""
    with environment_of(seeded_pair, Channel.SQL, home, monkeypatch):
        lost, other = keys(seeded_pair, 2)
        run(seeded_pair, PRISMA, f"DELETE FROM {TABLE} WHERE id::text IN (%s, %s)", lost, other)
        both = {lost: "only_secondary", other: "only_secondary"}
        remember_run(home, {lost: "only_secondary"}, ago_h=3, why=LOST)
        for hours in (2, 1):
            run_id = remember_run(home, both, ago_h=hours)
        for asked in (("--run", run_id), ()):
            plan = say("repair", "plan", *asked, *NAMED).document
            assert plan["steps"] == 1
            assert "no_winner" in _left(plan)
        assert say("repair", "apply", plan["id"], "--approve", plan["plan_hash"]).code == 0
        assert (lost in titles(seeded_pair, SUPABASE), other in titles(seeded_pair, SUPABASE)) == (True, False)


def test_an_outage_reaches_as_far_as_nothing_of_its_time_is_there(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also at its ends, where few rows were created: none of them is deleted, however often it was seen."""
    with environment_of(seeded_pair, Channel.SQL, home, monkeypatch):
        lost = keys(seeded_pair, 32)
        for store in StoreName:
            run(seeded_pair, store, f"ALTER TABLE {TABLE} DISABLE TRIGGER USER")
            for number, key in enumerate(lost):
                at = f"timestamp '2024-06-01 09:00' + interval '{5 * number} minutes'"
                times = f"created_at = {at}, updated_at = '2025-01-01'"
                run(seeded_pair, store, f"UPDATE {TABLE} SET {times} WHERE id::text = %s", key)
        run(seeded_pair, PRISMA, f"DELETE FROM {TABLE} WHERE id::text = ANY(%s)", lost)
        assert say("check").code == 1
        plan = say("repair", "plan", *NAMED).document
        assert plan["steps"] == 0
        assert _left(plan)["no_winner"] == 32


def test_an_outage_is_remembered_while_a_change_is_under_way(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A check that finds a change waiting takes its row neither for one that is there again nor for settled."""
    with work_on(seeded_pair, Channel.SQL, home, monkeypatch) as work:
        adopted_as_equal(work)
    with environment_of(seeded_pair, Channel.SQL, home, monkeypatch):
        (key,) = keys(seeded_pair, 1)
        run(seeded_pair, PRISMA, f"ALTER TABLE {TABLE} DISABLE TRIGGER USER")
        run(seeded_pair, PRISMA, f"DELETE FROM {TABLE} WHERE id::text = %s", key)
        run_id = remember_run(home, {key: "only_secondary"}, why=LOST)
        run(seeded_pair, SUPABASE, f"UPDATE {TABLE} SET title = 'Edited' WHERE id::text = %s", key)
        assert say("check").code in {1, 4}
        with open_state(f"sqlite:///{home / 'state.sqlite'}", environment="default") as state:
            (one,) = state.repairs.open_differences("planning", run_id)
        assert (one.key, one.lost_window) == (key, True)
        assert _left(say("repair", "plan", "--key", key, "--json").document) == {"under_way": 1}


def test_nothing_is_deleted_before_a_run_looked_why_it_is_missing(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs of a version that did not remember it tell nothing."""
    with environment_of(seeded_pair, Channel.SQL, home, monkeypatch):
        (key,) = keys(seeded_pair, 1)
        run(seeded_pair, PRISMA, f"DELETE FROM {TABLE} WHERE id::text = %s", key)
        for hours in (2, 1):
            run_id = remember_run(home, {key: "only_secondary"}, ago_h=hours)
        with sqlite3.connect(home / "state.sqlite") as memory:
            memory.execute("UPDATE differences SET lost_window = NULL")
        memory.close()
        plan = say("repair", "plan", "--run", run_id, *NAMED).document
        assert (plan["steps"], _left(plan)) == (0, {"no_winner": 1})
        run_id = remember_run(home, {key: "only_secondary"}, ago_h=0.5)  # it may see less of what was lost
        assert say("repair", "plan", "--run", run_id, *NAMED).document["steps"] == 0
        asked = ("repair", "plan", "--run", run_id, *NAMED, "--no-fix", "write_window")
        assert say(*asked).document["steps"] == 1


def test_a_record_under_another_spelling_of_its_key_was_not_seen_missing(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is there: the first run that does not find it so is the first that saw it missing, whatever is fixed."""
    asked = (*NAMED, "--no-fix", "write_window")
    with environment_of(seeded_pair, Channel.SQL, home, monkeypatch):
        (key,) = keys(seeded_pair, 1)
        run(seeded_pair, PRISMA, f"DELETE FROM {TABLE} WHERE id::text = %s", key)
        for hours in (4, 3):
            run_id = remember_run(home, {key: "only_secondary"}, ago_h=hours, why=SPELT)
        plan = say("repair", "plan", "--run", run_id, *asked).document
        assert (plan["steps"], _left(plan)) == (0, {"key_needed": 1})  # its report is gone
        for steps in (0, 1):
            plan = say("repair", "plan", *asked).document
            assert (plan["steps"], "one_run" in _left(plan)) == (steps, not steps)
