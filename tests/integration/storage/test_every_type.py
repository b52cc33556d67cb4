"""Values of every type: what a server hashes is what Python hashes, and equal canonical forms are equal values."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from random import Random
from typing import Any, NamedTuple

import psycopg
import pytest
from psycopg import sql

from contracts.column_types import is_array, usual_type
from contracts.dataset import Column, ColumnType, Dataset
from contracts.vocabulary import StoreName
from storage.canonical import canonical_value
from storage.canonical_sql import TableSql
from storage.canonical_text import field_text
from storage.session import Limits, begin
from tests.support.servers import Pair, Servers

PRISMA, SUPABASE = StoreName.PRISMA, StoreName.SUPABASE
SIDES = {PRISMA: "primary", SUPABASE: "secondary"}
TEXTS = (
    "",
    " ",
    "a",
    "A",
    "a ",
    "ä",
    "a\u0308",
    "k\U0001f600",
    "NULL",
    "null",
    '"',
    "\\",
    "{}",
    ",",
    "|",
    "\n",
    "infinity",
)
UUID = "00000000-0000-4000-8000-00000000000a"
UUIDS = (UUID, "{00000000-0000-4000-8000-00000000000A}", "f" * 32)
WHOLE = ("0", "-0", "1", "-1", "32767", "-32768")
NUMBERS = (
    "0",
    "-0",
    "0.0",
    "1.5",
    "1.500",
    "100",
    "1e2",
    "-1",
    "0.00000000000000000001",
    "123456789012345678.12345678901234567890",
    "NaN",
)
FLOATS = (
    "0",
    "-0",
    "1",
    "0.1",
    "1e20",
    "100000",
    "1000000",
    "1e-7",
    "3.4e38",
    "NaN",
    "Infinity",
    "-Infinity",
    "16777217",
)
DATES = (
    "2024-02-29",
    "1969-12-31",
    "0001-01-01",
    "0044-03-15 BC",
    "4713-01-01 BC",
    "9999-12-31",
    "10000-01-01",
    "infinity",
)
CLOCKS = ("00:00:00", "24:00:00", "23:59:59.999999", "12:00", "12:00:00.1", "12:00:00.100")
MOMENTS = tuple(
    f"{day} {clock}"
    for day in ("2024-02-29", "1969-12-31", "1999-12-31", "0044-03-15", "20000-01-01")
    for clock in ("00:00:00", "00:00:00.1", "23:59:59.9995", "23:59:59.999499", "12:34:56.000001", "12:34:56.1235")
)
BEFORE_CHRIST = ("0044-03-15 12:34:56.789 BC", "infinity", "-infinity")
ZONED = (*(f"{m}+00" for m in MOMENTS), *(f"{m}-05:30" for m in MOMENTS), *(f"{m}+14" for m in MOMENTS), *BEFORE_CHRIST)
PLAIN = (*MOMENTS, *BEFORE_CHRIST)
SPANS = (
    "0",
    "1 day",
    "24 hours",
    "1 mon",
    "30 days",
    "-1 year 2 mons -3 days 04:05:06.789",
    "-00:00:01",
    "1 day -00:00:01",
)
JSONS = (
    "1",
    "1.0",
    "1e0",
    '"1"',
    "null",
    "{}",
    '{"a": 1, "b": [2.50]}',
    '{"b":[2.5],"a":1.00}',
    "[1, 2]",
    '"\\u00e4"',
    "1e400",
)

ARRAYS_OF_MOMENTS = ('{"2024-02-29 00:00:00.1235",NULL,infinity}', "{}")
VALUES = {
    "uuid": UUIDS,
    "text": TEXTS,
    "character varying(20)": TEXTS,
    "character(5)": TEXTS,
    '"char"': ("", "a", "ab"),
    "name": ("a", "A"),
    "public.mood": ("sad", "so so", "happy"),
    "inet": ("10.0.0.1", "10.0.0.1/32", "10.0.0.0/8", "::1", "0:0::1"),
    "cidr": ("10.0.0.0/8", "::/0"),
    "macaddr": ("08:00:2b:01:02:03", "08-00-2B-01-02-03"),
    "macaddr8": ("08:00:2b:01:02:03:04:05",),
    "bit varying(8)": ("", "0", "101"),
    "jsonb": JSONS,
    "smallint": WHOLE,
    "integer": (*WHOLE, "2147483647"),
    "bigint": (*WHOLE, "9007199254740993", "9007199254740992", "-9223372036854775808"),
    "numeric": (*NUMBERS, "Infinity", "-Infinity", "1e40", "1e-40", "12345678901234567890.123456789012345678901"),
    "numeric(38,20)": NUMBERS,
    "real": FLOATS,
    "double precision": (*FLOATS, "9007199254740993", "5e-324", "1.7976931348623157e308", "0.30000000000000004"),
    "boolean": ("true", "f", "yes"),
    "date": (*DATES, "-infinity", "5874897-12-31"),
    "time without time zone": CLOCKS,
    "time(3) with time zone": ("12:00+00", "14:00+02", "12:00:00.1234-03:30", "24:00-15:59:59"),
    "timestamp(3) without time zone": PLAIN,
    "timestamp without time zone": PLAIN,
    "timestamp(3) with time zone": ZONED,
    "timestamp with time zone": ZONED,
    "interval": SPANS,
    "bytea": ("\\x", "\\x00", "\\x00FF", "a"),
    "text[]": ("{}", "{NULL}", '{"NULL"}', '{"a b","c,d",""}', "{{a,b},{c,d}}", "[0:1]={a,b}", '{"\\"\\\\"}'),
    "bigint[]": ("{}", "{1,NULL,9007199254740993}", "{{1},{2}}"),
    "numeric(10,4)[]": ("{1.5,1.50,NaN}", "{1.5000,1.5,NaN}", "{}"),
    "boolean[]": ("{t,f,NULL}",),
    "timestamp with time zone[]": ('{"2024-02-29 00:00:00.1235+02",NULL,infinity}', "{}"),
    "uuid[]": (f"{{{UUIDS[0]}}}",),
    "bytea[]": ('{"\\\\x00","\\\\x"}',),
    "jsonb[]": ('{"{\\"a\\": 1.0}","null",NULL}', '{"{\\"a\\": 1}","null",NULL}'),
    "date[]": ("{2024-02-29,infinity}",),
}  # fmt: skip


def at_random(kind: str, dice: Random) -> str:
    """Return some value of a type; often the same value in another spelling as one before."""
    number = (
        f"{dice.randrange(-(10**9), 10**9)}{'0' * dice.randrange(12)}.{dice.randrange(10**9)}{'0' * dice.randrange(3)}"
    )
    match kind:
        case "numeric":
            return number
        case "double precision" | "real":
            return f"{number}e{dice.randrange(-20, 15)}"
        case _:
            day = f"{dice.choice((1900, 1999, 2026, 12026))}-{dice.randrange(1, 13):02}-{dice.randrange(1, 29):02}"
            clock = f"23:59:{dice.randrange(60):02}.{dice.randrange(10**6):06}"
            return f"{day} {clock}{dice.choice(('+00', '+05:30', '-12'))}"


RANDOM = {
    kind: tuple(at_random(kind, Random(f"{kind}{n // 2}")) for n in range(200))
    for kind in ("numeric", "double precision", "real", "timestamp with time zone", "timestamp(3) with time zone")
}
OWN_EQUALITY = ("interval", "time(3) with time zone", "jsonb[]")
"""Types of whose values we tell apart some that are equal to the server: a day is not 24 hours when it is added."""
TYPES = "CREATE TYPE public.mood AS ENUM ('sad', 'so so', 'happy')"
SEEN = "SELECT it::text, {text} FROM {given} ORDER BY id"
EQUAL = "WITH v AS (SELECT id, it FROM {given}) SELECT a.it = b.it FROM v AS a, v AS b ORDER BY a.id, b.id"
GIVEN = "unnest({values}::text[]) WITH ORDINALITY AS given (one, id), LATERAL (SELECT one::{type} AS it) AS made"


class Seen(NamedTuple):
    """One value as a server shows it: its text, and the text that is hashed."""

    raw: str
    hashed: str


@pytest.fixture(scope="module")
def databases(servers: Servers, _empty_template: str) -> Iterator[Pair]:
    """Two databases with an enum, for all tests of this module, none of which changes anything."""
    with servers.clones(_empty_template) as pair:
        for dsn in (pair.primary, pair.secondary):
            with psycopg.connect(dsn) as connection:
                connection.execute(TYPES)
        yield pair


def column_of(sql_type: str, other: str | None = None, kind: ColumnType | None = None) -> Column:
    """Return a column of a type on prisma and the same, or another one, on supabase."""
    kind = kind or usual_type(sql_type)
    assert kind is not None
    spelt = {PRISMA: frozenset({sql_type}), SUPABASE: frozenset({other or sql_type})}
    return Column(name="it", type=kind, sql_types=spelt, array=is_array(sql_type))


class Server:
    """One server, asked about values of one column that exist nowhere."""

    def __init__(self, dsn: str, store: StoreName, column: Column, values: tuple[str, ...]) -> None:
        self._dsn, self._store, self._column = dsn, store, column
        (kind,) = column.sql_types[store]
        self._given = sql.SQL(GIVEN).format(values=sql.Literal(list(values)), type=sql.SQL(kind))

    def seen(self) -> list[Seen]:
        """Return the values as the server shows them."""
        key = Column(name="id", type=ColumnType.INTEGER, sql_types={s: frozenset({"bigint"}) for s in StoreName})
        tables = dict.fromkeys(StoreName, ("public", "it"))
        dataset = Dataset(name="it", key=("id",), columns=(key, self._column), tables=tables)
        text = TableSql(dataset, self._store, 160000).text(self._column)
        return [Seen(*row) for row in self._ask(sql.SQL(SEEN).format(text=text, given=self._given))]

    def equal(self) -> list[bool]:
        """Return of each pair of the values whether the server takes them for equal."""
        return [equal for (equal,) in self._ask(sql.SQL(EQUAL).format(given=self._given))]

    def _ask(self, query: sql.Composed) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            connection.execute(begin("READ COMMITTED", Limits(), server_version=connection.info.server_version))
            return connection.execute(query).fetchall()


@pytest.mark.parametrize("store", StoreName)
@pytest.mark.parametrize("sql_type", VALUES)
def test_python_reads_and_hashes_as_the_server_does(databases: Pair, store: StoreName, sql_type: str) -> None:
    """Texts that are hashed are the same; values are equal in canonical form exactly when they are to the server."""
    column = column_of(sql_type)
    server = Server(getattr(databases, SIDES[store]), store, column, VALUES[sql_type] + RANDOM.get(sql_type, ()))
    seen = server.seen()
    assert [field_text(column, value.raw) for value in seen] == [value.hashed for value in seen]
    canonical = [canonical_value(column, value.raw) for value in seen]
    assert [canonical_value(column, text) for text in canonical] == canonical
    for (one, other), equal in zip(product(range(len(seen)), repeat=2), server.equal(), strict=True):
        told = f"{seen[one].raw!r} and {seen[other].raw!r}"
        if sql_type not in OWN_EQUALITY:
            assert (canonical[one] == canonical[other]) is equal, told
        if seen[one].hashed == seen[other].hashed:
            assert canonical[one] == canonical[other], told


@pytest.mark.parametrize(
    ("sql_type", "other", "kind", "values"),
    [
        ("text", "uuid", ColumnType.UUID, (UUID,)),
        ("text", "character varying(20)", ColumnType.TEXT, TEXTS),
        ("text", "public.mood", ColumnType.TEXT, ("sad", "so so")),
        ("json", "jsonb", ColumnType.JSON, JSONS),
        ("smallint", "bigint", ColumnType.INTEGER, WHOLE),
        ("bigint", "numeric(38,20)", ColumnType.NUMERIC, ("0", "-1", "9007199254740993")),
        ("numeric", "numeric(38,20)", ColumnType.NUMERIC, NUMBERS),
        ("real", "double precision", ColumnType.FLOAT, ("0", "0.1", "100000", "NaN", "-Infinity", "2.5")),
        ("timestamp(3) without time zone", "timestamp with time zone", ColumnType.TIMESTAMP_MS, PLAIN),
        ("timestamp without time zone", "timestamp with time zone", ColumnType.TIMESTAMP_US, PLAIN),
        ("time without time zone", "time(6) without time zone", ColumnType.TIME, CLOCKS),
        ("numeric[]", "numeric(10,4)[]", ColumnType.NUMERIC, ("{1.5,1.50,NULL,NaN}",)),
        ("integer[]", "bigint[]", ColumnType.INTEGER, ("{1,NULL,-1}", "{{1},{2}}")),
        ("timestamp(3) without time zone[]", "timestamp with time zone[]", ColumnType.TIMESTAMP_MS, ARRAYS_OF_MOMENTS),
    ],
)
def test_one_value_is_equal_in_two_types(
    databases: Pair, sql_type: str, other: str, kind: ColumnType, values: tuple[str, ...]
) -> None:
    """What a type of each store holds is equal in canonical form, and mostly hashes alike already."""
    column = column_of(sql_type, other, kind)
    primary = Server(databases.primary, PRISMA, column, values).seen()
    secondary = Server(databases.secondary, SUPABASE, column, values).seen()
    read = [
        (canonical_value(column, p.raw), canonical_value(column, s.raw))
        for p, s in zip(primary, secondary, strict=True)
    ]
    assert [one for one, _ in read] == [two for _, two in read]
    if (kind, column.array) not in {(ColumnType.FLOAT, False), (ColumnType.NUMERIC, True)}:
        assert [value.hashed for value in primary] == [value.hashed for value in secondary]
