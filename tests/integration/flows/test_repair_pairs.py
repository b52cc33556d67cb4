"""What was seen in other databases repairs nothing in these, though both pairs have one name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from contracts.vocabulary import Channel, StoreName
from flows.repair.files import PLAN
from storage.repair.plan_file import read_plan, write_plan
from storage.state import open_state
from tests.support.accounts import url_of
from tests.support.command import flat
from tests.support.repairing import environment_of, remember_run, say
from tests.support.servers import Pair
from tests.support.two_stores import TABLE, keys, run, titled, titles

PRISMA, SUPABASE = StoreName
OTHERS = {PRISMA: "another primary", SUPABASE: "another secondary"}
NAMELESS = {PRISMA: "", SUPABASE: ""}


@pytest.mark.parametrize("channel", [Channel.SQL, Channel.ROWS])
def test_a_row_is_deleted_only_where_two_runs_of_these_databases_missed_it(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch, channel: Channel
) -> None:
    """A run of other databases is refused, and so is what runs saw before others were looked at."""
    asked = ("--mode", "source-of-truth", "--source", "secondary")
    with environment_of(seeded_pair, channel, home, monkeypatch):
        (key,) = keys(seeded_pair, 1)
        run(seeded_pair, SUPABASE, f"DELETE FROM {TABLE} WHERE id::text = %s", key)

        def planned(run_id: str) -> int:
            said = say("repair", "plan", "--run", run_id, *asked, "--json")
            assert said.code == 0, said.err
            return int(said.document["steps"])

        def refused(run_id: str, sentence: str) -> bool:
            said = say("repair", "plan", "--run", run_id, *asked)
            return said.code == 2 and sentence in flat(said.err) and not list(home.glob("repairs/*"))

        def sees(ago_h: float, known_as: dict[StoreName, str] | None = None) -> str:
            return remember_run(home, {key: "only_primary"}, ago_h=ago_h, known_as=known_as)

        assert refused(sees(9, NAMELESS), "Nothing tells which databases run")
        assert refused(sees(8, OTHERS) and sees(7, OTHERS), "looked at other databases than these")
        first = sees(6)
        sees(5, OTHERS)
        assert refused(first, "Other databases were looked at since run")
        assert [planned(sees(ago_h)) for ago_h in (4, 3)] == [0, 1]


def test_a_run_that_reached_the_stores_otherwise_is_not_said_to_be_of_others(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An id and a place prove nothing, nor do two addresses: another name for the pair would lose its memory."""
    (key,) = keys(seeded_pair, 1)

    def told(run_id: str) -> tuple[bool, bool]:
        said = flat(say("repair", "plan", "--run", run_id).err)
        return f"It is not proven that run {run_id} looked at these very" in said, "TWINSTORE_ENVIRONMENT" in said

    with monkeypatch.context() as sql, environment_of(seeded_pair, Channel.SQL, home, sql):
        runs = [remember_run(home, {key: "differing"}, ago_h=3)]
    for ago_h in (2, 1):  # each time at another address
        with monkeypatch.context() as rows, environment_of(seeded_pair, Channel.ROWS, home, rows):
            rows.setenv("TWINSTORE_CHANNEL", "rows")
            assert told(runs[-1]) == (True, False)
            runs.append(remember_run(home, {key: "differing"}, ago_h=ago_h))
            assert say("repair", "plan", "--run", runs[-1]).code == 0


def test_a_repair_is_taken_back_where_only_the_address_changed(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each row is compared with what it became; a new plan waits to be made again."""
    one, other = keys(seeded_pair, 2)
    titled(seeded_pair, SUPABASE, one, "wrong")
    with monkeypatch.context() as rows, environment_of(seeded_pair, Channel.ROWS, home, rows):
        rows.setenv("TWINSTORE_CHANNEL", "rows")
        done = _planned(home, one)
        assert say("repair", "apply", done["id"], "--approve", done["plan_hash"]).code == 0
        titled(seeded_pair, SUPABASE, other, "wrong")
        fresh = _planned(home, other)
    with environment_of(seeded_pair, Channel.ROWS, home, monkeypatch):
        monkeypatch.setenv("TWINSTORE_CHANNEL", "rows")
        held = say("repair", "apply", fresh["id"], "--approve", fresh["plan_hash"])
        assert (held.code, "It is not proven that the plan was made for these very" in flat(held.err)) == (2, True)
        assert say("repair", "verify", done["id"], "--json").document["agree"] == 1
        undo = say("repair", "undo", done["id"], "--json").document
        assert (undo["steps"], undo["brakes"]) == (1, [])
        assert say("repair", "undo", done["id"], "--approve", undo["plan_hash"]).code == 0
    assert titles(seeded_pair, SUPABASE)[one] == "wrong"


def _planned(home: Path, key: str) -> dict[str, Any]:
    return say("repair", "plan", "--run", remember_run(home, {key: "differing"}), "--json").document


def _forgotten(home: Path, plan_id: str) -> str:
    """Let a plan be one that was made when nothing was kept of a store without an id; return its hash."""
    folder = home / "repairs" / plan_id
    plan, _ = read_plan(folder / PLAN)
    nameless = {**plan.header.identities, SUPABASE: ""}
    plan_hash = write_plan(replace(plan, header=replace(plan.header, identities=nameless)), folder)
    with open_state(f"sqlite:///{home / 'state.sqlite'}", environment="default") as state:
        repair = state.repairs.get(plan_id)
        assert repair is not None
        state.repairs.plan(replace(repair, plan_hash=plan_hash))
    return plan_hash


def _came_back(home: Path, repair_id: str | None = None, key: str = "") -> dict[str, str]:
    """Return which keys did not stay repaired; where a repair is named, after one more was remembered of it."""
    with open_state(f"sqlite:///{home / 'state.sqlite'}", environment="default") as state:
        repair = None if repair_id is None else state.repairs.get(repair_id)
        if repair is not None:
            state.repairs.verified(repair, now=datetime.now(UTC), steady=(), unsteady={key: "Why."})
        return state.repairs.came_back("planning")


@contextmanager
def other_database(pair: Pair) -> Iterator[None]:
    """Let supabase be another database for as long as the block runs."""
    with psycopg.connect(url_of(pair, SUPABASE), autocommit=True) as connection:
        ((before,),) = connection.execute("SELECT id FROM twinstore.identity").fetchall()
        connection.execute("UPDATE twinstore.identity SET id = gen_random_uuid()")
        yield
        connection.execute("UPDATE twinstore.identity SET id = %s", [before])


@pytest.mark.parametrize("forgotten", [False, pytest.param(True, marks=pytest.mark.soak)])
def test_a_repair_is_verified_and_taken_back_over_whatever_channel_it_was_made(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch, *, forgotten: bool
) -> None:
    """An id that shows only now, or was never kept, proves nothing: what is there is looked at, nothing new begun."""
    one, other = keys(seeded_pair, 2)
    titled(seeded_pair, SUPABASE, one, "wrong")
    unproven = "It is not proven that the plan was made for these very stores (supabase)"
    with monkeypatch.context() as rows, environment_of(seeded_pair, Channel.ROWS, home, rows):
        rows.setenv("TWINSTORE_CHANNEL", "rows")
        done = _planned(home, one)
        assert say("repair", "apply", done["id"], "--approve", done["plan_hash"]).code == 0
        titled(seeded_pair, SUPABASE, other, "wrong")
        fresh = _planned(home, other)
        if forgotten:
            fresh["plan_hash"], _ = (_forgotten(home, plan["id"]) for plan in (fresh, done))
    with environment_of(seeded_pair, Channel.SQL, home, monkeypatch):
        assert _came_back(home, done["id"], one) == {one: "Why."}
        held = say("repair", "apply", fresh["id"], "--approve", fresh["plan_hash"])
        assert (held.code, unproven in held.err) == (2, True)
        assert ("`TWINSTORE_CHANNEL=rows`" in held.err) is not forgotten
        assert say("repair", "verify", done["id"], "--json").document["agree"] == 1
        assert _came_back(home) == {one: "Why."}  # the row may be one of another store
        undo = say("repair", "undo", done["id"], "--json").document
        assert (undo["steps"], undo["brakes"]) == (1, [])
        approved = ("repair", "undo", done["id"], "--approve", undo["plan_hash"])
        with other_database(seeded_pair):
            assert "made for another pair of stores than these (supabase)" in say(*approved).err
        assert say(*approved).code == 0
    assert titles(seeded_pair, SUPABASE)[one] == "wrong"
