"""Do the same on both stores at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

P = TypeVar("P")
S = TypeVar("S")


def together(primary: Callable[[], P], secondary: Callable[[], S]) -> tuple[P, S]:
    """Run both at the same time and return both results.

    When one fails, the other is waited for, since its connection is in use; the primary's error is raised first.
    """
    with ThreadPoolExecutor(max_workers=2, thread_name_prefix="store") as pool:
        first, second = pool.submit(primary), pool.submit(secondary)
    return first.result(), second.result()
