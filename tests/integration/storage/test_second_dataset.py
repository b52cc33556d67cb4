"""A dataset with a composite key and every kind of column, compared over every channel of the secondary."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from contracts.dataset import Dataset
from contracts.errors import SchemaMismatch
from contracts.keys import split_key
from contracts.verdicts import Difference
from contracts.vocabulary import Cause, Channel, DifferenceKind, StoreName
from storage.migrations import Side, migrate
from storage.parity.engine import Parity, ParityOptions, compare
from storage.parity.ranges import RANGES
from storage.parity.recheck import Patience
from storage.ports import HashKind, Reader
from storage.postgres import PostgresReader
from storage.rest.client import RestAccess
from storage.rest.rows_reader import RestRowsReader
from storage.rest.rpc_reader import RestRpcReader
from tests.support.gateway import serve
from tests.support.second_dataset import LABELS, ROWS, fill, make_tables, second_dataset
from tests.support.servers import Pair, Servers

AT_ONCE = ParityOptions(patience=Patience(grace_s=0, rounds=1))
CHANGES = {
    "value": "value = 0.00000000000000000002 WHERE value = 0.00000000000000000001",
    "counter": "counter = 9007199254740992 WHERE counter = 9007199254740993",
    "tags": "tags = ARRAY['a', 'NULL', 'NULL', 'b c'] WHERE tags = ARRAY['a', NULL, 'NULL', 'b c']",
    "history": "history = ARRAY[1.5000000001, NULL, 2] WHERE history = ARRAY[1.5, NULL, 2]",
    "valid": "valid = NOT valid",
    "payload": r"payload = '\x00ff5d' WHERE payload = '\x00ff5c'",
    "day": "day = '0044-03-15' WHERE day = '0044-03-15 BC'",
    "quality": "quality = 'rejected' WHERE quality = 'checked'",
    "taken_at": "taken_at = taken_at + interval '1 microsecond'",
}


@pytest.fixture(scope="module")
def _filled(servers: Servers, _migrated_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Name of two databases whose tables are filled alike, with functions for REST, from which others are cloned."""
    with servers.clones(_migrated_template) as pair:
        with second_dataset(tmp_path_factory.mktemp("datasets")):
            make_tables(pair)
            fill(pair)
            migrate(pair.secondary, Side.SECONDARY)
        yield str(conninfo_to_dict(pair.primary)["dbname"])


@pytest.fixture
def filled_pair(servers: Servers, _filled: str) -> Iterator[Pair]:
    """Two databases with the tables of the dataset, filled alike."""
    with servers.clones(_filled) as pair:
        yield pair


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[Dataset]:
    """The dataset."""
    with second_dataset(tmp_path) as dataset:
        yield dataset


@pytest.fixture(params=Channel)
def readers(request: pytest.FixtureRequest, filled_pair: Pair, dataset: Dataset) -> Iterator[tuple[Reader, Reader]]:
    """Readers of both stores, the secondary over each of its channels."""
    primary = PostgresReader(filled_pair.primary, StoreName.PRISMA, dataset)
    if request.param is Channel.SQL:
        yield primary, PostgresReader(filled_pair.secondary, StoreName.SUPABASE, dataset)
        return
    with ExitStack() as stack:
        rest = stack.enter_context(serve(filled_pair.secondary_gate, cap=97))
        access = RestAccess(url=rest.url, key=rest.service_key)
        over: Callable[..., RestRpcReader | RestRowsReader] = (
            RestRpcReader if request.param is Channel.RPC else RestRowsReader
        )
        secondary = over(access, dataset)
        stack.callback(secondary.close)
        yield primary, secondary


def compared(readers: tuple[Reader, Reader]) -> Parity:
    """Compare both stores."""
    primary, secondary = readers
    return compare(primary, secondary, (primary.facts(), secondary.facts()), options=AT_ONCE)


def execute(dsn: str, statement: str) -> int:
    """Change rows or a table of one store; return how many rows it were, if one statement did it."""
    with psycopg.connect(dsn) as connection:
        return connection.execute(statement.encode()).rowcount


def columns_of(difference: Difference) -> set[str]:
    """Return the columns that a difference names."""
    return {field.field for field in difference.fields}


def test_equal_stores_are_identical(readers: tuple[Reader, Reader]) -> None:
    """All rows are matched, of which none had to be looked at again but numbers of arrays, whose zeros differ."""
    parity = compared(readers)
    assert (parity.rows.primary, parity.rows.secondary, parity.rows.matched) == (ROWS, ROWS, ROWS)
    assert (parity.differences, parity.reasons, parity.rows.excluded) == ((), (), 0)
    assert all("`history`" in note for note in parity.notes)


def test_the_smallest_change_of_every_type_is_found(readers: tuple[Reader, Reader], filled_pair: Pair) -> None:
    """One last digit, one microsecond, one bit: each is found in its column, and in those that are made of it."""
    expected: dict[str, set[str]] = {}
    for at, (column, change) in enumerate(CHANGES.items()):
        assignment, _, condition = change.partition(" WHERE ")
        chosen = f"SELECT sensor_id, seq, label FROM public.readings WHERE seq % 9 = {at} AND ({condition or 'true'})"
        with psycopg.connect(filled_pair.secondary) as connection:
            sensor, seq, label = connection.execute(f"{chosen} ORDER BY seq LIMIT 1".encode()).fetchone() or ("", 0, "")
            where = "WHERE sensor_id = %s AND seq = %s AND label = %s"
            done = connection.execute(f"UPDATE public.readings SET {assignment} {where}".encode(), (sensor, seq, label))
            assert done.rowcount == 1, column
        expected[str(seq)] = {column, "doubled"} if column == "value" else {column}
    found = {split_key(readers[0].dataset, d.key)[1]: columns_of(d) for d in compared(readers).differences}
    assert found == expected


def test_one_sided_rows_are_found_whatever_their_key_holds(readers: tuple[Reader, Reader], filled_pair: Pair) -> None:
    """Rows whose keys hold separators, quotes, blanks and nothing at all are missing by their own names."""
    gone = f"DELETE FROM public.readings WHERE seq < {len(LABELS)} * 10::bigint ^ 15"
    assert execute(filled_pair.secondary, gone) == len(LABELS)
    assert execute(filled_pair.primary, f'DELETE FROM "Reading" WHERE seq = {ROWS - 1} * 10::bigint ^ 15') == 1
    parity = compared(readers)
    only = {
        kind: [split_key(readers[0].dataset, d.key)[2] for d in parity.differences if d.kind is kind]
        for kind in DifferenceKind
    }
    assert sorted(only[DifferenceKind.ONLY_PRIMARY]) == sorted(LABELS)
    assert (len(only[DifferenceKind.ONLY_SECONDARY]), only[DifferenceKind.DIFFERING]) == (1, [])
    assert parity.rows.matched == ROWS - len(LABELS) - 1


def test_a_key_in_another_spelling_is_excluded_and_explained(readers: tuple[Reader, Reader], filled_pair: Pair) -> None:
    """A UUID in capitals inside a longer key is counted apart, and is why its row stands on supabase only."""
    execute(
        filled_pair.primary,
        """UPDATE "Reading" SET "sensorId" = upper("sensorId") WHERE label = 'a|b' AND seq < 2e15""",
    )
    execute(filled_pair.primary, """UPDATE "Reading" SET "sensorId" = 'sensor|1' WHERE label = '' AND seq < 5e15""")
    parity = compared(readers)
    assert (parity.rows.excluded, parity.rows.only_secondary) == (2, 2)
    causes = {split_key(readers[0].dataset, d.key)[2]: d.cause for d in parity.differences}
    assert causes == {"a|b": Cause.KEY_CASE, "": Cause.MISSING_ROW}


def test_numbers_that_a_double_rounded_are_explained(readers: tuple[Reader, Reader], filled_pair: Pair) -> None:
    """A bigint beyond 2^53 and a long numeric that went through a double are named so, and in which store."""
    execute(
        filled_pair.secondary, "UPDATE public.readings SET counter = 9007199254740992 WHERE counter = 9007199254740993"
    )
    execute(
        filled_pair.secondary,
        "UPDATE public.readings SET value = 123456789012345680 WHERE value > 1e17 AND value <> 'NaN'",
    )
    parity = compared(readers)
    causes = {field.field: field.cause for d in parity.differences for field in d.fields}
    assert causes["counter"] is Cause.NUMBER_ROUNDED
    assert causes["value"] is Cause.NUMBER_ROUNDED
    assert all(e.store is StoreName.SUPABASE for d in parity.differences for e in d.explanations)


@pytest.mark.parametrize("store", StoreName)
def test_rows_are_found_by_keys_of_the_other_store(filled_pair: Pair, dataset: Dataset, store: StoreName) -> None:
    """Every key finds its row by SQL, and a key that one store could not even hold finds none."""
    dsn = filled_pair.primary if store is StoreName.PRISMA else filled_pair.secondary
    with PostgresReader(dsn, store, dataset).snapshot(HashKind.TEXT) as snapshot:
        pairs = {pair.key: pair for pair in snapshot.pairs(range(RANGES))}
        absent = "00000000-0000-4000-8000-000000000000|5|a"
        assert {key: row.hash for key, row in snapshot.rows([*pairs, absent]).items()} == pairs
    assert len(pairs) == ROWS


@pytest.mark.parametrize(
    ("change", "trouble"),
    [
        ("ALTER TABLE public.readings DROP CONSTRAINT readings_pkey", "has no unique index on sensor_id, seq, label"),
        ("ALTER TABLE public.readings ALTER seq TYPE int USING 1", "Column seq .* is integer, not bigint"),
        ("ALTER TABLE public.readings RENAME counter TO count", "has no column counter"),
        (
            "ALTER TABLE public.readings DROP CONSTRAINT readings_pkey, ALTER label DROP NOT NULL, ADD UNIQUE (label)",
            "takes NULL in sensor_id, seq, label",
        ),
    ],
)
def test_a_table_that_is_not_as_declared_is_refused(
    filled_pair: Pair, dataset: Dataset, change: str, trouble: str
) -> None:
    """A missing index, another type, another name, a key that may be NULL: each is said in one sentence."""
    execute(filled_pair.secondary, "TRUNCATE public.readings")
    execute(filled_pair.secondary, change)
    with pytest.raises(SchemaMismatch, match=trouble):
        PostgresReader(filled_pair.secondary, StoreName.SUPABASE, dataset).facts()


def test_a_unique_index_on_fewer_columns_will_do(filled_pair: Pair, dataset: Dataset) -> None:
    """What is unique in part of the key is unique in the key; a domain counts as the type below it."""
    execute(
        filled_pair.secondary,
        "ALTER TABLE public.readings DROP CONSTRAINT readings_pkey; CREATE UNIQUE INDEX ON public.readings (seq);"
        " CREATE DOMAIN public.short AS text; ALTER TABLE public.readings ALTER label TYPE public.short",
    )
    assert PostgresReader(filled_pair.secondary, StoreName.SUPABASE, dataset).facts().sees_all_rows


def test_a_type_that_only_looks_like_an_enum_is_refused(filled_pair: Pair, dataset: Dataset) -> None:
    """A composite type is spelt like an enum, and is told from one by the catalogue."""
    execute(
        filled_pair.secondary,
        "CREATE TYPE public.place AS (x int); ALTER TABLE public.readings DROP quality, ADD quality public.place",
    )
    spelt = {**dataset.column("quality").sql_types, StoreName.SUPABASE: frozenset({"public.place"})}
    columns = tuple(replace(c, sql_types=spelt) if c.name == "quality" else c for c in dataset.columns)
    with pytest.raises(SchemaMismatch, match=r"quality .* is public\.place, which is neither an enum nor citext"):
        PostgresReader(filled_pair.secondary, StoreName.SUPABASE, replace(dataset, columns=columns)).facts()
