"""Writes of the repository through the doors of either side."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import pytest

from contracts.errors import ConfigurationError, TwinstoreError
from contracts.replication import Put
from storage.migrations.values import Side
from storage.replication.messages import Written
from tests.support.replication import World, keys, record

(A,) = keys(1)

T = TypeVar("T")

sides = pytest.mark.parametrize("side", Side)


@sides
def test_a_row_is_put(both: World, side: Side) -> None:
    """It is created, updated and deleted as an application would, and each leaves its line."""
    doors = both.doors(side)
    created = doors.put(A, record(A, "one"))
    assert (created.outcome, created.change, created.repeated) == (Put.CREATED, both.lines(side, A)[-1], False)
    assert created.row is not None
    assert created.row["title"] == "one"
    updated = doors.put(A, {**created.row, "title": "two"}, expected=created.row)
    assert (updated.outcome, updated.change) == (Put.UPDATED, both.lines(side, A)[-1])
    deleted = doors.put(A, None, expected=updated.row)
    assert (deleted.outcome, deleted.row, deleted.change) == (Put.DELETED, None, both.lines(side, A)[-1])
    missing = doors.put(A, None)
    assert (missing.outcome, missing.change, len(both.lines(side, A))) == (Put.MISSING, None, 3)


@sides
def test_a_row_that_moved_is_not_overwritten(both: World, side: Side) -> None:
    """What is not as the caller read it stays: another value, a row that came, a row that went."""
    doors = both.doors(side)
    assert doors.put(A, record(A), expected=record(A)).outcome is Put.MOVED
    read = doors.put(A, record(A), expected=None).row
    assert read is not None
    assert doors.put(A, record(A, "new"), expected=None).outcome is Put.MOVED
    both.titled(side, A, "somebody else's")
    assert doors.put(A, None, expected=read).outcome is Put.MOVED
    assert both.title(side, A) == "somebody else's"


@sides
def test_a_row_that_cannot_be_held_is_refused_without_its_values(both: World, side: Side) -> None:
    """The error names the SQLSTATE at most, and nothing was written."""
    with pytest.raises(TwinstoreError) as raised:
        both.doors(side).put(A, record(A, "secret", version="many"))
    assert "secret" not in str(raised.value)
    assert "many" not in str(raised.value)
    assert both.titles(A) == (None, None)


@sides
def test_a_request_is_carried_out_once(both: World, side: Side) -> None:
    """The same request again gets the first answer; the same key for something else is told so."""
    doors = both.doors(side)
    first = doors.put(A, record(A, "once"), request=("r1", "h"))
    again = doors.put(A, record(A, "twice"), request=("r1", "h"))
    assert (again.outcome, again.change, again.repeated) == (first.outcome, first.change, True)
    assert doors.put(A, record(A, "other"), request=("r1", "h2")).outcome is Put.MISMATCH
    assert (both.title(side, A), len(both.lines(side, A))) == ("once", 1)


@sides
def test_a_request_that_was_not_carried_out_may_come_again(both: World, side: Side) -> None:
    """A request whose row had moved, or that was refused, is forgotten."""
    doors = both.doors(side)
    both.insert(side, A)
    assert doors.put(A, record(A, "mine"), expected=None, request=("r1", "h")).outcome is Put.MOVED
    with pytest.raises(TwinstoreError):
        doors.put(A, record(A, version="many"), request=("r1", "h"))
    assert doors.put(A, record(A, "mine"), request=("r1", "h")).outcome is Put.UPDATED


@sides
def test_requests_are_forgotten_after_three_days(both: World, side: Side) -> None:
    """Each new one takes some older ones away, on either side and whoever writes; younger ones stay."""
    asked = "INSERT INTO twinstore.request (key, hash, at) SELECT %s || n, 'h', now() - %s::interval"
    both.run(side, f"{asked} FROM generate_series(1, 12) AS n", "old", "73 hours")
    both.run(side, f"{asked} FROM generate_series(1, 1) AS n", "young", "71 hours")
    for number in range(2):
        both.doors(side).put(A, record(A), request=(f"r{number}", "h"))
    assert both.ask(side, "SELECT key FROM twinstore.request ORDER BY key") == [("r0",), ("r1",), ("young1",)]


@sides
def test_equal_requests_at_once_are_one(both: World, side: Side) -> None:
    """Two callers that ask the same at the same moment cause one write, and both hear of it."""
    doors, start = both.doors(side), threading.Barrier(4)

    def write() -> Written:
        start.wait()
        return doors.put(A, record(A), request=("r", "h"))

    found = together([write] * 4)
    assert [written.outcome for written in found] == [Put.CREATED] * 4
    assert sorted(written.repeated for written in found) == [False, True, True, True]
    assert len(both.lines(side, A)) == 1


@sides
def test_one_of_several_writers_wins(both: World, side: Side) -> None:
    """Of writers that all expect the same row one succeeds, and the others hear that it moved."""
    doors, start = both.doors(side), threading.Barrier(4)

    def write(number: int) -> Written:
        start.wait()
        return doors.put(A, record(A, f"w{number}"), expected=None)

    found = together([partial(write, number) for number in range(4)])
    assert sorted(written.outcome for written in found) == ["created", "moved", "moved", "moved"]
    assert len(both.lines(side, A)) == 1


@sides
def test_nothing_is_put_past_capture(own: World, side: Side) -> None:
    """A write that would leave no line does not happen: the other store would never hear of it."""
    own.run(side, "ALTER TABLE public.planning DISABLE TRIGGER twinstore_capture")
    with pytest.raises(ConfigurationError, match="not captured"):
        own.doors(side).put(A, record(A))
    assert own.titles(A) == (None, None)


def together(works: list[Callable[[], T]]) -> list[T]:
    """Run all at once and return what they returned."""
    found: list[T] = []
    threads = [threading.Thread(target=lambda work=work: found.append(work())) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found
