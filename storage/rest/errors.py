"""Answers of PostgREST and of what stands before it, said in our words: by what the caller does about them.

Nothing of an answer is quoted: messages and details hold values of rows, an exception of httpx holds the URL with the
values of its filters, and the key. What remains is the status and the code, which is an SQLSTATE or PGRST with digits.

What may pass by itself has a class of its own below those of `contracts.errors`, so that one policy can wait for it:

Unavailable
├── Lost        the connection broke, or nobody answered in time: try again
└── Busy        the server asks for patience, and may say how long: try again later
TimedOut
└── TooMuch     the server gave up on this much at once: ask for less
ProtocolError
├── NoSuchValue a filter holds what its column cannot: no row meets it
├── Garbled     an answer that cannot be what the server meant: try again, and give up soon
└── RowRefused  the store cannot hold, or does not take, the row that was to be written
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from contracts.errors import (
    ConfigurationError,
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
    import httpx


class Lost(Unavailable):
    """The connection broke, or nobody answered in time."""


class Busy(Unavailable):
    """The server is there and asks for patience.

    Args:
        what: One sentence that says what is wrong.
        todo: One sentence that says what to do.
        store: Name of the store.
        retry_after_s: Seconds for which it asks; None when it does not say.
        status: HTTP status of its answer; 0 when there is none.
        code: SQLSTATE or code of PostgREST; empty when there is none.
    """

    def __init__(
        self, what: str, todo: str, *, store: str, retry_after_s: float | None = None, status: int = 0, code: str = ""
    ) -> None:
        super().__init__(what, todo, store=store)
        self.retry_after_s = retry_after_s
        self.status = status
        self.code = code

    @property
    def may_have_begun(self) -> bool:
        """True when the request may have been carried out before the answer came about: a connection broke behind."""
        return self.code.startswith(_BROKE_BEHIND) or (not self.code and self.status in _OF_GATEWAYS)


class TooMuch(TimedOut):
    """The server gave up on a request of this size: half of it may do."""


class NoSuchValue(ProtocolError):
    """What was asked for is no value of the column's type there, so that no row holds it."""


class Garbled(ProtocolError):
    """An answer that is no answer: a page of HTML, half a JSON, a number of rows that is not what its header says."""


class RowRefused(ProtocolError):
    """The store does not take a row that was to be written.

    Args:
        code: SQLSTATE of the refusal.
        store: Name of the store.
    """

    def __init__(self, code: str, *, store: str) -> None:
        super().__init__(
            f"{store} refuses a row (SQLSTATE {code}).", "Mend the record, or what refuses it.", store=store
        )
        self.code = code


PASSING = (Lost, Busy, Garbled)
"""What may be gone when the same is asked again."""

_BROKE_BEHIND = ("PGRST001", "08")
_OF_GATEWAYS = (503, 504)
_CODE = re.compile(r"PGRST[0-9A-Z]{3}|[0-9A-Z]{5}")
_PROXY_STATUS = re.compile(r'\bPostgREST\s*;\s*error="?([0-9A-Z]+)', re.IGNORECASE)
_MAX_ERROR_BYTES = 1 << 16  # no error of PostgREST is as long

_AGAIN = "Check that the project is up and SUPABASE_URL names it, then try again."
_SET_URL = "Set SUPABASE_URL to the project's URL, such as https://<project>.supabase.co."


class _Meaning(NamedTuple):
    kind: type[TwinstoreError]
    what: str
    todo: str


_KEY = _Meaning(
    Refused,
    "{store} does not accept our key",
    "Check that SUPABASE_SERVICE_ROLE_KEY or SUPABASE_SECRET_KEY belongs to the project that SUPABASE_URL names, and "
    "that it was neither revoked nor has expired.",
)
_GRANT = _Meaning(
    Refused,
    "{store} does not allow our key's role to do this",
    "Grant it to service_role; `twinstore doctor` lists what is missing.",
)
_EXPOSE = _Meaning(
    SchemaMismatch,
    "The REST API of {store} does not expose the table's schema",
    "Add the schema to the exposed schemas in the project's API settings.",
)
_MISSING = _Meaning(
    SchemaMismatch,
    "{store} does not know a table, column or function that is needed",
    "Run `twinstore doctor` to see what is missing; after a migration, run there: NOTIFY pgrst, 'reload schema';",
)
_TOO_MUCH = _Meaning(
    TooMuch,
    "{store} gave up on a request that took too long or was too large",
    "Try again when the store is less busy, or raise the statement_timeout of service_role.",
)
_BUSY = _Meaning(Busy, "{store} is too busy to answer", "Try again later.")
_LOST = _Meaning(Lost, "What stands before {store} cannot reach it", _AGAIN)
_QUOTA = _Meaning(
    Refused,
    "The project of {store} is restricted, since it is over its quota",
    "Raise its spending limit, or wait for the next period.",
)
_PAUSED = _Meaning(Unavailable, "The project of {store} is paused", "Resume it in its dashboard.")
_NO_API = _Meaning(ConfigurationError, "There is no REST API where SUPABASE_URL points", _SET_URL)
_MOVED = _Meaning(ConfigurationError, "{store} sends us to another address", _SET_URL)
_OURS = _Meaning(InternalFault, "{store} does not understand a request of ours", "Please report it.")
_UNEXPECTED = _Meaning(
    ProtocolError,
    "{store} answered with an error that we do not expect",
    "Nothing was concluded from it; look into the project's API log.",
)

_NO_SUCH_VALUE = _Meaning(
    NoSuchValue,
    "A column of {store} cannot hold a value that was asked for",
    "Compare the types of the columns on both stores; nothing was concluded.",
)

_BY_CODE = {
    # The longest prefix of the code decides.
    "PGRST": _OURS,
    "PGRST00": _BUSY,  # no connection to the database, no schema cache yet, no free connection
    "PGRST106": _EXPOSE,
    "PGRST2": _MISSING,  # the schema cache knows no such thing
    "PGRST3": _KEY,
    "08": _BUSY,
    "28": _KEY,
    "40": _BUSY,  # deadlock, serialization, a conflict with recovery
    "42": _MISSING,
    "42501": _GRANT,
    "22003": _NO_SUCH_VALUE,  # out of range
    "22P02": _NO_SUCH_VALUE,  # no word of an enum, no number
    "25006": _GRANT,  # read-only
    "3F": _MISSING,
    "53": _BUSY,
    "54": _TOO_MUCH,
    "55P03": _BUSY,  # a lock
    "57014": _TOO_MUCH,  # statement_timeout
    "57P": _BUSY,  # shutting down, starting up
    "58": _BUSY,
}
_BY_STATUS = {
    401: _KEY,
    402: _QUOTA,
    403: _GRANT,
    404: _NO_API,
    413: _TOO_MUCH,
    414: _TOO_MUCH,
    429: _BUSY,
    431: _TOO_MUCH,
    503: _BUSY,
    504: _BUSY,
    540: _PAUSED,
    **dict.fromkeys((500, 502, 530, 544, *range(520, 528)), _LOST),
}


def from_answer(status: int, headers: Mapping[str, str], body: bytes, *, store: StoreName) -> TwinstoreError:
    """Say in our words what an answer with a status of 300 or more means.

    Args:
        status: HTTP status.
        headers: Headers, looked up without regard to case.
        body: The body, as far as it was read.
        store: The store that answered.
    """
    code = code_of(headers, body)
    meaning = _meaning(status, code)
    name = f"(status {status}, code {code})" if code else f"(status {status})"
    what = f"{meaning.what.format(store=store)} {name}."
    if meaning.kind is Busy:
        wait_s = retry_after_s(headers)
        return Busy(what, meaning.todo, store=store, retry_after_s=wait_s, status=status, code=code)
    return meaning.kind(what, meaning.todo, store=store)


def _meaning(status: int, code: str) -> _Meaning:
    if code:
        prefixes = (code[:length] for length in range(len(code), 1, -1))
        return next((_BY_CODE[prefix] for prefix in prefixes if prefix in _BY_CODE), _UNEXPECTED)
    if 300 <= status < 400:  # noqa: PLR2004 - redirections
        return _MOVED
    return _BY_STATUS.get(status, _UNEXPECTED)


def code_of(headers: Mapping[str, str], body: bytes) -> str:
    """Return the code of an error: an SQLSTATE or a code of PostgREST, empty where there is none of that form."""
    try:
        found = json.loads(body[:_MAX_ERROR_BYTES])
    except ValueError:
        found = None
    code = found.get("code") if isinstance(found, dict) else None
    if isinstance(code, str) and _CODE.fullmatch(code):
        return code
    in_header = _PROXY_STATUS.search(headers.get("Proxy-Status", ""))  # an answer to HEAD has no body
    return in_header[1] if in_header and _CODE.fullmatch(in_header[1]) else ""


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that an answer asks us to wait; None when it does not say, or names a date."""
    try:
        seconds = float(headers.get("Retry-After", ""))
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None


def from_transport(exc: httpx.HTTPError, *, store: StoreName) -> TwinstoreError:
    """Say in our words why no answer came. Raise the result outside of the `except` block: `exc` holds the key."""
    import httpx

    if isinstance(exc, httpx.ConnectError) and _untrusted(exc):
        return Refused(
            f"The certificate of {store} cannot be verified.",
            "Check the host in SUPABASE_URL; a certificate authority of your own is named in SSL_CERT_FILE.",
            store=store,
        )
    if isinstance(exc, (httpx.UnsupportedProtocol, httpx.LocalProtocolError)):
        return ConfigurationError(
            f"No request can be sent to {store}: URL or key has characters that HTTP forbids.",
            "Copy SUPABASE_URL and the key again, without line breaks or blanks.",
            store=store,
        )
    if isinstance(exc, httpx.DecodingError):
        return Garbled(f"An answer of {store} cannot be decompressed.", _AGAIN, store=store)
    return Lost(f"{store} {_why_lost(exc)}.", _AGAIN, store=store)


def _why_lost(exc: httpx.HTTPError) -> str:
    import httpx

    sentences: dict[type[httpx.HTTPError], str] = {
        httpx.ConnectTimeout: "cannot be reached: no connection came about in time",
        httpx.PoolTimeout: "cannot be reached: no connection became free in time",
        httpx.ConnectError: "cannot be reached: its host does not accept connections",
        httpx.WriteTimeout: "did not take our request in time",
        httpx.ReadTimeout: "did not answer in time",
    }
    return sentences.get(type(exc), "closed the connection before its answer was complete")


def _untrusted(exc: BaseException) -> bool:
    """Say whether the other side's certificate was the reason; OpenSSL's words stand at the end of the chain."""
    step: BaseException | None = exc
    while step is not None:
        if "CERTIFICATE_VERIFY_FAILED" in str(step) or "certificate verify failed" in str(step):
            return True
        step = step.__cause__ or step.__context__
    return False
