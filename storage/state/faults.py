"""What the database of the tool's memory raises, in the words of `contracts.errors`; never a secret, never a key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, ProgrammingError, SQLAlchemyError

from contracts.errors import (
    ConfigurationError,
    Conflict,
    InternalFault,
    Refused,
    TimedOut,
    TwinstoreError,
    Unavailable,
)


@contextmanager
def translated(place: str) -> Iterator[None]:
    """Translate errors of the driver.

    Args:
        place: Where the memory is kept, as the user may read it: a path, or host and database without a password.

    Raises:
        TwinstoreError: What went wrong, by what the caller does about it.
    """
    try:
        yield
    except DBAPIError as exc:
        code = getattr(exc.orig, "sqlite_errorname", None)
        sqlstate = getattr(exc.orig, "sqlstate", None)
        usable = not isinstance(exc, ProgrammingError)
        error = _sqlite(code, place) if code else _postgres(sqlstate, place, usable=usable)
        raise error from None  # the driver's text may hold keys or parts of the URL
    except SQLAlchemyError as exc:
        raise InternalFault(f"The state at {place} raised {type(exc).__name__}.", "Please report it.") from exc


def _sqlite(code: str, place: str) -> TwinstoreError:
    """Choose by the name of SQLite's result code, its extension aside."""
    if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return Conflict(
            f"Another process keeps writing to the state at {place}.", "Wait until it has ended, then try again."
        )
    if code.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return ConfigurationError(
            f"The state at {place} is damaged, or is no state of twinstore; it was left as it is.",
            "Restore it from a copy, or move it away to begin without a history.",
        )
    if code.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH")):
        return ConfigurationError(
            f"The state at {place} cannot be written.",
            "Make the file and its folder writable, or point TWINSTORE_STATE_URL elsewhere.",
        )
    if code.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
        return ConfigurationError(
            f"The disk that holds the state at {place} is full or failing; nothing of this step was kept.",
            "Free some space or mend the disk, then try again.",
        )
    return InternalFault(f"The state at {place} answered {code}.", "Please report it.")


def _postgres(sqlstate: str | None, place: str, *, usable: bool) -> TwinstoreError:
    """Choose by SQLSTATE; none means that the server was not reached, went away, or that the URL has no sense."""
    if sqlstate is None and not usable:
        return ConfigurationError(
            f"The URL of the state at {place} has an option that the driver does not know.", "Mend TWINSTORE_STATE_URL."
        )
    if sqlstate is None or sqlstate.startswith(("08", "57P", "53")):
        return Unavailable(f"The server of the state at {place} cannot be reached.", "Start it, then try again.")
    if sqlstate.startswith(("28", "42501", "3D", "25006")):
        return Refused(
            f"The server of the state at {place} refuses us ({sqlstate}).",
            "Check user, password and database; the user must be allowed to create the schema twinstore_state.",
        )
    if sqlstate in {"57014", "55P03", "40P01", "40001"}:
        return TimedOut(f"The state at {place} was busy for too long ({sqlstate}).", "Try again.")
    return InternalFault(f"The state at {place} answered {sqlstate}.", "Please report it.")
