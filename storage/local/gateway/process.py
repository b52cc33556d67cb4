"""A gateway in a process of its own that outlives its starter: started, stopped, found again after any accident.

All state is in its folder, so that any process can look after it:

    keys      the keys of the project, made once, mode 0600
    settings  what the process was started with, password included, mode 0600
    port      the port of the last start; another one is chosen when somebody else took it
    busy      a lock file that whoever starts or stops it holds
    alive     a lock file that the process holds open: it is free exactly when the process does not live
    log       what it said since the last start; no request and no value is in it
"""

from __future__ import annotations

import http.client
import os
import signal
import sys
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from contracts.errors import Unavailable
from storage import files
from storage.local import loopback, processes
from storage.local.gateway.keys import ProjectKeys, make_keys
from storage.local.gateway.options import Options
from storage.local.gateway.service import PREFIX
from storage.local.gateway.settings import (
    Settings,
    load_keys,
    load_settings,
    save_keys,
    save_settings,
    settings_for,
)

_LAUNCHES = 5  # each on another port when the one before was taken meanwhile
_GRACE_S = 3.0
_PAUSE_S = 0.02
_PATIENCE_S = 10.0
_BUSY_S = 180.0  # longer than any start or stop of another process
_NOT_FOUND = 404
_ROOT = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayProcess:
    """A gateway that lives in one folder.

    Attributes:
        folder: Absolute path of the folder that holds everything about it; its parent exists.
        options: Settings of the gateway, of which row cap and latency count here.
    """

    folder: Path
    options: Options = field(default_factory=Options)

    @property
    def port(self) -> int | None:
        """The port of the last start; None before the first."""
        try:
            return int((self.folder / "port").read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):
            return None

    @property
    def url(self) -> str | None:
        """What `SUPABASE_URL` would be; None before the first start."""
        return None if self.port is None else f"http://{loopback.HOST}:{self.port}"

    def keys(self) -> ProjectKeys | None:
        """Return the keys of the project; None before the first start."""
        return load_keys(self.folder)

    def is_running(self) -> bool:
        """Tell whether the process lives and serves with our keys."""
        return files.is_locked(self._alive) and self._answers()

    def start(self, dsn: str, *, wait_s: float = 60.0) -> None:
        """Start it unless it runs with these settings, and wait until it reaches its database.

        Safe to repeat, after any accident, and from several processes at once.

        Args:
            dsn: URL of the database as `authenticator`.
            wait_s: Time in seconds after which to give up.

        Raises:
            Unavailable: It did not start, or not in time.
            Conflict: Another process has been starting or stopping it for minutes.
        """
        files.make_folder(self.folder)
        with self._exclusive():
            keys = self.keys()
            if keys is None:
                keys = make_keys(time.time())
                save_keys(self.folder, keys)
            wanted = settings_for(dsn, self.options, keys)
            if load_settings(self.folder) != wanted:
                self._stop(_PATIENCE_S)
            self._start(wanted, wait_s)

    def stop(self, *, wait_s: float = _PATIENCE_S) -> None:
        """Stop it if it lives and wait until it ended; requests under way are answered.

        Args:
            wait_s: Time in seconds for an orderly end; after it the process is killed.

        Raises:
            Unavailable: It does not end.
            Conflict: Another process has been starting or stopping it for minutes.
        """
        if self.folder.exists():
            with self._exclusive():
                self._stop(wait_s)

    @property
    def _alive(self) -> Path:
        return self.folder / "alive"

    def _exclusive(self) -> AbstractContextManager[None]:
        return files.exclusive(self.folder / "busy", wait_s=_BUSY_S)

    def _pids(self) -> set[int]:
        return processes.gateways(str(self.folder))

    def _start(self, wanted: Settings, wait_s: float) -> None:
        deadline, launches = time.monotonic() + wait_s, 0
        while not self.is_running():
            with files.attempt_lock(self._alive) as handle:
                if handle is not None:
                    if launches == _LAUNCHES:
                        raise self._trouble(f"did not start: {self._last_words()}")
                    launches += 1
                    self._launch(wanted, handle)
            if time.monotonic() > deadline:
                raise self._trouble(f"was not ready after {wait_s:g} s.")
            time.sleep(_PAUSE_S)

    def _stop(self, wait_s: float) -> None:
        for how, patience_s in ((signal.SIGTERM, wait_s), (signal.SIGKILL, _GRACE_S)):
            deadline = time.monotonic() + patience_s
            for pid in self._pids():
                processes.send(pid, how)
            while self._pids() or files.is_locked(self._alive):
                if time.monotonic() > deadline:
                    break
                time.sleep(_PAUSE_S)
            else:
                return
        raise self._trouble("does not stop.")

    def _launch(self, settings: Settings, lock: int) -> None:
        """Start the process, which inherits the lock. None lives, since we hold it."""
        port = self.port
        if port is None or not loopback.is_free(port):
            files.write_private(self.folder / "port", str(loopback.free_port()))
        save_settings(self.folder, settings)
        log = self.folder / "log"
        log.unlink(missing_ok=True)
        output = files.open_private(log, os.O_WRONLY | os.O_APPEND)
        command = [sys.executable, "-P", "-m", "storage.local.gateway", "--folder", str(self.folder)]
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC", "PYTHONPATH": str(_ROOT)}
        try:
            # Under our own account: it must read its folder and our code, and gives up root's rights afterwards.
            processes.launch(command, account=None, environment=environment, output=output, keep=lock)
        finally:
            os.close(output)

    def _answers(self) -> bool:
        """Tell whether a gateway with our keys serves, and reaches its database."""
        port, keys = self.port, self.keys()
        if port is None or keys is None:
            return False
        connection = http.client.HTTPConnection(loopback.HOST, port, timeout=5)
        try:
            connection.request("GET", f"{PREFIX}twinstore_no_such_table", headers={"apikey": keys.publishable_key})
            answer = connection.getresponse()
            return answer.status == _NOT_FOUND and b"PGRST205" in answer.read()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _last_words(self) -> str:
        try:
            lines = (self.folder / "log").read_text(encoding="utf-8", errors="replace").split("\n")
        except OSError:
            lines = []
        return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing.")

    def _trouble(self, what: str) -> Unavailable:
        return Unavailable(f"The local REST gateway {what}", f"Look at {self.folder / 'log'}.")
