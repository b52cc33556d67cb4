"""The gateway's process: started, stopped, found again after any accident, without rights or words too many."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from contracts.errors import TwinstoreError, Unavailable
from storage.local import processes
from storage.local.gateway.options import Options
from storage.local.gateway.process import GatewayProcess
from tests.integration.storage.local.gateway.conftest import client_of, eventually
from tests.support.servers import Pair, watched_folder


@pytest.fixture
def gateway() -> Iterator[GatewayProcess]:
    """A gateway that was not started yet."""
    with watched_folder() as folder:
        gateway = GatewayProcess(folder=folder / "rest")
        yield gateway
        with suppress(TwinstoreError):
            gateway.stop()


def _pid(gateway: GatewayProcess) -> int:
    (pid,) = processes.gateways(str(gateway.folder))
    return pid


def _titles(gateway: GatewayProcess, count: int = 1) -> list[str]:
    keys = gateway.keys()
    assert keys is not None
    assert gateway.url is not None
    with client_of(gateway.url, keys.secret_key) as client:
        return [row["id"] for row in client.get(f"planning?select=id&limit={count}").json()]


def test_it_starts_serves_and_stops(gateway: GatewayProcess, still_pair: Pair) -> None:
    """Start waits until it serves, stop until it is gone; keys and port stay across a restart; both can be repeated."""
    assert (gateway.url, gateway.keys(), gateway.is_running()) == (None, None, False)
    assert not gateway.folder.exists()  # looking writes nothing
    gateway.stop()
    gateway.start(still_pair.secondary_gate)
    keys, url, pid = gateway.keys(), gateway.url, _pid(gateway)
    assert len(_titles(gateway)) == 1
    gateway.start(still_pair.secondary_gate)
    assert _pid(gateway) == pid
    gateway.stop()
    gateway.stop()
    assert not gateway.is_running()
    gateway.start(still_pair.secondary_gate)
    assert (gateway.keys(), gateway.url) == (keys, url)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.soak)])
def test_it_is_started_again_after_any_end(gateway: GatewayProcess, still_pair: Pair, how: signal.Signals) -> None:
    """However the process ended, it is found dead, and the next start works."""
    gateway.start(still_pair.secondary_gate)
    os.kill(_pid(gateway), how)
    eventually(lambda: not gateway.is_running())
    gateway.start(still_pair.secondary_gate)
    assert len(_titles(gateway)) == 1


def test_a_frozen_process_is_killed_in_the_end(gateway: GatewayProcess, still_pair: Pair) -> None:
    """A process that does not react to being told to end is ended."""
    gateway.start(still_pair.secondary_gate)
    os.kill(_pid(gateway), signal.SIGSTOP)
    gateway.stop(wait_s=0.2)
    assert processes.gateways(str(gateway.folder)) == set()


def test_many_starters_start_one(gateway: GatewayProcess, still_pair: Pair) -> None:
    """Several starters at once agree on one process."""
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda _: gateway.start(still_pair.secondary_gate), range(5)))
    assert _pid(gateway) > 0
    assert len(_titles(gateway)) == 1


def test_another_port_is_found_when_the_old_one_is_taken(gateway: GatewayProcess, still_pair: Pair) -> None:
    """A stranger on our port is not taken for us, and not disturbed."""
    gateway.start(still_pair.secondary_gate)
    gateway.stop()
    port = gateway.port
    with socket.create_server(("127.0.0.1", port or 0)):
        assert not gateway.is_running()
        gateway.start(still_pair.secondary_gate)
        assert gateway.port != port
        assert len(_titles(gateway)) == 1


def test_other_settings_replace_the_process(gateway: GatewayProcess, still_pair: Pair) -> None:
    """A process with another cap, another database or other code is stopped and started anew."""
    gateway.start(still_pair.secondary_gate)
    pid = _pid(gateway)
    capped = GatewayProcess(folder=gateway.folder, options=Options(cap=2))
    capped.start(still_pair.secondary_gate)
    assert _pid(gateway) != pid
    assert len(_titles(gateway, 5)) == 2
    settings = gateway.folder / "settings"
    settings.write_text(settings.read_text().replace('"code": "', '"code": "old-'))
    pid = _pid(gateway)
    capped.start(still_pair.secondary_gate)
    assert _pid(gateway) != pid


@pytest.mark.parametrize("name", ["settings", "port", "keys"])
@pytest.mark.parametrize("content", ["", pytest.param("[]", marks=pytest.mark.soak)])
def test_torn_files_are_made_anew(gateway: GatewayProcess, still_pair: Pair, name: str, content: str) -> None:
    """Whatever an accident left in a file, the next start works."""
    gateway.start(still_pair.secondary_gate)
    gateway.stop()
    (gateway.folder / name).write_text(content)
    gateway.start(still_pair.secondary_gate)
    assert len(_titles(gateway)) == 1


def test_lost_keys_do_not_leave_the_old_process(gateway: GatewayProcess, still_pair: Pair) -> None:
    """A process whose keys were deleted is replaced, so that the keys in the folder are always those that count."""
    gateway.start(still_pair.secondary_gate)
    (gateway.folder / "keys").unlink()
    gateway.start(still_pair.secondary_gate)
    assert len(_titles(gateway)) == 1


def test_without_its_database_the_start_fails_in_words(gateway: GatewayProcess, still_pair: Pair) -> None:
    """A start that cannot reach the database gives up in time, and names the log."""
    wrong = still_pair.secondary_gate.replace("authenticator:", "authenticator:wrong-", 1)
    with pytest.raises(Unavailable, match="was not ready after 2 s") as caught:
        gateway.start(wrong, wait_s=2)
    assert "authenticator" not in str(caught.value)


def test_a_deleted_folder_ends_the_process(gateway: GatewayProcess, still_pair: Pair) -> None:
    """Nobody could find a process without its folder: it ends by itself."""
    gateway.start(still_pair.secondary_gate)
    shutil.rmtree(gateway.folder)
    eventually(lambda: processes.gateways(str(gateway.folder)) == set())


def test_files_are_private_and_the_log_says_nothing(gateway: GatewayProcess, still_pair: Pair) -> None:
    """All files are for their owner only; neither arguments nor log show a secret or a value."""
    gateway.start(still_pair.secondary_gate)
    keys = gateway.keys()
    assert keys is not None
    assert gateway.url is not None
    with client_of(gateway.url, keys.secret_key) as client:
        assert client.get("planning?title=eq.a-private-title&missing=eq.1").status_code == 400
        assert client.get("planning?id=eq.a-private-id").status_code == 400
        client.headers["apikey"] = "a-wrong-key"
        assert client.get("planning").status_code == 401
    files = {path.name: path for path in gateway.folder.iterdir()}
    assert files.keys() == {"alive", "busy", "keys", "log", "port", "settings"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files.values()} == {0o600}
    assert files["log"].read_text() == ""
    arguments = Path(f"/proc/{_pid(gateway)}/cmdline").read_text()
    assert not any(secret in arguments for secret in (keys.secret_key, keys.jwt_secret, "password"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to give up")
def test_root_gives_up_its_rights(gateway: GatewayProcess, seeded_pair: Pair) -> None:
    """Started by root the process belongs to the account of the servers, groups included, and serves all the same."""
    gateway.start(seeded_pair.secondary_gate)
    status = Path(f"/proc/{_pid(gateway)}/status").read_text()
    owners = {line.split(":")[0]: line.split()[1:] for line in status.splitlines() if line.startswith(("Uid", "Gid"))}
    assert all("0" not in ids for ids in owners.values())
    groups = next(line for line in status.splitlines() if line.startswith("Groups:"))
    assert groups.split()[1:] == []
    with psycopg.connect(seeded_pair.secondary) as connection:
        connection.execute("CREATE FUNCTION fresh() RETURNS integer LANGUAGE sql STABLE AS 'SELECT 1'")
        connection.execute("NOTIFY pgrst, 'reload schema'")
    keys = gateway.keys()
    assert keys is not None
    assert gateway.url is not None
    with client_of(gateway.url, keys.secret_key) as client:
        eventually(lambda: client.post("rpc/fresh").status_code == 200)


def test_a_request_under_way_is_answered_before_the_end(gateway: GatewayProcess, seeded_pair: Pair) -> None:
    """Stop waits for requests that were begun."""
    with psycopg.connect(seeded_pair.secondary) as connection:
        connection.execute(
            "CREATE FUNCTION nap() RETURNS integer LANGUAGE plpgsql AS"
            " 'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN 1; END'"
        )
    gateway.start(seeded_pair.secondary_gate)
    keys = gateway.keys()
    assert keys is not None
    assert gateway.url is not None
    with (
        client_of(gateway.url, keys.secret_key) as client,
        ThreadPoolExecutor(2) as pool,
        psycopg.connect(seeded_pair.secondary_superuser, autocommit=True) as connection,
    ):
        connection.execute("SELECT pg_advisory_lock(1)")
        answer = pool.submit(client.post, "rpc/nap")
        naps = "SELECT FROM pg_stat_activity WHERE wait_event = 'advisory' AND datname = current_database()"
        eventually(lambda: connection.execute(naps).fetchone() is not None)
        stopping = pool.submit(gateway.stop)
        with pytest.raises(TimeoutError):
            stopping.result(timeout=0.3)
        connection.execute("SELECT pg_advisory_unlock(1)")
        stopping.result()
        assert answer.result().json() == 1
