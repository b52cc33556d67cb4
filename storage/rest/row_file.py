"""Rows in a SQLite file of their own: closed to others, and gone with the folder that holds it."""

from __future__ import annotations

import os
import sqlite3
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from contracts.errors import ConfigurationError, ProtocolError
from contracts.vocabulary import StoreName
from storage.files import attempt_lock, is_locked
from storage.rest.client import Values

LEFT_BEHIND_S = 3600.0
"""A folder without a lock to which nobody wrote for so long was left by a process that died."""

_PREFIX = "twinstore-rows-"
_ALIVE = "alive"
_PRAGMAS = (
    "page_size = 16384",  # rows of a kilobyte and more fill such pages better
    "journal_mode = MEMORY",
    "synchronous = OFF",  # it outlives no crash anyway
    "cache_size = -16000",  # 16 MB
)


@contextmanager
def private_folder() -> Iterator[Path]:
    """Make a folder that only we may enter; remove it at the end, however that comes.

    A lock file in it tells for how long we live; its name is there only once it is held, so that nobody takes the
    folder for one that a dead process left.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True)))
        making = folder / f".{_ALIVE}"
        stack.enter_context(attempt_lock(making))
        making.rename(folder / _ALIVE)
        yield folder


def left_behind() -> tuple[Path, ...]:
    """Return the folders for temporary files of processes that died before they could remove them. Reads only."""
    return tuple(path for path in sorted(Path(tempfile.gettempdir()).glob(f"{_PREFIX}*")) if _is_left(path))


def _is_left(path: Path) -> bool:
    """Tell whether the process of a folder is dead; where no lock tells, nobody may have written to it for long."""
    try:
        if path.is_symlink() or not path.is_dir():
            return False
        if (path / _ALIVE).exists():
            return not is_locked(path / _ALIVE)
        return max(one.stat().st_mtime for one in (path, *path.iterdir())) < time.time() - LEFT_BEHIND_S
    except OSError:
        return False  # somebody else's, or gone meanwhile


def quote(name: str) -> str:
    """Write a name as SQLite takes it."""
    return '"' + name.replace('"', '""') + '"'


class RowFile:
    """A SQLite file with one table of texts; rows are added attempt by attempt, and forgotten likewise.

    Its methods may be called from several threads.

    Args:
        path: The file; made here.
        table: Name of the table.
        columns: Names of its columns.
        store: The store that the rows come from, for errors.
        unique: Names of the columns that no two rows share; none for no such promise.
        convert: Turns a row as it was read into one that is kept.
    """

    def __init__(
        self,
        path: Path,
        table: str,
        columns: Sequence[str],
        *,
        store: StoreName,
        unique: Sequence[str] = (),
        convert: Callable[[Values], Values] | None = None,
    ) -> None:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        self.connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._store = store
        self._convert = convert
        self._writing = threading.Lock()
        self._next_row = 1
        self._rows_of: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
        for pragma in _PRAGMAS:
            self.connection.execute(f"PRAGMA {pragma}")
        fields = [f"{quote(column)} TEXT" for column in columns]
        if unique:
            fields.append(f"UNIQUE ({', '.join(map(quote, unique))})")
        self.connection.execute(f"CREATE TABLE {quote(table)} ({', '.join(fields)})")
        marks = ", ".join("?" * (len(columns) + 1))
        names = ", ".join(("rowid", *map(quote, columns)))
        self._insert = f"INSERT INTO {quote(table)} ({names}) VALUES ({marks})"  # noqa: S608 - names are quoted
        self._delete = f"DELETE FROM {quote(table)} WHERE rowid BETWEEN ? AND ?"  # noqa: S608 - likewise

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    def add(self, attempt: int, rows: list[Values]) -> None:
        """Keep rows that an attempt read."""
        kept = rows if self._convert is None else [self._convert(row) for row in rows]
        with self.writing():
            self.insert(attempt, kept)

    def forget(self, attempt: int) -> None:
        """Forget all rows of an attempt."""
        with self.writing():
            self.delete(attempt)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Let no other thread write, and keep all that is written here or nothing of it.

        Raises:
            ProtocolError: Two rows share a key.
            ConfigurationError: The disk is full.
        """
        with self._writing, _said_plainly(self._store):
            self.connection.execute("BEGIN")
            try:
                yield
            except BaseException:
                self.connection.execute("ROLLBACK")
                raise
            self.connection.execute("COMMIT")

    def insert(self, attempt: int, rows: Sequence[Values]) -> range:
        """Write rows inside `writing`, and return their row ids."""
        ids = range(self._next_row, self._next_row + len(rows))
        self.connection.executemany(self._insert, ((number, *row) for number, row in zip(ids, rows, strict=True)))
        self._next_row = ids.stop
        self._rows_of[attempt].append((ids.start, ids.stop - 1))
        return ids

    def delete(self, attempt: int) -> Iterable[tuple[int, int]]:
        """Delete the rows of an attempt inside `writing`, and return the bounds of their row ids."""
        bounds = self._rows_of.pop(attempt, [])
        self.connection.executemany(self._delete, bounds)
        return bounds


@contextmanager
def _said_plainly(store: StoreName) -> Iterator[None]:
    """Translate SQLite's errors: of a key that came twice, and of a disk that is full."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise ProtocolError(
            f"{store} returned two rows with one key.", "Make the key unique; nothing was concluded.", store=store
        ) from None
    except sqlite3.OperationalError as exc:
        raise ConfigurationError(
            f"Rows of {store} cannot be written to the folder for temporary files ({exc.sqlite_errorname}).",
            "Make room there, or name another folder in TMPDIR.",
        ) from None
