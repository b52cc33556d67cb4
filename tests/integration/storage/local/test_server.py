"""One embedded server: how it is made, what it listens to, what it keeps to itself."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import psycopg
import pytest

from contracts.errors import Refused, Unavailable
from storage.local.server import Server


def _read(path: Path) -> bytes:
    """Return what is in a file; nothing when it went away meanwhile, as files of processes and of servers do."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def _value(dsn: str, query: str) -> object:
    with psycopg.connect(dsn) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


_PROMISES = {
    "SHOW server_encoding": "UTF8",
    "SHOW data_checksums": "on",
    "SHOW TimeZone": "UTC",
    "SHOW listen_addresses": "127.0.0.1",
    "SHOW unix_socket_directories": "",
    "SHOW password_encryption": "scram-sha-256",
    "SELECT string_agg(DISTINCT auth_method, ',') FROM pg_hba_file_rules": "scram-sha-256",
    "SELECT string_agg(x, '' ORDER BY x) FROM unnest(ARRAY['b', 'B', 'a', 'é', 'z']) AS x": "Babzé",
}


def test_server_is_set_up_as_promised(still_server: Server) -> None:
    """Encoding, order, zone, checksums and access are the same wherever the server is made."""
    assert {query: _value(still_server.dsn(), query) for query in _PROMISES} == _PROMISES


def test_durable_server_keeps_what_it_acknowledged(folder: Path) -> None:
    """Unless a test asks for it, nothing that protects commits is switched off."""
    server = Server(version=18, folder=folder / "durable")
    server.initialise()
    server.start()
    try:
        for name in ("fsync", "synchronous_commit", "full_page_writes", "data_checksums"):
            assert _value(server.dsn(), f"SHOW {name}") == "on"
    finally:
        server.stop()


def test_newer_server_knows_the_case_of_every_letter(folder: Path) -> None:
    """PostgreSQL 18 orders by code point and yet lowers letters beyond ASCII."""
    server = Server(version=18, folder=folder / "newer", durable=False)
    server.initialise()
    server.start()
    try:
        assert _value(server.dsn(), "SELECT lower('ÀÉ') || ('Z' < 'a')::text") == "àétrue"
    finally:
        server.stop()


def test_start_and_stop_can_be_repeated(server: Server) -> None:
    """Starting a running server and stopping a stopped one change nothing."""
    started = _value(server.dsn(), "SELECT pg_postmaster_start_time()")
    server.start()
    assert _value(server.dsn(), "SELECT pg_postmaster_start_time()") == started
    server.stop()
    server.stop()
    assert not server.is_running()


def test_stopping_keeps_the_rows(server: Server) -> None:
    """What was committed is there after a restart."""
    with psycopg.connect(server.dsn()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    server.stop()
    server.start()
    assert _value(server.dsn(), "SELECT n FROM kept") == 7


def test_port_is_kept_while_it_is_free(server: Server) -> None:
    """A restart uses the remembered port, so that URLs stay valid."""
    port = server.port
    server.stop()
    server.start()
    assert server.port == port


def test_another_port_is_chosen_when_it_was_taken(server: Server) -> None:
    """A port that somebody else took meanwhile is given up."""
    port = server.port
    assert port is not None
    server.stop()
    with socket.create_server(("127.0.0.1", port)):
        server.start()
        assert server.port != port
        assert _value(server.dsn(), "SELECT 1") == 1


def test_server_is_not_reachable_without_its_password(still_server: Server) -> None:
    """Nobody on the machine gets in without the password from the private file."""
    wrong = still_server.dsn().replace(still_server.password("postgres"), "wrong")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_lost_password_is_said(server: Server) -> None:
    """A server that runs with another password than the file holds is refused by name, soon."""
    (server.folder / "postgres.password").unlink()
    with pytest.raises(Refused, match="refuses the password"):
        server.start()


def test_failed_start_says_why(folder: Path) -> None:
    """The last words of a server that cannot start are part of the error."""
    server = Server(version=16, folder=folder / "bad", durable=False, settings={"shared_buffers": "nonsense"})
    server.initialise()
    with pytest.raises(Unavailable, match="shared_buffers"):
        server.start()


def test_never_started_server_has_no_url(folder: Path) -> None:
    """Before the first start there is no port, and the error says what to do."""
    with pytest.raises(Unavailable, match="stack up"):
        Server(version=16, folder=folder / "new").dsn()


def test_secrets_stay_in_private_files(still_server: Server) -> None:
    """The password is in one file of mode 0600 and in no log, no setting, no process title."""
    secret = still_server.password("postgres").encode()
    holders = [p for p in still_server.folder.rglob("*") if p.is_file() and secret in _read(p)]
    assert holders == [still_server.folder / "postgres.password"]
    assert {p.stat().st_mode & 0o777 for p in still_server.folder.iterdir() if p.is_file()} == {0o600}
    assert not [entry for entry in Path("/proc").glob("[0-9]*/cmdline") if secret in _read(entry)]


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="the system does not show environments")
def test_server_inherits_no_secret(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of our environment reaches the server: no URL, no PG variable."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://x:hunter2@example.org/x")
    monkeypatch.setenv("PGPORT", "1")
    server = Server(version=16, folder=folder / "server", durable=False)
    server.initialise()
    server.start()
    try:
        pid = (server.data / "postmaster.pid").read_text().split()[0]
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        assert b"hunter2" not in environment
        assert b"PGPORT" not in environment
    finally:
        server.stop()


def test_log_holds_no_value_of_a_row(still_server: Server) -> None:
    """An error of the application is logged without its statement and without the values."""
    with psycopg.connect(still_server.dsn(), autocommit=True) as connection:
        connection.execute("CREATE TABLE people (mail text PRIMARY KEY)")
        connection.execute("INSERT INTO people VALUES ('jane@example.org')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO people VALUES ('jane@example.org')")
    log = (still_server.folder / "log").read_text()
    assert "people_pkey" in log
    assert "jane@example.org" not in log


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes to another account")
def test_root_does_not_run_the_server(still_server: Server) -> None:
    """As root the server belongs to an account without rights, and only the data folder with it."""
    pid = (still_server.data / "postmaster.pid").read_text().split()[0]
    assert Path(f"/proc/{pid}").stat().st_uid != 0
    assert still_server.data.stat().st_uid == Path(f"/proc/{pid}").stat().st_uid
    assert still_server.data.stat().st_mode & 0o777 == 0o700
    assert {p.stat().st_uid for p in still_server.folder.iterdir() if p != still_server.data} == {0}
