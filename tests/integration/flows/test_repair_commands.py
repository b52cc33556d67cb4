"""From a finding to its repair and back, through the command as users call it, on real stores."""

from __future__ import annotations

import json
import re
import stat
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contracts.repair import Verified
from contracts.vocabulary import Channel, StoreName
from flows.repair.applying import Approval, apply_plan, verify_plan
from flows.repair.known import known
from flows.repair.work import at_work
from flows.settings import load_settings
from storage.repair import batches
from storage.repair.journal import Journal
from storage.state import open_state
from tests.support.command import flat
from tests.support.repairing import environment_of, remember_run, say
from tests.support.servers import Pair
from tests.support.two_stores import TABLE, keys, run, titled, titles

PRISMA, SUPABASE = StoreName
WRONG = "A title that only its owner may read"


@pytest.mark.parametrize("channel", [Channel.SQL, pytest.param(Channel.RPC, marks=pytest.mark.soak)])
def test_a_finding_is_planned_shown_repaired_verified_and_taken_back(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch, channel: Channel
) -> None:
    """A check finds it; the plan says what it would do; applied, both stores agree; undone, it is as it was."""
    with environment_of(seeded_pair, channel, home, monkeypatch):
        first, second = keys(seeded_pair, 2)
        titled(seeded_pair, SUPABASE, first, WRONG)
        run(seeded_pair, SUPABASE, f"DELETE FROM {TABLE} WHERE id::text = %s", second)
        broken = titles(seeded_pair, SUPABASE)
        made = say("repair", "plan")
        assert made.code == 0, made.err
        assert "2 steps: 1 insert and 1 update on supabase." in made.out
        assert titles(seeded_pair, SUPABASE) == broken
        found = re.search(r"twinstore repair apply (\S+) --approve (\w+)", made.out)
        assert found is not None
        plan, digits = found.groups()
        shown, revealed = say("repair", "show", plan), say("repair", "show", plan, "--reveal")
        assert (WRONG in shown.out, WRONG in revealed.out) == (False, True)
        assert "prisma is the source of truth" in flat(shown.out)
        done = say("repair", "apply", plan, "--approve", digits)
        assert (done.code, "2 written." in done.out, "2 keys agree" in done.out) == (0, True, True)
        assert titles(seeded_pair, SUPABASE) == titles(seeded_pair, PRISMA)
        assert say("repair", "verify", plan).code == 0
        undo = say("repair", "undo", plan, "--json").document
        back = say("repair", "undo", plan, "--approve", undo["plan_hash"])
        assert (back.code, "2 keys differ as planned" in back.out) == (0, True)
        assert titles(seeded_pair, SUPABASE) == broken
        listed = json.loads(say("repair", "list", "--json").out)
        assert [(one["mode"], one["ended"]) for one in listed] == [("undo", "repaired"), ("upsert-only", "undone")]
        said = say("repair", "verify", plan)
        assert (said.code, "was taken back" in said.err) == (2, True)
        index = (home / "runs" / "index.html").read_text(encoding="utf-8")
        assert f"../repairs/{plan}/plan.html" in index
        run(seeded_pair, SUPABASE, f"ALTER TABLE {TABLE} RENAME TO away")
        blind = say("repair", "plan")
        assert (blind.code, "The check could not look everywhere" in flat(blind.err)) == (2, True)
        for file in (home / "repairs" / plan).iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE((home / "repairs" / plan).stat().st_mode) == 0o700


def test_a_plan_can_be_narrowed(seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By key, field, user, cause and age; what is asked for stands in the plan."""
    with environment_of(seeded_pair, Channel.SQL, home, monkeypatch):
        *some, equal = keys(seeded_pair, 4)
        for key in some:
            titled(seeded_pair, SUPABASE, key, WRONG)
        run_id = remember_run(home, dict.fromkeys(some, "differing"))

        def steps(*words: str) -> int:
            said = say("repair", "plan", "--run", run_id, "--json", *words)
            assert said.code == 0, said.err
            return int(said.document["steps"])

        assert steps() == 3
        assert steps("--key", some[0], "--key", some[1]) == 2
        assert steps("--field", "title") == 3
        assert steps("--field", "status") == 0
        assert steps("--cause", "time_zone_shift") == 0
        assert steps("--user", "nobody-at-all") == 0
        assert steps("--older-than", "30m") == 3
        assert steps("--newer-than", "30m") == 0
        document = say("repair", "plan", "--run", run_id, "--json", "--key", some[0], "--key", equal).document
        assert document["filters"] == {"key": sorted([some[0], equal])}
        assert [(left["why"], left["rows"]) for left in document["left_to_people"]] == [("not_named", 1)]
        narrow = say("repair", "plan", "--run", run_id, "--field", "status", "--older-than", "30m", "--key", some[0])
        assert f"Asked for: field status; key {some[0]}; older than 30m" in narrow.out
        assert "Nothing that was asked for is to be repaired." in narrow.out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--mode", "undo"), "There is no mode 'undo'."),
        (("--source", "both"), "There is no store 'both'."),
        (("--cause", "bad luck"), "There is no cause"),
        (("--no-fix", "bad luck"), "There is no cause 'bad luck'."),
        (("--older-than", "soon"), "'soon' is no age."),
        (("--user", ""), "A blank id names no user."),
        (("--key", " "), "A blank key names no row."),
        (("--run", ""), "A blank id names no run."),
        (("--no-fix", "unexplained"), "There is no fix for the cause 'unexplained'."),
        (("--mode", "three-way", "--source", "secondary"), "three-way the side that changed wins"),
        (("--dataset", "nothing"), "nothing"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_what_is_not_understood_is_refused_before_a_store_is_asked(
    home: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], sentence: str
) -> None:
    """Exit code 2 and a sentence; no server need be there."""
    monkeypatch.setenv("TWINSTORE_HOME", str(home))
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.setenv("SUPABASE_DB_URL", "postgresql://nobody@127.0.0.1:2/none")
    said = say("repair", "plan", *words)
    assert (said.code, sentence in flat(said.err)) == (2, True), said.err


def test_nothing_to_repair_is_no_failure(seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan of a run that found nothing is empty, and has no command."""
    with environment_of(seeded_pair, Channel.SQL, home, monkeypatch):
        said = say("repair", "plan", "--run", remember_run(home, {}))
        assert (said.code, "There is nothing to repair." in said.out, "repair apply" in said.out) == (0, True, False)
        plan, digits = re.findall(r"repairs/([^/]+)/plan.html\s+Hash: (\w+)", said.out)[0]
        for words in (("apply", plan, "--approve", digits), ("verify", plan), ("undo", plan)):
            refused = say("repair", *words)
            assert (refused.code, "has no steps" in refused.err) == (2, True)
        unknown = say("repair", "list", "--dataset", "foo")
        assert (unknown.code, "no dataset 'foo'" in unknown.err) == (2, True)
        assert say("repair", "list", "--dataset", "planning").code == 0


def test_what_did_not_stay_repaired_is_left_the_next_time(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trigger that rewrites a row is told with its reason, and not fought against until it is asked for again."""
    with environment_of(seeded_pair, Channel.SQL, home, monkeypatch):
        (key,) = keys(seeded_pair, 1)
        titled(seeded_pair, SUPABASE, key, WRONG)
        run(
            seeded_pair,
            SUPABASE,
            "CREATE FUNCTION public.shout() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN NEW.title := upper(NEW.title) || ''!''; RETURN NEW; END'",
        )
        run(
            seeded_pair,
            SUPABASE,
            f"CREATE TRIGGER shout BEFORE UPDATE ON {TABLE} FOR EACH ROW EXECUTE FUNCTION public.shout()",
        )
        run_id = remember_run(home, {key: "differing"})
        plan = say("repair", "plan", "--run", run_id, "--json").document
        done = say("repair", "apply", plan["id"], "--approve", plan["plan_hash"], "--json")
        assert (done.code, done.document["ended"]) == (1, "partly")
        assert done.document["command"] is None
        (lost,) = done.document["not_converged"]
        assert (lost["key"], "title" in lost["fields"]) == (key, True)
        later = say("repair", "plan", "--run", run_id, "--json").document
        assert (later["steps"], [left["why"] for left in later["left_to_people"]]) == (0, ["came_back"])
        assert say("repair", "plan", "--run", run_id, "--again", "--json").document["steps"] == 1


def test_a_row_on_which_others_hang_is_left(seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deleting it would take a row of another table with it, or be refused: the plan says so instead."""
    with environment_of(seeded_pair, Channel.SQL, home, monkeypatch):
        extra = keys(seeded_pair, 2)
        run(seeded_pair, PRISMA, f"DELETE FROM {TABLE} WHERE id::text = ANY(%s)", extra)
        run(
            seeded_pair,
            SUPABASE,
            f"CREATE TABLE public.note (about uuid REFERENCES {TABLE} (id) ON DELETE CASCADE)",
        )
        run(seeded_pair, SUPABASE, "INSERT INTO public.note VALUES (%s)", extra[0])
        found = dict.fromkeys(extra, "only_secondary")
        remember_run(home, found, ago_h=2)
        plan = say("repair", "plan", "--run", remember_run(home, found), "--mode", "source-of-truth", "--json").document
        assert [(left["why"], left["sample_keys"]) for left in plan["left_to_people"]] == [("referenced", [extra[0]])]
        left = say("repair", "show", plan["id"], "--key", extra[0].upper())
        assert (left.code, f"Left: other rows hang on it {extra[0]}" in left.out) == (0, True)
        assert "delete on supabase" not in left.out.rpartition("Hash:")[2]
        for key in ("", "no-such-key"):
            unknown = say("repair", "show", plan["id"], "--key", key)
            assert (unknown.code, f"says nothing of the key {key!r}" in flat(unknown.err)) == (2, True)
        assert plan["acts"]["supabase"] == {"delete": 1}


@pytest.mark.soak
def test_a_project_without_our_functions_is_repaired_row_by_row(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing row is inserted, a changed one put right; a delete is refused: nothing tells what hangs on it."""
    with environment_of(seeded_pair, Channel.ROWS, home, monkeypatch, TWINSTORE_CHANNEL="rows"):
        first, second = keys(seeded_pair, 2)
        run(seeded_pair, SUPABASE, f"DELETE FROM {TABLE} WHERE id::text = %s", second)
        missing = say("repair", "plan", "--run", remember_run(home, {second: "only_primary"}), "--json").document
        assert say("repair", "apply", missing["id"], "--approve", missing["plan_hash"]).code == 0
        titled(seeded_pair, SUPABASE, first, WRONG)
        changed = say("repair", "plan", "--run", remember_run(home, {first: "differing"}, ago_h=0.5), "--json").document
        assert say("repair", "apply", changed["id"], "--approve", changed["plan_hash"]).code == 0
        assert titles(seeded_pair, SUPABASE) == titles(seeded_pair, PRISMA)
        run(seeded_pair, PRISMA, f"DELETE FROM {TABLE} WHERE id::text = %s", first)
        remember_run(home, {first: "only_secondary"}, ago_h=0.4)
        run_id = remember_run(home, {first: "only_secondary"}, ago_h=0.3)
        lone = say("repair", "plan", "--run", run_id, "--mode", "source-of-truth", "--json").document
        done = say("repair", "apply", lone["id"], "--approve", lone["plan_hash"], "--json")
        assert (done.code, [one["outcome"] for one in done.document["not_written"]]) == (1, ["rejected"])
        assert first in titles(seeded_pair, SUPABASE)


def test_somebody_at_a_terminal_is_asked(seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan is shown, and carried out, or taken back, only after a yes."""
    with environment_of(seeded_pair, Channel.SQL, home, monkeypatch):
        (key,) = keys(seeded_pair, 1)
        titled(seeded_pair, SUPABASE, key, WRONG)
        plan = say("repair", "plan", "--run", remember_run(home, {key: "differing"}), "--json").document["id"]
        declined = say("repair", "apply", plan, typed="n\n")
        assert (declined.code, "Nothing was done." in declined.out) == (2, True)
        assert all(f"{word}: " in declined.out for word in ("Page", "Hash", "Look at it"))
        assert titles(seeded_pair, SUPABASE)[key] == WRONG
        assert say("repair", "apply", plan, typed="y\n").code == 0
        assert titles(seeded_pair, SUPABASE)[key] != WRONG
        again = say("repair", "apply", plan, typed="y\n")
        assert (again.code, "was carried out before" in again.err, "Carry out" in again.err) == (2, True, False)
        assert say("repair", "undo", plan, typed="y\n").code == 0
        assert titles(seeded_pair, SUPABASE)[key] == WRONG


def test_an_undo_knows_of_all_that_the_repair_wrote(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was made of a half is held once the repair went on; a new one takes all of it back."""

    def stop(sentence: str) -> None:
        if sentence.startswith("take steps"):
            raise KeyboardInterrupt

    with environment_of(seeded_pair, Channel.SQL, home, monkeypatch):
        some = keys(seeded_pair, 2)
        for key in some:
            titled(seeded_pair, SUPABASE, key, WRONG)
        broken = titles(seeded_pair, SUPABASE)
        made = say("repair", "plan", "--run", remember_run(home, dict.fromkeys(some, "differing")), "--json").document
        plan, plan_hash = made["id"], made["plan_hash"]
        with monkeypatch.context() as small, at_work(load_settings(), progress=stop) as work:
            small.setattr(batches, "MOST_STEPS", 1)
            with pytest.raises(KeyboardInterrupt):
                apply_plan(work, known(work.settings, work.memory, plan), Approval(digits=plan_hash, by="ada"))
        half = say("repair", "undo", plan, "--json").document
        assert half["steps"] == 1
        assert say("repair", "apply", plan, "--approve", plan_hash).code == 0
        held = say("repair", "undo", plan, "--approve", half["plan_hash"])
        assert (held.code, "has gone on since" in flat(held.err)) == (2, True)
        assert titles(seeded_pair, SUPABASE) == titles(seeded_pair, PRISMA)
        whole = say("repair", "undo", plan, "--json").document
        assert say("repair", "undo", plan, "--approve", whole["plan_hash"]).code == 0
        assert titles(seeded_pair, SUPABASE) == broken
        endings = {one["id"]: one["ended"] for one in json.loads(say("repair", "list", "--json").out)}
        assert endings == {plan: "undone", half["id"]: "planned", whole["id"]: "repaired"}


def test_what_was_begun_is_finished_by_the_same_command(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A repair that was killed before its first step counts as begun; said again, it ends as planned."""
    with environment_of(seeded_pair, Channel.SQL, home, monkeypatch):
        (key,) = keys(seeded_pair, 1)
        titled(seeded_pair, SUPABASE, key, WRONG)
        made = say("repair", "plan", "--run", remember_run(home, {key: "differing"}), "--json").document
        plan, plan_hash, now = made["id"], made["plan_hash"], datetime.now(UTC)
        journal = Journal.open(home / "repairs" / plan)
        journal.begin(plan_hash=plan_hash, by="ada", overrides=(), now=now)
        journal.intend([1], batch="an answer that never came", now=now)
        with open_state(f"sqlite:///{home / 'state.sqlite'}", environment="default") as state:
            state.repairs.begin(plan, by="ada", overrides=(), now=now)
        shown = say("repair", "list")
        assert "begun, not finished" in shown.out
        done = say("repair", "apply", plan, "--approve", plan_hash, "--json")
        assert (done.code, done.document["ended"]) == (0, "repaired")
        assert datetime.fromisoformat(done.document["begun_at"]) > now
        assert titles(seeded_pair, SUPABASE) == titles(seeded_pair, PRISMA)


def test_what_was_taken_back_in_part_is_not_blamed_on_anybody(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Verified, it says nothing of rows that an undo wrote back, and a later plan repairs them; the rest is judged."""
    with environment_of(seeded_pair, Channel.SQL, home, monkeypatch):
        one, other, third = keys(seeded_pair, 3)
        for key in (one, other, third):
            titled(seeded_pair, SUPABASE, key, "wrong")
        found = dict.fromkeys((one, other, third), "differing")
        plan = say("repair", "plan", "--run", remember_run(home, found), "--json").document
        assert say("repair", "apply", plan["id"], "--approve", plan["plan_hash"]).code == 0
        titled(seeded_pair, SUPABASE, third, "written since")
        undo = say("repair", "undo", plan["id"], "--json").document
        say("repair", "undo", plan["id"], "--approve", undo["plan_hash"])
        assert [titles(seeded_pair, SUPABASE)[key] for key in found] == ["wrong", "wrong", "written since"]

        verified = say("repair", "verify", plan["id"])
        assert verified.code == 1
        assert "Read again from both stores: 1 key was changed since, 2 keys were taken back." in verified.out
        assert "Something puts" not in verified.out
        assert f"{third}: changed since" in verified.out
        assert "Take it back" not in verified.out  # what stands was written since
        told = say("repair", "verify", plan["id"], "--json").document
        assert (told["changed_since"], told["taken_back"], told["agree"], told["command"]) == ([third], 2, 0, None)
        later = say("repair", "plan", "--run", remember_run(home, {one: "differing"}), "--json").document
        assert (later["steps"], later["left_to_people"]) == (1, [])

        titled(seeded_pair, SUPABASE, other, "written since, too")
        again = say("repair", "undo", undo["id"], "--json").document  # brings the first one again, and not the other
        say("repair", "undo", undo["id"], "--approve", again["plan_hash"])
        with open_state(f"sqlite:///{home / 'state.sqlite'}", environment="default") as state:
            (repair,) = (kept for kept in state.repairs.list() if kept.id == plan["id"])
            state.repairs.verified(repair, now=datetime.now(UTC), steady=(), unsteady={one: "Why.", other: "Why."})
            verified = say("repair", "verify", plan["id"])
            assert "1 key agrees, 1 key was changed since, 1 key was taken back." in verified.out
            assert state.repairs.came_back("planning") == {other: "Why."}  # of which this repair tells nothing


def test_what_is_taken_back_meanwhile_is_not_blamed_on_anybody(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An undo that comes while both stores are read makes them be read once more."""
    with environment_of(seeded_pair, Channel.SQL, home, monkeypatch):
        one, other = keys(seeded_pair, 2)
        for key in (one, other):
            titled(seeded_pair, SUPABASE, key, "wrong")
        run_id = remember_run(home, {one: "differing", other: "differing"})
        plan = say("repair", "plan", "--run", run_id, "--json").document
        assert say("repair", "apply", plan["id"], "--approve", plan["plan_hash"]).code == 0
        titled(seeded_pair, SUPABASE, other, "written since")
        undo = say("repair", "undo", plan["id"], "--json").document
        told = list[str]()

        def progress(what: str) -> None:
            told.append(what)
            if len(told) == 1:
                say("repair", "undo", plan["id"], "--approve", undo["plan_hash"])

        with at_work(load_settings()) as work:
            found = known(work.settings, work.memory, plan["id"])
            verified = verify_plan(replace(work, progress=progress), found).verified
        assert verified == Verified(moved=(other,), undone=1)
        assert len(told) == 2


@pytest.mark.parametrize("command", ["undo", "verify"])
def test_nothing_rests_on_a_plan_that_was_changed_since(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Taking a repair back would write what no store ever held."""
    with environment_of(seeded_pair, Channel.SQL, home, monkeypatch):
        (key,) = keys(seeded_pair, 1)
        titled(seeded_pair, SUPABASE, key, "as it was")
        plan = say("repair", "plan", "--run", remember_run(home, {key: "differing"}), "--json").document
        assert say("repair", "apply", plan["id"], "--approve", plan["plan_hash"]).code == 0
        file = home / "repairs" / plan["id"] / "plan.json"
        file.write_bytes(file.read_bytes().replace(b"as it was", b"as it is"))
        said = say("repair", command, plan["id"])
        assert said.code == 2
        assert "is not the one that was carried out" in said.err
