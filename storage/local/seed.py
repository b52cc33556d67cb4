"""Seed data for the embedded pair: the same realistic planning records in both stores.

`records` makes them, `load` writes them to both stores by COPY, `clear` empties both stores again. All of it is
deterministic: the same seed and the same moment give the same rows.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from contracts.errors import Conflict
from contracts.vocabulary import StoreName
from storage.local.seed_bodies import Json
from storage.local.seed_records import PlanningSeed, records
from storage.local.unguarded import indexes_off, transaction, triggers_off
from storage.pg_errors import translate

if TYPE_CHECKING:
    import psycopg

__all__ = ["PlanningSeed", "clear", "load", "mend", "records"]

_COPY = """
    COPY public.planning (
        id, type, title, content, status, user_id, project_id, version, metadata, storage, source, storage_status,
        created_at, updated_at
    ) FROM STDIN
"""
_MANY = 20_000  # rows from which it is faster to build the indexes afterwards
_LINES = 500  # lines that are sent at once


def load(primary_dsn: str, secondary_dsn: str, n: int, *, seed: int = 1, now: datetime) -> int:
    """Write `n` seed records to both stores, all of them or none, and return how many there are.

    The same bytes go to both stores. On the secondary no trigger fires, so that the times stay as they are and the
    audit log stays short.

    Args:
        primary_dsn: Connection string of the primary.
        secondary_dsn: Connection string of the secondary, as the owner of its table.
        n: Number of records.
        seed: Start of the random numbers.
        now: The moment at which the newest records end; it needs a time zone.

    Raises:
        ValueError: `now` has no time zone.
        Conflict: Some of these records are there already.
        Unavailable: A store cannot be reached.
        Refused: A store refuses us.
        SchemaMismatch: A store lacks the planning table.
    """
    lines = (_line(record) for record in records(n, seed=seed, now=now))
    with (
        transaction(StoreName.PRISMA, primary_dsn) as primary,
        transaction(StoreName.SUPABASE, secondary_dsn) as secondary,
        translate(StoreName.SUPABASE),
        triggers_off(secondary),
        _indexes(StoreName.PRISMA, primary, n),
        _indexes(StoreName.SUPABASE, secondary, n),
    ):
        _copy(primary, secondary, lines)
    return n


def clear(primary_dsn: str, secondary_dsn: str) -> None:
    """Delete every planning record from both stores.

    Raises:
        Unavailable: A store cannot be reached.
        Refused: A store refuses us.
        SchemaMismatch: A store lacks the planning table.
    """
    with (
        transaction(StoreName.PRISMA, primary_dsn) as primary,
        transaction(StoreName.SUPABASE, secondary_dsn) as secondary,
    ):
        with translate(StoreName.PRISMA):
            primary.execute("DELETE FROM public.planning")
        with translate(StoreName.SUPABASE), triggers_off(secondary):
            secondary.execute("DELETE FROM public.planning")


def mend(primary_dsn: str, secondary_dsn: str, keys: Collection[str], n: int, *, seed: int = 1, now: datetime) -> int:
    """Bring the seed records with these keys back to what `load` made of them, on both stores; returns how many.

    Raises:
        Unavailable: A store cannot be reached.
        Refused: A store refuses us.
        SchemaMismatch: A store lacks the planning table.
    """
    wanted = frozenset(keys)
    lines = [_line(record) for record in records(n, seed=seed, now=now) if record.id in wanted]
    with (
        transaction(StoreName.PRISMA, primary_dsn) as primary,
        transaction(StoreName.SUPABASE, secondary_dsn) as secondary,
        translate(StoreName.SUPABASE),
        triggers_off(secondary),
    ):
        with translate(StoreName.PRISMA):
            primary.execute("DELETE FROM public.planning WHERE lower(id) = ANY(%s::text[])", (sorted(wanted),))
        secondary.execute("DELETE FROM public.planning WHERE id = ANY(%s::uuid[])", (sorted(wanted),))
        _copy(primary, secondary, iter(lines))
    return len(lines)


@contextmanager
def _indexes(store: StoreName, connection: psycopg.Connection, n: int) -> Iterator[None]:
    with translate(store), indexes_off(connection) if n >= _MANY else nullcontext():
        yield


@contextmanager
def _loading(store: StoreName) -> Iterator[None]:
    import psycopg

    with translate(store):
        try:
            yield
        except psycopg.errors.UniqueViolation:
            raise Conflict(
                f"Some of the seed records are in {store} already.",
                "Clear the stores, or take another seed.",
                store=store,
            ) from None


def _copy(primary: psycopg.Connection, secondary: psycopg.Connection, lines: Iterator[str]) -> None:
    """Send the same bytes to both stores, some lines at a time; each store's errors name that store."""
    with (
        _loading(StoreName.SUPABASE),
        secondary.cursor().copy(_COPY) as two,
        _loading(StoreName.PRISMA),
        primary.cursor().copy(_COPY) as one,
    ):
        while chunk := "".join(islice(lines, _LINES)).encode():
            one.write(chunk)
            with _loading(StoreName.SUPABASE):
                two.write(chunk)


def _line(record: PlanningSeed) -> str:
    """Return the record as one line of COPY's text format; a `timestamp` column ignores the zone, which is UTC."""
    fields = (
        record.id,
        record.type.value,
        record.title,
        _json(record.content),
        record.status.value,
        record.user_id,
        record.project_id,
        str(record.version),
        _json(record.metadata),
        _json(record.storage),
        record.source,
        record.storage_status,
        record.created_at.isoformat(" ", "milliseconds"),
        record.updated_at.isoformat(" ", "milliseconds"),
    )
    return "\t".join("\\N" if field is None else _escaped(field) for field in fields) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")


def _json(value: Mapping[str, Json] | None) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
