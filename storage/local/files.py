"""Small files that must be private and whole, and locks that end with the processes that hold them."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Write `text` to `path` with mode 0600, all of it or nothing; as root, owned by whoever owns the folder."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            give_to_owner_of(path.parent, handle)
            file.write(text)
            file.flush()
            os.fsync(handle)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def open_private(path: Path, flags: int) -> int:
    """Open `path` with mode 0600 if it is new, never through a link, and return the descriptor."""
    handle = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    give_to_owner_of(path.parent, handle)
    return handle


def give_to_owner_of(folder: Path, handle: int) -> None:
    """As root, give the open file to the owner of `folder`, so that a normal user's folder stays usable for them."""
    if os.geteuid() == 0 and (owner := folder.stat()).st_uid != 0:
        os.fchown(handle, owner.st_uid, owner.st_gid)


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


def is_locked(path: Path) -> bool:
    """Tell whether some process holds the lock file `path`."""
    if not path.exists():
        return False
    with attempt_lock(path) as handle:
        return handle is None
