"""Less is asked for after trouble, and slowly more again."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from storage.rest.pace import STEADY, Pace


def test_no_more_requests_run_at_a_time_than_are_allowed() -> None:
    """Twelve threads want to send, three do at a time."""
    pace, lock, running, most, three = Pace(requests=3), threading.Lock(), 0, 0, threading.Event()

    def request() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
            if running == 3:
                three.set()
        three.wait(20)  # the first ones are joined by others, however late those come
        time.sleep(0.01)
        with lock:
            running -= 1

    with ThreadPoolExecutor(12) as pool:
        for future in [pool.submit(pace.run, request) for _ in range(12)]:
            future.result()
    assert most == 3


def test_a_server_that_asks_for_patience_gets_half_as_many_at_a_time() -> None:
    """Down to one, and one more after many answers without trouble."""
    pace = Pace(requests=4)
    for expected in (2, 1, 1):
        pace.slow_down()
        assert pace.requests == expected
    for _ in range(STEADY):
        pace.went_well()
    assert pace.requests == 2


def test_pages_shrink_by_half_and_grow_again() -> None:
    """Never below one row, never beyond the first size, and not twice for two pages of one size."""
    pace = Pace(requests=1, page_rows=8)
    assert [pace.smaller_pages(rows) for rows in (8, 8, 4, 2, 1)] == [4, 4, 2, 1, 1]
    for expected in (2, 4, 8, 8):
        for _ in range(STEADY):
            pace.went_well()
        assert pace.page_rows == expected


def test_a_request_that_fails_frees_its_place() -> None:
    """Otherwise the next one would wait for ever."""
    pace = Pace(requests=1)
    for _ in range(3):
        try:
            pace.run(lambda: 1 // 0)
        except ZeroDivisionError:
            continue
    assert pace.run(lambda: "sent") == "sent"
