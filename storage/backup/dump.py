"""`pg_dump` of some schemas as of an exported moment, written by us: counted, hashed, and brought to the disk.

Its output comes through a pipe, so that it ends with us however we end, and so that a full disk is our own error.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from contracts.errors import ConfigurationError, Refused, TimedOut, TwinstoreError, Unavailable
from contracts.vocabulary import StoreName
from storage.backup.programs import Program, complaint
from storage.files import open_private

LOCK_WAIT_MS = 30_000  # somebody who waits for the tables behind our snapshot must not be waited for
PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A file that is complete and on the disk.

    Attributes:
        name: Its name.
        size: Its size in bytes.
        sha256: Its SHA-256, 64 hexadecimal digits.
    """

    name: str
    size: int
    sha256: str


class Dump:
    """A `pg_dump` that runs.

    Args:
        program: The program.
        store: The store that is dumped, for errors.
        environment: How it reaches the store; all of its environment.
        snapshot: The exported moment.
        schemas: Schemas that are dumped whole.
        target: The file; made here, readable by its owner alone.
        progress: Is told the number of bytes that were written.
    """

    def __init__(
        self,
        program: Program,
        store: StoreName,
        *,
        environment: Mapping[str, str],
        snapshot: str,
        schemas: Sequence[str],
        target: Path,
        progress: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._program = program
        self._store = store
        self._target = target
        self._progress = progress
        self._trouble: Exception | None = None
        self._written: Written | None = None
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        self._process = subprocess.Popen(
            [str(program.path), *arguments(snapshot, schemas)],
            env=dict(environment),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._said,
            start_new_session=True,  # Ctrl-C is ours to handle
        )
        self._thread = threading.Thread(target=self._copy, name=f"dump of {store}", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    def finish(self) -> Written:
        """Wait for the end, and return the file.

        Raises:
            TwinstoreError: It failed, was killed, or the file could not be written.
        """
        try:
            self._thread.join()
            code = self._process.wait()
            if self._trouble is not None:
                raise self._trouble
            if code != 0 or self._written is None:
                raise self._failure(code)
            return self._written
        finally:
            self.close()

    def close(self) -> None:
        """End the process if it still runs, and give everything back."""
        if self._process.poll() is None:
            with suppress(ProcessLookupError):
                self._process.kill()
        self._process.wait()
        self._thread.join()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._said.close()

    def _copy(self) -> None:
        try:
            self._written = copied(self._process.stdout.fileno(), self._target, self._progress)  # type: ignore[union-attr]  # a pipe
        except Exception as exc:  # noqa: BLE001 - raised by `finish`
            self._trouble = exc
            self._process.kill()  # nobody reads what it writes any more

    def _failure(self, code: int) -> TwinstoreError:
        self._said.seek(0)
        said = self._said.read().decode("utf-8", "replace")
        name = f"pg_dump of {self._store}"
        if code < 0:
            return Unavailable(
                f"{name} was ended by signal {-code}, and its dump is not complete.",
                "Look for memory limits, then run `twinstore backup create` again.",
                store=self._store,
            )
        kinds: tuple[tuple[str, type[TwinstoreError], str], ...] = (
            ("permission denied", Refused, "Use a role that may read all tables of these schemas."),
            ("row-level security", Refused, "Use a role that sees all rows."),
            ("lock timeout", TimedOut, "Try again when nobody changes tables there."),
            ("server version", ConfigurationError, "Put a pg_dump of the server's version on PATH."),
        )
        for sign, kind, todo in kinds:
            if sign in said:
                return kind(f"{name} failed: {complaint(said)}.", todo, store=self._store)
        return Unavailable(
            f"{name} failed: {complaint(said)}.", "Try again; the earlier backups are as they were.", store=self._store
        )


def arguments(snapshot: str | None, schemas: Sequence[str]) -> list[str]:
    """Return what pg_dump is told: custom format, these schemas whole; never who asks, or by which password."""
    at = [] if snapshot is None else [f"--snapshot={snapshot}"]
    named = [f"--schema={_pattern(schema)}" for schema in schemas]
    return ["--format=custom", "--no-password", f"--lock-wait-timeout={LOCK_WAIT_MS}", *at, *named]


def copied(source: int, target: Path, progress: Callable[[int], None] = lambda _: None) -> Written:
    """Copy what comes from a descriptor into a new file, and bring it to the disk.

    Raises:
        OSError: It cannot be written, as on a full disk.
    """
    digest, size = hashlib.sha256(), 0
    handle = open_private(target, os.O_WRONLY | os.O_EXCL)
    with open(handle, "wb", buffering=0) as file:  # noqa: PTH123 - of a descriptor
        while piece := os.read(source, PIECE_BYTES):
            left = memoryview(piece)
            while left:
                left = left[file.write(left) :]
            digest.update(piece)
            size += len(piece)
            progress(size)
        os.fsync(file.fileno())
    return Written(name=target.name, size=size, sha256=digest.hexdigest())


def _pattern(schema: str) -> str:
    """Write the name of a schema as pg_dump's patterns take it literally."""
    return '"' + schema.replace('"', '""') + '"'
