"""The connection to a project's REST API: supabase-py, its own retries off, on our transport and within our limits."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from operator import itemgetter
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from contracts.errors import ConfigurationError, OutcomeUnknown, TwinstoreError
from contracts.vocabulary import StoreName
from storage.meter import Meter
from storage.rest.errors import Busy, Garbled, Lost, RowRefused
from storage.rest.pace import Pace
from storage.rest.patience import Patience
from storage.rest.quiet import quiet_http

if TYPE_CHECKING:
    from postgrest import (
        SyncFilterRequestBuilder,
        SyncQueryRequestBuilder,
        SyncRequestBuilder,
        SyncRPCFilterRequestBuilder,
        SyncSelectRequestBuilder,
    )
    from supabase import Client

    from storage.rest.wire import Wire

CONNECTIONS = 4  # requests that are sent at a time, at most
PREFER = "timezone=UTC"
Values = tuple[str | None, ...]

_FORBIDDEN_IN_PATH = re.compile(r"[/\\?#%\x00-\x1f]|^\.{0,2}$")
_CONTENT_RANGE = re.compile(r"(?:(\d+)-(\d+)|\*)/(\d+|\*)")
_OF_ROWS = re.compile(r"(?:2[23]|44|54|P0|TW)[0-9A-Z]{3}|428C9|42501")  # what is said of a row, or of writing any
_KEY_FORM = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class RestAccess:
    """Where a project is, and with which key it is read.

    Attributes:
        url: URL of the project; what `/rest/v1` says at its end is left out.
        key: The key; never shown.

    Raises:
        ConfigurationError: One of both cannot be used. The message quotes neither.
    """

    url: str
    key: str = field(repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "url", _project_url(self.url))
        object.__setattr__(self, "key", self.key.strip())
        if not _KEY_FORM.fullmatch(self.key):
            raise ConfigurationError("The key of Supabase holds characters that no key has.", "Copy the key again.")


@dataclass(frozen=True, slots=True, kw_only=True)
class RestLimits:
    """What is waited for, in seconds, and what is taken.

    Attributes:
        connect_s: For a connection.
        read_s: For the next piece of an answer; longer than the server's statement_timeout, so that the server gives
            up first and says so.
        write_s: For the server to take a piece of a request.
        answer_s: For a whole answer.
        max_answer_bytes: Largest answer, decompressed.
    """

    connect_s: float = 10.0
    read_s: float = 75.0
    write_s: float = 30.0
    answer_s: float = 150.0
    max_answer_bytes: int = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Rows that were read.

    Attributes:
        rows: Their values, in the order of the columns that were asked for; every one a text, or None for NULL.
        total: How many rows the filters leave, where an exact count was asked for.
    """

    rows: list[Values]
    total: int | None = None


class RestClient:
    """One project's REST API; a context manager that closes its connections. Threads may share it.

    Args:
        access: URL and key.
        store: Which store it is, for errors.
        limits: Time limits and sizes.
        meter: Counts requests, rows and bytes.
        patience: How reads are tried again.
    """

    def __init__(
        self,
        access: RestAccess,
        *,
        store: StoreName = StoreName.SUPABASE,
        limits: RestLimits | None = None,
        meter: Meter | None = None,
        patience: Patience | None = None,
    ) -> None:
        self.store = store
        self.meter = meter or Meter()
        self.pace = Pace(requests=CONNECTIONS)
        self._patience = patience or Patience()
        self._wire, self._client = _connect(access, store, limits or RestLimits(), self.meter)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._wire.close()

    def table(self, schema: str, name: str) -> SyncRequestBuilder:
        """Return supabase-py's builder of a request to a table.

        Raises:
            ConfigurationError: The name would lead out of the REST API.
        """
        if _FORBIDDEN_IN_PATH.search(name):
            raise ConfigurationError("A table's name cannot be part of a URL.", "Reach the store by SQL.")
        return self._client.schema(schema).table(name)

    def rows(
        self, request: Callable[[], SyncSelectRequestBuilder], columns: Sequence[str], *, counted: bool = False
    ) -> Answer:
        """Read rows, and prove that they are what was asked for.

        Args:
            request: Makes the request; it is made anew for every attempt.
            columns: Names under which it asks for columns, all as text.
            counted: True when it asks for an exact count.

        Raises:
            TwinstoreError: It fails and goes on failing, or its answers cannot be believed.
        """

        def read() -> Answer:
            builder = request()
            _prefer(builder, counted=counted)
            rows = self._checked(self._execute(builder), columns)
            return Answer(rows=rows, total=self._total(len(rows), counted=counted))

        answer = self._patience.call(lambda: self.pace.run(read), failed=self._failed)
        self.pace.went_well()
        self.meter.rows += len(answer.rows)
        return answer

    def call(self, function: str, arguments: Mapping[str, Any]) -> Any:
        """Call a function that only reads, and return the JSON value that it gives.

        Args:
            function: Its name, in schema public.
            arguments: By name.

        Raises:
            TwinstoreError: It fails and goes on failing, or its answers are no JSON objects or arrays.
        """

        def read() -> Any:
            data = self._execute(self._client.rpc(function, dict(arguments)))
            if not isinstance(data, (dict, list)):
                raise self._garbled("the result of a function")
            return data

        result = self._patience.call(lambda: self.pace.run(read), failed=self._failed)
        self.pace.went_well()
        return result

    def call_once(
        self, function: str, arguments: Mapping[str, Any], *, deadline_s: float | None = None, writes: bool = False
    ) -> Any:
        """Call a function, whatever it does, and never again by itself; return the JSON value that it gives.

        Args:
            function: Its name, in schema public.
            arguments: By name.
            deadline_s: Seconds after which it is given up; the usual limits unless given.
            writes: True for a write of which it matters whether it was carried out.

        Raises:
            OutcomeUnknown: It is such a write, and what came back does not tell.
            TwinstoreError: It failed, and was not carried out.
        """

        def ask() -> Any:
            with self._wire.within(deadline_s):
                data = self._execute(self._client.rpc(function, dict(arguments)))
            if not isinstance(data, (dict, list)):
                raise self._garbled("the result of a function")
            return data

        try:
            result = self.pace.run(ask)
        except (Lost, Garbled) as exc:
            self._failed(exc)
            if writes and not self._wire.seen.refused:
                raise self._unknown(exc) from None
            raise
        except Busy as exc:
            self._failed(exc)
            if writes and exc.may_have_begun:
                raise self._unknown(exc) from None
            raise
        self.pace.went_well()
        return result

    def write(
        self, builder: SyncFilterRequestBuilder | SyncQueryRequestBuilder, columns: Sequence[str]
    ) -> list[Values]:
        """Write rows, never again by itself, and return those that were written.

        Args:
            builder: The request, which asks for the rows that it writes.
            columns: Names under which it asks for columns, all as text.

        Raises:
            RowRefused: The store does not take the row.
            OutcomeUnknown: What came back does not tell whether it was written.
            TwinstoreError: It was not written.
        """
        try:
            rows = self.pace.run(lambda: self._checked(self._execute(builder), columns))
        except (Lost, Garbled) as exc:
            if not self._wire.seen.refused:
                raise self._unknown(exc) from None
            raise
        except TwinstoreError as exc:
            if isinstance(exc, Busy) and exc.may_have_begun:
                raise self._unknown(exc) from None
            if _OF_ROWS.fullmatch(self._wire.seen.code):
                raise RowRefused(self._wire.seen.code, store=self.store) from None
            raise
        self.pace.went_well()
        return rows

    def _execute(
        self,
        builder: SyncSelectRequestBuilder
        | SyncRPCFilterRequestBuilder
        | SyncFilterRequestBuilder
        | SyncQueryRequestBuilder,
    ) -> object:
        """Send a request that supabase-py made, and read its answer.

        Its own `execute` would take half as long again for that, and hand out as a text what is no JSON.
        """
        import httpx
        from pydantic_core import from_json

        body = builder.request.send(httpx.Headers()).content
        try:
            return from_json(body, cache_strings="keys")
        except ValueError:  # of what is no JSON, or nested without end
            pass
        raise self._garbled("JSON")

    def _checked(self, data: object, columns: Sequence[str]) -> list[Values]:
        if not isinstance(data, list):
            raise self._garbled("rows")
        pick = itemgetter(*columns) if len(columns) > 1 else lambda row: (row[columns[0]],)
        try:
            rows: list[Values] = [pick(row) for row in data]
        except (KeyError, TypeError, IndexError):
            raise self._garbled("rows with the columns that were asked for") from None
        if not {type(value) for row in rows for value in row} <= {str, type(None)}:
            raise self._garbled("columns as text")
        return rows

    def _total(self, rows: int, *, counted: bool) -> int | None:
        """Return the exact count, and prove that as many rows came as the header says."""
        found = _CONTENT_RANGE.fullmatch(self._wire.seen.content_range)
        if found is None:
            raise self._garbled("a range of rows")
        first, last, total = found.groups()
        if rows != (0 if first is None else int(last) - int(first) + 1):
            raise self._garbled("as many rows as its header names")
        if counted and total == "*":
            raise self._garbled("an exact count")
        return int(total) if counted else None

    def _unknown(self, exc: TwinstoreError) -> OutcomeUnknown:
        return OutcomeUnknown(
            f"{exc.what} Nobody can say whether it wrote.",
            "Ask for the record before the same is written again, or repeat it with the same idempotency key.",
            store=self.store,
        )

    def _garbled(self, expected: str) -> Garbled:
        return Garbled(
            f"{self.store} did not answer with {expected}.",
            "Check that SUPABASE_URL is the project's own URL and that no proxy changes its answers.",
            store=self.store,
        )

    def _failed(self, exc: Exception) -> None:
        if isinstance(exc, Busy):
            self.pace.slow_down()


def _prefer(builder: SyncSelectRequestBuilder, *, counted: bool) -> None:
    builder.request.headers["Prefer"] = f"count=exact,{PREFER}" if counted else PREFER


def _connect(access: RestAccess, store: StoreName, limits: RestLimits, meter: Meter) -> tuple[Wire, Client]:
    import httpx
    from supabase import ClientOptions, create_client

    from storage.rest.wire import Wire

    quiet_http()
    pool = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS, keepalive_expiry=15)
    transport = httpx.HTTPTransport(verify=_certificates(), http2=False, limits=pool, trust_env=False)
    wire = Wire(transport, store=store, meter=meter, answer_s=limits.answer_s, max_answer_bytes=limits.max_answer_bytes)
    timeout = httpx.Timeout(
        connect=limits.connect_s, read=limits.read_s, write=limits.write_s, pool=limits.answer_s + limits.connect_s
    )
    session = httpx.Client(transport=wire, timeout=timeout, trust_env=False, follow_redirects=False)
    options = ClientOptions(
        httpx_client=session, postgrest_client_retry=False, auto_refresh_token=False, persist_session=False
    )
    return wire, create_client(access.url, access.key, options)


@lru_cache(maxsize=1)  # reading them takes longer than a request
def _certificates() -> ssl.SSLContext:
    """Trust the authorities that certifi names, and those of this machine or of SSL_CERT_FILE."""
    import certifi

    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs()
    return context


def _project_url(url: str) -> str:
    text = url.strip().rstrip("/").removesuffix("/rest/v1").rstrip("/")
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment or parts.username or re.search(r"\s", text):
        raise ConfigurationError(
            "SUPABASE_URL is not the URL of a project.", "Write it as https://<project>.supabase.co"
        )
    return text
