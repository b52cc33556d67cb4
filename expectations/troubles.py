"""What went wrong on a store, in words of our own: the text of an error may hold values, hosts and users."""

from __future__ import annotations

import re

_HIDDEN = "affected by row-level security policy"  # what the server says under row_security = off
_LATE = "a statement took longer than its limit"
_NO_TABLE = "the table is missing"
_NO_COLUMN = "a column of the table is missing"
_OTHER_TYPE = "a column has another type"
_WHY = {
    "QueryCanceled": _LATE,
    "LockNotAvailable": _LATE,
    "InsufficientPrivilege": "a grant on the table is missing",
    "UndefinedColumn": _NO_COLUMN,
    "UndefinedTable": _NO_TABLE,
    "InvalidSchemaName": "the schema is missing",
    "DatatypeMismatch": _OTHER_TYPE,
    "UndefinedFunction": _OTHER_TYPE,
    "AdminShutdown": "the store went away",
    "CannotConnectNow": "the store is starting or stopping",
    "TooManyConnections": "the store has no connection left",
}
_REFUSED = re.compile(r"(?i)authentication failed|no password supplied|no pg_hba\.conf entry|role .* does not exist")
_NO_DATABASE = re.compile(r"(?i)database .* does not exist")
_SERVER_ERROR = re.compile(r"psycopg\.errors\.(\w+)")
_FILE_ERROR = re.compile(r"sqlite3\.(\w*Error)\b")
_OF_FILES = {
    "no such table": _NO_TABLE,
    "no such column": _NO_COLUMN,
    "interrupted": _LATE,
    "unable to open database file": "the spooled table is not there",
    "file is not a database": "the spooled table is damaged",
    "disk image is malformed": "the spooled table is damaged",
}


def why(trouble: BaseException | str) -> str:
    """Say what went wrong, by the kind of error only.

    Args:
        trouble: An exception, or the text of one.
    """
    if isinstance(trouble, BaseException):
        return _of_exception(getattr(trouble, "orig", None) or trouble)
    if _HIDDEN in trouble:
        return "row level security may hide rows"
    if found := _SERVER_ERROR.search(trouble):
        return _WHY.get(found[1], f"{found[1]} was raised")
    if found := _FILE_ERROR.search(trouble):
        return _of_file(found[1], trouble)
    return "the store went away" if "OperationalError" in trouble else "Great Expectations raised an exception"


def _of_exception(cause: BaseException) -> str:
    kind, text = type(cause).__name__, str(cause)
    if type(cause).__module__ == "sqlite3":
        return _of_file(kind, text)
    if kind == "OperationalError":
        return _at_the_door(text)
    return "row level security may hide rows" if _HIDDEN in text else _WHY.get(kind, f"{kind} was raised")


def _of_file(kind: str, text: str) -> str:
    return next((words for said, words in _OF_FILES.items() if said in text), f"{kind} was raised")


def _at_the_door(text: str) -> str:
    if _REFUSED.search(text):
        return "the store refuses user or password"
    return "there is no such database" if _NO_DATABASE.search(text) else "the store cannot be reached"
