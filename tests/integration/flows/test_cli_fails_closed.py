"""What `twinstore check` says and returns when it cannot tell: exit code 2, one sentence, no traceback, no secret.

Each command is a process of its own, which takes seconds: one of a kind is tried always, and each in the long tests.
What ends a check at all is tried without a process by `test_fails_closed` and `test_fails_closed_rest`.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from contracts.vocabulary import StoreName
from tests.support.accounts import DEAD_PORT, PASSWORD, account, changed, with_url
from tests.support.command import flat, twinstore
from tests.support.servers import Pair


def assert_could_not_tell(done: subprocess.CompletedProcess[str], pair: Pair | None, says: str) -> None:
    """Assert the exit code, what is said, and that nothing is said that must not be."""
    everything = done.stdout + done.stderr
    assert done.returncode == 2, everything
    assert says in flat(everything)
    assert "Traceback" not in everything
    for secret in (PASSWORD, "://app", "://postgres", *((pair.primary, pair.secondary) if pair else ())):
        assert secret not in everything


Break = Callable[[Pair], Pair]
DOORS: dict[str, tuple[Break, str]] = {
    "server down": (
        lambda p: replace(p, secondary=changed(p.secondary, port=DEAD_PORT)),
        "supabase cannot be reached. Check that the server is up",
    ),
    "wrong password": (
        lambda p: replace(p, primary=changed(p.primary, password=PASSWORD)),
        "prisma refuses us. Check user and password in the URL",
    ),
    "missing database": (
        lambda p: replace(p, secondary=changed(p.secondary, database="nowhere")),
        "supabase has no such database. Correct the URL",
    ),
    "one database": (lambda p: replace(p, secondary=p.primary), "name two different databases"),
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name == "wrong password" else pytest.mark.soak) for name in DOORS]
)
def test_a_store_that_does_not_let_us_in(seeded_pair: Pair, home: Path, name: str) -> None:
    """The run is errored and published all the same: the report says why, and shows no difference."""
    make, says = DOORS[name]
    broken = make(seeded_pair)
    done = twinstore(broken, home, "check")
    assert_could_not_tell(done, broken, says)
    assert "errored" in done.stdout
    (report,) = home.glob("runs/*/report.json")
    found = json.loads(report.read_text(encoding="utf-8"))
    assert (found["verdict"], found["differences_total"]) == ("errored", 0)


@pytest.mark.soak
@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("REVOKE SELECT ON public.planning FROM {role}", "supabase does not let"),
        (
            "ALTER TABLE public.planning DROP COLUMN title CASCADE",
            "supabase has no column title in public.planning",
        ),
        ("DROP SCHEMA twinstore CASCADE", "Migrations of supabase are not applied: 0001_identity"),
    ],
    ids=["missing grant", "missing column", "missing migration"],
)
def test_a_store_that_is_not_what_we_need(seeded_pair: Pair, home: Path, statement: str, says: str) -> None:
    """What is missing is named on the terminal."""
    with account(seeded_pair, StoreName.SUPABASE) as reader:
        reader.run(statement)
        broken = with_url(seeded_pair, StoreName.SUPABASE, reader.url)
        done = twinstore(broken, home, "check")
    assert_could_not_tell(done, broken, says)
    assert "errored" in done.stdout


def test_rows_that_may_be_hidden_make_the_run_incomplete(seeded_pair: Pair, home: Path) -> None:
    """Row level security gives exit code 2 and no difference."""
    with account(seeded_pair, StoreName.SUPABASE) as reader:
        reader.run("ALTER ROLE {role} NOBYPASSRLS")
        broken = with_url(seeded_pair, StoreName.SUPABASE, reader.url)
        done = twinstore(broken, home, "check", "--json")
    assert_could_not_tell(done, broken, "rows may be hidden from our role")
    found = json.loads(done.stdout)
    assert (found["verdict"], found["differences_total"]) == ("incomplete", 0)


@pytest.mark.soak
def test_a_lock_that_is_held_ends_the_check(seeded_pair: Pair, home: Path) -> None:
    """A table that somebody holds is given up within the limit that the environment sets."""
    with psycopg.connect(seeded_pair.primary_superuser) as connection:
        connection.execute("LOCK TABLE public.planning IN ACCESS EXCLUSIVE MODE")
        done = twinstore(seeded_pair, home, "check", settings={"TWINSTORE_STATEMENT_TIMEOUT_S": "1"})
    assert_could_not_tell(done, seeded_pair, "prisma gave up: a statement or a lock took longer than its limit")


def test_a_corrupt_state_is_left_as_it_is(seeded_pair: Pair, home: Path) -> None:
    """A damaged memory stops the check with a sentence on stderr; nobody overwrites what may be mended."""
    home.mkdir()
    state = home / "state.sqlite"
    state.write_bytes(b"this is no database" * 1000)
    done = twinstore(seeded_pair, home, "check")
    assert_could_not_tell(done, seeded_pair, "is damaged, or is no state of twinstore")
    assert done.stdout == ""
    assert state.read_bytes().startswith(b"this is no database")


def test_a_home_that_cannot_be_made(seeded_pair: Pair, home: Path) -> None:
    """A folder that cannot be made is named, with the setting that names it."""
    home.write_text("a file where the folder should be")
    done = twinstore(seeded_pair, home / "below", "check")
    assert_could_not_tell(done, seeded_pair, "cannot be made")
    assert "TWINSTORE_HOME" in done.stderr


@pytest.mark.soak
def test_a_folder_of_runs_that_cannot_be_written(seeded_pair: Pair, home: Path) -> None:
    """A report that cannot be written is no success, even if all rows are equal."""
    home.mkdir()
    (home / "runs").write_text("a file where the folder should be")
    done = twinstore(seeded_pair, home, "check")
    assert_could_not_tell(done, seeded_pair, "A file could not be used")
    assert str(home / "runs") in flat(done.stderr)


@pytest.mark.soak
def test_a_disk_that_is_full_for_the_memory(seeded_pair: Pair, home: Path) -> None:
    """A memory that cannot be written stops the check before anything is concluded."""
    done = twinstore(seeded_pair, home, "check", max_file_kib=8)
    assert_could_not_tell(done, seeded_pair, "is on a disk that is full or failing")
    assert not list(home.glob("runs/*/report.json"))


def test_a_disk_that_is_full_for_the_report(seeded_pair: Pair, home: Path) -> None:
    """A report that does not fit leaves no half of it behind, and the exit code is not that of the verdict."""
    done = twinstore(seeded_pair, home, "check", max_file_kib=16, settings={"TWINSTORE_STATE_URL": seeded_pair.primary})
    assert_could_not_tell(done, seeded_pair, "A file could not be used: File too large.")
    assert not [path for path in home.glob("runs/*/*") if path.stat().st_size >= 16384 or path.suffix == ".json"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"DATABASE_URL": ""}, "DATABASE_URL is not set."),
        ({"SUPABASE_DB_URL": ""}, "Neither SUPABASE_URL nor SUPABASE_DB_URL leads to Supabase."),
        ({"SUPABASE_DB_URL": "", "SUPABASE_URL": "http://127.0.0.1:9"}, "SUPABASE_URL is set without a key."),
        ({"SUPABASE_DB_URL": "", "TWINSTORE_CHANNEL": "sql"}, "asks for sql, but SUPABASE_DB_URL is not set."),
        ({"TWINSTORE_CHANNEL": "fax"}, "The setting TWINSTORE_CHANNEL cannot be used"),
        (
            {
                "DATABASE_URL": "postgresql://postgres.abcdefghijklmnopqrst:x@aws-0-eu.pooler.supabase.com:6543/postgres",
                "SUPABASE_DB_URL": "",
                "SUPABASE_URL": "https://abcdefghijklmnopqrst.supabase.co",
                "SUPABASE_SECRET_KEY": "sb_secret_0123456789012345678901_01234567",
            },
            "lead to the same project",
        ),
    ],
    ids=["no primary", "no secondary", "no key", "no sql", "no such channel", "one project"],
)
def test_half_a_configuration_is_refused(seeded_pair: Pair, home: Path, settings: dict[str, str], words: str) -> None:
    """With only one store named, or half of what leads to it, the embedded pair is not used in its stead."""
    done = twinstore(seeded_pair, home, "check", settings=settings)
    assert_could_not_tell(done, seeded_pair, words)
    assert done.stdout == ""


@pytest.mark.soak
def test_a_project_that_is_down_over_rest(seeded_pair: Pair, home: Path) -> None:
    """A project that nobody serves is said to be out of reach, without its key."""
    key = "sb_secret_0123456789012345678901_01234567"
    there = {"SUPABASE_DB_URL": "", "SUPABASE_URL": "http://127.0.0.1:9", "SUPABASE_SECRET_KEY": key}
    done = twinstore(seeded_pair, home, "check", settings=there)
    assert_could_not_tell(done, seeded_pair, "supabase cannot be reached: its host does not accept connections.")
    assert key not in done.stdout + done.stderr


def test_a_url_that_cannot_be_read_is_not_repeated(seeded_pair: Pair, home: Path) -> None:
    """A setting that is no URL is named, never shown: a slip of the pen may put a password anywhere."""
    done = twinstore(seeded_pair, home, "check", settings={"DATABASE_URL": f"postgresql:/app:{PASSWORD}@db"})
    assert_could_not_tell(done, seeded_pair, "DATABASE_URL is not a PostgreSQL URL.")
