"""Columns of one form and of unlike types on the two stores, and keys that the type of one store cannot hold."""

from __future__ import annotations

from contextlib import closing
from typing import NamedTuple

import psycopg
import pytest

from contracts.dataset import Column, ColumnType, Dataset, types
from contracts.vocabulary import Channel, DifferenceKind, StoreName
from storage.migrations.doors import doors
from storage.parity.engine import Parity, ParityOptions, compare
from storage.parity.recheck import Patience
from storage.postgres import PostgresReader
from storage.rest.client import RestAccess
from storage.rest.rows_reader import RestRowsReader
from storage.rest.rpc_reader import RestRpcReader
from tests.support.gateway import serve
from tests.support.servers import Pair

AT_ONCE = ParityOptions(patience=Patience(grace_s=0, rounds=1))
NAME = "unlike"
RELOAD = "GRANT SELECT ON public.unlike TO service_role; NOTIFY pgrst, 'reload schema'"


class Unlike(NamedTuple):
    """A form, its types on both stores, and values that both take."""

    form: ColumnType
    primary: str
    secondary: str
    values: tuple[str, ...]


COLUMNS = (
    Unlike(ColumnType.JSON, "json", "jsonb", ('{"b": 1, "a":  1.0}',)),
    Unlike(ColumnType.JSON, "jsonb", "json", ('{"b": 1, "a":  1.0}',)),
    Unlike(ColumnType.JSON, "json[]", "jsonb[]", (r'{"{\"b\": 1, \"a\":  1.0}",NULL}',)),
    Unlike(ColumnType.FLOAT, "real", "double precision", ("15000000", "0.5")),
    Unlike(ColumnType.FLOAT, "double precision[]", "real[]", ("{15000000,NULL}",)),
    Unlike(ColumnType.TEXT, "character(9)[]", "character(9)[]", ('{ab,NULL,""}',)),
)
KEYS = (
    Unlike(ColumnType.TEXT, "public.word", "public.word", ("a", "b", "c")),
    Unlike(ColumnType.INTEGER, "integer", "smallint", ("1", "2", "100000")),
    Unlike(ColumnType.INTEGER, "bigint", "integer", ("1", "2", "9007199254740993")),
)
"""Keys of which the secondary can hold all but the last one."""


def compared(pair: Pair, dataset: Dataset, channel: Channel) -> Parity:
    """Compare both stores over a channel."""
    primary = PostgresReader(pair.primary, StoreName.PRISMA, dataset)
    if channel is Channel.SQL:
        secondary = PostgresReader(pair.secondary, StoreName.SUPABASE, dataset)
        return compare(primary, secondary, (primary.facts(), secondary.facts()), options=AT_ONCE)
    if channel is Channel.RPC:
        execute(pair.secondary, doors(dataset).sql, RELOAD)
    over = RestRpcReader if channel is Channel.RPC else RestRowsReader
    with (
        serve(pair.secondary_gate) as rest,
        closing(over(RestAccess(url=rest.url, key=rest.service_key), dataset)) as it,
    ):
        return compare(primary, it, (primary.facts(), it.facts()), options=AT_ONCE)


def execute(dsn: str, *statements: str) -> None:
    """Run some statements in one store."""
    with psycopg.connect(dsn) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def fill(dsn: str, kind: str, values: tuple[str, ...], *, is_key: bool = False) -> None:
    """Make the table of one store, with these values as keys, or beside keys."""
    execute(dsn, f"CREATE TABLE public.unlike (it {kind}{' PRIMARY KEY' if is_key else ', id integer PRIMARY KEY'})")
    with psycopg.connect(dsn) as connection:
        for number, value in enumerate(values):
            row = (value,) if is_key else (value, number)
            connection.execute(f"INSERT INTO public.unlike VALUES ({', '.join('%s' for _ in row)})".encode(), row)


def dataset_of(unlike: Unlike, *, is_key: bool = False) -> Dataset:
    """Return the dataset of the tables that `fill` makes."""
    array = unlike.primary.endswith("[]")
    column = Column(name="it", type=unlike.form, sql_types=types(unlike.primary, unlike.secondary), array=array)
    number = Column(name="id", type=ColumnType.INTEGER, sql_types=types("integer"))
    columns, key = ((column,), "it") if is_key else ((number, column), "id")
    return Dataset(name=NAME, key=(key,), columns=columns, tables=dict.fromkeys(StoreName, ("public", NAME)))


@pytest.mark.parametrize("channel", [Channel.SQL, Channel.RPC, pytest.param(Channel.ROWS, marks=pytest.mark.soak)])
@pytest.mark.parametrize("unlike", COLUMNS, ids=lambda unlike: f"{unlike.primary}-{unlike.secondary}")
def test_unlike_types_of_one_form_are_compared(pair: Pair, unlike: Unlike, channel: Channel) -> None:
    """The comparison proves itself on what both types can hold, and finds equal values equal."""
    fill(pair.primary, unlike.primary, unlike.values)
    fill(pair.secondary, unlike.secondary, unlike.values)
    execute(pair.secondary, RELOAD)
    parity = compared(pair, dataset_of(unlike), channel)
    assert (parity.rows.matched, parity.differences, parity.reasons) == (len(unlike.values), (), ())


@pytest.mark.parametrize("channel", Channel)
@pytest.mark.parametrize("unlike", KEYS, ids=lambda unlike: f"{unlike.primary}-{unlike.secondary}")
def test_a_key_that_the_other_store_cannot_hold_is_missing_there(pair: Pair, unlike: Unlike, channel: Channel) -> None:
    """Asking for it is an error of the server's, which says that no row has this key."""
    *held, missing = unlike.values
    for dsn, values in ((pair.primary, unlike.values), (pair.secondary, tuple(held))):
        if "." in unlike.primary:
            words = ", ".join(f"'{value}'" for value in values)
            execute(dsn, f"CREATE TYPE {unlike.primary} AS ENUM ({words})")
    fill(pair.primary, unlike.primary, unlike.values, is_key=True)
    fill(pair.secondary, unlike.secondary, tuple(held), is_key=True)
    execute(pair.secondary, RELOAD)
    parity = compared(pair, dataset_of(unlike, is_key=True), channel)
    assert [(d.kind, d.key) for d in parity.differences] == [(DifferenceKind.ONLY_PRIMARY, missing)]
    assert parity.rows.matched == len(held)
