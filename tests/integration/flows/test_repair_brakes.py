"""What holds a repair back, through the command as users call it: exit code 2, a sentence, and nothing written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from contracts.repair import Brake
from contracts.vocabulary import Channel, StoreName, Verdict
from flows.repair.files import PLAN
from storage.repair.plan_file import read_plan, write_plan
from storage.state import open_state
from tests.support.accounts import url_of
from tests.support.command import flat
from tests.support.repairing import Said, environment_of, remember_run, say
from tests.support.servers import SEEDED, Pair, Servers
from tests.support.two_stores import TABLE, keys, run, titled, titles

PRISMA, SUPABASE = StoreName
WRONG = "somebody else's title"
OVER = 11  # deletes: one more than are made without being told, of 300 rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A pair on which one title differs, and a plan that mends it."""

    pair: Pair
    home: Path
    key: str
    plan: str
    plan_hash: str

    @property
    def folder(self) -> Path:
        """Where the plan lies."""
        return self.home / "repairs" / self.plan

    def approved(self, *words: str) -> Said:
        """Apply the plan, approved as it was made."""
        return say("repair", "apply", self.plan, "--approve", self.plan_hash[:12], *words)

    def untouched(self) -> bool:
        """Say whether the row is as it was before."""
        return titles(self.pair, SUPABASE).get(self.key, WRONG) == WRONG


@contextmanager
def planned(pair: Pair, home: Path, patch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """Make a plan of one step that nothing holds back."""
    with environment_of(pair, Channel.SQL, home, patch):
        key = keys(pair, 1)[0]
        titled(pair, SUPABASE, key, WRONG)
        made = say("repair", "plan", "--run", remember_run(home, {key: "differing"}), "--json")
        found = made.document
        assert (made.code, found["steps"], found["brakes"]) == (0, 1, [])
        yield Bench(pair=pair, home=home, key=key, plan=found["id"], plan_hash=found["plan_hash"])


@pytest.fixture
def bench(seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A plan of one step, for a test that changes something."""
    with planned(seeded_pair, home, monkeypatch) as bench:
        yield bench


@pytest.fixture(scope="module")
def still_bench(servers: Servers, _seeded_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A plan of one step, for all tests that see it held and leave everything as it was."""
    home = tmp_path_factory.mktemp("bench") / "home"
    with (
        pytest.MonkeyPatch.context() as patch,
        servers.clones(_seeded_template) as pair,
        planned(pair, home, patch) as bench,
    ):
        yield bench


def held(said: Said, sentence: str) -> bool:
    """Say whether a command refused with this sentence."""
    return said.code == 2 and sentence in flat(said.err) and "Traceback" not in said.err


def test_without_a_brake_the_plan_is_carried_out_once(bench: Bench) -> None:
    """What the other tests see held back would have been written; a second time says that it was."""
    assert bench.approved().code == 0
    assert not bench.untouched()
    assert held(bench.approved(), "was carried out before")
    lines = (bench.folder / "journal.jsonl").read_text().splitlines()
    assert sum("begun" in json.loads(line) for line in lines) == 1


def test_an_empty_side_holds_a_repair(bench: Bench) -> None:
    """A store without rows is an accident; somebody who says that it is meant is on the record."""
    run(bench.pair, SUPABASE, f"CREATE TABLE public.aside AS SELECT * FROM {TABLE}")
    run(bench.pair, SUPABASE, f"DELETE FROM {TABLE}")
    assert held(bench.approved(), "supabase holds no row at all")
    released = bench.approved("--allow", "empty-side", "--json")
    assert released.code == 1  # the row is gone, so that the step has moved
    (override,) = released.document["overrides"]
    assert (override["brake"], bool(override["by"])) == ("empty-side", True)
    assert titles(bench.pair, SUPABASE) == {}


def test_a_truncated_side_holds_a_repair(bench: Bench) -> None:
    """A store with less than half of the other's rows was cut short, not edited."""
    few = ", ".join(f"'{key}'" for key in keys(bench.pair, SEEDED // 3))
    run(bench.pair, SUPABASE, f"DELETE FROM {TABLE} WHERE id::text NOT IN ({few})")
    assert held(bench.approved(), "supabase looks cut short: it holds 100 rows, prisma 300")
    assert bench.untouched()
    assert bench.approved("--allow", "cut-short").code == 0


def test_a_check_that_could_not_look_everywhere_carries_no_plan(bench: Bench) -> None:
    """Neither is a plan made from it, nor one carried out whose run is not known as complete."""
    blind = remember_run(bench.home, {bench.key: "differing"}, verdict=Verdict.INCOMPLETE, ago_h=0.5)
    assert held(say("repair", "plan", "--run", blind), "could not look everywhere")
    assert held(say("repair", "plan", "--run", "never-made"), "There is no run never-made of planning")
    with open_state(f"sqlite:///{bench.home / 'state.sqlite'}", environment="default") as state:
        plan, _ = read_plan(bench.folder / PLAN)
        repair = state.repairs.get(bench.plan)
        assert repair is not None
        new_hash = write_plan(replace(plan, header=replace(plan.header, run_id=blind)), bench.folder)
        state.repairs.plan(replace(repair, run_id=blind, plan_hash=new_hash))
    said = say("repair", "apply", bench.plan, "--approve", new_hash[:12])
    assert held(said, f"The check could not look everywhere: the run {blind}")
    assert bench.untouched()


def test_deletes_over_the_cap_hold_a_repair(seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One delete more than the cap is held until it is allowed by number; fewer than planned are not enough."""
    with environment_of(seeded_pair, Channel.SQL, home, monkeypatch):
        extra = keys(seeded_pair, OVER)
        run(seeded_pair, PRISMA, f"DELETE FROM {TABLE} WHERE id::text = ANY(%s)", extra)
        found = dict.fromkeys(extra, "only_secondary")
        remember_run(home, found, ago_h=2)
        said = say("repair", "plan", "--run", remember_run(home, found), "--mode", "source-of-truth", "--json")
        plan = said.document
        assert (said.code, plan["acts"]) == (0, {"prisma": {}, "supabase": {"delete": OVER}})
        assert [brake["allow"] for brake in plan["brakes"]] == [f"deletes={OVER}"]
        assert plan["command"].endswith(f"--allow deletes={OVER}")
        words = ("repair", "apply", plan["id"], "--approve", plan["plan_hash"][:12])
        assert held(say(*words), f"The plan deletes {OVER} rows; without being told, a repair deletes at most 10")
        assert held(say(*words, "--allow", f"deletes={OVER - 1}"), f"The plan deletes {OVER} rows")
        assert len(titles(seeded_pair, SUPABASE)) == SEEDED
        assert say(*words, "--allow", f"deletes={OVER}").code == 0
        assert len(titles(seeded_pair, SUPABASE)) == SEEDED - OVER


def test_deletes_of_several_plans_count_together(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two plans by key delete no more than one may without being told; what is taken back counts no more."""
    with environment_of(seeded_pair, Channel.SQL, home, monkeypatch):
        extra = keys(seeded_pair, OVER)
        run(seeded_pair, PRISMA, f"DELETE FROM {TABLE} WHERE id::text = ANY(%s)", extra)
        found = dict.fromkeys(extra, "only_secondary")
        remember_run(home, found, ago_h=2)
        words = ("repair", "plan", "--run", remember_run(home, found), "--mode", "source-of-truth", "--json")
        most = say(*words, *(word for key in extra[1:] for word in ("--key", key))).document
        last = say(*words, "--key", extra[0]).document
        assert (most["brakes"], last["brakes"]) == ([], [])
        assert say("repair", "apply", most["id"], "--approve", most["plan_hash"]).code == 0
        apply = ("repair", "apply", last["id"], "--approve", last["plan_hash"])
        assert held(say(*apply), f"The plan deletes 1 rows, after {OVER - 1} of others within a day")
        assert [one["allow"] for one in say(*words, "--key", extra[0]).document["brakes"]] == [f"deletes={OVER}"]
        undo = say("repair", "undo", most["id"], "--json").document
        assert say("repair", "undo", most["id"], "--approve", undo["plan_hash"]).code == 0
        assert say(*apply).code == 0
        assert len(titles(seeded_pair, SUPABASE)) == SEEDED - 1


def test_the_caps_are_settings(still_bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cap of nothing holds a plan of one step; its number releases it."""
    monkeypatch.setenv("TWINSTORE_REPAIR_MAX_ROWS", "0")
    assert held(still_bench.approved(), "The plan has 1 steps; without being told, a repair takes at most 0")
    assert held(still_bench.approved("--allow", "rows=0"), "The plan has 1 steps")
    assert still_bench.untouched()


def test_nothing_is_deleted_that_only_one_run_saw(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that the primary lacks is left with the reason until a second run agrees."""
    with environment_of(seeded_pair, Channel.SQL, home, monkeypatch):
        extra = keys(seeded_pair, 2)
        run(seeded_pair, PRISMA, f"DELETE FROM {TABLE} WHERE id::text = ANY(%s)", extra)
        remember_run(home, {extra[0]: "only_secondary"}, ago_h=2)
        both = remember_run(home, dict.fromkeys(extra, "only_secondary"))
        plan = say("repair", "plan", "--run", both, "--mode", "source-of-truth", "--json").document
        assert plan["acts"]["supabase"] == {"delete": 1}
        assert [(left["why"], left["sample_keys"]) for left in plan["left_to_people"]] == [("one_run", [extra[1]])]
        steps = read_plan(home / "repairs" / plan["id"] / PLAN)[0].steps
        assert [step.key for step in steps] == [extra[0]]


def test_a_plan_whose_file_was_changed_is_not_carried_out(still_bench: Bench) -> None:
    """Neither one that says something else in the same form, nor one with a byte more, nor one that is torn."""
    plan, _ = read_plan(still_bench.folder / PLAN)
    (step,) = plan.steps
    other = replace(step, after={**(step.after or {}), "title": "slipped in"})
    write_plan(replace(plan, steps=(other,)), still_bench.folder)
    assert held(still_bench.approved(), "The plan is not the one that was approved: its file has another hash")
    whole = (still_bench.folder / PLAN).read_bytes()
    for damaged in (whole + b" ", whole[:-20]):
        (still_bench.folder / PLAN).write_bytes(damaged)
        assert held(still_bench.approved(), "is no plan of this version, or it was changed")
    write_plan(plan, still_bench.folder)
    assert still_bench.untouched()


def test_a_plan_that_nobody_approved_is_not_carried_out(still_bench: Bench) -> None:
    """No hash without a terminal to ask on, too little of one, and one of another plan."""
    assert held(say("repair", "apply", still_bench.plan), "there is no terminal to ask on")
    assert held(say("repair", "apply", still_bench.plan, "--approve", still_bench.plan_hash[:11]), "at least 12 digits")
    other = "0" * 12 if not still_bench.plan_hash.startswith("0") else "1" * 12
    assert held(say("repair", "apply", still_bench.plan, "--approve", other), "that one begins with other digits")
    assert still_bench.untouched()


def test_a_plan_of_another_pair_is_not_carried_out(still_bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither against another database, nor under the name of another environment."""
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TWINSTORE_ENVIRONMENT", "other")
        with open_state(f"sqlite:///{still_bench.home / 'state.sqlite'}", environment="default") as ours:
            repair = ours.repairs.get(still_bench.plan)
        assert repair is not None
        with open_state(f"sqlite:///{still_bench.home / 'state.sqlite'}", environment="other") as state:
            state.repairs.plan(repair)
        assert held(still_bench.approved(), "(the environment other)")
    with psycopg.connect(url_of(still_bench.pair, SUPABASE), autocommit=True) as connection:
        ((before,),) = connection.execute("SELECT id FROM twinstore.identity").fetchall()
        connection.execute("UPDATE twinstore.identity SET id = gen_random_uuid()")
        assert held(still_bench.approved(), "The plan was made for another pair of stores than these (supabase)")
        connection.execute("UPDATE twinstore.identity SET id = %s", [before])
    assert still_bench.untouched()


def test_a_repair_of_another_pair_is_neither_verified_nor_taken_back(bench: Bench) -> None:
    """Its rows are not in these stores: nothing is written, nothing is remembered of them, and it stays as it was."""
    assert bench.approved().code == 0
    undo = say("repair", "undo", bench.plan, "--json").document
    sentence = "The plan was made for another pair of stores than these (supabase)"
    with psycopg.connect(url_of(bench.pair, SUPABASE), autocommit=True) as connection:
        ((before,),) = connection.execute("SELECT id FROM twinstore.identity").fetchall()
        connection.execute("UPDATE twinstore.identity SET id = gen_random_uuid()")
        titled(bench.pair, SUPABASE, bench.key, WRONG)
        assert held(say("repair", "verify", bench.plan), sentence)
        assert held(say("repair", "undo", bench.plan), sentence)
        assert held(say("repair", "undo", bench.plan, "--approve", undo["plan_hash"]), sentence)
        connection.execute("UPDATE twinstore.identity SET id = %s", [before])
    with open_state(f"sqlite:///{bench.home / 'state.sqlite'}", environment="default") as state:
        assert (state.repairs.came_back("planning"), len(state.repairs.list())) == ({}, 2)
    assert say("repair", "undo", bench.plan, "--json").document["steps"] == 0  # only now is the row looked at


def test_without_a_durable_memory_nothing_is_repaired(still_bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither is a plan made, nor one carried out: it could not be taken back."""
    monkeypatch.setenv("TWINSTORE_STATE_URL", "sqlite:///:memory:")
    assert held(say("repair", "plan"), "Nothing durable would remember")
    assert held(still_bench.approved(), "Nothing durable would remember")
    assert still_bench.untouched()


def test_a_plan_that_is_old_is_held(bench: Bench) -> None:
    """After a day the stores are others; a new plan is a minute's work."""
    with open_state(f"sqlite:///{bench.home / 'state.sqlite'}", environment="default") as state:
        plan, _ = read_plan(bench.folder / PLAN)
        repair = state.repairs.get(bench.plan)
        assert repair is not None
        old = replace(plan.header, expires_at=plan.header.made_at)
        new_hash = write_plan(replace(plan, header=old), bench.folder)
        state.repairs.plan(replace(repair, plan_hash=new_hash))
    words = ("repair", "apply", bench.plan, "--approve", new_hash)
    assert held(say(*words), "has expired")
    assert say(*words, "--allow", "expired").code == 0


def test_what_nobody_may_release_cannot_be_allowed(still_bench: Bench) -> None:
    """The command says so before it does anything; the others are released by name, a cap by a number."""
    for brake in Brake:
        if not brake.releasable:
            assert held(still_bench.approved("--allow", str(brake)), f"Nobody can release the brake {brake}")
    for word in ("rows", "rows=", "rows=many", "empty-side=1", "no-such-brake"):
        assert still_bench.approved("--allow", word).code == 2
    assert still_bench.untouched()


def test_a_repair_and_a_check_exclude_one_another(still_bench: Bench) -> None:
    """While somebody holds the lease of the dataset, a repair ends with who that is."""
    with (
        open_state(f"sqlite:///{still_bench.home / 'state.sqlite'}", environment="default") as state,
        state.lease("planning", "check", owner="a test", now=lambda: datetime.now(UTC)),
    ):
        assert held(still_bench.approved(), "Repair of planning cannot begin: check by a test")
    assert still_bench.untouched()


def test_what_moved_between_plan_and_apply_is_left_and_named(bench: Bench) -> None:
    """Somebody was faster: exit code 1, the key, and their value stays."""
    titled(bench.pair, SUPABASE, bench.key, "by an application")
    said = bench.approved("--json")
    assert (said.code, said.document["ended"]) == (1, "partly")
    assert [(one["key"], one["outcome"]) for one in said.document["not_written"]] == [(bench.key, "moved")]
    with psycopg.connect(url_of(bench.pair, SUPABASE)) as connection:
        rows = connection.execute(f"SELECT title FROM {TABLE} WHERE id::text = %s", [bench.key]).fetchall()
    assert rows == [("by an application",)]


@pytest.mark.soak
def test_a_release_that_releases_nothing_does_not_take_a_repair_out_of_the_sum(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plan after plan of as many rows as are allowed is held from the second one on, whatever was said before."""
    with environment_of(seeded_pair, Channel.SQL, home, monkeypatch, TWINSTORE_REPAIR_MAX_ROWS="1"):
        codes = []
        for key in keys(seeded_pair, 2):
            titled(seeded_pair, SUPABASE, key, "wrong")
            plan = say("repair", "plan", "--run", remember_run(home, {key: "differing"}), "--json").document
            applied = say("repair", "apply", plan["id"], "--approve", plan["plan_hash"], "--allow", "rows=1")
            codes.append(applied.code)
        assert codes == [0, 2]
