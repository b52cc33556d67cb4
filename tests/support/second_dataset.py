"""A second dataset, as unlike planning as a table can be: its files, its tables, its rows on both stores."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import psycopg

from contracts import found_files
from contracts.dataset import Dataset
from contracts.registry import contract_for
from tests.support.servers import SEEDED_AT, Pair

FILES = Path(__file__).with_name("readings")
NAME = "readings"
ROWS = 400
COLUMNS = (
    "sensor",
    "seq",
    "label",
    "value",
    "counter",
    "tags",
    "history",
    "valid",
    "payload",
    "day",
    "quality",
    "taken",
)
LABELS = ("a", "a|b", "back\\slash", "|", "", "ä", "Z", 'quo"te', "per%cent,(and) all:of.it*")
VALUES = (None, "0", "0.00000000000000000001", "123456789012345678.12345678901234567890", "-1.5", "NaN")
COUNTERS = (0, 2**53 + 1, -(2**63), 2**63 - 1)
TAGS: tuple[list[str | None] | None, ...] = (None, [], ["a", None, "NULL", "b c"], ['"', "\\", "{}"], ["ä,ö"])
DAYS = ("1969-07-20", "2024-02-29", "12026-01-01", "0044-03-15 BC", "infinity")
FILL_PRIMARY = (
    'INSERT INTO "Reading" VALUES (%s, %s, %s, %s, %s, %s, %s::text[]::numeric[], %s, %s, %s, %s, DEFAULT, %s)'
)
FILL_SECONDARY = """
INSERT INTO public.readings
    (sensor_id, seq, label, value, counter, tags, history, valid, payload, day, quality, doubled, taken_at)
VALUES (%s, %s, %s, %s, %s, %s, %s::text[]::numeric[], %s, %s, %s, %s, DEFAULT, %s)
"""


@contextmanager
def second_dataset(folder: Path) -> Iterator[Dataset]:
    """Add the two files of readings to a folder, and look for datasets there for as long as the context lasts."""
    add_files(folder)
    found_files.use_folder(folder)
    try:
        yield contract_for(NAME).dataset
    finally:
        found_files.use_folder(None)


def add_files(folder: Path) -> None:
    """Copy the contract file and the suite file, and nothing else."""
    for part in ("contracts", "expectations"):
        (folder / part).mkdir(parents=True, exist_ok=True)
        shutil.copy(FILES / part / f"{NAME}.py", folder / part)


def make_tables(pair: Pair) -> None:
    """Make the table of each store."""
    for dsn, script in ((pair.primary, "primary.sql"), (pair.secondary, "secondary.sql")):
        with psycopg.connect(dsn) as connection:
            connection.execute((FILES / script).read_bytes())


def fill(pair: Pair, rows: int = ROWS, *, newest: datetime = SEEDED_AT) -> None:
    """Fill both tables with the same rows."""
    made = [_row(number, newest - timedelta(minutes=number, microseconds=number)) for number in range(rows)]
    for dsn, statement in ((pair.primary, FILL_PRIMARY), (pair.secondary, FILL_SECONDARY)):
        with psycopg.connect(dsn) as connection, connection.cursor() as cursor:
            connection.execute("SET TimeZone = 'UTC'")
            cursor.executemany(statement.encode(), made)


def _row(number: int, taken: datetime) -> tuple[object, ...]:
    dice = Random(number)
    sensor = hashlib.md5(str(number // 40).encode(), usedforsecurity=False).hexdigest()
    hyphened = "-".join((sensor[:8], sensor[8:12], sensor[12:16], sensor[16:20], sensor[20:]))
    return (
        hyphened,
        number * 10**15,
        LABELS[number % len(LABELS)],
        dice.choice(VALUES),
        dice.choice(COUNTERS) if number % 2 else number,
        dice.choice(TAGS),
        dice.choice(([], ["1.5", None, "2"], None)),
        dice.random() < 0.5,
        dice.choice((None, b"", b"\x00\xff\\")),
        dice.choice(DAYS),
        dice.choice(("raw", "checked", "rejected")),
        taken.replace(tzinfo=None).isoformat(),
    )
