"""Whole rows over REST tell what SQL tells, whatever the server caps and however odd keys and values are."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from contracts.dataset import Column, Dataset
from contracts.errors import ProtocolError, SchemaMismatch
from contracts.vocabulary import Channel
from storage.canonical_text import field_text
from storage.meter import Meter
from storage.ports import HashKind
from storage.postgres import PostgresSnapshot
from storage.rest.rows_reader import RestRowsSnapshot
from tests.support.gateway import Rest, serve
from tests.support.odd_tables import CREATE_ODD, CREATE_PLAIN, FILL_ODD, FILL_PLAIN, ODD, ODD_ROWS, PLAIN
from tests.support.rest_reading import EVERY, digests, rows_reader, sql_reader
from tests.support.servers import SEEDED, Pair, Servers

LATE_MS, EARLY_MS = 1_767_225_602_123, -62_000_000_000_000
DAY_1900_MS = -2_208_643_200_000  # 1900-01-05


@pytest.fixture(scope="module")
def odd(servers: Servers, _empty_template: str) -> Iterator[Pair]:
    """A secondary with a table of odd names, keys and values, for all tests that change nothing in it."""
    with servers.clones(_empty_template) as pair:
        make_odd(pair)
        yield pair


@pytest.fixture
def own_odd(empty_pair: Pair) -> Pair:
    """Such a secondary for one test alone."""
    make_odd(empty_pair)
    return empty_pair


def make_odd(pair: Pair) -> None:
    """Make and fill the table of odd names, keys and values."""
    with psycopg.connect(pair.secondary) as connection:
        connection.execute(CREATE_ODD)
        connection.execute(FILL_ODD)


@contextmanager
def both(
    pair: Pair, rest: Rest, dataset: Dataset, meter: Meter | None = None
) -> Iterator[tuple[RestRowsSnapshot, PostgresSnapshot]]:
    """Open snapshots of one table over REST and by SQL."""
    over_rest = rows_reader(rest.url, rest.service_key, dataset, meter=meter)
    with (
        closing(over_rest),
        over_rest.snapshot(HashKind.TEXT) as ours,
        sql_reader(pair, dataset).snapshot(HashKind.TEXT) as theirs,
    ):
        yield ours, theirs


def assert_same(ours: RestRowsSnapshot, theirs: PostgresSnapshot) -> None:
    """Compare everything that is asked of a snapshot."""
    assert ours.count() == theirs.count()
    assert ours.digests() == theirs.digests()
    pairs = list(theirs.pairs(EVERY))
    assert list(ours.pairs(EVERY)) == pairs
    assert ours.sketch(EVERY, 64) == theirs.sketch(EVERY, 64)
    keys = [pair.key for pair in pairs]
    assert ours.rows(keys) == theirs.rows(keys)


@pytest.mark.parametrize("cap", [2, 7, pytest.param(1000, marks=pytest.mark.soak)])
def test_all_rows_come_whatever_the_row_cap(empty_pair: Pair, cap: int) -> None:
    """Tables of 0, 1, cap - 1, cap, cap + 1, 2.5 and 10 times cap rows: exact, at a cost that fits the cap."""
    with psycopg.connect(empty_pair.secondary, autocommit=True) as connection:
        connection.execute(CREATE_PLAIN)
        with serve(empty_pair.secondary_gate, cap=cap) as rest:
            for rows in (0, 1, cap - 1, cap, cap + 1, 5 * cap // 2, 10 * cap):
                connection.execute("TRUNCATE public.plain")
                connection.execute(FILL_PLAIN, (rows,))
                meter = Meter()
                with both(empty_pair, rest, PLAIN, meter) as (ours, theirs):
                    assert ours.digests() == theirs.digests()
                    assert meter.requests <= 2 * (rows // cap) + 12
                    assert sum(count.total for count in ours.count().values()) == rows
                    keys = [pair.key for pair in theirs.pairs(EVERY)]
                    assert list(ours.rows(keys)) != [] or rows == 0
                    assert ours.rows(keys).keys() == set(keys)


def test_everything_is_told_as_by_sql(still_pair: Pair, rest: Rest) -> None:
    """Counts, digests, pairs, sketches and rows of the planning table."""
    with both(still_pair, rest, sql_reader(still_pair).dataset) as (ours, theirs):
        assert_same(ours, theirs)
        assert ours.find({0}) == []
        assert ours.excluded(10) == []


@pytest.mark.parametrize("cap", [3, pytest.param(1000, marks=pytest.mark.soak)])
def test_odd_names_keys_and_values_come_as_by_sql(odd: Pair, cap: int) -> None:
    """Keys of several columns, keys that look like filters, names in need of quotation marks, and every type."""
    with serve(odd.secondary_gate, cap=cap) as rest, both(odd, rest, ODD) as (ours, theirs):
        assert_same(ours, theirs)
        assert sum(count.total for count in ours.count().values()) == ODD_ROWS


@pytest.mark.parametrize(
    ("created", "low_ms", "high_ms"),
    [
        ("seen", 0, LATE_MS),
        ("seen", EARLY_MS, -1),
        ("seen", -1, 0),
        ("seen", LATE_MS, LATE_MS + 4000),
        ("exact", DAY_1900_MS, DAY_1900_MS),  # some microseconds later
    ],
)
def test_rows_are_counted_by_their_creation_as_by_sql(odd: Pair, created: str, low_ms: int, high_ms: int) -> None:
    """Both ends belong to it, and instants count as the milliseconds to which they are rounded."""
    dataset = replace(ODD, created=created)
    with serve(odd.secondary_gate) as rest, both(odd, rest, dataset) as (ours, theirs):
        assert ours.created_between(low_ms, high_ms) == theirs.created_between(low_ms, high_ms)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("amount", "amount + 0.00000000000000000001"),
        ("number", "number + 1"),
        ("exact", "exact + interval '1 microsecond'"),
        ("share", "share + 1e-15"),
        ("body", "jsonb_set(body, '{big}', '9007199254740992')"),
        ("blob", r"blob || '\x00'"),
        ("tags", "array_append(tags, NULL)"),
    ],
)
def test_a_change_in_the_last_digit_is_seen(own_odd: Pair, column: str, value: str) -> None:
    """One row in which one value is changed by the least that its type allows has another hash."""
    with serve(own_odd.secondary_gate) as rest:
        reader = rows_reader(rest.url, rest.service_key, ODD)
        before = digests(reader)
        with psycopg.connect(own_odd.secondary) as connection:
            target = """ WHERE number = 3 AND "Region, or: area(s).x" = 'a' AND share NOT IN ('NaN', 'Infinity')"""
            changed = connection.execute(f'UPDATE public."Odd table" SET {column} = {value}{target}'.encode())
            assert changed.rowcount == 1
        assert digests(reader) != before
        assert digests(reader) == digests(sql_reader(own_odd, ODD))


def test_rows_that_are_not_there_do_not_come(still_pair: Pair, rest: Rest) -> None:
    """An absent key is absent, among others and alone, and no key is none."""
    nobody = "00000000-0000-4000-8000-000000000000"
    with both(still_pair, rest, sql_reader(still_pair).dataset) as (ours, theirs):
        key = next(iter(theirs.pairs(EVERY))).key
        assert ours.rows([nobody, key]).keys() == {key}
        assert ours.rows([nobody]) == ours.rows([]) == {}


def test_only_texts_are_hashed_here(rest: Rest) -> None:
    """A comparison by the servers' own records falls back to texts."""
    reader = rows_reader(rest.url, rest.service_key)
    assert reader.channel is Channel.ROWS
    with pytest.raises(SchemaMismatch):
        reader.hash_probe(HashKind.RECORD)


def test_the_table_for_suites_holds_the_texts_that_are_hashed(odd: Pair) -> None:
    """Only the columns that were asked for and the key, whether rows were pulled before or not."""
    columns = [ODD.column(name) for name in ("seen", "amount", "region", "number", "day")]
    with serve(odd.secondary_gate, cap=50) as rest, both(odd, rest, ODD) as (ours, theirs):
        rows = [full.row for full in theirs.rows([pair.key for pair in theirs.pairs(EVERY)]).values()]
        expected = {tuple(field_text(c, row[c.name]) for c in columns) for row in rows}
        with ours.spool(["seen", "amount"]) as path:
            assert _spooled(path, columns) == expected
            assert path.stat().st_mode & 0o077 == path.parent.stat().st_mode & 0o077 == 0
        assert not path.parent.exists()
        ours.digests()
        with ours.spool(["seen", "amount"]) as path:
            assert _spooled(path, columns) == expected


def _spooled(path: Path, columns: list[Column]) -> set[tuple[str | None, ...]]:
    """Return the rows of a table for suites, which has these columns and no other."""
    with closing(sqlite3.connect(path)) as database:
        names = [row[1] for row in database.execute("PRAGMA table_info(odd)")]
        assert sorted(names) == sorted(column.name for column in columns)
        return set(database.execute(f"SELECT {', '.join(column.name for column in columns)} FROM odd"))


def test_a_table_that_keeps_changing_is_read_all_the_same(empty_pair: Pair) -> None:
    """Rows that come and go while pages are read lead to smaller parts, and those that stay are all there."""
    with psycopg.connect(empty_pair.secondary, autocommit=True) as connection:
        connection.execute(CREATE_PLAIN)
        connection.execute(FILL_PLAIN, (3000,))
        stay = {str(key) for (key,) in connection.execute("SELECT id FROM public.plain").fetchall()}
    over = threading.Event()
    with serve(empty_pair.secondary_gate, cap=100) as rest:
        reader = rows_reader(rest.url, rest.service_key, PLAIN)
        writer = threading.Thread(target=_come_and_go, args=(empty_pair.secondary, over))
        writer.start()
        try:
            with closing(reader), reader.snapshot(HashKind.TEXT) as snapshot:
                seen = {pair.key for pair in snapshot.pairs(EVERY)}
        finally:
            over.set()
            writer.join()
    assert stay <= seen


def _come_and_go(dsn: str, over: threading.Event) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        while not over.wait(0.005):
            connection.execute("INSERT INTO public.plain (note) VALUES ('comes')")
            connection.execute("DELETE FROM public.plain WHERE note = 'comes' AND random() < 0.4")


def test_a_key_that_stands_for_two_rows_is_refused(empty_pair: Pair) -> None:
    """Nothing is concluded from a table whose key is not unique."""
    with psycopg.connect(empty_pair.secondary) as connection:
        connection.execute(CREATE_PLAIN)
        connection.execute(FILL_PLAIN, (3,))
        connection.execute("ALTER TABLE public.plain DROP CONSTRAINT plain_pkey")
        connection.execute("INSERT INTO public.plain SELECT * FROM public.plain")
    with serve(empty_pair.secondary_gate) as rest, pytest.raises(ProtocolError, match="two rows with one key"):
        digests(rows_reader(rest.url, rest.service_key, PLAIN))


def test_pulled_rows_are_closed_to_others_and_removed(
    seeded_pair: Pair, own_rest: Rest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither an end nor an error leaves rows behind in the folder for temporary files."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    reader = rows_reader(own_rest.url, own_rest.service_key)
    with reader.snapshot(HashKind.TEXT) as snapshot:
        assert sum(count.total for count in snapshot.count().values()) == SEEDED
        made = [tmp_path, *tmp_path.rglob("*")]
        assert len(made) > 2
        assert all(path.stat().st_mode & 0o077 == 0 for path in made[1:])
    reader.close()
    assert not list(tmp_path.iterdir())
    with psycopg.connect(seeded_pair.secondary) as connection:
        connection.execute("ALTER TABLE public.planning DROP CONSTRAINT planning_pkey CASCADE")
        connection.execute("INSERT INTO public.planning SELECT * FROM public.planning")
    with pytest.raises(ProtocolError):
        digests(reader)
    assert not list(tmp_path.iterdir())
