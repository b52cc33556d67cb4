"""What may pass is tried again, within limits; what will not pass is not."""

from __future__ import annotations

import time

import pytest

from contracts.errors import ProtocolError, Refused, TwinstoreError, Unavailable
from storage.rest.errors import Busy, Garbled, Lost, TooMuch
from storage.rest.patience import GARBLED_ATTEMPTS, Patience

QUICK = Patience(attempts=5, limit_s=30.0, first_wait_s=0.001, longest_wait_s=0.002)


class Failing:
    """Raises errors one after the other, and then returns."""

    def __init__(self, *errors: TwinstoreError) -> None:
        self.errors = list(errors)
        self.calls = 0

    def __call__(self) -> str:
        """Raise the next error, or return."""
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "read"


def lost() -> Lost:
    """Return an error that may pass."""
    return Lost("It broke.", "Try again.", store="supabase")


def busy(wait_s: float | None) -> Busy:
    """Return an error of a server that asks for patience."""
    return Busy("It is busy.", "Wait.", store="supabase", retry_after_s=wait_s)


def test_what_passes_is_tried_again() -> None:
    """The result counts, and every failure was told."""
    read = Failing(lost(), busy(None), lost())
    told: list[Exception] = []
    assert QUICK.call(read, failed=told.append) == "read"
    assert read.calls == 4
    assert [type(exc) for exc in told] == [Lost, Busy, Lost]


@pytest.mark.parametrize("kind", [Refused, ProtocolError, Unavailable, TooMuch])
def test_what_does_not_pass_is_raised_at_once(kind: type[TwinstoreError]) -> None:
    """Errors without a promise that they pass, and those that ask for less rather than for time."""
    read = Failing(kind("It is wrong.", "Mend it.", store="supabase"))
    with pytest.raises(kind):
        QUICK.call(read)
    assert read.calls == 1


def test_attempts_are_limited() -> None:
    """The last error is raised as it is."""
    read = Failing(*(lost() for _ in range(9)))
    with pytest.raises(Lost):
        QUICK.call(read)
    assert read.calls == 5


def test_garbled_answers_are_given_up_sooner() -> None:
    """What garbles every answer is no passing trouble."""
    read = Failing(*(Garbled("It is garbled.", "Look.", store="supabase") for _ in range(9)))
    with pytest.raises(Garbled):
        QUICK.call(read)
    assert read.calls == GARBLED_ATTEMPTS


def test_a_wait_that_is_asked_for_is_kept() -> None:
    """Nothing is sent earlier."""
    began = time.monotonic()
    assert QUICK.call(Failing(busy(0.1))) == "read"
    assert time.monotonic() - began >= 0.1


def test_a_wait_beyond_the_limit_is_not_begun() -> None:
    """An hour is not waited for."""
    began, read = time.monotonic(), Failing(busy(3600))
    with pytest.raises(Busy):
        QUICK.call(read)
    assert read.calls == 1
    assert time.monotonic() - began < 30
