"""A repair whose journal is gone, or not whole: what it wrote is not guessed."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contracts.repair import Ended
from contracts.vocabulary import Channel, StoreName
from storage.repair.journal import Journal
from storage.state import open_state
from tests.support.command import flat
from tests.support.repairing import Said, environment_of, remember_run, say
from tests.support.servers import Pair
from tests.support.two_stores import keys, run, titled, titles

PRISMA, SUPABASE = StoreName


def _held(said: Said, sentence: str) -> bool:
    return said.code == 2 and sentence in flat(said.err)


def test_nothing_rests_on_a_journal_that_does_not_tell_all(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is remembered of the repair says how much it told: with less, nothing is written, and the file stays."""
    with environment_of(seeded_pair, Channel.SQL, home, monkeypatch):
        both = keys(seeded_pair, 2)
        for key in both:
            titled(seeded_pair, SUPABASE, key, "wrong")
        plan = say("repair", "plan", "--run", remember_run(home, dict.fromkeys(both, "differing")), "--json").document
        words = ("repair", "apply", plan["id"], "--approve", plan["plan_hash"])
        with open_state(f"sqlite:///{home / 'state.sqlite'}", environment="default") as state:
            state.repairs.begin(
                plan["id"], by="a test", overrides=(), now=datetime.now(UTC)
            )  # and its journal got lost
        assert _held(say(*words), "is gone: nobody knows what it wrote")
        with open_state(f"sqlite:///{home / 'state.sqlite'}", environment="default") as state:
            (repair,) = state.repairs.list()
            state.repairs.plan(replace(repair, ended=Ended.PLANNED, begun_at=None))
        assert say(*words).code == 0
        journal = home / "repairs" / plan["id"] / "journal.jsonl"
        whole, right = journal.read_bytes(), titles(seeded_pair, SUPABASE)
        first = whole.index(b'{"done"')
        for length, sentence in (
            (0, "is gone"),
            (9, "is gone"),
            (first + 40, "tells of 0 of the 2 steps that it took"),
        ):
            journal.write_bytes(whole[:length])
            for command in ("undo", "verify"):
                assert _held(say("repair", command, plan["id"]), sentence)
            assert sentence in flat(say("repair", "show", plan["id"]).out)
            assert (journal.read_bytes(), titles(seeded_pair, SUPABASE)) == (whole[:length], right)
        journal.unlink()
        assert _held(say("repair", "undo", plan["id"]), "is gone")
        journal.write_bytes(whole)
        assert say("repair", "verify", plan["id"]).code == 0
        assert say("repair", "undo", plan["id"], "--json").document["steps"] == 2


def test_a_repair_that_nobody_can_finish_is_closed(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds later plans as long as what it may have written counts, and is told; closed, it is over."""
    with environment_of(seeded_pair, Channel.SQL, home, monkeypatch, TWINSTORE_REPAIR_MAX_ROWS="1"):
        one, other = keys(seeded_pair, 2)
        titled(seeded_pair, SUPABASE, one, "wrong")
        plan = say("repair", "plan", "--run", remember_run(home, {one: "differing"}), "--json").document
        lost, finish = plan["id"], ("repair", "apply", plan["id"], "--approve", plan["plan_hash"])
        titled(seeded_pair, SUPABASE, other, "wrong")
        later = say("repair", "plan", "--run", remember_run(home, {other: "differing"}, ago_h=0.5), "--json").document

        def begun(ago: timedelta) -> None:
            with open_state(f"sqlite:///{home / 'state.sqlite'}", environment="default") as state:
                state.repairs.begin(lost, by="a test", overrides=(), now=datetime.now(UTC) - ago)

        apply = ("repair", "apply", later["id"], "--approve", later["plan_hash"])
        assert _held(say("repair", "close", lost), "is not under way")
        begun(timedelta(hours=22))
        assert _held(say(*apply), f"{lost} was begun and has not ended, so that all of its steps count")
        begun(timedelta(hours=24))
        assert say(*apply).code == 0
        assert _held(say(*finish), f"`twinstore repair close {lost}` ends it as it is")
        closed = say("repair", "close", lost)
        assert (closed.code, "nobody knows what it wrote" in flat(closed.out)) == (0, True)
        assert _held(say(*finish), "was closed before it ended")
        assert "closed, not finished" in say("repair", "list").out
    assert titles(seeded_pair, SUPABASE)[one] == "wrong"


def test_what_a_closed_repair_wrote_is_taken_back_like_any_other(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its journal tells what that is; the rest is not done any more."""
    with environment_of(seeded_pair, Channel.SQL, home, monkeypatch):
        (key,) = keys(seeded_pair, 1)
        titled(seeded_pair, SUPABASE, key, "wrong")
        plan = say("repair", "plan", "--run", remember_run(home, {key: "differing"}), "--json").document
        assert say("repair", "apply", plan["id"], "--approve", plan["plan_hash"]).code == 0
        with open_state(f"sqlite:///{home / 'state.sqlite'}", environment="default") as state:
            (repair,) = state.repairs.list()
            state.repairs.plan(replace(repair, ended=Ended.BEGUN))  # as if killed at its end
        said = say("repair", "close", plan["id"])
        assert (said.code, f"`twinstore repair undo {plan['id']}` takes that back" in said.out) == (0, True)
        assert say("repair", "undo", plan["id"], "--json").document["steps"] == 1


class _KilledError(BaseException):
    """What a process is told that dies."""


def test_a_repair_that_was_killed_days_ago_is_taken_back(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store does not remember its batch any more; what its row is tells that it was written."""
    with environment_of(seeded_pair, Channel.SQL, home, monkeypatch):
        (key,) = keys(seeded_pair, 1)
        titled(seeded_pair, SUPABASE, key, "wrong")
        plan = say("repair", "plan", "--run", remember_run(home, {key: "differing"}), "--json").document

        def dies(*_: object) -> None:
            raise _KilledError

        with monkeypatch.context() as killed:
            killed.setattr(Journal, "note", dies)
            with pytest.raises(_KilledError):
                say("repair", "apply", plan["id"], "--approve", plan["plan_hash"])
        file = home / "repairs" / plan["id"] / "journal.jsonl"
        then = (datetime.now(UTC) - timedelta(days=4)).isoformat()
        file.write_text(re.sub(r'"at": "[^"]+"', f'"at": "{then}"', file.read_text()))
        run(seeded_pair, SUPABASE, "DELETE FROM twinstore.request")
        assert titles(seeded_pair, SUPABASE) == titles(seeded_pair, PRISMA)
        undo = say("repair", "undo", plan["id"], "--json").document
        assert say("repair", "undo", plan["id"], "--approve", undo["plan_hash"]).code == 0
        assert titles(seeded_pair, SUPABASE)[key] == "wrong"
