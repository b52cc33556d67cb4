"""One look at a store: a value whatever comes of it, and the health that applications see."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from typing import NoReturn

import pytest

from contracts.errors import Refused
from contracts.health import Probe, StoreState, summed_up
from contracts.vocabulary import StoreName
from storage.health import probe, storage_health

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PRISMA, SUPABASE = StoreName


def clock() -> Callable[[], float]:
    """Return a clock that goes on by a quarter of a second whenever it is looked at."""
    ticks = count()
    return lambda: next(ticks) / 4


def test_an_answer_is_handed_on_with_its_time() -> None:
    """The probe is healthy, and says how long it took."""
    seen, answer = probe(PRISMA, lambda: 42, at=NOW, clock=clock())
    assert answer == 42
    assert seen == Probe(store=PRISMA, at=NOW, healthy=True, response_ms=250)


def test_an_error_of_ours_is_told_in_its_own_words() -> None:
    """By class, with its sentence."""

    def refused() -> NoReturn:
        raise Refused("prisma refuses us.", "Check the grants.", store="prisma")

    seen, answer = probe(PRISMA, refused, at=NOW, clock=clock())
    assert answer is None
    assert (seen.healthy, seen.error, seen.what) == (False, "Refused", "prisma refuses us.")


def test_any_other_error_is_told_by_its_class_alone() -> None:
    """Its text could hold anything."""

    def broken() -> NoReturn:
        raise ValueError("postgresql://app:hunter2@host")

    seen, _ = probe(PRISMA, broken, at=NOW, clock=clock())
    assert (seen.healthy, seen.error, seen.what) == (False, "ValueError", "prisma could not be asked (ValueError).")


@pytest.mark.parametrize("raised", [KeyboardInterrupt, SystemExit])
def test_whoever_ends_the_process_ends_it(raised: type[BaseException]) -> None:
    """A probe keeps nobody from that."""

    def ended() -> NoReturn:
        raise raised

    with pytest.raises(raised):
        probe(PRISMA, ended, at=NOW)


@pytest.mark.parametrize(
    ("secondary", "error"),
    [
        (StoreState(store=SUPABASE), "It was not asked yet."),
        (StoreState(store=SUPABASE, configured=False), "It is not configured."),
    ],
)
def test_a_store_without_a_probe_is_not_called_healthy(secondary: StoreState, error: str) -> None:
    """Applications learn why."""
    primary = summed_up(PRISMA, [Probe(store=PRISMA, at=NOW, healthy=True, response_ms=3)])
    health = storage_health([primary, secondary])
    assert health.prisma.is_healthy
    assert health.prisma.error is None
    assert (health.supabase.is_healthy, health.supabase.error) == (False, error)


@pytest.mark.parametrize(
    ("circuit", "healthy"), [("closed", True), ("half_open", True), ("open", False), ("forced_open", False)]
)
def test_a_store_whose_circuit_is_open_is_not_healthy(circuit: str, healthy: bool) -> None:  # noqa: FBT001 - a column
    """It may answer a probe, and no call is made to it all the same."""
    state = summed_up(PRISMA, [Probe(store=PRISMA, at=NOW, healthy=True, response_ms=3)], circuit=circuit)
    health = storage_health([state, StoreState(store=SUPABASE)])
    assert health.prisma.is_healthy is healthy
    assert health.prisma.state == circuit


def test_failures_are_those_in_a_row() -> None:
    """With the moment of the last one, in milliseconds since 1970."""
    failed = Probe(store=PRISMA, at=NOW, healthy=False, response_ms=3, error="Lost")
    health = storage_health([summed_up(PRISMA, [failed, failed]), StoreState(store=SUPABASE)])
    assert (health.prisma.failures, health.prisma.is_healthy, health.prisma.error) == (2, False, "Lost")
    assert health.prisma.last_failure == round(NOW.timestamp() * 1000)
