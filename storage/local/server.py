"""One PostgreSQL server of our own on a loopback port: made, started, stopped, found again after any accident.

All state is in its folder, so that any process can look after it:

    data/            PostgreSQL's own
    <role>.password  one random password for each login role, mode 0600
    port             the port of the last start; another one is chosen when somebody else took it
    alive            a lock file that every process of the server holds open: it is free exactly when none of them lives
    log, log.old     what the server said since the last start, and before; it holds no statements and no row values
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from contracts.errors import Refused, Unavailable
from storage.local import files, processes
from storage.local.account import Account, make_folder, server_account, shelter
from storage.local.binaries import bin_folder, copied_bin_folder

HOST = "127.0.0.1"
_LAUNCHES = 5  # each on another port when the one before was taken
_REFUSED_S = 3.0  # a server that accepts connections but not our login, for so long, is not going to
_ORPHANED_S = 3.0  # processes without a postmaster, for so long, have lost it
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}  # nothing of ours: no secret, no PG* variable

_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",  # a socket's path may have 107 bytes only
    "TimeZone": "UTC",
    "log_timezone": "UTC",
    "log_error_verbosity": "terse",  # details would quote rows
    "log_min_error_statement": "panic",
}
_FAST_AND_LOOSE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A PostgreSQL server that lives in one folder.

    Attributes:
        version: Major version, 16 or 18.
        folder: Absolute path of the folder that holds everything about it; its parent exists.
        superuser: Name of the bootstrap superuser.
        durable: False for tests only: what was committed may be lost when the machine stops.
        settings: Further server parameters.
    """

    version: int
    folder: Path
    superuser: str = "postgres"
    durable: bool = True
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        """PostgreSQL's data folder."""
        return self.folder / "data"

    @property
    def port(self) -> int | None:
        """The port of the last start; None before the first."""
        try:
            return int((self.folder / "port").read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):
            return None

    def programs(self) -> Path:
        """Return the folder of the programs, a copy of them if the account of the server cannot run the originals."""
        programs, account = bin_folder(self.version), self._account()
        if account is None or account.can_run(programs / "postgres"):
            return programs
        return copied_bin_folder(self.version, shelter())

    def password(self, role: str) -> str:
        """Return the password of a login role; a random one is made at the first request."""
        path = self.folder / f"{role}.password"
        if not path.exists():
            files.write_private(path, secrets.token_hex(24))
        return path.read_text(encoding="ascii")

    def dsn(self, dbname: str = "postgres", user: str | None = None) -> str:
        """Return the URL of a database for a login role, the superuser by default. It holds the password.

        Raises:
            Unavailable: The server was never started.
        """
        role = user or self.superuser
        if self.port is None:
            raise Unavailable("The local server was never started.", "Run `twinstore stack up`.")
        login = f"{quote(role, safe='')}:{self.password(role)}"
        return f"postgresql://{login}@{HOST}:{self.port}/{quote(dbname, safe='')}?sslmode=disable"

    def is_running(self) -> bool:
        """Tell whether the server lives and accepts connections. Log in to be sure that it accepts yours."""
        return files.is_locked(self._alive) and self._answers()

    def initialise(self) -> None:
        """Make the data folder unless it is there: UTF-8, code-point order, checksums, passwords by SCRAM.

        It is built aside and renamed at the end: an interrupted attempt is thrown away by the next one.

        Raises:
            ConfigurationError: The programs are missing, or root may not change to another account.
            Unavailable: `initdb` failed.
        """
        make_folder(self.folder)
        if self.data.exists():
            return
        for leftover in self.folder.glob("building-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        building = Path(tempfile.mkdtemp(prefix="building-", dir=self.folder))
        try:
            secret = building / "password"
            files.write_private(secret, self.password(self.superuser))
            if account := self._account():
                for path in (secret, building):
                    os.chown(path, account.uid, account.gid)
            done = self._run_as_account([*self._initdb(), f"--pwfile={secret}", f"--pgdata={building / 'data'}"])
            if done.returncode != 0:
                raise Unavailable(
                    f"initdb of PostgreSQL {self.version} failed: {_last_line(done.stderr)}",
                    f"Look at the folder {self.folder}: is it writable, is there space?",
                )
            (building / "data").rename(self.data)
        finally:
            shutil.rmtree(building, ignore_errors=True)

    def start(self, *, wait_s: float = 60.0) -> None:
        """Start the server unless it runs, and wait until it accepts our login. It outlives the calling process.

        Safe to call at any time and by several processes at once: only who takes the lock launches.

        Args:
            wait_s: Time in seconds after which to give up.

        Raises:
            Unavailable: It did not start, or not in time.
            Refused: It runs but does not accept the password in the folder.
        """
        begin = lost_since = refused_since = time.monotonic()
        launches = 0
        while not (files.is_locked(self._alive) and self._answers() and self._accepts_login()):
            now = time.monotonic()
            with files.attempt_lock(self._alive) as handle:
                if handle is not None:
                    if launches == _LAUNCHES:
                        raise Unavailable(f"PostgreSQL {self.version} did not start: {self._reason()}", self._advice())
                    self._launch(handle)
                    launches += 1
                    lost_since = refused_since = now
            if not self._answers():
                refused_since = now
            elif now - refused_since > _REFUSED_S:
                raise Refused(f"PostgreSQL {self.version} runs but refuses our password.", self._advice())
            if self._postmaster() is not None:
                lost_since = now
            elif now - lost_since > _ORPHANED_S:
                processes.end_all_in(self.data)
            if now - begin > wait_s:
                raise Unavailable(f"PostgreSQL {self.version} was not ready after {wait_s:g} s.", self._advice())
            time.sleep(0.02)

    def stop(self, *, wait_s: float = 30.0) -> None:
        """Stop the server if it runs and wait until its last process ended; sessions are cut off, commits are kept.

        Args:
            wait_s: Time in seconds for an orderly end; after it the processes are told to quit at once.

        Raises:
            Unavailable: Some of its processes do not end.
        """
        for how, patience_s in ((signal.SIGINT, wait_s), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
            if not files.is_locked(self._alive):
                return
            postmaster = self._postmaster()
            if postmaster is None or how is signal.SIGKILL:
                processes.end_all_in(self.data)
            else:
                processes.send(postmaster, how)
            deadline = time.monotonic() + patience_s
            while files.is_locked(self._alive) and time.monotonic() < deadline:
                time.sleep(0.02)
        if files.is_locked(self._alive):
            raise Unavailable(f"PostgreSQL {self.version} does not stop.", self._advice())

    @property
    def _alive(self) -> Path:
        return self.folder / "alive"

    def _account(self) -> Account | None:
        return server_account(self.data, self.folder)

    def _initdb(self) -> list[str]:
        command = [str(self.programs() / "initdb"), "--auth=scram-sha-256", f"--username={self.superuser}"]
        command += ["--encoding=UTF8", "--locale=C", "--data-checksums", "--no-instructions"]
        if self.version >= 17:  # noqa: PLR2004 - the first with a locale of its own: C order, but every letter has a case
            command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        return command if self.durable else [*command, "--no-sync"]

    def _run_as_account(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            **processes.identity(self._account()),
            env=_ENVIRONMENT,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )

    def _launch(self, lock: int) -> None:
        """Start the postmaster, which inherits the lock. No process of the server lives, since we hold it."""
        port = self.port
        if port is None or not _is_free(port):
            port = _free_port()
            files.write_private(self.folder / "port", str(port))
        # Whatever the pid file says is stale; PostgreSQL itself would refuse one that is torn, or whose number another
        # process of the account has now. (Even now it refuses a data folder whose shared memory is in use.)
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        log = self.folder / "log"
        if log.exists():
            log.replace(self.folder / "log.old")
        settings = {**_SETTINGS, **({} if self.durable else _FAST_AND_LOOSE), **self.settings}
        command = [str(self.programs() / "postgres"), "-D", str(self.data), "-p", str(port)]
        command += [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        output = files.open_private(log, os.O_WRONLY | os.O_APPEND)
        try:
            processes.launch(command, account=self._account(), environment=_ENVIRONMENT, output=output, keep=lock)
        finally:
            os.close(output)

    def _postmaster(self) -> int | None:
        """Return the number of the postmaster if it lives."""
        try:
            pid = int((self.data / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0])
        except (OSError, ValueError):
            return processes.oldest_in(self.data)
        return pid if processes.works_in(pid, self.data) else None

    def _answers(self) -> bool:
        from psycopg.pq import PGconn, Ping

        # A ping needs no valid login, and says whether the server accepts connections yet.
        conninfo = (
            f"host={HOST} port={self.port or 1} connect_timeout=2 dbname=postgres user={self.superuser} sslmode=disable"
        )
        return PGconn.ping(conninfo.encode()) == Ping.OK

    def _accepts_login(self) -> bool:
        import psycopg

        try:
            # SCRAM proves both sides to each other: it is our server that answers, not another on the same port.
            psycopg.connect(self.dsn(), connect_timeout=5, require_auth="scram-sha-256").close()
        except psycopg.OperationalError:
            return False
        return True

    def _reason(self) -> str:
        try:
            return _last_line((self.folder / "log").read_text(encoding="utf-8", errors="replace"))
        except OSError:
            return "it left no log."

    def _advice(self) -> str:
        return f"Look at {self.folder / 'log'}."


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it said nothing."


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as PostgreSQL does: closed connections may linger
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
