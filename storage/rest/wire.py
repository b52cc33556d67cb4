"""The transport below supabase-py: counts what passes, and lets through only answers that can be believed.

supabase-py hides status and headers of an answer, and passes a page of HTML with status 200 on as if it were data. So
every answer is read and judged here, where all of it is still known; an error leaves as one of `contracts.errors`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import httpx

from contracts.errors import ConfigurationError
from contracts.vocabulary import StoreName
from storage.meter import Meter
from storage.rest.errors import Garbled, Lost, TooMuch, code_of, from_answer, from_transport

_SUCCESS = range(200, 300)
_HOP_BY_HOP = ("content-encoding", "content-length", "transfer-encoding")  # no longer true of a body that was read
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_NOT_THE_PROJECT = "Check that SUPABASE_URL is the project's own URL and that no portal or proxy answers in its place."


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of the last answer in this thread.

    Attributes:
        status: HTTP status; 0 when there was no answer yet.
        content_range: What the header `Content-Range` says, such as `0-999/1000000`; empty when there is none.
        applied: What the header `Preference-Applied` says.
        refused: True when no connection came about, so that nothing was sent.
        code: SQLSTATE or code of PostgREST of an error; empty when there is none.
    """

    status: int = 0
    content_range: str = ""
    applied: str = ""
    refused: bool = False
    code: str = ""


class Wire(httpx.BaseTransport):
    """A transport around another one.

    Args:
        inner: Sends requests.
        store: The store that is reached.
        meter: Counts requests and bytes, and knows how many are allowed.
        answer_s: Seconds within which an answer must be complete: a body that drips in breaks no other limit.
        max_answer_bytes: Largest body, decompressed.
        clock: Tells a time in seconds that only grows.
    """

    def __init__(
        self,
        inner: httpx.BaseTransport,
        *,
        store: StoreName,
        meter: Meter,
        answer_s: float,
        max_answer_bytes: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inner = inner
        self._store = store
        self._meter = meter
        self._answer_s = answer_s
        self._max_answer_bytes = max_answer_bytes
        self._clock = clock
        self._counting = threading.Lock()
        self._of_thread = threading.local()

    @property
    def seen(self) -> Seen:
        """What was seen of the last answer in this thread."""
        seen: Seen = getattr(self._of_thread, "seen", Seen())
        return seen

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request and return its answer, read to its end.

        Raises:
            TwinstoreError: There was no answer, or it is an error or cannot be believed (`storage.rest.errors`).
        """
        self._of_thread.seen = Seen()
        self._count_request()
        failed: httpx.HTTPError | None = None
        try:
            return self._judged(request, *self._exchange(request))
        except httpx.HTTPError as exc:
            failed = exc
        self._of_thread.seen = Seen(refused=isinstance(failed, _NOT_SENT))
        raise from_transport(failed, store=self._store)  # outside of the block: `failed` holds the key

    @contextmanager
    def within(self, limit_s: float | None) -> Iterator[None]:
        """Give requests of this thread so many seconds in all, where that is less than usual."""
        self._of_thread.limit_s = limit_s
        try:
            yield
        finally:
            self._of_thread.limit_s = None

    def close(self) -> None:
        """Close all connections."""
        self._inner.close()

    def _exchange(self, request: httpx.Request) -> tuple[httpx.Response, bytes]:
        limit_s = getattr(self._of_thread, "limit_s", None)
        answer_s = self._answer_s if limit_s is None else min(limit_s, self._answer_s)
        if limit_s is not None:
            limits = request.extensions["timeout"]
            request.extensions["timeout"] = {name: _shorter(usual, limit_s) for name, usual in limits.items()}
        deadline = self._clock() + answer_s
        response = self._inner.handle_request(request)
        response.request = request
        parts: list[bytes] = []
        size = 0
        try:
            for part in response.iter_bytes():
                parts.append(part)
                size += len(part)
                self._check_body(size, deadline, answer_s)
        finally:
            response.close()
            self._count_bytes(response.num_bytes_downloaded)
        return response, b"".join(parts)

    def _check_body(self, size: int, deadline: float, answer_s: float) -> None:
        if size > self._max_answer_bytes:
            what = f"An answer of {self._store} is larger than {self._max_answer_bytes:,} bytes."
            raise TooMuch(what, "Single rows of that size cannot be compared over REST; use SQL.", store=self._store)
        if self._clock() > deadline:
            what = f"{self._store} did not complete its answer within {answer_s:g} s."
            raise Lost(what, "Check the connection to the project, then try again.", store=self._store)

    def _judged(self, request: httpx.Request, response: httpx.Response, body: bytes) -> httpx.Response:
        headers = response.headers
        self._of_thread.seen = Seen(
            response.status_code, headers.get("Content-Range", ""), headers.get("Preference-Applied", "")
        )
        if response.status_code not in _SUCCESS:
            self._of_thread.seen = replace(self._of_thread.seen, code=code_of(headers, body))
            raise from_answer(response.status_code, headers, body, store=self._store)
        if body and not _is_json(headers.get("Content-Type", "")):
            raise Garbled(
                f"{self._store} answered with something other than JSON.", _NOT_THE_PROJECT, store=self._store
            )
        for name in _HOP_BY_HOP:
            headers.pop(name, None)
        return httpx.Response(response.status_code, headers=headers, content=body, request=request)

    def _count_request(self) -> None:
        meter = self._meter
        with self._counting:
            if meter.max_requests is not None and meter.requests >= meter.max_requests:
                raise self._spent(f"{meter.max_requests:,} requests")
            if meter.max_bytes is not None and meter.bytes >= meter.max_bytes:
                raise self._spent(f"{meter.max_bytes:,} bytes")
            meter.requests += 1

    def _count_bytes(self, size: int) -> None:
        with self._counting:
            self._meter.bytes += size

    def _spent(self, budget: str) -> ConfigurationError:
        return ConfigurationError(
            f"Reading {self._store} takes more than the {budget} that are allowed.",
            "Allow more, or reach the store by SQL with SUPABASE_DB_URL.",
            store=self._store,
        )


def _shorter(usual: float | None, limit_s: float) -> float:
    return limit_s if usual is None else min(usual, limit_s)


def _is_json(content_type: str) -> bool:
    media = content_type.partition(";")[0].strip().lower()
    return media == "application/json" or media.endswith("+json")
