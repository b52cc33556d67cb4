"""What a person decides: conflicts shown field by field and resolved, dead letters tried again or given up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner, Result

from contracts.vocabulary import Channel, StoreName
from flows.cli import app
from flows.opening import Opened
from flows.sync import carry
from storage.replication import adoption
from tests.support.command import flat
from tests.support.servers import Pair
from tests.support.two_stores import TABLE, adopted_as_equal, keys, run, titled, titles, work_on

PRISMA, SUPABASE = StoreName
SECRET = "a title that nobody else may read"
TITLES = {"primary": "ours", "secondary": SECRET}


def command(*words: str) -> Result:
    """Run a command of the program in this process, with the environment of the test."""
    return CliRunner().invoke(app, list(words), catch_exceptions=True)


def answer(*words: str) -> Any:
    """Return the JSON that a command prints."""
    return json.loads(command(*words, "--json").stdout)


def carried(work: Opened) -> None:
    """Carry over what waits."""
    carry(work.replications[0].both()[2])


def in_conflict(pair: Pair, work: Opened) -> str:
    """Change a record on both sides at once; return its key."""
    adopted_as_equal(work)
    (key,) = keys(pair, 1)
    titled(pair, PRISMA, key, "ours")
    titled(pair, SUPABASE, key, SECRET)
    carried(work)
    return key


@pytest.mark.parametrize("keep", ["primary", "secondary"])
@pytest.mark.parametrize("channel", [Channel.SQL, Channel.RPC])
def test_a_conflict_is_listed_decided_and_carried_over(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch, channel: Channel, keep: str
) -> None:
    """Whichever row is kept, it is on both sides afterwards, and nothing waits for a person any more."""
    with work_on(seeded_pair, channel, home, monkeypatch) as work:
        key = in_conflict(seeded_pair, work)
        listed = command("sync", "conflicts", "list")
        assert listed.exit_code == 1
        assert key in listed.stdout
        assert command("sync", "status").exit_code == 1
        done = command("sync", "conflicts", "resolve", key.upper(), "--keep", keep)
        assert (done.exit_code, "1 conflict decided" in done.stdout) == (0, True)
        carried(work)
        assert {titles(seeded_pair, store)[key] for store in StoreName} == {TITLES[keep]}
        assert command("sync", "conflicts", "list").exit_code == 0
        assert [c["kept"] for c in answer("sync", "conflicts", "list", "--all")] == [keep]
        assert command("sync", "status").exit_code == 0


def test_a_conflict_is_shown_field_by_field_without_personal_values(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Titles are masked unless TWINSTORE_REVEAL is set; public fields are shown."""
    with work_on(seeded_pair, Channel.SQL, home, monkeypatch) as work:
        key = in_conflict(seeded_pair, work)
        run(seeded_pair, PRISMA, f"UPDATE {TABLE} SET status = 'archived' WHERE id = %s", key)
        shown = command("sync", "conflicts", "show", key)
        assert shown.exit_code == 0
        text = flat(shown.stdout)
        assert "Both sides changed it" in text
        assert "archived" in text
        assert "title" in text
        assert SECRET not in text
        assert "hash" in text
        monkeypatch.setenv("TWINSTORE_REVEAL", "true")
        (entry,) = answer("sync", "conflicts", "show", key)
        values = {field["field"]: (field["primary"], field["secondary"]) for field in entry["fields"]}
        assert values["title"] == ("ours", SECRET)
        assert (entry["same"], entry["primary_has_row"], entry["deleted_on_secondary"]) == (False, True, False)


def test_a_record_that_was_deleted_on_one_side_and_changed_on_the_other_is_a_conflict(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is shown as such, and keeping the secondary deletes it on both sides."""
    with work_on(seeded_pair, Channel.SQL, home, monkeypatch) as work:
        adopted_as_equal(work)
        (key,) = keys(seeded_pair, 1)
        titled(seeded_pair, PRISMA, key, "ours")
        run(seeded_pair, SUPABASE, f"DELETE FROM {TABLE} WHERE id::text = %s", key)
        carried(work)
        assert "prisma has the row, supabase had no row" in flat(command("sync", "conflicts", "show", key).stdout)
        assert command("sync", "conflicts", "resolve", "--all", "--keep", "secondary").exit_code == 0
        carried(work)
    assert all(key not in titles(seeded_pair, store) for store in StoreName)


def test_many_conflicts_are_decided_at_once(seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than are read at a time; each once."""
    monkeypatch.setattr("flows.deciding.PAGE", 7)
    with work_on(seeded_pair, Channel.SQL, home, monkeypatch) as work:
        run(seeded_pair, SUPABASE, f"UPDATE {TABLE} SET title = 'theirs'")
        primary, secondary, _ = work.replications[0].both()
        _, theirs = adoption.begin(primary, secondary, work.replications[0].book)
        some = keys(seeded_pair, 20)
        adoption.finish(secondary, work.replications[0].book, differing=some, begun=theirs)
        done = command("sync", "conflicts", "resolve", "--all", "--keep", "secondary")
        assert "20 conflicts decided" in done.stdout
    assert sum(title == "theirs" for title in titles(seeded_pair, PRISMA).values()) == 20


def refused(pair: Pair, work: Opened) -> str:
    """Have a change refused by the secondary; return its key."""
    adopted_as_equal(work)
    (key,) = keys(pair, 1)
    run(pair, PRISMA, f"UPDATE {TABLE} SET status = 'no such status' WHERE id = %s", key)
    carried(work)
    return key


def test_a_dead_letter_is_listed_with_the_rule_and_tried_again(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It names SQLSTATE and constraint and no value; after the constraint was dropped it is carried over."""
    with work_on(seeded_pair, Channel.RPC, home, monkeypatch) as work:
        key = refused(seeded_pair, work)
        listed = command("sync", "dead-letters", "list")
        assert listed.exit_code == 1
        assert key in listed.stdout
        assert "SQLSTATE 23514" in flat(listed.stdout)
        assert "no such status" not in listed.stdout
        (letter,) = answer("sync", "dead-letters", "list")
        run(seeded_pair, SUPABASE, f"ALTER TABLE {TABLE} DROP CONSTRAINT {letter['rule']}")
        assert "1 change is tried again" in command("sync", "dead-letters", "retry", "--all").stdout
        carried(work)
        assert command("sync", "dead-letters", "list").exit_code == 0
    with psycopg.connect(seeded_pair.secondary) as connection:
        query = f"SELECT status FROM {TABLE} WHERE id::text = %s"
        assert connection.execute(query, [key]).fetchone() == ("no such status",)


def test_a_dead_letter_is_given_up_only_when_somebody_says_yes(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Off a terminal --yes is needed; then the secondary's row is kept as a conflict."""
    with work_on(seeded_pair, Channel.SQL, home, monkeypatch) as work:
        key = refused(seeded_pair, work)
        unsaid = command("sync", "dead-letters", "discard", key)
        assert "no terminal to ask on" in str(unsaid.exception)
        assert command("sync", "dead-letters", "discard", key, "--yes").exit_code == 0
        assert command("sync", "dead-letters", "list").exit_code == 0
        (conflict,) = answer("sync", "conflicts", "list")
        assert (conflict["key"], conflict["kind"]) == (key, "discarded")


def test_a_dead_letter_that_was_mended_since_is_left_alone(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said, and the relay carries the newer row over."""
    with work_on(seeded_pair, Channel.SQL, home, monkeypatch) as work:
        key = refused(seeded_pair, work)
        run(seeded_pair, PRISMA, f"UPDATE {TABLE} SET status = 'active', title = 'mended' WHERE id = %s", key)
        done = command("sync", "dead-letters", "discard", key, "--yes")
        assert (done.exit_code, "changed since it was refused: 1 record" in flat(done.stdout)) == (1, True)
        carried(work)
        assert titles(seeded_pair, SUPABASE)[key] == "mended"
        assert command("sync", "dead-letters", "list").exit_code == 0


def test_a_dead_letter_of_which_nothing_waits_is_none_that_is_tried_again(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as after a command that was killed as its last change was given up: it says so, and forgets it."""
    with work_on(seeded_pair, Channel.SQL, home, monkeypatch) as work:
        refused(seeded_pair, work)
        run(seeded_pair, PRISMA, "DELETE FROM twinstore.change")
        done = command("sync", "dead-letters", "discard", "--all", "--yes")
        assert "Given up before, or carried over: 1 change. Nothing of it waits." in flat(done.stdout)
        assert "tries it again" not in flat(done.stdout)
        assert command("sync", "dead-letters", "list").exit_code == 0


def test_what_an_uninstallation_would_lose_is_asked_about(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Conflicts that nobody decided, and changes that were not carried over, go only when somebody says yes."""
    with work_on(seeded_pair, Channel.SQL, home, monkeypatch) as work:
        in_conflict(seeded_pair, work)
        titled(seeded_pair, PRISMA, keys(seeded_pair, 2)[1], "owed")
        lost = "prisma: 1 open conflict with the rows that lost, and 1 key with changes that were not carried over"
        dry = command("migrate", "--uninstall", "--dry-run")
        assert (dry.exit_code, lost in flat(dry.stdout)) == (0, True)
        assert "The ids of the databases would go with it" in flat(dry.stdout)
        unsaid = command("migrate", "--uninstall")
        assert "no terminal to ask on" in str(unsaid.exception)
        assert lost in flat(unsaid.output)
        assert len(work.replications[0].book.conflicts()) == 1
        done = command("migrate", "--uninstall", "--yes")
        assert (done.exit_code, "removed" in done.stdout) == (0, True)
        assert "can neither be carried out, nor verified, nor taken back" in flat(done.stdout)
        again = command("migrate", "--uninstall")
        assert (again.exit_code, again.stdout.count("removed nothing"), "ids" in again.stdout) == (0, 2, False)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("sync", "conflicts", "resolve", "--keep", "primary"), "which ones are meant"),
        (("sync", "conflicts", "resolve", "x", "--all", "--keep", "primary"), "Both keys and --all"),
        (("sync", "conflicts", "resolve", "--all", "--keep", "newer"), "no side 'newer'"),
        (("sync", "conflicts", "show", "nobody"), "no open conflict of 'nobody' in planning"),
        (("sync", "conflicts", "resolve", "x", "--keep", "primary"), "no open conflict of 'x' in planning"),
        (("sync", "dead-letters", "retry", "x", "y"), "no dead letter of 'x' and 1 more of these keys in planning"),
        (("sync", "dead-letters", "discard", "x"), "no dead letter of 'x' in planning"),
        (("sync", "status", "--dataset", "nobody"), "no dataset 'nobody'"),
    ],
)
def test_what_is_not_said_clearly_is_not_done(
    pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str
) -> None:
    """One sentence says what is missing."""
    with work_on(pair, Channel.SQL, home, monkeypatch):
        assert said in str(command(*words).exception)
