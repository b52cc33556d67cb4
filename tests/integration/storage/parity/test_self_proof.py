"""A comparison tests itself on real servers, over every channel and with every type: what it cannot see is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql

from contracts.dataset import Column, Dataset
from contracts.errors import InternalFault, ProtocolError
from contracts.vocabulary import StoreName
from storage import session
from storage.canonical_sql import TableSql
from storage.migrations.doors import doors
from storage.parity.planting import all_faults
from storage.parity.proof import prove
from storage.parity.torture import torture
from storage.ports import HashKind, Reader
from storage.postgres import PostgresReader
from storage.rest.client import RestAccess
from storage.rest.rows_reader import RestRowsReader
from storage.rest.rpc_reader import RestRpcReader
from tests.support.gateway import serve
from tests.support.odd_tables import CREATE_ODD, FILL_ODD, ODD, ODD_ROWS
from tests.support.servers import Pair, Servers

PRISMA, SUPABASE = StoreName.PRISMA, StoreName.SUPABASE
CHANNELS = [
    *((channel, kind) for channel in ("primary", "sql", "rpc") for kind in HashKind),
    ("rows", HashKind.TEXT),
]
EVERY_CHANNEL = pytest.mark.parametrize(("channel", "kind"), CHANNELS)
COMPARED = [column.name for column in ODD.columns]


@pytest.fixture(scope="module")
def odd(servers: Servers, _migrated_template: str) -> Iterator[Pair]:
    """Two databases with the odd table for all tests that only read them."""
    with servers.clones(_migrated_template) as pair:
        make_odd(pair)
        yield pair


@pytest.fixture
def own_odd(pair: Pair) -> Pair:
    """Two such databases for one test alone."""
    make_odd(pair)
    return pair


def make_odd(pair: Pair) -> None:
    """Make the odd table in both databases and fill it alike; the secondary gets doors to it."""
    create, _, access = CREATE_ODD.partition("GRANT")
    for dsn, after in ((pair.primary, ""), (pair.secondary, f"GRANT{access}")):
        with psycopg.connect(dsn) as connection:
            connection.execute(create.encode())
            connection.execute(FILL_ODD)
            connection.execute(after.encode())
    install_doors(pair)


def install_doors(pair: Pair) -> None:
    """Make the doors of the odd table, as they would be made now."""
    with psycopg.connect(pair.secondary) as connection:
        connection.execute(doors(ODD).sql.encode())


@contextmanager
def reading(pair: Pair, channel: str, dataset: Dataset = ODD) -> Iterator[Reader]:
    """Read one of the stores over a channel."""
    if channel == "primary":
        yield PostgresReader(pair.primary, PRISMA, dataset)
    elif channel == "sql":
        yield PostgresReader(pair.secondary, SUPABASE, dataset)
    else:
        with serve(pair.secondary_gate) as rest:
            access = RestAccess(url=rest.url, key=rest.service_key)
            if channel == "rpc":
                yield RestRpcReader(access, dataset)
                return
            reader = RestRowsReader(access, dataset)
            try:
                yield reader
            finally:
                reader.close()


def proven(reader: Reader, kind: HashKind, rows: int = ODD_ROWS) -> int:
    """Return how many planted faults were found; all could be tried."""
    with reader.snapshot(kind) as snapshot:
        planted = prove(snapshot, reader.dataset, reader.store, rows=rows)
    assert planted.untried == ()
    return planted.found


@pytest.mark.parametrize(
    ("channel", "kind"),
    [
        ("primary", HashKind.RECORD),
        ("rpc", HashKind.RECORD),
        ("rows", HashKind.TEXT),
        *(pytest.param(channel, HashKind.TEXT, marks=pytest.mark.soak) for channel in ("primary", "rpc")),
        *(pytest.param("sql", kind, marks=pytest.mark.soak) for kind in HashKind),
    ],
)
def test_few_rows_are_enough(own_odd: Pair, channel: str, kind: HashKind) -> None:
    """With few rows the faults are planted one after the other; without any nothing is."""
    dsn = own_odd.primary if channel == "primary" else own_odd.secondary
    with reading(own_odd, channel) as reader:
        for rows in (5, 1, 0):
            with psycopg.connect(dsn) as connection:
                kept = sql.SQL('SELECT ctid FROM public."Odd table" ORDER BY number LIMIT {}').format(rows)
                connection.execute(
                    sql.SQL('DELETE FROM public."Odd table" WHERE NOT ctid = ANY(ARRAY({}))').format(kept)
                )
            found = proven(reader, kind, rows)
            assert found >= len(COMPARED) + 1 if rows else found == 0


@EVERY_CHANNEL
def test_every_planted_fault_is_found_and_nothing_is_written(odd: Pair, channel: str, kind: HashKind) -> None:
    """In every column of every type, in each part of a key of three, and a row left out; the table stays as it is."""
    with reading(odd, channel) as reader:
        with reader.snapshot(kind) as snapshot:
            before = snapshot.digests()
        assert proven(reader, kind) > len(COMPARED) + 1
        with reader.snapshot(kind) as snapshot:
            assert snapshot.digests() == before


def blind_record(honest: Callable[[TableSql, HashKind], sql.Composable], name: str) -> Callable[..., sql.Composable]:
    """Return a way to make records that leaves a column out, under the name of a constant."""

    def record(self: TableSql, kind: HashKind) -> sql.Composable:
        text, fields = self.text, self.fields
        self.text = lambda column: sql.SQL("'same'") if column.name == name else text(column)  # type: ignore[method-assign]  # for a moment
        self.fields = lambda column: sql.SQL("'same'::text") if column.name == name else fields(column)  # type: ignore[method-assign]  # for a moment
        try:
            return honest(self, kind)
        finally:
            del self.text, self.fields

    return record


@pytest.mark.parametrize(
    ("channel", "kind"),
    [
        ("primary", HashKind.RECORD),
        ("sql", HashKind.TEXT),
        ("rpc", HashKind.RECORD),
        pytest.param("primary", HashKind.TEXT, marks=pytest.mark.soak),
        pytest.param("sql", HashKind.RECORD, marks=pytest.mark.soak),
        pytest.param("rpc", HashKind.TEXT, marks=pytest.mark.soak),
    ],
)
def test_a_digest_that_is_blind_to_a_column_is_found_out(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, channel: str, kind: HashKind
) -> None:
    """Whichever column the expression in SQL leaves out, the plant in it is missed and the column named."""
    odd: Pair = request.getfixturevalue("own_odd" if channel == "rpc" else "odd")
    honest = TableSql._record
    some = ("seen", "body", "tags")
    for name in some if channel == "rpc" else (*some, "exact", "amount", "ratio", "active", "blob", "span"):
        monkeypatch.setattr(TableSql, "_record", blind_record(honest, name))
        if channel == "rpc":
            install_doors(odd)
        with reading(odd, channel) as reader, pytest.raises(InternalFault, match=rf"planted fault: {name}\."):
            proven(reader, kind)


@pytest.mark.parametrize("name", ["seen", "body", "tags"])
def test_a_hash_of_rows_that_is_blind_to_a_column_is_found_out(
    odd: Pair, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The same over rows that are hashed here."""
    monkeypatch.setattr(Dataset, "compared", property(lambda self: tuple(c for c in self.columns if c.name != name)))
    with reading(odd, "rows") as reader, pytest.raises(InternalFault, match=rf"planted fault: {name}\."):
        proven(reader, HashKind.TEXT)


@pytest.mark.parametrize(("channel", "kind"), [pair for pair in CHANNELS if pair[0] != "primary"])
def test_hard_values_of_every_type_come_back(odd: Pair, channel: str, kind: HashKind) -> None:
    """NaN, infinities, years before Christ, ties, 2^53 + 1, quotes, marks, nested arrays: as sent, hashed alike."""
    ours = PostgresReader(odd.primary, PRISMA, ODD)
    with reading(odd, channel) as theirs, ours.snapshot(kind) as one, theirs.snapshot(kind) as other:
        assert torture(ODD, (one, other), kind, by_rows=channel == "rows") > len(COMPARED) * 10


BENDING = {
    "bytea_output": ("escape", "blob"),
    "extra_float_digits": ("0", "share"),
    "DateStyle": ("German", "seen"),
    "IntervalStyle": ("iso_8601", "span"),
    "TimeZone": ("Asia/Seoul", "seen"),
}


@pytest.mark.parametrize(
    ("channel", "setting"),
    [
        *(("sql", setting) for setting in BENDING),
        ("rpc", "extra_float_digits"),
        *(pytest.param("rpc", name, marks=pytest.mark.soak) for name in BENDING if name != "extra_float_digits"),
    ],
)
def test_a_setting_that_bends_values_is_found_by_name(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, channel: str, setting: str
) -> None:
    """Were a setting not pinned, values would come back bent: column and setting are named, no row is compared."""
    odd: Pair = request.getfixturevalue("own_odd" if channel == "rpc" else "odd")
    value, name = BENDING[setting]
    ours = PostgresReader(odd.primary, PRISMA, ODD)
    with reading(odd, channel) as theirs, ours.snapshot(HashKind.TEXT) as one:
        monkeypatch.setitem(session.PINNED, setting, value)
        if channel == "rpc":
            install_doors(odd)
        with (
            theirs.snapshot(HashKind.TEXT) as other,
            pytest.raises(ProtocolError, match=rf"`{name}` came back from supabase") as caught,
        ):
            torture(ODD, (one, other), HashKind.TEXT)
    assert setting in caught.value.todo


def test_servers_that_hash_a_column_apart_are_found_out(odd: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """The column is named whose equal values two servers hash differently."""
    honest = TableSql.text

    def text(self: TableSql, column: Column) -> sql.Composable:
        form = "({})::float8::text" if column.name == "amount" and self._store is SUPABASE else "{}"
        return sql.SQL(form).format(honest(self, column))

    monkeypatch.setattr(TableSql, "text", text)
    ours = PostgresReader(odd.primary, PRISMA, ODD)
    theirs = PostgresReader(odd.secondary, SUPABASE, ODD)
    with (
        ours.snapshot(HashKind.RECORD) as one,
        theirs.snapshot(HashKind.RECORD) as other,
        pytest.raises(ProtocolError, match="`amount`"),
    ):
        torture(ODD, (one, other), HashKind.RECORD)


def test_every_column_gets_a_fault() -> None:
    """No column that is compared is left without one."""
    assert {fault.name for fault in all_faults(ODD, PRISMA)} == {*COMPARED, "a row that is left out"}
