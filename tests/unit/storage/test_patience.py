"""How often a refusal is tried again is decided from its SQLSTATE alone."""

from __future__ import annotations

import pytest

from storage.replication.patience import DATA, HALF_A_DAY, ORDER, SIZE, TRIGGERS, Course, course_of


@pytest.mark.parametrize(
    ("code", "course"),
    [
        ("22001", DATA),
        ("23514", DATA),
        ("44000", DATA),
        ("54000", DATA),
        ("23503", ORDER),
        ("57014", SIZE),
        ("P0001", TRIGGERS),
        ("TW003", TRIGGERS),
        ("45000", TRIGGERS),
        ("PT403", TRIGGERS),
        ("42501", TRIGGERS),
        ("", TRIGGERS),
        ("XX000", HALF_A_DAY),
    ],
)
def test_what_nobody_foresaw_is_tried_as_often_as_what_a_trigger_says(code: str, course: Course) -> None:
    """A value that a store cannot hold is given up at once, an order that may come right last."""
    assert course_of(code) is course


def test_what_a_broken_server_may_say_is_given_up_after_half_a_day() -> None:
    """Nobody can tell a trigger written in C from it, so that many attempts are made, an hour apart in the end."""
    waits = [HALF_A_DAY.wait_s(attempts) for attempts in range(1, 21)]
    assert waits[-2:] == [3600.0, None]
    assert 11 * 3600 < sum(wait or 0.0 for wait in waits) < 12 * 3600
