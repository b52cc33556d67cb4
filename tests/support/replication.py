"""A pair of stores that replicate one dataset, as tests see it: doors, relay, what applications do, what is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from contracts.dataset import Dataset
from contracts.planning import PLANNING
from contracts.vocabulary import Channel, StoreName
from storage.migrations.values import Side
from storage.ports import Row
from storage.replication import adoption
from storage.replication.book import Book
from storage.replication.by_rest import RestCall
from storage.replication.by_sql import SqlCall
from storage.replication.doors import Call, Doors, PrimaryDoors, SecondaryDoors
from storage.replication.relay import Relay
from storage.rest.client import RestAccess, RestClient
from tests.support.factories import make_key
from tests.support.gateway import serve
from tests.support.servers import Pair

AT = "2026-03-01 12:00:00.123"
PATIENT_S = 30.0
"""Seconds that a step has: a machine that is busy, or stands still for a while, is no outage."""
BODY = {"id": "x", "type": "story"}
_EMPTIED = {
    Side.PRIMARY: ("planning", "change", "row_state", "conflict", "delivery", "request"),
    Side.SECONDARY: ("planning", "change", "row_state", "request"),
}
_LINES = "SELECT id FROM twinstore.change WHERE dataset = %s AND key = %s ORDER BY id"
_INSERT = """
INSERT INTO public.planning (id, type, title, content, status, version, created_at, updated_at)
VALUES (%s, 'story', %s, '{"id": "x", "type": "story"}', 'draft', 1, %s, %s)
"""


def record(key: str, title: str = "T", **changes: str | None) -> Row:
    """Return a planning row that both stores can hold, each column as text."""
    row: dict[str, str | None] = dict.fromkeys(column.name for column in PLANNING.columns)
    known = {"type": "story", "status": "draft", "version": "1", "storage_status": "pending"}
    row |= {"id": key, "title": title, "content": json.dumps(BODY), "created_at": AT, "updated_at": AT, **known}
    return row | changes


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What a side keeps of a key.

    Attributes:
        title: Title of its row; None when there is no row.
        lines: Numbers of its lines.
        rev: The rev that the secondary is known to have, or has.
        seen: The last change of the secondary that was judged; 0 on the secondary.
    """

    title: str | None
    lines: tuple[int, ...]
    rev: int
    seen: int


@dataclass(slots=True, kw_only=True)
class World:
    """Two stores that replicate, and what reaches them.

    Attributes:
        pair: The databases.
        primary: Doors of the primary.
        secondary: Doors of the secondary, over the channel of the test.
        book: What is kept on the primary.
        relay: Carries changes.
        channel: How the secondary is reached.
        apps: An application's own connections, each statement a transaction.
    """

    pair: Pair
    primary: PrimaryDoors
    secondary: SecondaryDoors
    book: Book
    relay: Relay
    channel: Channel
    apps: Mapping[Side, psycopg.Connection[Any]]
    dataset: Dataset = field(default=PLANNING)

    def doors(self, side: Side) -> Doors:
        """Return the doors of a side."""
        return self.primary if side is Side.PRIMARY else self.secondary

    def dsn(self, side: Side) -> str:
        """Return the URL of a side, as its application."""
        return self.pair.primary if side is Side.PRIMARY else self.pair.secondary

    def run(self, side: Side, statement: str, *values: object) -> int:
        """Run a statement as an application, in a transaction of its own; return how many rows it touched."""
        return self.apps[side].execute(statement.encode(), values).rowcount

    def ask(self, side: Side, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        return self.apps[side].execute(query.encode(), values).fetchall()

    def insert(self, side: Side, *keys: str, title: str = "T") -> None:
        """Insert rows as an application does."""
        for key in keys:
            self.run(side, _INSERT, key, title, AT, AT)

    def titled(self, side: Side, key: str, title: str) -> int:
        """Give a row another title, as an application does; return how many rows there were."""
        return self.run(side, "UPDATE public.planning SET title = %s WHERE id = %s", title, key)

    def delete(self, side: Side, key: str) -> int:
        """Delete a row as an application does; return how many there were."""
        return self.run(side, "DELETE FROM public.planning WHERE id = %s", key)

    def lines(self, side: Side, key: str) -> list[int]:
        """Return the numbers of a key's lines."""
        return [number for (number,) in self.ask(side, _LINES, self.dataset.name, key)]

    def title(self, side: Side, key: str) -> str | None:
        """Return the title of a row; None when there is no such row."""
        found = self.ask(side, "SELECT title FROM public.planning WHERE id = %s", key)
        return found[0][0] if found else None

    def titles(self, key: str) -> tuple[str | None, str | None]:
        """Return the title of a row on the primary and on the secondary."""
        return self.title(Side.PRIMARY, key), self.title(Side.SECONDARY, key)

    def empty(self) -> None:
        """Take away all rows and all that is remembered, as if the stores had just been adopted."""
        for side, tables in _EMPTIED.items():
            names = [("public" if name == "planning" else "twinstore", name) for name in tables]
            gone = [sql.SQL("DELETE FROM {}").format(sql.Identifier(*name)) for name in names]
            self.apps[side].execute(sql.SQL("; ").join(gone))
            for name in names[:3]:
                self.apps[side].execute(sql.SQL("VACUUM {}").format(sql.Identifier(*name)))
            self.apps[side].execute("UPDATE twinstore.capture SET gap_at = NULL, gap_reason = NULL")

    def adopt(self) -> None:
        """Adopt the stores as equal."""
        _, theirs = adoption.begin(self.primary, self.secondary, self.book)
        adoption.finish(self.secondary, self.book, differing=(), begun=theirs)


@contextmanager
def world(pair: Pair, channel: Channel = Channel.SQL, *, adopted: bool = True, batch: int = 500) -> Iterator[World]:
    """Reach two stores for as long as the context lasts, and adopt them as equal."""
    with ExitStack() as stack:
        by_sql = SqlCall(pair.primary, PLANNING, Side.PRIMARY)
        stack.callback(by_sql.close)
        call: Call = SqlCall(pair.secondary, PLANNING, Side.SECONDARY)
        if channel is Channel.RPC:
            call.close()
            rest = stack.enter_context(serve(pair.secondary_gate))
            call = RestCall(RestClient(RestAccess(url=rest.url, key=rest.secret_key)), PLANNING)
        stack.callback(call.close)
        primary, secondary = PrimaryDoors(by_sql, PLANNING), SecondaryDoors(call, PLANNING)
        book = Book(by_sql, PLANNING)
        apps = {
            side: stack.enter_context(psycopg.connect(dsn, autocommit=True))
            for side, dsn in ((Side.PRIMARY, pair.primary), (Side.SECONDARY, pair.secondary))
        }
        made = World(
            pair=pair,
            primary=primary,
            secondary=secondary,
            book=book,
            relay=Relay(primary, secondary, book, batch=batch),
            channel=channel,
            apps=apps,
        )
        if adopted:
            made.adopt()
        yield made


def keys(number: int) -> list[str]:
    """Return some keys, smallest first."""
    return sorted(make_key(1000 + at) for at in range(number))


def other(side: Side) -> Side:
    """Return the other side."""
    return Side.SECONDARY if side is Side.PRIMARY else Side.PRIMARY


def store_of(side: Side) -> StoreName:
    """Return the store of a side."""
    return side.store
