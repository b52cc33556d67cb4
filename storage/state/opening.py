"""Opens the database of the memory: its URL, its file and folder, its connections."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, select, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from contracts.errors import ConfigurationError
from storage.state.faults import translated
from storage.state.tables import META
from storage.state.versions import SCHEMA, bring_forward

_BUSY_S = 30.0
_IMMEDIATE = "twinstore_immediate"  # an option of a connection: take SQLite's write lock at the beginning


class Database:
    """Connections to the memory, with one writer at a time.

    Args:
        engine: Where it is kept.
        place: The same as the user may read it.
        passing: The folder that is removed at the end, for a memory that ends with the process.
    """

    def __init__(self, engine: Engine, place: str, passing: tempfile.TemporaryDirectory[str] | None = None) -> None:
        self.place = place
        self.durable = passing is None
        self._passing = passing
        self._file = engine.dialect.name == "sqlite"
        self._reader = engine if self._file else engine.execution_options(isolation_level="REPEATABLE READ")
        self._writer = engine.execution_options(**{_IMMEDIATE: True})

    @property
    def one_machine(self) -> bool:
        """True when every process that uses it runs on this machine."""
        return self._file

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that reads one snapshot."""
        with translated(self.place), self._reader.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that nobody else writes beside; it is rolled back when the block raises."""
        with translated(self.place), self._writer.begin() as connection:
            self._limit_waiting(connection)
            connection.execute(select(META.c.version).with_for_update())
            yield connection

    def prepare(self) -> None:
        """Make the tables or bring them forward.

        Raises:
            ConfigurationError: They are newer than this program, damaged, not ours, or cannot be written.
        """
        with translated(self.place), self._writer.begin() as connection:
            self._limit_waiting(connection)
            bring_forward(connection, self.place)

    def close(self) -> None:
        """Close all connections."""
        self._writer.dispose()
        if self._passing is not None:
            self._passing.cleanup()

    def _limit_waiting(self, connection: Connection) -> None:
        if not self._file:
            connection.execute(text(f"SET LOCAL lock_timeout = '{_BUSY_S:.0f}s'"))


def open_database(url: str | None) -> Database:
    """Open the memory at `url`, making what is not there yet.

    Args:
        url: A SQLAlchemy URL of SQLite or PostgreSQL; None for a file that is removed at the end.

    Raises:
        ConfigurationError: The URL, the file or the server cannot be used.
        Unavailable: The server cannot be reached.
        Refused: The server refuses us.
    """
    parsed = None if url is None else _parse(url)
    if parsed is None or (parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:")):
        database = _passing()
    elif parsed.get_backend_name() == "sqlite":
        path = Path(parsed.database or "").absolute()
        database = Database(_sqlite(path), str(path))
    else:
        database = Database(_postgres(parsed), f"{parsed.host}:{parsed.port or 5432}/{parsed.database}")
    try:
        database.prepare()
    except BaseException:
        database.close()
        raise
    return database


def _parse(url: str) -> URL:
    """Read `url`; its text is never repeated, since it may hold a password."""
    todo = "Set TWINSTORE_STATE_URL to sqlite:///path/to/state.db or postgresql://user:password@host/database."
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigurationError("TWINSTORE_STATE_URL is no URL.", todo) from None
    backend = "postgresql" if parsed.drivername == "postgres" else parsed.drivername.partition("+")[0]
    if backend not in ("sqlite", "postgresql"):
        raise ConfigurationError("TWINSTORE_STATE_URL names a database that is neither SQLite nor PostgreSQL.", todo)
    return parsed.set(drivername={"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg"}[backend])


def _passing() -> Database:
    folder = tempfile.TemporaryDirectory(prefix="twinstore-state-")
    return Database(_sqlite(Path(folder.name) / "state.db"), "a passing file", folder)


def _sqlite(path: Path) -> Engine:
    _make_private(path)
    engine = create_engine(
        URL.create("sqlite+pysqlite", database=str(path)),
        connect_args={"timeout": _BUSY_S},
        hide_parameters=True,
    )
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_private(path: Path) -> None:
    """Make the folder and the file for their owner alone; what is there already keeps its mode."""
    try:
        for folder in reversed([f for f in path.parents if not f.exists()]):
            folder.mkdir(mode=0o700, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except OSError as exc:
        raise ConfigurationError(
            f"The state at {path} cannot be written: {exc.strerror}.",
            "Make the file and its folder writable, or point TWINSTORE_STATE_URL elsewhere.",
        ) from exc


def _set_up_sqlite(raw: sqlite3.Connection, _record: Any) -> None:
    """Take transactions into our own hands: the driver would begin them only before a write."""
    raw.isolation_level = None
    raw.execute(f"PRAGMA busy_timeout = {int(_BUSY_S * 1000)}")
    raw.execute("PRAGMA journal_mode = WAL")
    raw.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    immediate = connection.get_execution_options().get(_IMMEDIATE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _postgres(url: URL) -> Engine:
    try:
        engine = create_engine(
            url,
            hide_parameters=True,
            pool_pre_ping=True,
            connect_args={"connect_timeout": 10, "prepare_threshold": None, "application_name": "twinstore state"},
            execution_options={"schema_translate_map": {None: SCHEMA}},
        )
    except (NoSuchModuleError, ModuleNotFoundError) as exc:
        raise ConfigurationError("The driver of the state's database is missing.", "Install psycopg.") from exc
    return engine
