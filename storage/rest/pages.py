"""Pull a whole table over REST, page by page, and prove that nothing was left out.

A server may give fewer rows than a page asks for without saying so: a short page is never an end. A span of keys is
pulled when one of two proofs holds:

- One page held as many rows as that very statement counted in the span.
- After the last row an exact count says that nothing remains, and as many rows came as were counted in the span before
  and after.

Otherwise the table changed meanwhile, or rows were lost on the way. The span is then cut in two and both parts are
pulled anew, so that in a table that keeps changing the parts become small enough for the first proof.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import NamedTuple, Protocol

from contracts.errors import ProtocolError
from storage.rest.client import CONNECTIONS, Answer, Values
from storage.rest.errors import TooMuch
from storage.rest.filters import Key, Span
from storage.rest.table import RestTable

SPAN_ROWS = 50_000
"""Rows per span of a large table: few enough to pull again, enough that proofs cost little."""
MAX_SPANS = 64
TRIES = 10
"""How often a span, or the parts of it, are pulled in vain."""
_UUID_BITS = 128


class Sink(Protocol):
    """Takes what is pulled. Its methods may be called from several threads at once."""

    def add(self, attempt: int, rows: list[Values]) -> None:
        """Keep rows; `attempt` says to which attempt they belong."""
        ...

    def forget(self, attempt: int) -> None:
        """Forget all rows of an attempt: it proved to be incomplete."""
        ...


def pull(table: RestTable, sink: Sink) -> int:
    """Pull all rows of a table into a sink, at most four pages at a time, and return their number.

    Raises:
        ProtocolError: The table kept changing, or rows were lost on the way every time.
        TwinstoreError: A request fails and goes on failing.
    """
    work = _Pull(table, sink)
    with ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="twinstore-pull") as pool:
        try:
            return _run(pool, work)
        finally:
            work.stop.set()  # what still runs ends with its page
            pool.shutdown(wait=True, cancel_futures=True)


def uuid_spans(count: int) -> list[Span]:
    """Cut the space of all UUIDs into equal parts; the first and the last one are open."""
    cuts = [(_uuid((n << _UUID_BITS) // count),) for n in range(1, count)]
    return [Span(after=low, upto=high) for low, high in itertools.pairwise([None, *cuts, None])]


def _uuid(number: int) -> str:
    digits = f"{number:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _run(pool: ThreadPoolExecutor, work: _Pull) -> int:
    pulled = 0
    running: dict[Future[_Outcome], tuple[Span, int]] = {
        pool.submit(work.attempt, span): (span, 1) for span in work.first_spans()
    }
    while running:
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            span, tries = running.pop(future)
            outcome = future.result()
            pulled += outcome.rows
            if not outcome.proven and tries >= TRIES:
                raise work.kept_changing()
            for part in outcome.again(span):
                running[pool.submit(work.attempt, part)] = (part, tries + 1)
    return pulled


class _Outcome(NamedTuple):
    """What became of one attempt: the rows that are kept, or where its span may be cut."""

    proven: bool
    rows: int = 0
    cuts: tuple[Key, ...] = ()

    def again(self, span: Span) -> Iterator[Span]:
        """Return what must be pulled anew."""
        if self.proven:
            return
        if len(self.cuts) < 2:  # noqa: PLR2004 - one page cannot be cut between pages
            yield span
            return
        middle = self.cuts[len(self.cuts) // 2 - 1]
        yield replace(span, upto=middle)
        yield replace(span, after=middle)


class _Pull:
    """One pull of one table; its methods run in several threads."""

    def __init__(self, table: RestTable, sink: Sink) -> None:
        self._table = table
        self._sink = sink
        self._numbers = itertools.count()
        self.stop = threading.Event()

    def first_spans(self) -> list[Span]:
        """Return the spans with which to begin: several, where the table is large and one UUID is its key."""
        if not self._table.dataset.has_uuid_key:
            return [Span()]
        try:
            rows = self._table.count(None)
        except TooMuch:  # too large to be counted at once
            return uuid_spans(MAX_SPANS)
        pages = rows / self._table.client.pace.page_rows
        return uuid_spans(CONNECTIONS * -(-rows // (CONNECTIONS * SPAN_ROWS))) if pages > CONNECTIONS else [Span()]

    def attempt(self, span: Span) -> _Outcome:
        """Pull a span once."""
        number = next(self._numbers)
        pulled = 0
        cuts: list[Key] = []
        page = self._page(span, counted=True)
        before = page.total or 0
        rest = span
        while page.rows or page.total != 0:
            if page.rows:
                self._sink.add(number, page.rows)
                pulled += len(page.rows)
                if pulled == before == len(page.rows):
                    return _Outcome(proven=True, rows=pulled)  # counted and read by one statement
                cuts.append(self._table.key_of(page.rows[-1]))
                rest = replace(span, after=cuts[-1])
            elif page.total:
                break  # rows that are counted and not given
            page = self._page(rest, counted=pulled >= before or not page.rows)
        if pulled == before == self._table.count(span.condition(self._table.key)):
            return _Outcome(proven=True, rows=pulled)
        self._sink.forget(number)
        return _Outcome(proven=False, cuts=tuple(cuts))

    def _page(self, span: Span, *, counted: bool) -> Answer:
        pace = self._table.client.pace
        while True:
            if self.stop.is_set():
                raise _StoppedError
            rows = pace.page_rows
            try:
                return self._table.page(span, rows, counted=counted)
            except TooMuch:
                if rows == 1:
                    raise
                pace.smaller_pages(rows)

    def kept_changing(self) -> ProtocolError:
        """Return the error for a table of which no complete picture was had."""
        store = self._table.client.store
        return ProtocolError(
            f"{store} kept changing, or lost rows on the way, each of the {TRIES} times that a part of it was read.",
            "Check when less is written there, or install our functions with `twinstore migrate`.",
            store=store,
        )


class _StoppedError(Exception):
    """Another part of the pull failed, and its error counts."""
