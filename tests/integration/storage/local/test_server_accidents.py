"""Whatever happens to the server, to us or to the machine: the next start finds it or makes it work again."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from threading import Thread

import psycopg
import pytest

from contracts.errors import Unavailable
from storage.local import processes
from storage.local.server import Server
from tests.integration.storage.local.conftest import child

_START = """
import sys
from pathlib import Path
from storage.local.server import Server
server = Server(version=16, folder=Path(sys.argv[1]), durable=False)
server.initialise()
server.start()
"""


_COMPUTES = """
SELECT FROM pg_stat_activity WHERE state = 'active' AND query ~ 'generate_series' AND pid <> pg_backend_pid()
"""


def _postmaster(server: Server) -> int:
    return int((server.data / "postmaster.pid").read_text().split()[0])


def _wait_until_gone(pid: int) -> None:
    while Path(f"/proc/{pid}").exists():
        time.sleep(0.01)


def _works(server: Server) -> bool:
    with psycopg.connect(server.dsn()) as connection:
        return connection.execute("SELECT count(*) FROM pg_class").fetchone() is not None


def _crash(server: Server) -> None:
    """End all processes of the server at once, as a power cut would."""
    for pid in processes.postmasters(server._mark) | processes.children(server._mark):
        processes.send(pid, signal.SIGKILL)
        _wait_until_gone(pid)


def test_server_outlives_the_process_that_started_it(folder: Path) -> None:
    """The command that started the server ends, or is killed, and the server goes on."""
    server = Server(version=16, folder=folder / "server", durable=False)
    starter = child(_START + "import os, signal; os.kill(0, signal.SIGKILL)", server.folder)  # all of its group
    starter.communicate()
    assert starter.returncode == -signal.SIGKILL
    try:
        assert server.is_running()
        assert _works(server)
    finally:
        server.stop()


def test_killed_postmaster_is_replaced(server: Server) -> None:
    """After kill -9 of the postmaster a start recovers every commit."""
    with psycopg.connect(server.dsn()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    os.kill(_postmaster(server), signal.SIGKILL)
    server.start()
    with psycopg.connect(server.dsn()) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (7,)


@pytest.mark.parametrize("action", ["start", pytest.param("stop", marks=pytest.mark.soak)])
def test_computation_that_lost_its_postmaster_is_ended(server: Server, action: str) -> None:
    """A busy session would hold the data folder for hours after kill -9 of the postmaster; it is ended."""

    def compute() -> None:
        with pytest.raises(psycopg.OperationalError), psycopg.connect(server.dsn()) as connection:
            connection.execute("SELECT count(*) FROM generate_series(1, 10000000000) AS n WHERE n % 7 = 8")

    busy = Thread(target=compute)
    busy.start()
    with psycopg.connect(server.dsn(), autocommit=True) as watch:
        while busy.is_alive() and watch.execute(_COMPUTES).fetchone() is None:
            time.sleep(0.01)
    os.kill(_postmaster(server), signal.SIGKILL)
    getattr(server, action)()
    busy.join(timeout=60)
    assert not busy.is_alive()
    assert server.is_running() == (action == "start")


def test_sessions_do_not_hold_up_a_stop(server: Server) -> None:
    """Open sessions are cut off when the server stops."""
    with psycopg.connect(server.dsn()) as connection:
        connection.execute("SELECT 1")
        begin = time.monotonic()
        server.stop()
        assert time.monotonic() - begin < 25  # after thirty seconds they would be told to quit
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")


@pytest.mark.parametrize(
    "contents",
    [("12", "1\n/\n5432\n"), pytest.param(("", "\n", "99999999\n/nowhere\n", "garbage"), marks=pytest.mark.soak)],
    ids=["few", "others"],
)
def test_stale_pid_file_is_no_obstacle(server: Server, contents: tuple[str, ...]) -> None:
    """After a power cut the pid file may be empty, torn, or name a process that is gone or somebody else's."""
    for content in contents:
        _crash(server)
        (server.data / "postmaster.pid").write_text(content)
        server.start()
        assert _works(server)


@pytest.mark.soak
def test_pid_file_may_name_another_process_of_the_same_account(server: Server) -> None:
    """A reused process number does not make us believe that the server runs, nor harm that process."""
    _crash(server)
    account = server._account()
    with subprocess.Popen(["/bin/sleep", "60"], **processes.identity(account), cwd="/") as other:
        lines = [str(other.pid), str(server.data), "1700000000", str(server.port), "", "127.0.0.1", "", "ready"]
        (server.data / "postmaster.pid").write_text("\n".join(lines) + "\n")
        assert not server.is_running()
        server.start()
        assert _works(server)
        server.stop()
        assert other.poll() is None
        other.kill()


@pytest.mark.soak
def test_running_server_with_a_torn_pid_file_is_found(server: Server) -> None:
    """A running server is recognised and stopped even if its pid file is damaged."""
    for content in ("", "garbage", "1\n"):
        (server.data / "postmaster.pid").write_text(content)
        assert server.is_running()
        server.start()
        server.stop()
        assert not server.is_running()
        server.start()
        assert _works(server)


def test_damaged_port_file_is_no_obstacle(server: Server) -> None:
    """Without a readable port a stopped server chooses another one."""
    server.stop()
    (server.folder / "port").write_text("")
    server.start()
    assert _works(server)


def test_postgresql_guards_the_data_even_without_our_lock_file(server: Server) -> None:
    """Should somebody delete the lock file of a running server, no second one is let at its data."""
    (server.folder / "alive").unlink()
    with psycopg.connect(server.dsn()) as connection:
        with pytest.raises(Unavailable, match=r"shared memory|lock file"):
            server.start(wait_s=60)
        assert connection.execute("SELECT 1").fetchone() == (1,)
    server.stop()
    server.start()
    assert _works(server)


def test_several_starts_at_once_make_one_server(folder: Path) -> None:
    """Of processes that start the same server at the same time one launches it, and all of them find it."""
    server = Server(version=16, folder=folder / "server", durable=False)
    server.initialise()
    starters = [child(_START, server.folder) for _ in range(4)]
    try:
        for starter in starters:
            _, said = starter.communicate(timeout=60)
            assert (starter.returncode, said) == (0, "")
        assert len(processes.postmasters(server._mark)) == 1
    finally:
        server.stop()


@pytest.mark.parametrize("how", [signal.SIGINT, pytest.param(signal.SIGKILL, marks=pytest.mark.soak)])
def test_interrupted_initdb_is_redone(folder: Path, how: signal.Signals) -> None:
    """Ctrl-C or kill -9 during initdb leaves nothing that the next attempt would stumble over."""
    for attempt in range(5):  # a machine that stands still at this moment may let it end
        server = Server(version=16, folder=folder / f"server-{attempt}", durable=False)
        starter = child(_START, server.folder)
        while not list(server.folder.glob("building-*/data/base")) and starter.poll() is None:
            time.sleep(0.002)
        with suppress(ProcessLookupError):
            os.killpg(starter.pid, how) if how is signal.SIGINT else starter.kill()
        starter.communicate()
        if not server.data.exists():
            break
        server.stop()
    assert not server.data.exists()
    server.initialise()
    server.start()
    try:
        assert _works(server)
        assert not list(server.folder.glob("building-*"))
    finally:
        server.stop()
