"""A backup is of one moment, closed to others, and whole or not there."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import psutil
import psycopg
import pytest

from contracts.backups import Form, Manifest
from contracts.errors import ConfigurationError, TimedOut, TwinstoreError, Unavailable
from contracts.planning import PLANNING
from contracts.replication import Gap
from contracts.vocabulary import Channel, StoreName
from storage.backup.create import OverRest, create
from storage.backup.dump import arguments
from storage.backup.folder import BUILDING, building, kept, list_backups, remove_leftovers
from storage.backup.importing import import_rows
from storage.backup.manifest import MANIFEST
from storage.backup.scratch import Scratch
from storage.backup.verify import Servers as ScratchServers
from storage.rest.client import RestAccess
from storage.rest.rows_reader import RestRowsReader
from tests.support import backups
from tests.support.command import SCRIPT, environment, flat, twinstore
from tests.support.gateway import serve
from tests.support.replicating import relaying, replicating
from tests.support.second_dataset import fill, make_tables, second_dataset
from tests.support.servers import SEEDED, Pair

PRISMA, SUPABASE = StoreName
WAIT_S = 60.0


@contextmanager
def writing(pair: Pair) -> Iterator[Callable[[], bool]]:
    """Change records of the primary all the time; provide what waits until some were changed since."""
    stop, wrote = threading.Event(), threading.Event()

    def changed() -> bool:
        for _ in range(2):  # what is noted first may have been written long ago
            wrote.clear()
            if not wrote.wait(WAIT_S):
                return False
        return True

    def write() -> None:
        with psycopg.connect(pair.primary, autocommit=True) as connection:
            while not stop.is_set():
                connection.execute("UPDATE planning SET title = md5(random()::text) WHERE random() < 0.05")
                wrote.set()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield changed
    finally:
        stop.set()
        thread.join()


@contextmanager
def held(dsn: str, table: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Hold a table so that pg_dump, which is under way, waits for it."""
    with psycopg.connect(dsn) as connection:
        connection.execute(f"LOCK TABLE {table}".encode())
        yield connection
        connection.rollback()


def waited_for(process: psutil.Process) -> psutil.Process:
    """Return the pg_dump that a process has started, once it waits for a lock."""
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        for child in process.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                if any(word.startswith("--snapshot=") for word in child.cmdline()):
                    return child
        time.sleep(0.01)
    pytest.fail("no pg_dump was started")


def test_rows_and_digests_are_of_one_moment(seeded_pair: Pair, drills: ScratchServers, tmp_path: Path) -> None:
    """While records change all the time, what was dumped is what was digested."""
    with writing(seeded_pair) as changed:
        made = [backups.make(tmp_path, seeded_pair, stores=[PRISMA]) for _ in range(2) if changed()]
    assert made[0].sides[0].datasets != made[1].sides[0].datasets
    for manifest in made:
        assert backups.drill(tmp_path, manifest.id, drills).flaws == ()


def test_both_sides_of_equal_stores_have_one_digest(still_pair: Pair, tmp_path: Path) -> None:
    """The manifest says by itself that the stores agreed; it names versions, identities and migrations."""
    primary, secondary = backups.make(tmp_path, still_pair).sides
    assert primary.datasets[0].digest == secondary.datasets[0].digest
    assert (primary.server_version[:2], secondary.server_version[:2]) == ("16", "18")
    assert (primary.program[:2], secondary.program[:2]) == ("16", "18")
    assert primary.identity != secondary.identity
    assert primary.migrations[0] == "0001_identity"
    assert primary.standings == ()


def test_how_replication_stood_is_kept(seeded_pair: Pair, tmp_path: Path) -> None:
    """Numbers, how many keys wait, and gaps, of both sides; no key of a record."""
    title = "UPDATE planning SET title = %s WHERE id = (SELECT min(id) FROM planning)"
    with replicating(seeded_pair) as replication, psycopg.connect(seeded_pair.primary, autocommit=True) as connection:
        connection.execute(title, ["carried over"])
        relaying(replication)()
        connection.execute(title, ["waiting"])
        (key,) = connection.execute("SELECT min(id) FROM planning").fetchone() or ("",)
        replication.book.gap(Gap.REPLICA, adoption=replication.primary.standing().adoption)
        manifest = backups.make(tmp_path, seeded_pair)
    (_, ours), (_, theirs) = (side.standings[0] for side in manifest.sides)
    assert (ours.dirty, ours.gap) == (1, Gap.REPLICA)
    assert (theirs.store, theirs.dirty) == (SUPABASE, 0)
    assert theirs.max_rev == ours.last_change - 1
    assert key not in (tmp_path / manifest.id / MANIFEST).read_text()


def test_a_backup_is_closed_to_others(still_pair: Pair, tmp_path: Path) -> None:
    """Folders can be entered, and files read, by their owner alone."""
    root = tmp_path / "backups"
    manifest = backups.make(root, still_pair, stores=[PRISMA])
    assert (root.stat().st_mode & 0o777, (root / manifest.id).stat().st_mode & 0o777) == (0o700, 0o700)
    assert {path.stat().st_mode & 0o777 for path in (root / manifest.id).iterdir()} == {0o600}


def test_no_password_is_among_the_arguments(seeded_pair: Pair, tmp_path: Path) -> None:
    """Neither of pg_dump as it runs, nor of what it is told."""
    failed: list[TwinstoreError] = []
    thread = threading.Thread(target=_make, args=(tmp_path, seeded_pair, failed))
    with held(seeded_pair.secondary, "public.planning_audit_log"):
        thread.start()
        command = " ".join(waited_for(psutil.Process()).cmdline())
    thread.join()
    assert failed == []
    password = seeded_pair.secondary.split(":")[2].split("@")[0]
    assert password not in command
    assert "postgresql://" not in command
    assert "--snapshot=" in command
    assert arguments(None, ['a"b'])[-1] == '--schema="a""b"'


def test_a_killed_pg_dump_leaves_nothing(seeded_pair: Pair, tmp_path: Path) -> None:
    """The attempt fails with a sentence, and the earlier backup is as it was."""
    earlier = backups.make(tmp_path, seeded_pair, stores=[PRISMA])
    failed: list[TwinstoreError] = []
    thread = threading.Thread(target=_make, args=(tmp_path, seeded_pair, failed))
    with held(seeded_pair.secondary, "public.planning_audit_log"):
        thread.start()
        waited_for(psutil.Process()).send_signal(signal.SIGKILL)
    thread.join()
    assert isinstance(failed[0], Unavailable)
    assert "signal 9" in failed[0].what
    assert [backup.id for backup in list_backups(tmp_path)] == [earlier.id]
    assert not list(tmp_path.glob(f"{BUILDING}*"))


def _make(root: Path, pair: Pair, failed: list[TwinstoreError]) -> None:
    try:
        backups.make(root, pair, stores=[SUPABASE])
    except TwinstoreError as exc:
        failed.append(exc)


def test_a_killed_attempt_is_no_backup(seeded_pair: Pair, home: Path) -> None:
    """After kill -9 its pg_dump ends as well, nothing is listed, and the next attempt removes what was left."""
    root = home / "backups"
    with held(seeded_pair.secondary, "public.planning_audit_log"):
        process = subprocess.Popen(
            [SCRIPT, "backup", "create", "--side", "secondary"],
            env=environment(seeded_pair, home, {}),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        child = waited_for(psutil.Process(process.pid))
        process.kill()
        process.wait()
    child.wait(WAIT_S)
    assert list(root.glob(f"{BUILDING}*"))
    assert list_backups(root) == ()
    assert remove_leftovers(root) == 1
    assert not list(root.glob(f"{BUILDING}*"))


def test_a_backup_that_ends_is_no_leftover(tmp_path: Path) -> None:
    """Whoever removes leftovers at the moment when one gets its name."""
    stop = threading.Event()

    def sweep() -> None:
        while not stop.is_set():
            remove_leftovers(tmp_path)

    sweeper = threading.Thread(target=sweep)
    sweeper.start()
    try:
        for number in range(60):
            backup_id = f"20260101T0000{number:05d}Z-0000"
            with building(tmp_path, backup_id) as folder:
                (folder / MANIFEST).write_bytes(b"")
            assert (tmp_path / backup_id / MANIFEST).exists()
    finally:
        stop.set()
        sweeper.join()


def test_settings_are_those_of_the_store(still_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not those that somebody's shell asks for: it says nothing of how applications wrote what is dumped."""
    bent = {"PGTZ": "Asia/Tokyo", "PGDATESTYLE": "German"}
    assert twinstore(still_pair, home, "backup", "create", "--side", "primary", settings=bent).returncode == 0
    ((ours,),) = [backup.manifest.sides for backup in list_backups(home / "backups") if backup.manifest]
    with psycopg.connect(still_pair.primary) as connection:
        names = ("DateStyle", "IntervalStyle", "TimeZone")
        own = [(name, *(connection.execute("SELECT current_setting(%s)", [name]).fetchone() or ())) for name in names]
    assert [*ours.settings] == own
    monkeypatch.setenv("PGOPTIONS", "-c TimeZone=Asia/Tokyo")
    ((asked,),) = [backups.make(home / "asked", still_pair, stores=[PRISMA]).sides]
    assert [*asked.settings] == own[:2]


def test_a_full_disk_leaves_earlier_backups(still_pair: Pair, home: Path) -> None:
    """One sentence, exit code 2, and what was there is as it was."""
    root = home / "backups"
    earlier = backups.make(root, still_pair, stores=[PRISMA])
    before = {path: path.read_bytes() for path in (root / earlier.id).iterdir()}
    done = twinstore(still_pair, home, "backup", "create", "--side", "primary", max_file_kib=64)
    assert done.returncode == 2
    assert "There is no room for the backup" in flat(done.stderr)
    assert {path: path.read_bytes() for path in (root / earlier.id).iterdir()} == before
    assert [path.name for path in root.iterdir() if path.is_dir()] == [earlier.id]


def test_a_table_that_cannot_be_read_is_refused(seeded_pair: Pair, tmp_path: Path) -> None:
    """Half a backup would not say what is missing."""
    with psycopg.connect(seeded_pair.primary_superuser) as connection:
        connection.execute("CREATE TABLE public.closed (id int)")
    with pytest.raises(TwinstoreError, match="permission denied for table closed"):
        backups.make(tmp_path, seeded_pair, stores=[PRISMA])
    assert list_backups(tmp_path) == ()


def test_a_table_that_is_being_changed_is_not_waited_for_long(seeded_pair: Pair, tmp_path: Path) -> None:
    """Somebody who waits behind our snapshot would wait for us, and we for them."""
    (source,) = backups.sources(seeded_pair, lock_s=0.2)[:1]
    with held(seeded_pair.primary, "public.planning"), pytest.raises(TimedOut):
        create(tmp_path, "20260101T000000000Z-0000", [source], environment="test", version="0")


def test_a_secondary_over_rest_is_exported(still_pair: Pair, drills: ScratchServers, tmp_path: Path) -> None:
    """All rows, as texts, which a drill reads back; a flipped bit in them is found."""
    with serve(still_pair.secondary_gate, cap=100) as rest:
        reader = RestRowsReader(RestAccess(url=rest.url, key=rest.secret_key), PLANNING)
        manifest = _exported(tmp_path, reader)
    (side,) = manifest.sides
    assert (side.form, side.channel, side.rows) == (Form.EXPORT, Channel.ROWS, SEEDED)
    assert backups.drill(tmp_path, manifest.id, drills).flaws == ()
    path = tmp_path / manifest.id / side.files[0][0]
    path.write_bytes(path.read_bytes()[:-100])
    backups.sealed_anew(tmp_path / manifest.id)
    (flaw,) = backups.drill(tmp_path, manifest.id, drills).flaws
    assert "cannot be read to its end" in flaw.text


def test_an_export_that_cannot_be_tried_is_not_damaged(
    still_pair: Pair, drills: ScratchServers, tmp_path: Path
) -> None:
    """As when its dataset has other columns today, or when the scratch server takes nothing any more."""
    fewer = replace(PLANNING, columns=tuple(column for column in PLANNING.columns if column.name != "source"))
    with serve(still_pair.secondary_gate, cap=100) as rest:
        manifest = _exported(tmp_path, RestRowsReader(RestAccess(url=rest.url, key=rest.secret_key), fewer))
    before = backups.drill(tmp_path, manifest.id, drills, [fewer])
    assert before.passed
    with pytest.raises(ConfigurationError, match="holds other columns than planning has now"):
        backups.drill(tmp_path, manifest.id, drills)
    assert kept(tmp_path, manifest.id).verification == before
    full = f"{still_pair.secondary_superuser}&options=-cdefault_transaction_read_only%3Don"
    with pytest.raises(Unavailable, match="SQLSTATE 25006"):
        import_rows(tmp_path / manifest.id, manifest.sides[0], [fewer], Scratch(superuser=full, owner=full))


@pytest.mark.soak
def test_any_dataset_is_exported(pair: Pair, drills: ScratchServers, tmp_path: Path) -> None:
    """Arrays, infinities and years beyond 9999 travel as texts, and are read back as they were."""
    make_tables(pair)
    fill(pair, 120)
    with second_dataset(tmp_path / "datasets") as readings, serve(pair.secondary_gate) as rest:
        manifest = _exported(tmp_path, RestRowsReader(RestAccess(url=rest.url, key=rest.secret_key), readings))
        assert backups.drill(tmp_path, manifest.id, drills, [readings]).flaws == ()


def _exported(root: Path, reader: RestRowsReader) -> Manifest:
    try:
        source = OverRest(store=SUPABASE, readers=(reader,))
        return create(root, "20260101T000000000Z-0000", [source], environment="test", version="0")
    finally:
        reader.close()
