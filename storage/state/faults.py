"""What the database of the tool's memory raises, in the words of `contracts.errors`; never a secret, never a key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from contracts.errors import (
    ConfigurationError,
    Conflict,
    InternalFault,
    Refused,
    SchemaMismatch,
    TimedOut,
    TwinstoreError,
    Unavailable,
)
from contracts.vocabulary import StoreName
from storage import pg_errors

_REPORT = "Please report it."
_ELSEWHERE = "or point TWINSTORE_STATE_URL elsewhere."

# By the beginning of the name of SQLite's result code.
_SQLITE: tuple[tuple[tuple[str, ...], type[TwinstoreError], str, str], ...] = (
    (
        ("SQLITE_BUSY", "SQLITE_LOCKED"),
        Conflict,
        "is being written by another process all the time",
        "Wait until it has ended, then try again.",
    ),
    (
        ("SQLITE_NOTADB", "SQLITE_CORRUPT"),
        ConfigurationError,
        "is damaged, or is no state of twinstore; it was left as it is",
        "Restore it from a copy, or move it away to begin without a history.",
    ),
    (
        ("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH"),
        ConfigurationError,
        "cannot be written",
        f"Make the file and its folder writable, {_ELSEWHERE}",
    ),
    (
        ("SQLITE_FULL", "SQLITE_IOERR"),
        ConfigurationError,
        "is on a disk that is full or failing; nothing of this step was kept",
        "Free some space or mend the disk, then try again.",
    ),
)

_POSTGRES: dict[type[TwinstoreError], tuple[str, str]] = {
    Unavailable: ("cannot be reached", "Check that its server is up, then try again."),
    Refused: (
        "refuses us",
        "Check user and password in TWINSTORE_STATE_URL; the user must be able to create the schema twinstore_state.",
    ),
    ConfigurationError: ("is no such database, or its URL has an option that the driver does not know", "Correct it."),
    SchemaMismatch: ("lacks tables or columns that its version promises", f"Restore it from a copy, {_ELSEWHERE}"),
    TimedOut: ("was busy for too long", "Try again."),
    Conflict: ("was changed by someone else at the same time", "Try again."),
}


@contextmanager
def translated(place: str) -> Iterator[None]:
    """Translate errors of the driver.

    Args:
        place: Where the memory is kept, as the user may read it: a path, or host and database without a password.

    Raises:
        TwinstoreError: What went wrong, by what the caller does about it.
    """
    error: TwinstoreError | None = None
    try:
        yield
    except SQLAlchemyError as exc:
        error = _say(exc, place)
    if error is not None:
        raise error  # out here, since the driver's exception may hold keys and the password


def _say(exc: SQLAlchemyError, place: str) -> TwinstoreError:
    if not isinstance(exc, DBAPIError) or exc.orig is None:
        return InternalFault(f"The state at {place} raised {type(exc).__name__}.", _REPORT)
    code = getattr(exc.orig, "sqlite_errorname", None)
    return _postgres(exc.orig, place) if code is None else _sqlite(str(code), place)


def _sqlite(code: str, place: str) -> TwinstoreError:
    for beginnings, kind, what, todo in _SQLITE:
        if code.startswith(beginnings):
            return kind(f"The state at {place} {what}.", todo)
    return InternalFault(f"The state at {place} answered {code}.", _REPORT)


def _postgres(exc: BaseException, place: str) -> TwinstoreError:
    """Ask those who know PostgreSQL's errors for the kind; their words are about a store, ours about the memory."""
    from psycopg import ProgrammingError

    kind = type(pg_errors.translated(exc, StoreName.PRISMA))
    if kind is InternalFault and isinstance(exc, ProgrammingError) and getattr(exc, "sqlstate", None) is None:
        kind = ConfigurationError  # the driver refused before it asked the server
    if kind not in _POSTGRES:
        return InternalFault(f"The state at {place} answered {getattr(exc, 'sqlstate', None)}.", _REPORT)
    what, todo = _POSTGRES[kind]
    return kind(f"The state at {place} {what}.", todo)
