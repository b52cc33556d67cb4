"""The hash over texts is the same whether a server makes it or Python does."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from contracts.planning import PLANNING
from contracts.vocabulary import StoreName
from storage.canonical_sql import PROBE_VALUES
from storage.canonical_text import PROBE, key_hash, probe_hash, text_hash
from storage.parity.ranges import RANGES
from storage.ports import HashKind
from storage.postgres import PostgresReader
from tests.support.servers import Pair

STORES = pytest.mark.parametrize("store", list(StoreName))


def reader_of(pair: Pair, store: StoreName) -> PostgresReader:
    """Return a reader of one store."""
    return PostgresReader(pair.primary if store is StoreName.PRISMA else pair.secondary, store, PLANNING)


@STORES
def test_servers_and_python_agree_on_the_probe(still_pair: Pair, store: StoreName) -> None:
    """The texts of the probe are those that the server writes, and so is their hash."""
    with psycopg.connect(still_pair.primary, options="-c TimeZone=UTC -c DateStyle=ISO") as connection:
        values = sql.SQL(", ").join(sql.SQL(value) for value in PROBE_VALUES)
        assert connection.execute(sql.SQL("SELECT {}").format(values)).fetchone() == PROBE
    assert reader_of(still_pair, store).hash_probe(HashKind.TEXT) == probe_hash()


@STORES
def test_servers_and_python_agree_on_every_row(still_pair: Pair, store: StoreName) -> None:
    """All seeded rows, hashed by the server and from the texts that it sent."""
    with reader_of(still_pair, store).snapshot(HashKind.TEXT) as snapshot:
        keys = [pair.key for pair in snapshot.pairs(range(RANGES))]
        rows = snapshot.rows(keys)
    assert len(rows) == 300
    assert {key: full.hash for key, full in rows.items()} == {
        key: text_hash(PLANNING, full.row) for key, full in rows.items()
    }


@STORES
def test_servers_and_python_agree_on_what_identifies_a_key(still_pair: Pair, store: StoreName) -> None:
    """A row is found by the hash of its key that Python computed."""
    with reader_of(still_pair, store).snapshot(HashKind.TEXT) as snapshot:
        first, *_ = snapshot.pairs(range(RANGES))
        assert snapshot.find([key_hash(first.key)]) == [first]
