"""What the benchmark needs of the embedded pair: facts, a bare COPY to compare with, differences that are undone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contracts.dataset import Dataset
from contracts.vocabulary import StoreName
from storage.local.unguarded import transaction, triggers_off
from storage.pg_errors import translate

if TYPE_CHECKING:
    import psycopg

_FACTS = """
    SELECT current_setting('server_version'), (SELECT count(*) FROM public.planning), pg_table_size('public.planning')
"""
_CHOOSE = "SELECT id FROM public.planning ORDER BY md5(id::text || 'bench'), id LIMIT %s"
_FORGET = "DROP TABLE IF EXISTS public.twinstore_bench_rows"
_SAVE = "CREATE TABLE public.twinstore_bench_rows AS SELECT * FROM public.planning WHERE id = ANY(%s)"
_EDIT = "UPDATE public.planning SET title = left(title, 480) || ' (edited)' WHERE id = ANY(%s)"
_DELETE = "DELETE FROM public.planning WHERE id = ANY(%s)"
_RENAME = "UPDATE public.planning SET id = md5(id::text)::uuid WHERE id = ANY(%s)"
_REMOVE = """
    DELETE FROM public.planning USING public.twinstore_bench_rows AS saved
    WHERE planning.id IN (saved.id, md5(saved.id::text)::uuid)
"""
_RESTORE = "INSERT INTO public.planning SELECT * FROM public.twinstore_bench_rows"
_EVERY = 20  # one victim in so many is deleted, another one gets a new key


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFacts:
    """How large the table of one store is.

    Attributes:
        version: Version of the server.
        rows: Number of rows.
        megabytes: Size of the table with what is stored aside, without indexes, in MB.
    """

    version: str
    rows: int
    megabytes: float


def settle(store: StoreName, dsn: str) -> TableFacts:
    """Vacuum and analyse the table, so that every measurement finds it in the same state, and return its facts.

    Raises:
        Unavailable: The store cannot be reached.
        Refused: It refuses us.
    """
    import psycopg

    with translate(store), psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE public.planning")
        row = connection.execute(_FACTS).fetchone()
    version, rows, size = row or ("", 0, 0)
    return TableFacts(version=version.split(" ")[0], rows=rows, megabytes=size / 1e6)


def copy_to_nothing(store: StoreName, dsn: str, dataset: Dataset) -> int:
    """Read the columns of a whole table by COPY, throw everything away, and return how many bytes it was.

    Raises:
        Unavailable: The store cannot be reached.
        Refused: It refuses us.
    """
    import psycopg
    from psycopg import sql

    columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in dataset.columns)
    query = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT").format(columns, sql.Identifier(*dataset.tables[store]))
    with (
        translate(store),
        psycopg.connect(dsn, options="-c TimeZone=UTC") as connection,
        connection.cursor().copy(query) as copy,
    ):
        return sum(len(block) for block in copy)


@contextmanager
def scattered_differences(dsn: str, number: int) -> Iterator[int]:
    """Let the secondary differ in about `number` rows all over its table for as long as the block lasts.

    Most have another title; some are gone, and as many have a new key. Yields how many keys differ.

    Args:
        dsn: Connection string of the secondary, as the owner of its table.
        number: Number of keys that are to differ; fewer where the table is small.

    Raises:
        Unavailable: The store cannot be reached.
        Refused: It refuses us.
    """
    with _unguarded(dsn) as connection:
        differing = _plant(connection, number)
    try:
        yield differing
    finally:
        with _unguarded(dsn) as connection:
            for statement in (_REMOVE, _RESTORE, _FORGET):
                connection.execute(statement)


@contextmanager
def _unguarded(dsn: str) -> Iterator[psycopg.Connection]:
    store = StoreName.SUPABASE
    with transaction(store, dsn) as connection, translate(store), triggers_off(connection):
        yield connection


def _plant(connection: psycopg.Connection, number: int) -> int:
    chosen = number * _EVERY // (_EVERY + 1)  # a new key counts twice: one is missing, one is there for nothing
    victims = [key for (key,) in connection.execute(_CHOOSE, [chosen]).fetchall()]
    gone, renamed = victims[::_EVERY], victims[1::_EVERY]
    edited = [key for at, key in enumerate(victims) if at % _EVERY > 1]
    connection.execute(_FORGET)
    connection.execute(_SAVE, [victims])
    for statement, keys in ((_EDIT, edited), (_DELETE, gone), (_RENAME, renamed)):
        connection.execute(statement, [keys])
    return len(edited) + len(gone) + 2 * len(renamed)
