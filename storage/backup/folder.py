"""The folder of backups: each in a folder of its own, built aside and renamed, so that half a backup looks like none.

<id>/                 a backup: `manifest.json`, written last, and the files that it names
<id>/verified.json    what the last drill found
<id>/in-use           a lock file: held by everyone who verifies or restores it
.building-<id>/       one that is being made, with a lock file `alive` that ends with the process
restores/             what was restored, from where, by which overrides
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from contracts.backups import KeptBackup
from contracts.errors import ConfigurationError
from storage.backup.manifest import MANIFEST, Damaged, read_manifest, read_verification
from storage.files import attempt_lock, exclusive, is_locked, make_folder, open_private

BUILDING = ".building-"
_ID = re.compile(r"\d{8}T\d{9}Z-[0-9a-f]{4}")
_ALIVE, _IN_USE, _LOCK = "alive", "in-use", ".lock"
_WAIT_S = 30.0  # leftovers are removed meanwhile


@contextmanager
def building(root: Path, backup_id: str) -> Iterator[Path]:
    """Make a folder for a new backup; it gets its name when the block ends, and is removed when that raises.

    Args:
        root: The folder of backups; made when it is missing.
        backup_id: Id of the backup.

    Raises:
        OSError: It cannot be made, or not be brought to the disk.
    """
    make_private(root)
    remove_leftovers(root)
    folder = root / f"{BUILDING}{backup_id}"
    alive = ExitStack()
    with alive:
        with exclusive(root / _LOCK, wait_s=_WAIT_S):
            make_private(folder)
            alive.callback(shutil.rmtree, folder, ignore_errors=True)
            alive.enter_context(attempt_lock(folder / _ALIVE))
        yield folder
        os.close(open_private(folder / _IN_USE, os.O_RDWR))
        with exclusive(root / _LOCK, wait_s=_WAIT_S):  # nobody may take it for a leftover once `alive` is gone
            (folder / _ALIVE).unlink()
            synchronise(folder)
            folder.rename(root / backup_id)
        synchronise(root)


def remove_leftovers(root: Path) -> int:
    """Remove what processes left that died while they made or removed a backup; return how many folders that were."""
    if not root.is_dir():
        return 0
    with exclusive(root / _LOCK, wait_s=_WAIT_S):
        found = [folder for folder in root.glob(f"{BUILDING}*") if not is_locked(folder / _ALIVE)]
        for folder in found:
            shutil.rmtree(folder, ignore_errors=True)
    return len(found)


def list_backups(root: Path) -> tuple[KeptBackup, ...]:
    """Return the backups of a folder, newest first. Reads only; a folder without a manifest is none."""
    if not root.is_dir():
        return ()
    names = sorted((path.name for path in root.iterdir() if _ID.fullmatch(path.name)), reverse=True)
    return tuple(kept(root, name) for name in names if (root / name / MANIFEST).exists())


def kept(root: Path, backup_id: str) -> KeptBackup:
    """Return one backup as it lies there."""
    folder = root / backup_id
    try:
        manifest, seal = read_manifest(folder)
    except (Damaged, OSError) as exc:
        what = exc.what if isinstance(exc, Damaged) else f"Its manifest cannot be read: {exc.strerror}."
        return KeptBackup(id=backup_id, manifest=None, trouble=what, in_use=_is_used(folder))
    found = read_verification(folder)
    same = found if found is not None and found.seal == seal else None
    return KeptBackup(id=backup_id, manifest=manifest, verification=same, in_use=_is_used(folder))


def chosen(root: Path, wanted: str | None) -> str:
    """Return the id of the backup that is meant: by the beginning of its id, or the newest one that has a manifest.

    Raises:
        ConfigurationError: There is none, or there are several.
    """
    known = [path.name for path in sorted(root.glob("*"), reverse=True) if _ID.fullmatch(path.name)]
    whole = [name for name in known if (root / name / MANIFEST).exists()]
    found = whole[:1] if wanted is None else [name for name in known if name.startswith(wanted)]
    if len(found) == 1 and found[0]:
        return found[0]
    if wanted is None:
        raise ConfigurationError(f"There is no backup in {root}.", "Make one: `twinstore backup create`.")
    what = f"{len(found)} backups begin with {wanted!r}." if found else f"There is no backup {wanted!r} in {root}."
    raise ConfigurationError(what, "`twinstore backup list` lists them.")


@contextmanager
def in_use(folder: Path) -> Iterator[None]:
    """Let nobody remove a backup while the block runs; several may use it at once."""
    handle = open_private(folder / _IN_USE, os.O_RDWR)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH)
        yield
    finally:
        os.close(handle)


def remove(root: Path, backup_id: str) -> bool:
    """Remove a backup, first its name and then its files; False when somebody uses it."""
    folder = root / backup_id
    with attempt_lock(folder / _IN_USE) as lock:
        if lock is None:
            return False
        gone = root / f"{BUILDING}{backup_id}"
        folder.rename(gone)
    synchronise(root)
    shutil.rmtree(gone, ignore_errors=True)
    return True


def make_private(folder: Path) -> Path:
    """Make a folder for its owner alone, also where root would let others pass; one that is there stays as it is."""
    if not folder.is_dir():
        make_folder(folder)
        folder.chmod(0o700)
    return folder


def synchronise(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _is_used(folder: Path) -> bool:
    path = folder / _IN_USE
    return os.access(folder, os.W_OK) and is_locked(path)
