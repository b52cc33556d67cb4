"""`twinstore sync run --follow` as a supervisor runs it: a process of its own, its log, its signals, its death."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from contracts.vocabulary import Channel, StoreName
from tests.support.command import REPOSITORY, SCRIPT
from tests.support.gateway import serve
from tests.support.prefect_api import until
from tests.support.servers import Pair
from tests.support.two_stores import TABLE, adopted_as_equal, keys, run, settings_of, titled, titles, work_on

PRISMA, SUPABASE = StoreName
HEAVY = ("great_expectations", "pandas", "pandera", "prefect", "pyarrow")
_LISTS_MODULES = f"""
import atexit, sys
atexit.register(lambda: print("LOADED", [name for name in {HEAVY!r} if name in sys.modules]))
from flows.cli import main
main()
"""


class Following:
    """The process, and what it told so far."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self._log = log

    def events(self, *kinds: str) -> list[dict[str, Any]]:
        """Return the lines of its log, all of them or those of some kinds."""
        whole, _, _ = self._log.read_text(encoding="utf-8").rpartition("\n")  # a line may be half written
        lines = [json.loads(line) for line in whole.splitlines()]
        return [line for line in lines if not kinds or line["event"] in kinds]

    def await_event(self, kind: str, times: int = 1) -> list[dict[str, Any]]:
        """Wait until it told something so many times."""
        return until(lambda: found if len(found := self.events(kind)) >= times else None, f"{kind} in the log")

    def end(self, number: signal.Signals) -> tuple[int, float]:
        """Send a signal; return the exit code, and the seconds until the end."""
        began = time.monotonic()
        self.process.send_signal(number)
        return self.process.wait(60), time.monotonic() - began


@contextmanager
def following(settings: Mapping[str, str], log: Path) -> Iterator[Following]:
    """Start the process, as a supervisor does; it ends with the block."""
    with log.open("wb") as file:
        process = subprocess.Popen(
            [SCRIPT, "sync", "run", "--follow"],
            env={**os.environ, **settings},
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=file,
        )
        try:
            one = Following(process, log)
            one.await_event("started")
            yield one
        finally:
            process.kill()
            process.wait()


@pytest.fixture
def ended() -> Iterator[ExitStack]:
    """What ends with the test."""
    with ExitStack() as stack:
        yield stack


def has_title(pair: Pair, store: StoreName, key: str, title: str) -> None:
    """Wait until a record has this title on a store."""
    until(lambda: titles(pair, store)[key] == title or None, f"the title {title} on {store}")


@pytest.mark.slow
def test_it_carries_changes_over_until_it_is_told_to_end(
    seeded_pair: Pair, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Changes of both sides arrive within a second or so; SIGTERM ends it in order, exit code 0; no value is logged."""
    one, other = keys(seeded_pair, 2)
    with work_on(seeded_pair, Channel.SQL, home, monkeypatch) as work:
        adopted_as_equal(work)
    with following(settings_of(seeded_pair, home), tmp_path / "log") as process:
        titled(seeded_pair, PRISMA, one, "a secret of ours")
        titled(seeded_pair, SUPABASE, other, "a secret of theirs")
        has_title(seeded_pair, SUPABASE, one, "a secret of ours")
        has_title(seeded_pair, PRISMA, other, "a secret of theirs")
        process.await_event("carried")
        until(_probed, "a probe of supabase in the status")
        code, seconds = process.end(signal.SIGTERM)
        assert code == 0
        assert seconds < 30
        kinds = [event["event"] for event in process.events()]
        assert (kinds[0], kinds[-2:]) == ("started", ["stopping", "stopped"])
        assert "a secret" not in (tmp_path / "log").read_text(encoding="utf-8")
        assert process.events("stopped")[0]["in_order"] is True


def _probed() -> bool | None:
    shown = subprocess.run([SCRIPT, "sync", "status"], capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    return bool(re.search(r"^supabase +answered in \d+ ms, \d+ s ago", shown.stdout, re.MULTILINE)) or None


@pytest.mark.slow
def test_a_project_that_goes_away_and_comes_back_is_waited_for(
    seeded_pair: Pair, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ended: ExitStack
) -> None:
    """The gateway is stopped and started: the outage is told once, and nobody has to restart anything."""
    (key,) = keys(seeded_pair, 1)
    with work_on(seeded_pair, Channel.SQL, home, monkeypatch) as work:
        adopted_as_equal(work)
    with serve(seeded_pair.secondary_gate) as rest:
        follower = ended.enter_context(following(settings_of(seeded_pair, home, rest), tmp_path / "log"))
        titled(seeded_pair, PRISMA, key, "before")
        has_title(seeded_pair, SUPABASE, key, "before")
    titled(seeded_pair, PRISMA, key, "meanwhile")
    (outage,) = follower.await_event("unavailable")
    assert outage["store"] == "supabase"
    follower.await_event("breaker")
    with serve(seeded_pair.secondary_gate, again=rest):
        has_title(seeded_pair, SUPABASE, key, "meanwhile")
        follower.await_event("resumed")
        assert len(follower.events("unavailable")) == 1
        assert follower.end(signal.SIGINT)[0] == 0


@pytest.mark.slow
def test_one_that_was_killed_goes_on_when_it_is_started_again(
    seeded_pair: Pair, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A `kill -9` in the middle of a backlog loses nothing; the next process needs no repair and waits for no lease."""
    with work_on(seeded_pair, Channel.SQL, home, monkeypatch) as work:
        adopted_as_equal(work)
    run(seeded_pair, PRISMA, f"UPDATE {TABLE} SET title = 'ours ' || id")
    with psycopg.connect(seeded_pair.secondary) as blocker:
        blocker.execute("LOCK TABLE twinstore.row_state IN ACCESS EXCLUSIVE MODE")  # a delivery hangs
        with following(settings_of(seeded_pair, home), tmp_path / "first") as first:
            until(lambda: _hangs(seeded_pair) or None, "a delivery under way")
            first.process.kill()
            first.process.wait()
        blocker.rollback()
    with following(settings_of(seeded_pair, home), tmp_path / "second") as second:
        second.await_event("carried")
        until(lambda: titles(seeded_pair, SUPABASE) == titles(seeded_pair, PRISMA) or None, "equal stores")
        assert second.events("waiting") == []
        assert second.end(signal.SIGTERM)[0] == 0


def _hangs(pair: Pair) -> bool:
    with psycopg.connect(pair.secondary_superuser) as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        return connection.execute(query).fetchone() != (0,)


@pytest.mark.parametrize("words", [("sync", "status"), ("sync", "run"), ("capture", "status")])
def test_what_runs_often_loads_no_heavy_library(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """The commands that a supervisor or a person runs every minute start without what only a check needs."""
    with work_on(seeded_pair, Channel.SQL, home, monkeypatch) as work:
        adopted_as_equal(work)
    done = subprocess.run(
        [sys.executable, "-c", _LISTS_MODULES, *words],
        env={**os.environ, **settings_of(seeded_pair, home)},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.findall(r"^LOADED (.*)$", done.stdout, re.MULTILINE) == ["[]"]


@pytest.mark.slow
@pytest.mark.parametrize("said", ["n", "y"])
def test_on_a_terminal_it_is_asked(seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    """`capture off` says what follows and asks; only a yes removes the triggers."""
    with work_on(seeded_pair, Channel.SQL, home, monkeypatch) as work:
        adopted_as_equal(work)
    ours, theirs = pty.openpty()
    environment = {**os.environ, **settings_of(seeded_pair, home)}
    with subprocess.Popen(
        [SCRIPT, "capture", "off"], env=environment, cwd=REPOSITORY, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        shown = _until_asked(ours)
        os.write(ours, f"{said}\n".encode())
        assert process.wait(120) == (1 if said == "n" else 0)
    os.close(ours)
    assert "not noted and never carried over" in " ".join(shown.split())
    with psycopg.connect(seeded_pair.primary) as connection:
        query = "SELECT count(*) FROM pg_trigger WHERE tgname ~ '^twinstore_capture'"
        assert connection.execute(query).fetchone() == (2 if said == "n" else 0,)


def _until_asked(terminal: int) -> str:
    """Return what a terminal shows until it asks."""
    shown = b""
    while b"[y/N]" not in shown:
        shown += os.read(terminal, 4096)
    return shown.decode()
