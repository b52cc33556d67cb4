"""How much is asked of a server at a time: less when it gives up or asks for patience, slowly more when all is well."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PAGE_ROWS = 1000  # what a hosted project gives at most
STEADY = 20  # answers without trouble after which more is tried


class Pace:
    """Number of requests at a time and rows per page, shared by all threads that read one store.

    Args:
        requests: Largest number of requests at a time.
        page_rows: Largest number of rows per page.
    """

    def __init__(self, *, requests: int, page_rows: int = PAGE_ROWS) -> None:
        self._most_requests = requests
        self._most_rows = page_rows
        self._allowed = requests
        self._rows = page_rows
        self._running = 0
        self._steady = 0
        self._changed = threading.Condition()

    @property
    def page_rows(self) -> int:
        """Rows to ask for in the next page."""
        return self._rows

    @property
    def requests(self) -> int:
        """Requests that may run at a time now."""
        return self._allowed

    def run(self, request: Callable[[], T]) -> T:
        """Run a request as soon as another one may run."""
        with self._changed:
            self._changed.wait_for(lambda: self._running < self._allowed)
            self._running += 1
        try:
            return request()
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify()

    def slow_down(self) -> None:
        """Note that the server asked for patience: half as many requests at a time."""
        with self._changed:
            self._steady = 0
            self._allowed = max(1, self._allowed // 2)

    def smaller_pages(self, rows: int) -> int:
        """Note that a page of `rows` rows was too much, and return how many to ask for instead."""
        with self._changed:
            self._steady = 0
            self._rows = min(self._rows, max(1, rows // 2))
            return self._rows

    def went_well(self) -> None:
        """Note an answer without trouble; many of them in a row allow one request more, and larger pages."""
        with self._changed:
            self._steady += 1
            if self._steady < STEADY:
                return
            self._steady = 0
            self._allowed = min(self._most_requests, self._allowed + 1)
            self._rows = min(self._most_rows, self._rows * 2)
            self._changed.notify_all()
