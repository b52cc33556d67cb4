"""What a live table is made of, as both servers tell it."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest

from contracts.dataset import Dataset
from contracts.errors import SchemaMismatch
from contracts.planning import PLANNING
from contracts.vocabulary import StoreName
from flows.new_dataset.plan import plan_dataset
from storage.postgres import PostgresReader
from storage.table_shape import ColumnShape, TableShape, measure, read_shape
from tests.support.servers import Pair

PRISMA, SUPABASE = StoreName.PRISMA, StoreName.SUPABASE
MADE = """
CREATE TYPE mood AS ENUM ('sad', 'so so');
CREATE TYPE place AS (x int);
CREATE DOMAIN short AS varchar(20) CHECK (VALUE <> '');
CREATE DOMAIN shorter AS short;
CREATE TABLE public."Odd" (
    id int GENERATED ALWAYS AS IDENTITY,
    part text NOT NULL,
    gone int,
    word shorter,
    feeling mood NOT NULL,
    feelings mood[],
    spot place,
    spots place[],
    price numeric(10, 2) CHECK (price >= 0),
    doubled numeric GENERATED ALWAYS AS (price * 2) STORED,
    changed_at timestamptz,
    UNIQUE (part, id),
    UNIQUE (price)
);
ALTER TABLE public."Odd" DROP COLUMN gone;
"""


def made(pair: Pair, store: StoreName, more: str = "") -> str:
    """Make the table on one store; return its URL."""
    dsn = pair.primary if store is PRISMA else pair.secondary
    with psycopg.connect(dsn) as connection:
        connection.execute((MADE + more).encode())
    return dsn


@pytest.mark.parametrize("store", StoreName)
def test_a_table_is_read_with_all_that_a_contract_needs(empty_pair: Pair, store: StoreName) -> None:
    """Types below domains, words of enums, what is readable, NOT NULL, the key without a primary key, constraints."""
    shape = read_shape(made(empty_pair, store), store, "public", "Odd")
    words = ("sad", "so so")
    assert shape == TableShape(
        schema="public",
        table="Odd",
        key=("part", "id"),
        checks=("CHECK ((price >= (0)::numeric))",),
        columns=(
            ColumnShape(name="id", type="integer", required=True),
            ColumnShape(name="part", type="text", required=True),
            ColumnShape(name="word", type="character varying(20)"),
            ColumnShape(name="feeling", type="public.mood", required=True, labels=words),
            ColumnShape(name="feelings", type="public.mood[]"),
            ColumnShape(name="spot", type="public.place", readable=False),
            ColumnShape(name="spots", type="public.place[]", readable=False),
            ColumnShape(name="price", type="numeric(10,2)"),
            ColumnShape(name="doubled", type="numeric"),
            ColumnShape(name="changed_at", type="timestamp with time zone"),
        ),
    )


def test_the_primary_key_is_the_key(empty_pair: Pair) -> None:
    """However many unique indexes there are, and however short."""
    dsn = made(empty_pair, PRISMA, 'ALTER TABLE public."Odd" ADD PRIMARY KEY (id, part), ADD UNIQUE (part);')
    assert read_shape(dsn, PRISMA, "public", "Odd").key == ("id", "part")


def test_a_table_that_is_not_there_is_refused(empty_pair: Pair) -> None:
    """A view is none, and names are taken as they are."""
    dsn = made(empty_pair, PRISMA, 'CREATE VIEW public.odd AS TABLE public."Odd";')
    for name in ("odd", "Other"):
        with pytest.raises(SchemaMismatch, match=rf"prisma has no table public\.{name}"):
            read_shape(dsn, PRISMA, "public", name)


def dataset_of(dsn: str) -> Dataset:
    """Return the dataset that the table would be with itself."""
    shape = read_shape(dsn, PRISMA, "public", "Odd")
    return plan_dataset("odd", {PRISMA: shape, SUPABASE: shape}, without=["spot", "spots"]).dataset


def test_rows_are_measured(empty_pair: Pair) -> None:
    """Shares of NULL by column and the age of the newest change, infinities aside; nothing is said of no rows."""
    dsn = made(empty_pair, PRISMA)
    dataset = dataset_of(dsn)
    empty = measure(dsn, PRISMA, dataset)
    assert (empty.null_shares, empty.newest_age_days) == ({}, None)
    with psycopg.connect(dsn) as connection:
        connection.execute(
            """INSERT INTO public."Odd" (part, feeling, price, changed_at)
            VALUES ('a', 'sad', 1, now() - interval '2 days'), ('b', 'sad', NULL, 'infinity'),
                   ('c', 'sad', NULL, NULL), ('d', 'sad', 2, now() - interval '3 days')"""
        )
    found = measure(dsn, PRISMA, dataset)
    assert found.null_shares == {
        "word": 1,
        "feeling": 0,
        "feelings": 1,
        "price": 0.5,
        "doubled": 0.5,
        "changed_at": 0.25,
    }
    assert found.newest_age_days == pytest.approx(2, abs=0.01)


@pytest.mark.parametrize("store", StoreName)
def test_a_table_without_columns_has_none(empty_pair: Pair, store: StoreName) -> None:
    """It has no key either, and a dataset that wants columns of it is refused by the first one's name."""
    dsn = empty_pair.primary if store is PRISMA else empty_pair.secondary
    with psycopg.connect(dsn) as connection:
        connection.execute("CREATE TABLE public.bare ()")
    assert read_shape(dsn, store, "public", "bare") == TableShape(
        schema="public", table="bare", columns=(), key=(), checks=()
    )
    dataset = replace(PLANNING, tables=dict.fromkeys(StoreName, ("public", "bare")))
    with pytest.raises(SchemaMismatch, match="has no column id"):
        PostgresReader(dsn, store, dataset).facts()
