"""PostgreSQL's errors, said in our words: by what the caller does about them, and without a value or a secret.

The drivers are not quoted. psycopg prints pieces of a password when a connection string does not parse and keeps the
whole password in `Error.pgconn`; a server's DETAIL holds the values of the row. What remains is the SQLSTATE and, where
the server's message can hold nothing but names of tables, columns and functions, that message. The driver's exception
is cut off, not chained.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from contracts.errors import (
    ConfigurationError,
    Conflict,
    InternalFault,
    ProtocolError,
    Refused,
    SchemaMismatch,
    TimedOut,
    TwinstoreError,
    Unavailable,
)
from contracts.vocabulary import StoreName

if TYPE_CHECKING:
    import psycopg

OUR_REFUSAL = "TW001"
"""SQLSTATE that our own SQL raises when it refuses to run: its message and hint are ours and hold no value."""

_CLASSES: dict[str, type[TwinstoreError]] = {
    # The longest prefix of the SQLSTATE decides.
    "08": Unavailable,  # connection exceptions
    "53": Unavailable,  # out of connections, memory or disk
    "57P": Unavailable,  # shut down, starting up, killed
    "58": Unavailable,  # input and output
    "28": Refused,
    "25006": Refused,  # a write in a read-only transaction or server
    "42501": Refused,
    "3D": ConfigurationError,  # no such database
    "3F": SchemaMismatch,  # no such schema
    "42": SchemaMismatch,  # no such table, column, function; another type
    "2BP01": SchemaMismatch,  # something else depends on it
    "42601": InternalFault,  # a syntax error is our own
    "25P": TimedOut,  # idle in transaction, whole transaction
    "25P02": InternalFault,
    "55P03": TimedOut,
    "57014": TimedOut,
    "40": Conflict,  # deadlock, serialization
    "55": Conflict,
}

_TODO: dict[type[TwinstoreError], str] = {
    Unavailable: "Check that the server is up and that the URL names its host and port, then try again.",
    Refused: "Check user and password in the URL and that user's grants; `twinstore doctor` lists what is missing.",
    ConfigurationError: "Correct the URL.",
    SchemaMismatch: "Run `twinstore migrate`, or `twinstore doctor` to see what is missing.",
    TimedOut: "Try again when the store is less busy, or raise its limit.",
    Conflict: "Try again.",
    ProtocolError: "Nothing was concluded from it; look into the server's log for this SQLSTATE.",
    InternalFault: "Please report it with this SQLSTATE.",
}

_WHAT: dict[type[TwinstoreError], str] = {
    Unavailable: "cannot be reached",
    Refused: "refuses us",
    ConfigurationError: "has no such database",
    SchemaMismatch: "is not what we expect",
    TimedOut: "gave up: a statement or a lock took longer than its limit",
    Conflict: "was changed by someone else at the same time",
    ProtocolError: "answered with an error that we do not expect",
    InternalFault: "could not run a statement of ours",
}

_NAMES_ONLY = frozenset({"42P01", "42703", "42883", "42704", "3F000", "42501"})
"""SQLSTATEs whose message holds names of the catalogue and nothing else, unless somebody's function raises it."""

# libpq tells no SQLSTATE when a connection could not be made: these are the English words of the server and of
# Supabase's pooler. What they miss counts as unavailable, which stops a run as well.
_REFUSED_AT_DOOR = re.compile(
    r"authentication failed|no password supplied|no pg_hba\.conf entry|is not permitted to log in"
    r"|role .* does not exist|permission denied for database|Tenant or user not found|SSL (connection is )?required",
    re.IGNORECASE,
)
_NO_DATABASE = re.compile(r"database .* does not exist", re.IGNORECASE)


@contextmanager
def translate(store: StoreName) -> Iterator[None]:
    """Raise the errors of psycopg and SQLAlchemy that leave the block as errors of `contracts.errors`.

    Args:
        store: The store that the block talks to.

    Raises:
        Unavailable: The store cannot be reached or went away.
        Refused: Wrong password, missing grant, read-only.
        ConfigurationError: The connection string cannot be parsed, or the database does not exist.
        SchemaMismatch: A table, column or function is missing or has another type.
        TimedOut: A statement or a lock took longer than its limit.
        Conflict: A deadlock or a serialization failure.
        ProtocolError: Any other error of the server.
        InternalFault: A statement of ours cannot be run at all.
    """
    error: TwinstoreError | None = None
    try:
        yield
    except TwinstoreError:
        raise
    except Exception as exc:
        error = translated(exc, store)
        if error is None:
            raise
    if error is not None:
        try:
            raise error
        finally:
            error.__context__ = None  # the driver's exception holds the password


def translated(exc: BaseException, store: StoreName) -> TwinstoreError | None:
    """Say a driver's exception in our words; None when no driver raised it."""
    import psycopg

    exc = getattr(exc, "orig", None) or exc  # SQLAlchemy wraps
    if isinstance(exc, psycopg.Error):
        return _from_psycopg(exc, store)
    return None


def classify(sqlstate: str) -> type[TwinstoreError]:
    """Return the class of error that an SQLSTATE stands for; `ProtocolError` for one that nobody expects."""
    for length in (5, 3, 2):
        if found := _CLASSES.get(sqlstate[:length]):
            return found
    return ProtocolError


def _from_psycopg(exc: psycopg.Error, store: StoreName) -> TwinstoreError:
    import psycopg

    if exc.sqlstate == OUR_REFUSAL:
        return ConfigurationError(str(exc.diag.message_primary), str(exc.diag.message_hint), store=store)
    if exc.sqlstate is not None:
        return _from_sqlstate(exc.sqlstate, store, _names(exc))
    if isinstance(exc, psycopg.OperationalError):
        return _from_connection(str(exc), store)
    if _raised_in(exc) == "psycopg.conninfo":
        return ConfigurationError(
            f"The connection URL of {store} cannot be parsed.",
            "Percent-encode special characters of the password and check the URL's form.",
            store=store,
        )
    return InternalFault(
        f"A statement for {store} could not be prepared ({type(exc).__name__}).", "Please report it.", store=store
    )


def _from_sqlstate(sqlstate: str, store: StoreName, names: str) -> TwinstoreError:
    kind = classify(sqlstate)
    return kind(f"{store} {_WHAT[kind]}{names} (SQLSTATE {sqlstate}).", _TODO[kind], store=store)


def _from_connection(message: str, store: StoreName) -> TwinstoreError:
    kind: type[TwinstoreError] = Unavailable
    if _REFUSED_AT_DOOR.search(message):
        kind = Refused
    elif _NO_DATABASE.search(message):
        kind = ConfigurationError
    return kind(f"{store} {_WHAT[kind]}.", _TODO[kind], store=store)


def _names(exc: psycopg.Error) -> str:
    raised_by_function = exc.diag.source_function == "exec_stmt_raise"
    if exc.sqlstate not in _NAMES_ONLY or raised_by_function or not exc.diag.message_primary:
        return ""
    return f": {exc.diag.message_primary}"


def _raised_in(exc: BaseException) -> str:
    """Name the module that raised, the innermost one."""
    step = exc.__traceback__
    name = ""
    while step is not None:
        name = str(step.tb_frame.f_globals.get("__name__", ""))
        step = step.tb_next
    return name
