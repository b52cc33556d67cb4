"""Restores and drills that are killed: a store holds the rows of before or those of the backup, and nothing is left."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from random import Random

import psutil
import psycopg
import pytest

from storage.backup.folder import list_backups
from storage.backup.scratch import remove_leftovers
from storage.local.seed import load
from tests.support import backups
from tests.support.command import SCRIPT, environment, script
from tests.support.servers import SEEDED_AT, Pair

ROWS = 3000
TIMES = 12


def digest(pair: Pair) -> str:
    """Return a digest of all rows of the primary."""
    with psycopg.connect(pair.primary) as connection:
        found = connection.execute("SELECT md5(string_agg(t::text, '' ORDER BY id)) FROM planning AS t").fetchone()
    return str(found and found[0])


def servers_below(folder: Path) -> list[int]:
    """Return the processes of PostgreSQL whose data lie below a folder."""
    return [
        process.pid
        for process in psutil.process_iter(["name", "cmdline"])
        if process.info["name"] == "postgres" and any(str(folder) in word for word in process.info["cmdline"] or ())
    ]


@pytest.mark.soak
def test_a_killed_restore_is_whole_or_not_there(pair: Pair, home: Path) -> None:
    """Killed at twelve random moments; whatever ran for it is gone after the next command that looks for it."""
    load(pair.primary, pair.secondary, ROWS, now=SEEDED_AT)
    root = home / "backups"
    made = backups.make(root, pair)
    backups.proven(root, made.id)
    before = digest(pair)
    words = ["backup", "restore", "--side", "primary", "--confirm", made.id]
    settings = {"TWINSTORE_ENVIRONMENT": backups.ENVIRONMENT}
    began = time.monotonic()
    assert script(pair, home, *words, settings=settings).returncode == 0
    whole_s, dice, ends = time.monotonic() - began, Random(5), set()
    for _ in range(TIMES):
        with psycopg.connect(pair.primary) as connection:
            connection.execute("UPDATE planning SET title = md5(title)")
        later = digest(pair)
        process = subprocess.Popen(
            [SCRIPT, *words],
            env=environment(pair, home, settings),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(whole_s * dice.uniform(0.2, 1.0))
        process.kill()
        process.wait()
        _settled(pair)
        assert digest(pair) in (before, later)
        ends.add(digest(pair) == before)
    assert False in ends
    assert script(pair, home, *words, settings=settings).returncode == 0
    assert digest(pair) == before
    remove_leftovers(home)
    assert servers_below(home / "scratch") == []
    assert [path.name for path in (home / "scratch").iterdir()] == ["scratch.lock"]
    assert [backup.id for backup in list_backups(root)] == [made.id]


@pytest.mark.soak
def test_a_drill_that_is_ended_leaves_nothing(still_pair: Pair, home: Path) -> None:
    """SIGTERM while the scratch server runs: it is stopped, and its folder removed."""
    made = backups.make(home / "backups", still_pair)
    process = subprocess.Popen(
        [SCRIPT, "backup", "verify", made.id],
        env=environment(still_pair, home, {}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not servers_below(home / "scratch"):
        assert process.poll() is None
        time.sleep(0.01)
    process.terminate()
    assert process.wait(60) == 143
    assert servers_below(home / "scratch") == []
    assert [path.name for path in (home / "scratch").iterdir()] == ["scratch.lock"]


def _settled(pair: Pair) -> None:
    """Wait until the transaction of a process that was killed has ended."""
    with psycopg.connect(pair.primary, autocommit=True) as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'twinstore restore'"
        while connection.execute(query).fetchone() != (0,):
            time.sleep(0.05)
