"""Opening the memory: its file, its version, and everything that can be wrong with either."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text, update

from contracts.errors import ConfigurationError, Refused, TwinstoreError, Unavailable
from contracts.vocabulary import StoreName
from storage.state import open_state
from storage.state.opening import open_database
from storage.state.tables import META
from storage.state.versions import STEPS, Step, bring_forward, current
from tests.support.runs import make_dataset, make_difference, make_run, night, run_id
from tests.support.servers import Pair

A = make_difference("a", "title")
NOBODY = 65534
FIRST = Path(__file__).parents[3] / "support" / "state_v1.sql"
FIRST_RUN = """
INSERT INTO twinstore_version VALUES (1, 1);
INSERT INTO datasets (id, environment, name) VALUES (1, 'production', 'planning');
INSERT INTO runs VALUES ('20260101T02Z-ab12', 'production', '2026-01-01 02:00:00', '2026-01-01 02:01:00', 'passed', '');
INSERT INTO dataset_runs VALUES (1, '20260101T02Z-ab12', '2026-01-01 02:00:00', 'passed', true, true, 7, 7, 0);
INSERT INTO baseline_checks VALUES (1, 'planning.x', 'prisma')
"""


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@contextmanager
def _unprivileged() -> Iterator[None]:
    """Give up root for a while: root may write everywhere."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if user == 0:
            os.seteuid(user)


def test_file_and_new_folders_are_for_their_owner_alone(tmp_path: Path) -> None:
    """What was there before keeps its mode; names with spaces and other alphabets work."""
    tmp_path.chmod(0o755)
    path = tmp_path / "my home" / "저장소" / "state.db"
    with open_state(f"sqlite:///{path}") as state:
        state.remember(make_run(1, make_dataset(A)))
        files = list(path.parent.iterdir())
        assert {_mode(file) for file in files} == {0o600}
    assert (_mode(path.parent), _mode(path.parent.parent), _mode(tmp_path)) == (0o700, 0o700, 0o755)


def test_what_was_remembered_is_there_after_opening_again(state_url: str) -> None:
    """A second process knows what the first one remembered."""
    with open_state(state_url) as state:
        assert state.durable
        state.remember(make_run(1, make_dataset(A)))
    with open_state(state_url) as state:
        assert state.annotate(make_dataset(A), run_id=run_id(2), now=night(2)).history.persisting == 1


def test_no_value_of_a_record_is_stored(tmp_path: Path) -> None:
    """The file holds the key and the field, but neither of the two values."""
    path = tmp_path / "state.db"
    with open_state(f"sqlite:///{path}") as state:
        state.remember(make_run(1, make_dataset(make_difference("key-of-mine", "title"))))
    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"key-of-mine" in content
    assert b"secret-" not in content


@pytest.mark.parametrize("content", [b"not a database at all" * 500, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_damaged_file_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    """Nothing is made in its place: it may be the only copy."""
    path = tmp_path / "state.db"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match="damaged"):
        open_state(f"sqlite:///{path}")
    assert path.read_bytes() == content


def test_a_file_that_is_damaged_inside_is_told_when_it_is_met(tmp_path: Path) -> None:
    """Pages behind the first may be torn as well."""
    path = tmp_path / "state.db"
    with open_state(f"sqlite:///{path}") as state:
        state.remember(make_run(1, make_dataset(*(make_difference(f"{n}", "title") for n in range(2000)))))
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2)
        file.write(b"\xff" * (size // 2))
    with pytest.raises(ConfigurationError, match="damaged"), open_state(f"sqlite:///{path}") as state:
        state.annotate(
            make_dataset(*(make_difference(f"{n}", "title") for n in range(2000))), run_id=run_id(2), now=night(2)
        )


def test_the_file_of_another_program_is_refused(tmp_path: Path) -> None:
    """Its tables stay alone."""
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE cats (name text)")
    with pytest.raises(ConfigurationError, match="other tables"):
        open_state(f"sqlite:///{path}")
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT count(*) FROM sqlite_master").fetchone() == (1,)


def test_a_newer_memory_is_refused(state_url: str) -> None:
    """An older program would misread it; nothing in it is changed."""
    database = open_database(state_url)
    with database.writing() as connection:
        connection.execute(update(META).values(version=99))
    database.close()
    with pytest.raises(ConfigurationError, match="newer twinstore"):
        open_state(state_url)


def test_an_older_memory_is_brought_forward_once(state_url: str) -> None:
    """Steps run in order, each in the same transaction as its mark; a failed one leaves nothing behind."""
    name = "runs" if state_url.startswith("sqlite") else "twinstore_state.runs"

    def widen(connection: Connection) -> None:
        connection.execute(text(f"ALTER TABLE {name} ADD COLUMN colour text"))

    def fail(connection: Connection) -> None:
        widen(connection)
        raise ZeroDivisionError

    database = open_database(state_url)
    now = current()
    with pytest.raises(ZeroDivisionError), database.writing() as connection:
        bring_forward(connection, "here", [*STEPS, Step(version=now + 1, apply=fail)])
    for _ in range(2):
        with database.writing() as connection:
            bring_forward(connection, "here", [*STEPS, Step(version=now + 1, apply=widen)])
    with database.writing() as connection:
        assert connection.execute(META.select()).one().version == now + 1
        assert connection.execute(text(f"SELECT count(colour) FROM {name}")).scalar() == 0
    database.close()
    with pytest.raises(ConfigurationError, match=f"version {now + 1}, we know {now}"):
        open_state(state_url)


def test_the_first_memory_becomes_what_a_new_one_is(state_url: str, tmp_path: Path) -> None:
    """All steps together lead to the tables of today; what was remembered is there, and its baseline has no owner."""
    prefix = _make_first_version(state_url)
    with open_state(state_url, environment="production") as state:
        assert state.row_counts("planning", StoreName.PRISMA) == (7,)
        assert state.baseline("planning") is None
    new = open_database(f"sqlite:///{tmp_path}/new.db")
    with closing(new), new.reading() as connection:
        expected = _columns(connection, "")
    old = open_database(state_url)
    with closing(old), old.reading() as connection:
        assert _columns(connection, prefix) == expected
        assert connection.execute(text(f"SELECT failing_rows FROM {prefix}baseline_checks")).scalars().all() == [0]


def _make_first_version(state_url: str) -> str:
    """Make the tables of the first version with one run in them; return what stands before their names."""
    lite = state_url.startswith("sqlite")
    prefix = "" if lite else "twinstore_state."
    serial = "INTEGER NOT NULL PRIMARY KEY" if lite else "BIGSERIAL PRIMARY KEY"
    tables = FIRST.read_text(encoding="utf-8").replace("{serial}", serial)
    if lite:
        Path(make_url(state_url).database or "").parent.mkdir()
    engine = create_engine(state_url)
    with engine.begin() as connection:
        if not lite:
            connection.execute(text("CREATE SCHEMA twinstore_state"))
            connection.execute(text("SET LOCAL search_path = twinstore_state"))
        for statement in filter(str.strip, f"{tables}{FIRST_RUN}".split(";")):
            connection.execute(text(statement))
    engine.dispose()
    return prefix


def _columns(connection: Connection, prefix: str) -> dict[str, set[tuple[str, bool]]]:
    """Return the columns of every table, and which of them may be NULL."""
    found, schema = inspect(connection), prefix.rstrip(".") or None
    tables = found.get_table_names(schema=schema)
    return {name: {(c["name"], c["nullable"]) for c in found.get_columns(name, schema=schema)} for name in tables}


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """The message names the place and the setting."""
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    with _unprivileged(), pytest.raises(ConfigurationError, match="cannot be written") as caught:
        open_state(f"sqlite:///{folder}/deeper/state.db")
    assert "TWINSTORE_STATE_URL" in caught.value.todo


def test_a_full_disk_is_told_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    """The run that did not fit is not there at all; what was there before still is."""
    url = f"sqlite:///{tmp_path}/state.db"

    def no_more_pages(raw: sqlite3.Connection, _record: object) -> None:
        raw.execute("PRAGMA max_page_count = 40")

    with open_state(url) as state:
        state.remember(make_run(1, make_dataset(A)))
    event.listen(Engine, "connect", no_more_pages)
    try:
        with open_state(url) as state, pytest.raises(ConfigurationError, match="full"):
            state.remember(make_run(2, make_dataset(*(make_difference(f"{n:050}") for n in range(5000)))))
    finally:
        event.remove(Engine, "connect", no_more_pages)
    with open_state(url) as state:
        history = state.annotate(make_dataset(A), run_id=run_id(3), now=night(3)).history
        assert (history.previous_run_id, history.persisting) == (run_id(1), 1)


@pytest.mark.parametrize(
    ("url", "error", "words"),
    [
        ("no url, but s3cret", ConfigurationError, "no URL"),
        ("mysql://me:s3cret@localhost/state", ConfigurationError, "neither SQLite nor PostgreSQL"),
        ("postgresql://me:s3cret@127.0.0.1:1/state", Unavailable, "127.0.0.1:1/state"),
        ("postgresql://me:s3cret@127.0.0.1:1/state?schema=public", ConfigurationError, "option"),
        ("postgres://me:s3cret@127.0.0.1:nine/state", ConfigurationError, "no URL"),
    ],
)
def test_a_useless_url_is_told_without_its_password(url: str, error: type[TwinstoreError], words: str) -> None:
    """One sentence says what is wrong; no part of the secret is in it."""
    with pytest.raises(error, match=words) as caught:
        open_state(url)
    assert "s3cret" not in f"{caught.value!r}{caught.value}{caught.value.todo}"
    assert caught.value.__cause__ is None


def test_a_server_that_refuses_us_is_told(still_empty_pair: Pair) -> None:
    """A wrong password is not an unreachable server."""
    before, _, host = still_empty_pair.primary.rpartition("@")
    with pytest.raises(Refused):
        open_state(f"{before}wrong@{host}")


def test_a_passing_memory_leaves_no_file() -> None:
    """Its folder is private while it lasts and gone afterwards."""
    database = open_database(None)
    place = Path(str(database._writer.url.database))
    assert _mode(place.parent) == 0o700
    database.close()
    assert not place.parent.exists()
