"""One PostgreSQL server of our own on a loopback port: made, started, stopped, found again after any accident.

All state is in its folder, so that any process can look after it:

    data/            PostgreSQL's own
    <role>.password  one random password for each login role, mode 0600
    port             the port of the last start; another one is chosen when somebody else took it
    alive            a lock file that every process of the server holds open: it is free exactly when none of them lives
    log, log.old     what the server said since the last start, and before; it holds no statements and no row values
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from contracts.errors import ConfigurationError, Refused, Unavailable
from storage import files
from storage.local import loopback, processes
from storage.local.account import SHELTER, Account, make_shelter, server_account
from storage.local.binaries import bin_folder, copied_bin_folder

_LAUNCHES = 5  # each on another port when the one before was taken meanwhile
_GRACE_S = 3.0  # a server that refuses our login, or processes without a postmaster, stay so after this time
_PAUSE_S = 0.02
_MAX_PATH = 900  # PostgreSQL cuts paths off at 1023 bytes without a word, and would work in another folder
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}  # nothing of ours: no secret, no PG* variable
_BUILTIN_LOCALE_SINCE = 17  # C order, but every letter has its upper and lower case

_SETTINGS = {
    "listen_addresses": loopback.HOST,
    "unix_socket_directories": "",  # the path of a socket may have 107 bytes only
    "TimeZone": "UTC",
    "log_timezone": "UTC",
    "log_error_verbosity": "terse",  # details would quote rows
    "log_min_error_statement": "panic",
}
_ERROR = re.compile(r"(?:FATAL|PANIC|error): +(?!the database system is )(.+)")
_NOT_DURABLE = {"fsync": "off", "full_page_writes": "off"}  # commits outlive the server, not the machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A PostgreSQL server that lives in one folder.

    Attributes:
        version: Major version, 16 or 18.
        folder: Absolute path of the folder that holds everything about it; its parent exists.
        superuser: Name of the bootstrap superuser.
        durable: False for tests only: what was committed may be lost when the machine stops.
        settings: Further server parameters.
        shelter: Where root copies the programs if the account of the server cannot run them where they are.
    """

    version: int
    folder: Path
    superuser: str = "postgres"
    durable: bool = True
    settings: Mapping[str, str] = field(default_factory=dict)
    shelter: Path = SHELTER

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
        """Return the folder of the programs, or of a copy if the account of the server cannot run the originals."""
        programs, account = bin_folder(self.version), self._account()
        if account is None or account.can_run(programs / "postgres"):
            return programs
        return copied_bin_folder(self.version, make_shelter(self.shelter))

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
        role, port = user or self.superuser, self.port
        if port is None:
            raise Unavailable("The local server was never started.", "Run `twinstore stack up`.")
        login = f"{quote(role, safe='')}:{self.password(role)}"
        return f"postgresql://{login}@{loopback.HOST}:{port}/{quote(dbname, safe='')}?sslmode=disable"

    def is_running(self) -> bool:
        """Tell whether the server lives and accepts connections."""
        return files.is_locked(self._alive) and self.port is not None and loopback.answers(self.port)

    def initialise(self) -> None:
        """Make the data folder unless it is there: UTF-8, code-point order, checksums, passwords by SCRAM.

        It is built aside and renamed at the end: what an interrupted attempt left is thrown away by the next one.

        Raises:
            ConfigurationError: The programs are missing, root may not change account, or the path is too long.
            Unavailable: `initdb` failed.
        """
        if self.data.exists():
            return
        if len(os.fsencode(self.folder)) > _MAX_PATH:
            raise ConfigurationError(
                f"The path of the server's folder is longer than {_MAX_PATH} bytes.",
                "Set TWINSTORE_HOME to a shorter one.",
            )
        files.make_folder(self.folder)
        self._remove_leftovers()
        building = Path(tempfile.mkdtemp(prefix="building-", dir=self.folder))
        try:
            secret = building / "password"
            files.write_private(secret, self.password(self.superuser))
            if account := self._account():
                for path in (secret, building):
                    os.chown(path, account.uid, account.gid, follow_symlinks=False)
            self._run_initdb(building / "data", secret)
            if self.durable:
                os.sync()  # once, half the time of initdb's own sync of file after file
            (building / "data").rename(self.data)
        finally:
            shutil.rmtree(building, ignore_errors=True)

    def start(self, *, wait_s: float = 120.0) -> None:
        """Start the server unless it runs, and wait until it accepts our login. It outlives the calling process.

        Safe at any time and from several processes at once: only who takes the lock launches.

        Args:
            wait_s: Time in seconds after which to give up; recovery after a crash may take its time.

        Raises:
            Unavailable: It did not start, or not in time.
            Refused: It runs but does not accept the password in the folder.
        """
        begin = refused = lost = time.monotonic()
        launches = 0
        while not (answering := self.is_running()) or not loopback.accepts_login(self.dsn()):
            now = time.monotonic()
            with files.attempt_lock(self._alive) as handle:
                if handle is not None:
                    if launches == _LAUNCHES:
                        raise self._trouble(f"did not start: {self._last_words()}")
                    launches, refused, lost = launches + 1, now, now
                    self._launch(handle)
            refused = refused if answering else now
            lost = now if self._postmaster() else lost
            if now - refused > _GRACE_S:
                raise Refused(
                    f"PostgreSQL {self.version} runs but refuses the password kept beside it.", self._advice()
                )
            if now - lost > _GRACE_S:
                self._end_children()
            if now - begin > wait_s:
                raise self._trouble(f"was not ready after {wait_s:g} s.")
            time.sleep(_PAUSE_S)

    def stop(self, *, wait_s: float = 30.0) -> None:
        """Stop the server if it runs and wait until its last process ended; sessions are cut off, commits are kept.

        Args:
            wait_s: Time in seconds for an orderly end; after it the processes are told to quit at once.

        Raises:
            Unavailable: Some of its processes do not end.
        """
        for how, patience_s in ((signal.SIGINT, wait_s), (signal.SIGQUIT, _GRACE_S), (signal.SIGKILL, _GRACE_S)):
            deadline = time.monotonic() + patience_s
            if postmaster := self._postmaster():
                processes.send(postmaster, how)
            while (postmaster := self._postmaster()) or files.is_locked(self._alive):
                if not postmaster:
                    self._end_children()
                if time.monotonic() > deadline:
                    break
                time.sleep(_PAUSE_S)
            else:
                return
        raise self._trouble("does not stop.")

    @property
    def _alive(self) -> Path:
        return self.folder / "alive"

    @property
    def _mark(self) -> str:
        return f"twinstore-{hashlib.sha256(os.fsencode(self.data)).hexdigest()[:12]}"

    def _account(self) -> Account | None:
        return server_account(self.folder, self.data)

    def _remove_leftovers(self) -> None:
        """Remove what an interrupted initdb left behind; one whose caller was killed may still be at work there."""
        for leftover in self.folder.glob("building-*"):
            for pid in processes.mentioning(f"--pgdata={leftover}/"):
                processes.send(pid, signal.SIGKILL)
            deadline = time.monotonic() + _GRACE_S
            while leftover.exists() and time.monotonic() < deadline:  # what initdb had called writes to its end
                shutil.rmtree(leftover, ignore_errors=True)
                time.sleep(_PAUSE_S)

    def _run_initdb(self, data: Path, secret: Path) -> None:
        command = [str(self.programs() / "initdb"), f"--pgdata={data}", f"--pwfile={secret}"]
        command += [f"--username={self.superuser}", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"]
        command += ["--data-checksums", "--no-instructions", "--no-sync"]
        if self.version >= _BUILTIN_LOCALE_SINCE:
            command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        done = subprocess.run(
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
        if done.returncode != 0:
            advice = f"Look at the folder {self.folder}: may it be written, is there space?"
            raise Unavailable(f"initdb of PostgreSQL {self.version} failed: {_complaint(done.stderr)}", advice)

    def _launch(self, lock: int) -> None:
        """Start the postmaster, which inherits the lock. No process of the server lives, since we hold it."""
        port = self.port
        if port is None or not loopback.is_free(port):
            port = loopback.free_port()
            files.write_private(self.folder / "port", str(port))
        # A pid file is stale whatever it says. PostgreSQL itself would stumble over one that is torn, or whose number
        # another process has now. (It still refuses data whose shared memory is in use, should our lock file be gone.)
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        log = self.folder / "log"
        if log.exists():
            log.replace(self.folder / "log.old")
        settings = {**_SETTINGS, **({} if self.durable else _NOT_DURABLE), **self.settings, "cluster_name": self._mark}
        command = [str(self.programs() / "postgres"), "-D", str(self.data), "-p", str(port)]
        command += [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        output = files.open_private(log, os.O_WRONLY | os.O_APPEND)
        try:
            processes.launch(command, account=self._account(), environment=_ENVIRONMENT, output=output, keep=lock)
        finally:
            os.close(output)

    def _postmaster(self) -> int | None:
        """Return the number of the postmaster if it lives."""
        found = processes.postmasters(self._mark)
        try:
            pid = int((self.data / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0])
        except (OSError, ValueError):
            return min(found, default=None)
        return pid if pid in found else min(found, default=None)

    def _end_children(self) -> None:
        """End what lost its postmaster; most of it ends by itself, but a long computation would go on."""
        for pid in processes.children(self._mark):
            processes.send(pid, signal.SIGKILL)

    def _last_words(self) -> str:
        try:
            log = (self.folder / "log").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return "it left no log."
        return _complaint(log)

    def _trouble(self, what: str) -> Unavailable:
        return Unavailable(f"PostgreSQL {self.version} {what}", self._advice())

    def _advice(self) -> str:
        return f"Look at {self.folder / 'log'}."


def _complaint(text: str) -> str:
    """Return the first error in what a program said, which the others follow from; else its last line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()] or ["it said nothing."]
    return next((match[1] for line in lines if (match := _ERROR.search(line))), lines[-1])
