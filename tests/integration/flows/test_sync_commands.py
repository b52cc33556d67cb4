"""`twinstore capture`, `sync run` and `sync status` on real stores: what they do, say and return."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner, Result

from contracts.errors import CircuitOpen
from contracts.vocabulary import Channel, StoreName
from flows.cli import app
from storage.breaker import Saved, State
from storage.replication import adoption
from tests.support.accounts import changed, superuser_of
from tests.support.command import flat
from tests.support.faulty_proxy import nobody_listens
from tests.support.servers import SEEDED, Pair
from tests.support.two_stores import TABLE, adopted_as_equal, keys, run, titled, titles, work_on

PRISMA, SUPABASE = StoreName
SIDES = {PRISMA: "primary", SUPABASE: "secondary"}


def command(*words: str) -> Result:
    """Run a command of the program in this process, with the environment of the test."""
    return CliRunner().invoke(app, list(words))


def status() -> dict[str, Any]:
    """Return what `sync status` says of the one dataset."""
    (dataset,) = json.loads(command("sync", "status", "--json").stdout)["datasets"]
    return dict(dataset)


def triggers(pair: Pair, store: StoreName) -> int:
    """Return how many triggers of capture there are."""
    with psycopg.connect(superuser_of(pair, store)) as connection:
        ((number,),) = connection.execute("SELECT count(*) FROM pg_trigger WHERE tgname ~ '^twinstore_capture'")
    return int(number)


@pytest.mark.parametrize("channel", [Channel.SQL, Channel.RPC])
def test_capture_is_turned_on_and_off(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch, channel: Channel
) -> None:
    """On makes the triggers and carries nothing over; off removes them, and needs a yes."""
    with work_on(seeded_pair, channel, home, monkeypatch):
        before = command("capture", "status")
        assert (before.exit_code, "writes are not captured" in before.stdout) == (1, True)
        assert command("capture", "on").exit_code == 0
        assert [triggers(seeded_pair, store) for store in StoreName] == [2, 2]
        assert command("capture", "status").exit_code == 0
        assert "captured already" in command("capture", "on").stdout
        assert "The stores were not adopted" in flat(command("sync", "status").stdout)
        titled(seeded_pair, PRISMA, keys(seeded_pair, 1)[0], "ours")
        refused = command("sync", "run")
        assert (refused.exit_code, "0 keys carried over; 1 still wait" in flat(refused.stdout)) == (1, True)
        assert "no terminal to ask on" in str(command("capture", "off").exception)
        assert command("capture", "off", "--yes").exit_code == 0
        assert [triggers(seeded_pair, store) for store in StoreName] == [0, 0]


def test_turning_capture_on_over_a_gap_carries_nothing_over(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends the gap, and the adoption with it: nobody has compared the stores since."""
    with work_on(seeded_pair, Channel.SQL, home, monkeypatch) as work:
        adopted_as_equal(work)
        run(seeded_pair, PRISMA, f"TRUNCATE {TABLE}")
        found = command("capture", "status")
        assert (found.exit_code, "emptied by TRUNCATE" in found.stdout) == (1, True)
        assert status()["primary"]["gap"] == "truncated"
        assert command("capture", "on").exit_code == 0
        assert (status()["primary"]["gap"], status()["ready"]) == (None, False)
        assert command("sync", "run").exit_code == 1
    assert len(titles(seeded_pair, SUPABASE)) == SEEDED


@pytest.mark.parametrize("channel", [Channel.SQL, Channel.RPC])
def test_a_run_carries_over_what_waits(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch, channel: Channel
) -> None:
    """All 300 changed records in one run, told as numbers; the next one finds nothing."""
    with work_on(seeded_pair, channel, home, monkeypatch) as work:
        adopted_as_equal(work)
        run(seeded_pair, PRISMA, f"UPDATE {TABLE} SET title = 'ours'")
        assert (status()["primary"]["dirty"], status()["conclusion"]) == (SEEDED, "fine")
        done = command("sync", "run", "--json")
        (dataset,) = json.loads(done.stdout)["datasets"]
        assert (done.exit_code, dataset["carried"], dataset["left"]) == (0, SEEDED, 0)
        assert dataset["outcomes"] == {"applied": SEEDED}
        assert "planning: 0 keys carried over." in command("sync", "run").stdout
    assert set(titles(seeded_pair, SUPABASE).values()) == {"ours"}


def test_a_run_that_leaves_something_for_a_person_says_so(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A conflict and a dead letter that this run found give exit code 1; the next run is not blamed for them."""
    with work_on(seeded_pair, Channel.SQL, home, monkeypatch) as work:
        adopted_as_equal(work)
        one, other = keys(seeded_pair, 2)
        titled(seeded_pair, PRISMA, one, "ours")
        titled(seeded_pair, SUPABASE, one, "theirs")
        run(seeded_pair, PRISMA, f"UPDATE {TABLE} SET status = 'no such status' WHERE id = %s", other)
        done = command("sync", "run")
        assert done.exit_code == 1
        assert "Decide conflicts" in done.stdout
        assert "Look at dead letters" in done.stdout
        assert command("sync", "run").exit_code == 0
        assert command("sync", "status").exit_code == 1


def test_a_store_that_cannot_be_reached_leaves_the_other_to_be_told(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Status says of the primary what it can, exit code 2; capture is turned off where it can be; a run ends in 2."""
    with work_on(seeded_pair, Channel.SQL, home, monkeypatch) as work, nobody_listens() as nowhere:
        adopted_as_equal(work)
        titled(seeded_pair, PRISMA, keys(seeded_pair, 1)[0], "ours")
        port = int(nowhere.rpartition(":")[2])
        monkeypatch.setenv("SUPABASE_DB_URL", changed(seeded_pair.secondary, port=port))
        done = command("sync", "status", "--json")
        (dataset,) = json.loads(done.stdout)["datasets"]
        assert (done.exit_code, dataset["conclusion"]) == (2, "unknown")
        assert (dataset["primary"]["dirty"], dataset["secondary"]) == (1, None)
        assert [error["store"] for error in dataset["errors"]] == ["supabase"]
        assert "cannot be reached" in str(command("sync", "run").exception)
        assert command("capture", "off", "--yes").exit_code == 2
        assert triggers(seeded_pair, PRISMA) == 0


def test_a_run_begins_with_the_circuits_that_the_last_one_left(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After three runs in vain the fourth does not even ask a store that is back; once its time has come one does."""
    (key,) = keys(seeded_pair, 1)
    with (
        work_on(seeded_pair, Channel.SQL, home, monkeypatch, remembering=True) as work,
        monkeypatch.context() as away,
        nobody_listens() as nowhere,
    ):
        adopted_as_equal(work)
        titled(seeded_pair, PRISMA, key, "ours")
        away.setenv("SUPABASE_DB_URL", changed(seeded_pair.secondary, port=int(nowhere.rpartition(":")[2])))
        in_vain = [command("sync", "run").exception for _ in range(3)]
        away.setenv("SUPABASE_DB_URL", seeded_pair.secondary)
        spared = command("sync", "run").exception
        assert work.memory is not None
        book = work.memory.watch
        assert {name: kept.state for name, kept in book.circuits().items()} == {
            PRISMA: State.CLOSED,
            SUPABASE: State.OPEN,
        }
        now = datetime.now(UTC)
        book.keep_circuits({SUPABASE: Saved(state=State.OPEN, until=now)}, now=now)
        assert titles(seeded_pair, SUPABASE)[key] != "ours"
        assert command("sync", "run").exit_code == 0
        assert book.circuits()[SUPABASE].state is State.CLOSED
    assert not any(isinstance(error, CircuitOpen) for error in in_vain)
    assert isinstance(spared, CircuitOpen)
    assert titles(seeded_pair, SUPABASE)[key] == "ours"


def test_without_a_key_of_service_role_the_primary_is_told_alone(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is owed to the secondary is counted; a run says which key is missing."""
    with work_on(seeded_pair, Channel.RPC, home, monkeypatch) as work:
        adopted_as_equal(work)
        titled(seeded_pair, PRISMA, keys(seeded_pair, 1)[0], "ours")
        monkeypatch.delenv("SUPABASE_SECRET_KEY")
        found = status()
        assert (found["channel"], found["primary"]["dirty"], found["conclusion"]) == (None, 1, "unknown")
        assert "No key of service_role" in found["errors"][0]["what"]
        assert "without a key" in str(command("sync", "run").exception)


def test_the_primary_alone_can_be_captured(seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before there is a key of service_role, writes to the primary are noted, to be carried over one day."""
    with work_on(seeded_pair, Channel.RPC, home, monkeypatch):
        monkeypatch.delenv("SUPABASE_SECRET_KEY")
        done = command("capture", "on")
        assert (done.exit_code, "once a key of service_role" in flat(done.stdout)) == (0, True)
        assert [triggers(seeded_pair, store) for store in StoreName] == [2, 0]
        assert "writes of prisma are captured already" in command("capture", "on").stdout
        titled(seeded_pair, PRISMA, keys(seeded_pair, 1)[0], "ours")
        assert status()["primary"]["dirty"] == 1


def test_rows_over_rest_are_refused_by_name(pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The channel cannot replicate, and the sentence says what can."""
    with work_on(pair, Channel.RPC, home, monkeypatch):
        monkeypatch.setenv("TWINSTORE_CHANNEL", "rows")
        refused = str(command("sync", "status").exception)
        assert "The channel rows does not allow to replicate" in refused
        assert "SUPABASE_DB_URL" in refused


def test_a_schema_without_functions_of_ours_is_refused_by_name(
    pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is carried between another schema's table and the secondary."""
    with work_on(pair, Channel.SQL, home, monkeypatch):
        monkeypatch.setenv("DATABASE_URL", f"{pair.primary}&schema=app")
        assert "replicated in the schema public only" in str(command("sync", "status").exception)


def test_the_plan_of_an_adoption_is_shown_before_anything_is_done(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Off a terminal nothing is done without --yes, and both stores are named."""
    with work_on(seeded_pair, Channel.SQL, home, monkeypatch):
        done = command("adopt")
        assert "no terminal to ask on" in str(done.exception)
        said = flat(done.stderr)
        assert "prisma 127.0.0.1" in said
        assert "Until this has ended, nothing is." in said
        assert [triggers(seeded_pair, store) for store in StoreName] == [0, 0]


def test_an_adoption_says_what_it_found_and_what_to_do_next(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The conflict that it kept, the report, and the command that carries changes over; again, it finds nothing new."""
    with work_on(seeded_pair, Channel.SQL, home, monkeypatch):
        titled(seeded_pair, SUPABASE, keys(seeded_pair, 1)[0], "theirs")
        done = command("adopt", "--yes")
        assert done.exit_code == 0, done.output
        said = flat(done.stdout)
        assert "1 key differs; 1 new conflict is kept" in said
        assert "twinstore sync run --follow" in said
        assert Path(done.stdout.rpartition("Report: ")[2].strip()).is_file()
        (again,) = json.loads(command("adopt", "--yes", "--json").stdout)
        assert (again["adopted"], again["differences"], again["conflicts"]) == (True, 1, 0)
        assert status()["conflicts"] == 1


@pytest.mark.parametrize("store", list(StoreName))
def test_a_store_that_was_restored_is_seen_and_remembered(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch, store: StoreName
) -> None:
    """A gap where it knows nothing of what the other one heard of; a run remembers it when that was written again."""
    with work_on(seeded_pair, Channel.SQL, home, monkeypatch) as work:
        adopted_as_equal(work)
        key = keys(seeded_pair, 1)[0]
        titled(seeded_pair, store, key, "heard of")
        assert command("sync", "run").exit_code == 0
        run(seeded_pair, store, "DELETE FROM twinstore.row_state")
        assert status()[SIDES[store]]["gap"] == "restored"
        assert command("sync", "run").exit_code == 1
        for title in ("one", "two", "three"):
            titled(seeded_pair, store, key, title)
        assert status()[SIDES[store]]["gap"] == "restored"
        assert command("sync", "run").exit_code == 1
    assert [titles(seeded_pair, each)[key] for each in (store, store.other)] == ["three", "heard of"]


def test_capture_that_died_is_seen(seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A trigger that somebody disabled is a gap, which stops a run."""
    with work_on(seeded_pair, Channel.SQL, home, monkeypatch) as work:
        adopted_as_equal(work)
        primary, _, _ = work.replications[0].both()
        assert primary.standing().gap is None
        run(seeded_pair, PRISMA, f"ALTER TABLE {TABLE} DISABLE TRIGGER twinstore_capture")
        assert command("sync", "run").exit_code == 1
        assert "missing or disabled" in flat(command("sync", "status").stdout)
        adoption.begin(primary, work.replications[0].both()[1], work.replications[0].book)
        assert status()["primary"]["gap"] is None
