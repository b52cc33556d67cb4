"""A pair of databases as the environment of a user names it, and what applications do to its planning records."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from contracts.vocabulary import Channel, StoreName
from flows.opening import Opened, opened
from storage.replication import adoption
from tests.support.accounts import url_of
from tests.support.checking import over
from tests.support.gateway import Rest
from tests.support.servers import Pair

TABLE = "public.planning"


def settings_of(pair: Pair, home: Path, rest: Rest | None = None) -> dict[str, str]:
    """Return the environment in which commands work on this pair; with `rest` the secondary is reached over REST."""
    second = (
        {"SUPABASE_DB_URL": pair.secondary}
        if rest is None
        else {"SUPABASE_URL": rest.url, "SUPABASE_SECRET_KEY": rest.secret_key, "SUPABASE_DB_URL": ""}
    )
    quick = {"TWINSTORE_GRACE_S": "0", "TWINSTORE_RECHECK_ROUNDS": "1", "TWINSTORE_SYNC_INTERVAL_S": "0.1"}
    return {"DATABASE_URL": pair.primary, "TWINSTORE_HOME": str(home), **second, **quick}


@contextmanager
def work_on(
    pair: Pair, channel: Channel, home: Path, monkeypatch: pytest.MonkeyPatch, *, remembering: bool = False
) -> Iterator[Opened]:
    """Open this pair as a command of replication does."""
    with over(pair, channel) as rest:
        for name, value in settings_of(pair, home, rest).items():
            monkeypatch.setenv(name, value)
        with opened(None, remembering=remembering) as work:
            yield work


def adopted_as_equal(work: Opened) -> None:
    """Let changes be carried over between stores that are equal, without looking at them again."""
    for replication in work.replications:
        primary, secondary, _ = replication.both()
        _, theirs = adoption.begin(primary, secondary, replication.book)
        adoption.finish(secondary, replication.book, differing=(), begun=theirs)


def keys(pair: Pair, number: int, store: StoreName = StoreName.PRISMA) -> list[str]:
    """Return some keys, smallest first."""
    with psycopg.connect(url_of(pair, store)) as connection:
        found = connection.execute(f"SELECT id::text FROM {TABLE} ORDER BY 1 LIMIT {number}").fetchall()
    return [key for (key,) in found]


def titled(pair: Pair, store: StoreName, key: str, title: str) -> None:
    """Give a record another title, as somebody with a SQL editor does."""
    run(pair, store, f"UPDATE {TABLE} SET title = %s WHERE id::text = %s", title, key)


def run(pair: Pair, store: StoreName, statement: str, *values: object) -> None:
    """Run a statement on a store, as its application."""
    with psycopg.connect(url_of(pair, store), autocommit=True) as connection:
        connection.execute(statement, values)


def titles(pair: Pair, store: StoreName) -> dict[str, str]:
    """Return the title of every record by its key."""
    with psycopg.connect(url_of(pair, store)) as connection:
        return dict(connection.execute(f"SELECT id::text, title FROM {TABLE}").fetchall())
