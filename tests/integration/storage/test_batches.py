"""Pulling a snapshot in pieces: no row is torn, doubled or lost, however pieces fall and whatever texts hold."""

from __future__ import annotations

import psycopg
import pytest

from contracts.planning import PLANNING
from contracts.vocabulary import StoreName
from storage import postgres
from storage.ports import HashKind
from storage.postgres import PostgresReader
from tests.support.servers import SEEDED, Pair

HOSTILE = (
    '"',
    '""',
    ",",
    "\n",
    "\r\n",
    "\\.",
    "\\N",
    "",
    " ",
    "\n\\.\n",
    'a,"b\n',
    "NULL",
    "x" * (5 << 20),
    "😀\u2028",
)


@pytest.mark.parametrize("piece", [1, 1000, 4 << 20])
def test_every_row_comes_once_and_whole(seeded_pair: Pair, monkeypatch: pytest.MonkeyPatch, piece: int) -> None:
    """A piece may be a single row, or smaller than one: texts with quotes, line ends and 5 MB stay what they are."""
    monkeypatch.setattr(postgres, "PIECE_BYTES", piece)
    with psycopg.connect(seeded_pair.primary) as connection:
        keys = [key for (key,) in connection.execute("SELECT id FROM planning ORDER BY id").fetchall()]
        hostile = dict(zip(keys, HOSTILE, strict=False))
        for key, title in hostile.items():
            connection.execute("UPDATE planning SET title = %s, user_id = NULL WHERE id = %s", (title, key))
    reader = PostgresReader(seeded_pair.primary, StoreName.PRISMA, PLANNING)
    with reader.snapshot(HashKind.RECORD) as snapshot:
        rows = [row for batch in snapshot.batches() for row in batch.select(["id", "title", "user_id"]).to_pylist()]
    assert sorted(row["id"] for row in rows) == keys
    assert {row["id"]: row["title"] for row in rows if row["id"] in hostile} == hostile
    assert all(row["user_id"] is None for row in rows if row["id"] in hostile)
    assert reader.meter.rows == SEEDED


def test_an_empty_table_gives_no_batch(pair: Pair) -> None:
    """No row is no piece, and no error."""
    with PostgresReader(pair.primary, StoreName.PRISMA, PLANNING).snapshot(HashKind.RECORD) as snapshot:
        assert list(snapshot.batches()) == []
