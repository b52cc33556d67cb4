"""What the page on backups tells to do by hand: PostgreSQL's own programs bring back what twinstore does not."""

from __future__ import annotations

import os
import re
import subprocess

import psycopg
import pytest

from contracts.vocabulary import StoreName
from flows.backup import backups_folder
from storage.local.binaries import bin_folder
from tests.support.command import REPOSITORY
from tests.support.restoring import Scene
from tests.support.servers import Pair

PAGE = (REPOSITORY / "docs" / "backup.md").read_text(encoding="utf-8")
NOTES = "CREATE TABLE note (id serial PRIMARY KEY, author int REFERENCES author, text text NOT NULL)"


@pytest.mark.soak
def test_other_tables_come_back_as_the_page_says(scene: Scene, empty_pair: Pair) -> None:
    """One of them, with its rows, or all; and numbers go on behind them."""
    dsn = scene.pair.primary
    with psycopg.connect(dsn) as connection:
        connection.execute(f"CREATE TABLE author (id serial PRIMARY KEY); {NOTES}".encode())
        connection.execute("INSERT INTO author DEFAULT VALUES")
        connection.execute("INSERT INTO note (author, text) VALUES (1, 'one'), (1, 'two')")
    made = scene.backup(StoreName.PRISMA)
    with psycopg.connect(dsn) as connection:
        connection.execute(f"DROP TABLE note; {NOTES}".encode())
    environment = {
        "PATH": f"{bin_folder(16)}:{os.environ['PATH']}",
        "DATABASE_URL": dsn,
        "EMPTY_DATABASE_URL": empty_pair.primary,
        "DUMP": str(backups_folder(scene.work.settings) / made.id / "prisma.dump"),
    }
    commands = re.findall(r"^\$ ((?:psql|pg_restore) .*)$", PAGE, re.MULTILINE)
    for command in commands:
        subprocess.run(["bash", "-c", command], env=environment, check=True)
    assert len(commands) == 3
    for url in (dsn, empty_pair.primary):
        with psycopg.connect(url) as connection:
            connection.execute("INSERT INTO note (text) VALUES ('three')")
            found = connection.execute("SELECT id, author, text FROM note ORDER BY id").fetchall()
        assert found == [(1, 1, "one"), (2, 1, "two"), (3, None, "three")]
