"""Tables of a server, spooled to a SQLite file as they are where a store is only reached over REST."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
from psycopg import sql

from contracts.dataset import Dataset
from contracts.vocabulary import StoreName
from storage.canonical_text import field_text


def spool(dataset: Dataset, store: StoreName, dsn: str, file: Path, columns: tuple[str, ...]) -> str:
    """Write these columns of a table to a file, as canonical texts under canonical names; return the file's URL."""
    chosen = [dataset.column(name) for name in columns]
    texts = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(c.name_in(store))) for c in chosen)
    with psycopg.connect(dsn) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        query = sql.SQL("SELECT {} FROM {}").format(texts, sql.Identifier(*dataset.tables[store]))
        rows = [[field_text(c, v) for c, v in zip(chosen, row, strict=True)] for row in connection.execute(query)]
    with closing(sqlite3.connect(file)) as spooled, spooled:
        spooled.execute(f"CREATE TABLE [{dataset.name}] ({', '.join(f'[{name}] TEXT' for name in columns)})")
        spooled.executemany(f"INSERT INTO [{dataset.name}] VALUES ({', '.join('?' * len(columns))})", rows)
    return f"sqlite:///{file}"
