"""A PostgreSQL server for one drill: made, started, and removed with all that was restored into it, also after errors.

It lives below `TWINSTORE_HOME`, or where the account of the servers can reach it. One that a killed process left behind
is stopped and removed by the next drill.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.errors import ConfigurationError, Unavailable
from storage import files
from storage.local.account import SHELTER, reachable_folder, sheltered_folder
from storage.local.server import Server

_SETTINGS = {
    "wal_level": "minimal",  # what is copied into a new table is not logged
    "max_wal_senders": "0",
    "shared_buffers": "128MB",
    "maintenance_work_mem": "256MB",
    "autovacuum": "off",
    "synchronous_commit": "off",
}
_OWNER = "drill"
_UNICODE = "C.utf8"
_IN_USE, _LOCK = "in-use", "scratch.lock"
_WAIT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scratch:
    """A database into which a backup is restored.

    Attributes:
        superuser: Its URL as the superuser of its server.
        owner: Its URL as its owner, who is nobody else: what a dump runs, runs as this role.
    """

    superuser: str
    owner: str


@contextmanager
def scratch_server(home: Path, version: int, *, shelter: Path = SHELTER) -> Iterator[Server]:
    """Run a server of its own for as long as the block lasts.

    Args:
        home: The folder of twinstore.
        version: Major version.
        shelter: Where root keeps it if the account of the servers cannot enter `home`.

    Raises:
        ConfigurationError: The folder cannot be used.
        TwinstoreError: The server does not start.
    """
    root = home / "scratch"
    with ExitStack() as stack:
        try:
            server = _started(root, version, shelter, stack)
        except OSError as exc:
            raise ConfigurationError(
                f"There cannot be a scratch server below {root}: {exc.strerror}.",
                "Make room there, or set TWINSTORE_HOME to a folder of your own.",
            ) from exc
        yield server


def _started(root: Path, version: int, shelter: Path, stack: ExitStack) -> Server:
    """Make and start a server; the stack stops and removes it."""
    files.make_folder(root)
    with files.exclusive(root / _LOCK, wait_s=_WAIT_S):
        _remove_leftovers(root, shelter)
        wanted = root / secrets.token_hex(8)
        lock = root / f"{wanted.name}.{_IN_USE}"
        stack.callback(_remove, wanted, shelter)
        stack.enter_context(files.attempt_lock(lock))
        folder = reachable_folder(wanted, shelter)
    server = Server(version=version, folder=folder / str(version), durable=False, settings=_SETTINGS)
    stack.callback(server.stop, wait_s=5.0)
    server.initialise()
    server.start()
    return server


@contextmanager
def scratch_database(server: Server, ctype: str = "", settings: Iterable[tuple[str, str]] = ()) -> Iterator[Scratch]:
    """Make an empty database, owned by a role that is no superuser; drop it at the end.

    Args:
        server: The server.
        ctype: How letters are to be classified (LC_CTYPE), where this machine knows that.
        settings: Settings of the database, each where the server takes the value.

    Raises:
        ConfigurationError: Amounts of money are written in a way that this machine does not know.
        TwinstoreError: The server cannot be used.
    """
    import psycopg
    from psycopg import sql

    name = f"{_OWNER}_{secrets.token_hex(8)}"
    with scratch_errors(), psycopg.connect(server.dsn(), autocommit=True) as connection:
        _make_owner(connection, server.password(_OWNER))
        _make_database(connection, name, ctype)
        try:
            _set(connection, name, settings)
            with psycopg.connect(server.dsn(name), autocommit=True) as inside:
                inside.execute("DROP SCHEMA public CASCADE")  # a dump makes its own
            yield Scratch(superuser=server.dsn(name), owner=server.dsn(name, _OWNER))
        finally:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def remove_leftovers(home: Path, *, shelter: Path = SHELTER) -> None:
    """Stop and remove scratch servers whose drill was killed."""
    root = home / "scratch"
    if root.is_dir():
        with files.exclusive(root / _LOCK, wait_s=_WAIT_S):
            _remove_leftovers(root, shelter)


def _remove_leftovers(root: Path, shelter: Path) -> None:
    for lock in root.glob(f"*.{_IN_USE}"):
        if not files.is_locked(lock):
            _remove(root / lock.name.removesuffix(f".{_IN_USE}"), shelter)


def _remove(wanted: Path, shelter: Path) -> None:
    """Stop what runs in a folder, and remove it with the link that leads there."""
    if wanted.exists():
        for folder in wanted.resolve().iterdir():
            if folder.name.isdigit():
                Server(version=int(folder.name), folder=folder, durable=False).stop(wait_s=5.0)
    for folder in (wanted, sheltered_folder(wanted, shelter)):
        if folder.is_symlink():
            folder.unlink()
        elif folder.exists():
            shutil.rmtree(folder)
    (wanted.parent / f"{wanted.name}.{_IN_USE}").unlink(missing_ok=True)


def _make_database(connection: Any, name: str, ctype: str) -> None:
    """Make a database whose letters are classified as wished, or else by Unicode, or else as the server does it."""
    from psycopg import errors, sql

    made = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0").format(*map(sql.Identifier, (name, _OWNER)))
    for wished in dict.fromkeys(filter(None, (ctype, _UNICODE))):
        try:
            connection.execute(made + sql.SQL(" LC_CTYPE {}").format(sql.Literal(wished)))
        except (errors.WrongObjectType, errors.InvalidParameterValue):
            continue  # this machine does not know it, or not for UTF-8
        return
    connection.execute(made)


def _set(connection: Any, name: str, settings: Iterable[tuple[str, str]]) -> None:
    """Let texts be read as values in a database as they were.

    Raises:
        ConfigurationError: Amounts of money would be read as others.
    """
    from psycopg import errors, sql

    for setting, value in settings:
        query = sql.SQL("ALTER DATABASE {} SET {} = {}")
        try:
            connection.execute(query.format(*map(sql.Identifier, (name, setting.lower())), sql.Literal(value)))
        except errors.InvalidParameterValue:
            if setting == "lc_monetary":
                raise ConfigurationError(
                    f"Amounts of money are written by the locale {value}, which the scratch server does not know: "
                    "nobody can tell here whether the backup is good.",
                    "Install that locale on this machine, or verify on one that has it.",
                ) from None
            continue  # such as a time zone that this machine does not know


def _make_owner(connection: Any, password: str) -> None:
    """Make the role unless it is there; only the verifier of its password travels."""
    from psycopg import sql

    verifier = connection.pgconn.encrypt_password(password.encode(), _OWNER.encode(), b"scram-sha-256").decode()
    if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [_OWNER]).fetchone() is None:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(_OWNER)))
    connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(_OWNER), sql.Literal(verifier)))


@contextmanager
def scratch_errors() -> Iterator[None]:
    """Say of errors of the scratch server that they are not those of a store.

    Raises:
        Unavailable: It failed.
    """
    import psycopg

    try:
        yield
    except psycopg.Error as exc:
        raise Unavailable(
            f"The scratch server of a drill failed (SQLSTATE {exc.sqlstate}).", "Try again; look for disk and memory."
        ) from None
