"""Folders of our own, small files that are private and whole, locks that end with the processes that hold them.

As root, what is made belongs to the owner of the folder in which it is made, so that a normal user's folder stays
usable for them. Links are never followed on the way, since that user may have put them there.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from contracts.errors import Conflict

_PAUSE_S = 0.05


def make_folder(folder: Path) -> Path:
    """Make `folder`, and the folders above it, unless they are there; return it.

    A new one is open to its owner only; one that root makes may be passed through by others, not listed.
    """
    for missing in [p for p in (folder, *folder.parents) if not p.exists()][::-1]:
        missing.mkdir(exist_ok=True)
        handle = os.open(missing, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.fchmod(handle, 0o711 if os.geteuid() == 0 else 0o700)  # whatever the umask says
            _give_to_owner_of(missing.parent, handle)
        finally:
            os.close(handle)
    return folder


def write_private(path: Path, content: str | bytes) -> None:
    """Write `path` with mode 0600, all of it or nothing; when this returns it is on disk. Text is UTF-8."""
    with _beside(path, content) as whole:
        whole.replace(path)
    _force(path.parent)


def make_private(path: Path, content: str | bytes) -> None:
    """Do the same unless `path` is there: of several processes that make it at once one wins, and all see it whole."""
    with _beside(path, content) as whole, suppress(FileExistsError):
        path.hardlink_to(whole)
    _force(path.parent)


def open_private(path: Path, flags: int) -> int:
    """Open `path` with mode 0600 if it is new, never through a link, and return the descriptor."""
    handle = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    _give_to_owner_of(path.parent, handle)
    return handle


@contextmanager
def attempt_lock(path: Path) -> Iterator[int | None]:
    """Try to take the lock file `path`; yield its descriptor, or None when another process holds it.

    The lock belongs to the open file. A process that inherits the descriptor keeps the lock after we have let go, and
    the kernel frees it when the last such process ends, however it ends.
    """
    handle = open_private(path, os.O_RDWR)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield handle
    finally:
        os.close(handle)


@contextmanager
def exclusive(path: Path, *, wait_s: float) -> Iterator[None]:
    """Hold the lock file `path`; wait up to `wait_s` seconds while another process holds it.

    Raises:
        Conflict: The other process did not let go in time.
    """
    deadline = time.monotonic() + wait_s
    while True:
        with attempt_lock(path) as handle:
            if handle is not None:
                yield
                return
        if time.monotonic() > deadline:
            raise Conflict(f"Another process has held {path} for {wait_s:g} s.", "Wait for it to end, or end it.")
        time.sleep(_PAUSE_S)


def is_locked(path: Path) -> bool:
    """Tell whether some process holds the lock file `path`."""
    if not path.exists():
        return False
    with attempt_lock(path) as handle:
        return handle is None


def _give_to_owner_of(folder: Path, handle: int) -> None:
    if os.geteuid() == 0 and (owner := folder.stat()).st_uid != 0:
        os.fchown(handle, owner.st_uid, owner.st_gid)


@contextmanager
def _beside(path: Path, content: str | bytes) -> Iterator[Path]:
    """Provide a whole file beside `path`, which is gone afterwards unless it was moved."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)  # mode 0600, never through a link
    try:
        with os.fdopen(handle, "wb") as file:
            _give_to_owner_of(path.parent, handle)
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(handle)
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _force(folder: Path) -> None:
    """Force the names in a folder to disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
