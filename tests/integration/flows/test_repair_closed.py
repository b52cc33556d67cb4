"""Repairs that were killed and closed: what they wrote is found out, judged and taken back all the same."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts import planning
from contracts.vocabulary import Channel, StoreName
from flows.repair import applying
from storage.repair.doors import DoorSide
from storage.repair.journal import Journal
from tests.support.command import flat
from tests.support.repairing import Said, environment_of, remember_run, say
from tests.support.servers import Pair
from tests.support.two_stores import keys, run, titled, titles

SUPABASE = StoreName.SUPABASE


class Killed(BaseException):
    """Stands for the end of the process."""


def _killed_before_it_notes(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    """Run a command until a store has written and before that is noted."""

    def note(journal: Journal, done: Any) -> None:
        if done:
            raise Killed
        real(journal, done)

    real = Journal.note
    with monkeypatch.context() as patched:
        patched.setattr(Journal, "note", note)
        with pytest.raises(Killed):
            say(*words)


def _planned(pair: Pair, home: Path) -> tuple[str, str, tuple[str, ...]]:
    """Plan to repair a record; return its key, the plan, and the words that carry it out."""
    (key,) = keys(pair, 1)
    titled(pair, SUPABASE, key, "wrong")
    plan = say("repair", "plan", "--run", remember_run(home, {key: "differing"}), "--json").document
    return key, plan["id"], ("repair", "apply", plan["id"], "--approve", plan["plan_hash"])


def _ended(plan: str) -> str:
    return next(str(one["ended"]) for one in json.loads(say("repair", "list", "--json").out) if one["id"] == plan)


def _undo(plan: str) -> tuple[str, tuple[str, ...]]:
    """Plan to take a repair back; return that plan, and the words that carry it out."""
    undo = say("repair", "undo", plan, "--json").document
    assert undo["steps"] == 1
    return undo["id"], ("repair", "undo", plan, "--approve", undo["plan_hash"])


def _refused(said: Said, sentence: str) -> bool:
    return said.code == 2 and sentence in flat(said.err)


def _long_ago(pair: Pair, journal: Path) -> None:
    """Let the steps have been taken so long ago that the store has forgotten the name of their batch."""
    then = (datetime.now(UTC) - timedelta(days=4)).isoformat()
    journal.write_text(re.sub(r'"at": "[^"]+"', f'"at": "{then}"', journal.read_text()))
    run(pair, SUPABASE, "DELETE FROM twinstore.request")


@pytest.mark.parametrize("tried", [1, 2])
def test_what_it_wrote_last_is_found_out_and_taken_back(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch, tried: int
) -> None:
    """Nobody judges it before; a step that was locked at first tells no less of itself than any other."""
    with environment_of(seeded_pair, Channel.SQL, home, monkeypatch):
        key, plan, apply = _planned(seeded_pair, home)
        _killed_before_it_notes(monkeypatch, *apply)
        journal = home / "repairs" / plan / "journal.jsonl"
        if tried == 2:
            locked = '{"done": [{"number": 1, "outcome": "locked"}]}\n'
            journal.write_text(journal.read_text().replace('{"intended"', locked + '{"intended"'))
        assert say("repair", "close", plan).code == 0
        assert _refused(say("repair", "verify", plan), "1 step is under way, or was when it was killed")
        shown = flat(say("repair", "show", plan).out)
        assert "It was closed" in shown
        assert "1 step is under way" in shown
        _undo(plan)
        verified = say("repair", "verify", plan)
        assert (verified.code, "1 key agrees" in verified.out) == (1, True)  # it never ended
        _, carry_out = _undo(plan)
        assert say(*carry_out).code == 0
        assert (titles(seeded_pair, SUPABASE)[key], _ended(plan)) == ("wrong", "undone")


@pytest.mark.parametrize("lost", [False, True])
def test_a_repair_stands_again_when_it_may_have_been_brought_again(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch, *, lost: bool
) -> None:
    """Its undo was being taken back by one that was killed and closed: whatever stands is taken back once more."""
    with environment_of(seeded_pair, Channel.SQL, home, monkeypatch):
        key, plan, apply = _planned(seeded_pair, home)
        assert say(*apply).code == 0
        undo, carry_out = _undo(plan)
        assert say(*carry_out).code == 0
        redo, carry_out = _undo(undo)
        _killed_before_it_notes(monkeypatch, *carry_out)
        if lost:
            (home / "repairs" / redo / "journal.jsonl").unlink()
        assert _ended(plan) == "undone"
        assert say("repair", "close", redo).code == 0
        assert _ended(plan) == "repaired"
        _, carry_out = _undo(plan)
        assert say(*carry_out).code == 0
        assert (titles(seeded_pair, SUPABASE)[key], _ended(plan)) == ("wrong", "undone")


def test_a_repair_counts_as_taken_back_when_nothing_of_it_is_left(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its undo was killed when all was done, and closed: the next one finds nothing to do, and says so."""
    with environment_of(seeded_pair, Channel.SQL, home, monkeypatch):
        _, plan, apply = _planned(seeded_pair, home)
        assert say(*apply).code == 0
        undo, carry_out = _undo(plan)
        _killed_before_it_notes(monkeypatch, *carry_out)
        assert say("repair", "close", undo).code == 0
        again = say("repair", "apply", undo, "--approve", carry_out[-1])
        assert _refused(again, f"`twinstore repair undo {plan}`")
        assert _refused(say("repair", "undo", plan), "is as it was before: it counts as taken back")
        assert _ended(plan) == "undone"


def test_what_nobody_knows_to_be_written_is_not_taken_back(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row may be as planned since another repair wrote it."""
    with environment_of(seeded_pair, Channel.SQL, home, monkeypatch):
        key, plan, apply = _planned(seeded_pair, home)

        def mend(*_: Any, **__: Any) -> None:
            raise Killed

        with monkeypatch.context() as patched:
            patched.setattr(DoorSide, "mend", mend)
            with pytest.raises(Killed):
                say(*apply)
        _long_ago(seeded_pair, home / "repairs" / plan / "journal.jsonl")
        titled(seeded_pair, SUPABASE, key, "somebody's")
        assert say(*apply).code == 1
        other = say("repair", "plan", "--run", remember_run(home, {key: "differing"}, ago_h=0.1), "--json").document
        assert say("repair", "apply", other["id"], "--approve", other["plan_hash"]).code == 0
        undo = say("repair", "undo", plan, "--json").document
        assert (undo["steps"], undo["left"]) == (0, 1)
        assert "Nobody knows whether the repair wrote it" in flat(say("repair", "show", undo["id"], "--key", key).out)
        assert say("repair", "verify", other["id"]).code == 0


def test_an_undo_that_is_refused_finds_nothing_out(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a column of the plan no row tells whether it was written."""
    with environment_of(seeded_pair, Channel.SQL, home, monkeypatch):
        _, plan, apply = _planned(seeded_pair, home)
        _killed_before_it_notes(monkeypatch, *apply)
        journal = home / "repairs" / plan / "journal.jsonl"
        _long_ago(seeded_pair, journal)
        before, contract = journal.read_text(), planning.CONTRACT
        columns = tuple(column for column in contract.dataset.columns if column.name != "source")
        with monkeypatch.context() as less:
            less.setattr(planning, "CONTRACT", replace(contract, dataset=replace(contract.dataset, columns=columns)))
            assert say("migrate").code == 0
            assert _refused(say("repair", "undo", plan), "other columns")
        assert journal.read_text() == before
        assert say("migrate").code == 0
        _undo(plan)


@pytest.mark.parametrize("asleep", ["_begun", "_read_again"])
def test_who_slept_changes_no_ending(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch, asleep: str
) -> None:
    """Its lease lapsed, somebody closed the repair and took it back: it stays undone, and nobody is blamed."""
    with environment_of(seeded_pair, Channel.SQL, home, monkeypatch):
        key, plan, apply = _planned(seeded_pair, home)
        if asleep == "_begun":
            _killed_before_it_notes(monkeypatch, *apply)
        real = getattr(applying, asleep)
        awake: list[bool] = []

        def sleeping(*words: Any) -> Any:
            if not awake:
                awake.append(True)
                with closing(sqlite3.connect(home / "state.sqlite")) as memory:
                    memory.execute("DELETE FROM leases")
                    memory.commit()
                assert say("repair", "close", plan).code == 0
                _, carry_out = _undo(plan)
                assert say(*carry_out).code == 0
            return real(*words)

        with monkeypatch.context() as patched:
            patched.setattr(applying, asleep, sleeping)
            assert _refused(say(*apply), "")
        assert (titles(seeded_pair, SUPABASE)[key], _ended(plan)) == ("wrong", "undone")
        again = say("repair", "plan", "--run", remember_run(home, {key: "differing"}, ago_h=0.1), "--json").document
        assert again["steps"] == 1
