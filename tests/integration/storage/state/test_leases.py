"""One of check, repair, relay and restore at a time, whatever becomes of the processes."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from contracts.errors import ConfigurationError, Conflict
from storage.state import State, open_state
from storage.state.leases import KINDS, Held
from storage.state.opening import open_database
from storage.state.tables import LEASES
from tests.integration.storage.state.conftest import either_server
from tests.support.runs import night

ROOT = Path(__file__).parents[4]
WORKER = ROOT / "tests" / "support" / "state_worker.py"


class Clock:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.moment = night(1)

    def __call__(self) -> datetime:
        """Return the moment."""
        return self.moment


@pytest.fixture
def clock() -> Clock:
    """A clock that stands at the first night."""
    return Clock()


def _now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def _worker(url: str, verb: str, argument: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, str(WORKER), url, verb, argument]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(("held", "wanted"), list(itertools.product(KINDS, repeat=2)))
def test_the_four_kinds_exclude_each_other(tmp_path: Path, clock: Clock, held: str, wanted: str) -> None:
    """The refusal names what, who and since when; afterwards the lease is free."""
    with open_state(f"sqlite:///{tmp_path}/state.db") as state:
        with state.lease("planning", held, owner="nightly run 7", now=clock):
            with pytest.raises(Conflict) as caught, state.lease("planning", wanted, owner="me", now=clock):
                pass
            assert f"{held} by nightly run 7" in caught.value.what
            assert "since 2026-11-01 02:00:00 UTC" in caught.value.what
        with state.lease("planning", wanted, owner="me", now=clock):
            pass


def test_other_datasets_and_environments_are_free(state_url: str, clock: Clock) -> None:
    """A lease is about one dataset of one pair of stores."""
    with (
        open_state(state_url) as state,
        open_state(state_url, environment="staging") as staging,
        state.lease("planning", "check", owner="me", now=clock),
        state.lease("other", "check", owner="me", now=clock),
        staging.lease("planning", "check", owner="me", now=clock) as lease,
    ):
        assert lease.held


def test_an_unknown_kind_is_refused(state: State, clock: Clock) -> None:
    """A word that excludes nobody would be no lease."""
    with pytest.raises(ConfigurationError, match="chekc"), state.lease("planning", "chekc", owner="me", now=clock):
        pass


def test_a_lease_is_given_back_after_an_error(state: State, clock: Clock) -> None:
    """The error goes on; the lease does not."""
    with pytest.raises(ZeroDivisionError), state.lease("planning", "check", owner="me", now=clock):
        raise ZeroDivisionError
    with state.lease("planning", "check", owner="me", now=clock) as lease:
        lease.assert_held()


@either_server
def test_a_lease_is_renewed_while_it_is_held(state: State, clock: Clock) -> None:
    """Nobody gets it, though several times its time to live have passed."""
    ttl = timedelta(seconds=2)
    with state.lease("planning", "check", owner="me", now=clock, ttl=ttl) as lease:
        for _ in range(3):
            clock.moment += ttl * 0.9
            deadline = time.monotonic() + 60
            while lease._expires_at < clock.moment + ttl:
                assert time.monotonic() < deadline, "it is not renewed"
                time.sleep(0.02)
            lease.assert_held()
        with pytest.raises(Conflict), state.lease("planning", "check", owner="you", now=clock):
            pass


def test_a_lapsed_lease_is_taken_over_and_its_holder_notices(state: State, clock: Clock) -> None:
    """The late holder is told before its next step, and does not give back what is no longer its own."""
    ttl = timedelta(minutes=2)
    with state.lease("planning", "check", owner="sleeper", now=clock, ttl=ttl) as lost:
        clock.moment += ttl
        assert not lost.held
        with state.lease("planning", "repair", owner="me", now=clock, ttl=ttl) as mine:
            lost.renew()
            with pytest.raises(Conflict, match="was lost"):
                lost.assert_held()
            assert mine.held
    with state.lease("planning", "check", owner="me", now=clock):
        pass


def test_a_lease_of_another_machine_is_waited_for(state_url: str, clock: Clock) -> None:
    """Its process cannot be seen from here, so only time can tell."""
    database = open_database(state_url)
    with open_state(state_url) as state, state.lease("planning", "check", owner="far", now=clock):
        with database.writing() as connection:
            connection.execute(update(LEASES).values(host="elsewhere", space="", pid=2**22 + 1))
        with pytest.raises(Conflict, match="elsewhere"), state.lease("planning", "check", owner="me", now=clock):
            pass
        clock.moment += timedelta(minutes=2)
        with state.lease("planning", "check", owner="me", now=clock):
            pass
    database.close()


def test_the_lease_of_a_killed_process_is_taken_over_at_once(state_url: str) -> None:
    """As long as it lives it holds the lease; after kill -9 nobody waits for its lease to lapse."""
    with open_state(state_url) as state, _worker(state_url, "hold", "planning") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(Conflict, match="worker"), state.lease("planning", "check", owner="me", now=_now):
            pass
        process.send_signal(signal.SIGKILL)
        process.wait()
        with state.lease("planning", "check", owner="me", now=_now) as lease:
            lease.assert_held()


def test_processes_that_contend_never_hold_it_together(state_url: str, tmp_path: Path) -> None:
    """Three processes take it ten times each; every taking is followed by its giving back."""
    log = tmp_path / "log"
    open_state(state_url).close()
    with (
        _worker(state_url, "contend", str(log)) as one,
        _worker(state_url, "contend", str(log)) as two,
        _worker(state_url, "contend", str(log)) as three,
    ):
        assert [process.wait(timeout=120) for process in (one, two, three)] == [0, 0, 0]
    assert log.read_text(encoding="utf-8") == "+-" * 30


@either_server
def test_processes_that_open_and_write_together_lose_nothing(state_url: str) -> None:
    """Two processes make the same memory and write ten runs each; every run is there, and one ledger."""
    with _worker(state_url, "remember", "a") as one, _worker(state_url, "remember", "b") as two:
        assert [process.wait(timeout=120) for process in (one, two)] == [0, 0]
    database = open_database(state_url)
    with database.reading() as connection:
        counts = [
            connection.exec_driver_sql(f"SELECT count(*) FROM {_name(state_url, table)}").scalar() for table in _TABLES
        ]
    database.close()
    assert counts == [20, 20, 1000, 1]


_TABLES = ("runs", "dataset_runs", "differences", "datasets")


def _name(url: str, table: str) -> str:
    return table if url.startswith("sqlite") else f"twinstore_state.{table}"


def _soon(work: Callable[[], None]) -> None:
    time.sleep(0.3)
    work()


def test_whoever_has_patience_waits_for_some_kinds_of_work(state: State) -> None:
    """A relay is waited for until it gives its lease back, and no longer than that; a repair is not waited for."""
    began = time.monotonic()
    with ExitStack() as held, ThreadPoolExecutor(1) as pool:
        held.enter_context(state.lease("planning", "relay", owner="me", now=_now))
        pool.submit(_soon, held.close)
        with state.lease("planning", "check", owner="you", now=_now, patience_s={"relay": 20.0}):
            assert 0.2 < time.monotonic() - began < 20
    began = time.monotonic()
    with state.lease("planning", "repair", owner="me", now=_now):
        impatient = state.lease("planning", "check", owner="you", now=_now, patience_s={"relay": 20.0})
        with pytest.raises(Held) as refused, impatient:
            pass
    assert refused.value.kind == "repair"
    assert time.monotonic() - began < 20
