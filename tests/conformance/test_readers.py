"""What every store promises to the comparison: one suite over a store in memory, SQL, and REST with and without doors.

Over REST it runs against a service that the environment names, where it names one (`tests.support.postgrest`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import psycopg
import pytest

from contracts.dataset import Dataset
from contracts.planning import PLANNING
from contracts.vocabulary import StoreName
from storage.local.seed import load
from storage.migrations import Side, migrate
from storage.migrations.doors import doors
from storage.parity import sketch
from storage.parity.ranges import RANGES, range_of
from storage.ports import Digest, HashKind, Plant, Reader, Snapshot
from storage.postgres import PostgresReader
from storage.rest.client import RestAccess
from storage.rest.rows_reader import RestRowsReader
from storage.rest.rpc_reader import RestRpcReader, doors_answer
from tests.support.memory_store import MemoryReader
from tests.support.postgrest import Service, named_service, our_service, prefixed
from tests.support.servers import Pair, Servers

N = 60
NOW = datetime(2026, 3, 1, tzinfo=UTC)
EVERY = range(RANGES)
PRISMA, SUPABASE = StoreName.PRISMA, StoreName.SUPABASE
DRESSED = """
DROP TABLE IF EXISTS public.{table};
CREATE TABLE public.{table} (LIKE public.planning INCLUDING ALL);
ALTER TABLE public.{table} ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON public.{table} TO service_role;
"""
KINDS = [
    *((where, store, kind) for where in ("memory", "sql") for store in StoreName for kind in HashKind),
    *(("rpc", SUPABASE, kind) for kind in HashKind),
    ("rows", SUPABASE, HashKind.TEXT),
]
CHANGES = {
    "title": "UPDATE public.{} SET title = title || ' changed' WHERE id::text = %s",
    "id": "DELETE FROM public.{} WHERE id::text = %s",
}
PATIENCE_S = 60.0


class Held:
    """A store under test: a reader, and a way to change its rows behind its back."""

    def __init__(self, reader: Reader, execute: Callable[[str, str], None]) -> None:
        self.reader = reader
        self.execute = execute


@pytest.fixture(scope="module", params=KINDS, ids="-".join)
def held(request: pytest.FixtureRequest, servers: Servers, _migrated_template: str) -> Iterator[tuple[Held, HashKind]]:
    """A store of `N` seed records for all tests of the module: a test may change a row, and none may delete one."""
    where, store, kind = request.param
    with servers.clones(_migrated_template) as pair, holding(pair, where, store, kind, "conformance") as held:
        yield held, kind


@pytest.fixture(params=KINDS, ids="-".join)
def own(request: pytest.FixtureRequest, pair: Pair) -> Iterator[tuple[Held, HashKind]]:
    """Such a store for one test alone."""
    where, store, kind = request.param
    with holding(pair, where, store, kind, "conformance_own") as held:
        yield held, kind


@contextmanager
def holding(pair: Pair, where: str, store: StoreName, kind: HashKind, name: str) -> Iterator[Held]:
    """Fill a pair with `N` seed records and return one of its stores; over REST they are in a dataset of this name."""
    load(pair.primary, pair.secondary, N, now=NOW)
    dsn = pair.primary if store is PRISMA else pair.secondary
    by_sql = PostgresReader(dsn, store, PLANNING)
    match where:
        case "sql":
            yield Held(by_sql, changing(dsn, "planning"))
        case "memory":
            yield in_memory(by_sql, kind)
        case _:
            with rest_service(pair) as service:
                dataset = serve_rows(service, pair, name)
                access = RestAccess(url=service.url, key=service.service_key)
                over: Callable[..., Reader] = RestRpcReader if where == "rpc" else RestRowsReader
                with closing(over(access, dataset)) as reader:
                    yield Held(reader, changing(service.owner, dataset.tables[SUPABASE][1]))


def changing(dsn: str, table: str) -> Callable[[str, str], None]:
    """Return what changes or deletes a row by SQL."""

    def execute(column: str, key: str) -> None:
        with psycopg.connect(dsn) as connection:
            connection.execute(CHANGES[column].format(table).encode(), (key,))

    return execute


def in_memory(reader: Reader, kind: HashKind) -> Held:
    """Return a store in memory that holds the same rows as another one."""
    with reader.snapshot(kind) as snapshot:
        keys = [pair.key for pair in snapshot.pairs(EVERY)]
        memory = MemoryReader(reader.store, [full.row for full in snapshot.rows(keys).values()])

    def change(column: str, key: str) -> None:
        if column == "id":
            del memory.held[key]
        else:
            memory.held[key][column] = f"{memory.held[key][column]} changed"

    return Held(memory, change)


@contextmanager
def rest_service(pair: Pair) -> Iterator[Service]:
    """Return the service that the environment names, with our migrations; else ours, over the secondary of the pair."""
    named = named_service()
    if named is None:
        with our_service(pair.secondary_gate, pair.secondary) as service:
            yield service
        return
    migrate(named.owner, Side.SECONDARY)
    with prefixed(named) as service:
        yield service


def serve_rows(service: Service, pair: Pair, name: str) -> Dataset:
    """Let a service hold the rows of the secondary in a table with doors, and wait until it knows of them.

    Returns:
        The same dataset under this name and in a table of its own, so that the tables of a service are left alone.
    """
    table = f"twinstore_{name}"
    dataset = replace(PLANNING, name=name, tables={**PLANNING.tables, SUPABASE: ("public", table)})
    with psycopg.connect(pair.secondary) as source, psycopg.connect(service.owner) as target:
        target.execute(DRESSED.format(table=table).encode())
        with (
            source.cursor().copy("COPY public.planning TO STDOUT") as rows,
            target.cursor().copy(f"COPY public.{table} FROM STDIN") as copy,
        ):
            for piece in rows:
                copy.write(piece)
        target.execute(doors(dataset).sql.encode())
    access = RestAccess(url=service.url, key=service.service_key)
    deadline = time.monotonic() + PATIENCE_S
    while not doors_answer(access, dataset):
        assert time.monotonic() < deadline, "the schema cache was not reloaded"
        time.sleep(0.02)
    return dataset


def keys_of(snapshot: Snapshot) -> list[str]:
    """Return all keys."""
    return [pair.key for pair in snapshot.pairs(EVERY)]


def test_counts_digests_and_pairs_tell_the_same_rows(held: tuple[Held, HashKind]) -> None:
    """Every range has as many rows by count, by digest and by pairs, and its digest is the sum of its pairs."""
    store, kind = held
    with store.reader.snapshot(kind) as snapshot:
        counts, digests, pairs = snapshot.count(), snapshot.digests(), list(snapshot.pairs(EVERY))
    assert sum(c.total for c in counts.values()) == N
    assert {n: c.total for n, c in counts.items()} == {n: d.count for n, d in digests.items()}
    summed: dict[int, Digest] = {}
    for pair in pairs:
        summed[range_of(PLANNING, pair.key)] = summed.get(range_of(PLANNING, pair.key), Digest()).plus(pair)
    assert summed == digests
    assert [p.key for p in pairs] == sorted(p.key for p in pairs)


def test_pairs_of_some_ranges_are_those_ranges(held: tuple[Held, HashKind]) -> None:
    """Only the ranges that were asked for are read, each whole."""
    store, kind = held
    with store.reader.snapshot(kind) as snapshot:
        wanted = sorted(snapshot.digests())[::2]
        some, every = list(snapshot.pairs(wanted)), list(snapshot.pairs(EVERY))
    assert some == [p for p in every if range_of(PLANNING, p.key) in wanted]
    assert 0 < len(some) < len(every)


def test_rows_are_read_whole_and_absent_keys_are_absent(held: tuple[Held, HashKind]) -> None:
    """Each row comes with every column and the hash that pairs gave; a key that is not there does not."""
    store, kind = held
    with store.reader.snapshot(kind) as snapshot:
        pairs = {p.key: p for p in snapshot.pairs(EVERY)}
        rows = snapshot.rows([*pairs, "00000000-0000-4000-8000-000000000000"])
    assert {k: r.hash for k, r in rows.items()} == pairs
    assert all(list(r.row) == [c.name for c in PLANNING.columns] for r in rows.values())
    assert all(r.row["id"] == k for k, r in rows.items())


def test_a_snapshot_stays_as_it_was(held: tuple[Held, HashKind]) -> None:
    """What is changed after a snapshot was opened is not seen by it, and is seen by the next one."""
    store, kind = held
    with store.reader.snapshot(kind) as snapshot:
        before = snapshot.digests()
        key = keys_of(snapshot)[0]
        store.execute("title", key)
        assert snapshot.digests() == before
    with store.reader.snapshot(kind) as snapshot:
        after = snapshot.digests()
    assert {n for n in before if before[n] != after[n]} == {range_of(PLANNING, key)}


def test_a_sketch_gives_away_what_changed(own: tuple[Held, HashKind]) -> None:
    """The difference of two sketches holds the changed row twice and the deleted one once, and nothing else."""
    store, kind = own
    with store.reader.snapshot(kind) as snapshot:
        before = snapshot.sketch(EVERY, 64)
        changed, deleted, *_ = keys_of(snapshot)
        old = snapshot.rows([changed, deleted])
    store.execute("title", changed)
    store.execute("id", deleted)
    with store.reader.snapshot(kind) as snapshot:
        found = sketch.peel(sketch.subtract(before, snapshot.sketch(EVERY, 64)), 64)
        assert found is not None
        new = snapshot.rows([changed])[changed].hash
        assert [p.key for p in snapshot.find({f.key_hash for f in found})] == [changed]
    hashes = sorted((f.on_primary, f.hash1, f.hash2) for f in found)
    was = [(True, r.hash.hash1, r.hash.hash2) for r in old.values()]
    assert hashes == sorted([*was, (False, new.hash1, new.hash2)])


def test_created_between_counts_both_ends(held: tuple[Held, HashKind]) -> None:
    """Every row was created within the 90 days before the seed's moment, ends included, and none in the year before."""
    store, kind = held
    end = int(NOW.timestamp() * 1000)
    with store.reader.snapshot(kind) as snapshot:
        assert snapshot.created_between(end - 91 * 86_400_000, end) == N
        assert snapshot.created_between(0, end - 91 * 86_400_000) == 0


def test_batches_hold_every_row_as_text(held: tuple[Held, HashKind]) -> None:
    """The rows of the batches are those that are read by key, NULL as null and the empty text as itself."""
    store, kind = held
    with store.reader.snapshot(kind) as snapshot:
        rows = {k: dict(r.row) for k, r in snapshot.rows(keys_of(snapshot)).items()}
        batched = {row["id"]: row for batch in snapshot.batches() for row in batch.to_pylist()}
    assert batched == rows
    assert any(row["user_id"] is None for row in rows.values())


def test_a_sample_is_of_rows_that_are_there(held: tuple[Held, HashKind]) -> None:
    """As many different keys as were asked for, at most all, and another choice each time."""
    store, kind = held
    with store.reader.snapshot(kind) as snapshot:
        keys = set(keys_of(snapshot))
        samples = [snapshot.sample(N // 2, of=N) for _ in range(3)]
        assert sorted(snapshot.sample(2 * N, of=N)) == sorted(keys)
    assert all(len(sample) == len(set(sample)) == N // 2 and keys.issuperset(sample) for sample in samples)
    assert len({frozenset(sample) for sample in samples}) > 1


def test_planted_faults_change_the_answers_and_not_the_rows(held: tuple[Held, HashKind]) -> None:
    """A row that is altered hashes otherwise, one that is left out is absent; all others, and the table, stay."""
    store, kind = held
    with store.reader.snapshot(kind) as snapshot:
        before = {pair.key: pair for pair in snapshot.pairs(EVERY)}
        altered, gone, *rest = sorted(before)[:10]
        plants = (Plant(altered, "title", None), Plant(gone, None, None))
        plain, planted = snapshot.rehearse([altered, gone, *rest], plants, 64)
        assert list(plain.pairs) == sorted((before[key] for key in (altered, gone, *rest)), key=lambda p: p.key)
        assert [pair for pair in planted.pairs if pair.key != altered] == [before[key] for key in rest]
        assert {pair.key: pair for pair in planted.pairs}[altered] != before[altered]
        assert sum(digest.count for digest in planted.digests.values()) == len(rest) + 1
        assert sum(cell.rows for cell in planted.sketch.values()) == sketch.TABLES * (len(rest) + 1)
        assert {pair.key: pair for pair in snapshot.pairs(EVERY)} == before


def test_rows_that_are_echoed_come_back_in_order(held: tuple[Held, HashKind]) -> None:
    """Rows that the store does not hold are read, hashed and written as those that it holds."""
    store, kind = held
    with store.reader.snapshot(kind) as snapshot:
        held_rows = snapshot.rows(keys_of(snapshot)[:5])
        rows = [full.row for full in held_rows.values()]
        assert snapshot.echo([*rows, rows[0]]) == [*held_rows.values(), held_rows[rows[0]["id"] or ""]]
