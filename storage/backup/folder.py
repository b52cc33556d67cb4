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
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path

from contracts.backups import Damage, Flaw, KeptBackup
from contracts.errors import ConfigurationError
from storage.backup.manifest import MANIFEST, Damaged, Foreign, read_manifest, read_verification
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
    if not any(path.name.startswith(BUILDING) for path in _within(root)):
        return 0
    with exclusive(root / _LOCK, wait_s=_WAIT_S):
        building = (path for path in _within(root) if path.name.startswith(BUILDING))
        found = [folder for folder in building if not is_locked(folder / _ALIVE)]
        for folder in found:
            shutil.rmtree(folder, ignore_errors=True)
    return len(found)


def list_backups(root: Path) -> tuple[KeptBackup, ...]:
    """Return the backups of a folder, newest first, those that lost their manifest, too. Reads only.

    Raises:
        ConfigurationError: It is no folder.
        OSError: It cannot be read.
    """
    found = (kept(root, name) for name in _ids(root))
    return tuple(one for one in found if one.manifest is not None or (root / one.id).is_dir())  # not removed meanwhile


def kept(root: Path, backup_id: str) -> KeptBackup:
    """Return one backup as it lies there; a disk that does not answer says nothing about it."""
    folder = root / backup_id
    try:
        known = _looked_at(folder)
    except Foreign as exc:
        known = KeptBackup(id=backup_id, manifest=None, foreign=True, trouble=exc.what)
    except Damaged as exc:
        known = KeptBackup(id=backup_id, manifest=None, trouble=exc.what)
    except (FileNotFoundError, NotADirectoryError):
        known = KeptBackup(id=backup_id, manifest=None, trouble=f"The file {MANIFEST} is missing.")
    except OSError as exc:
        known = KeptBackup(id=backup_id, manifest=None, unread=True, trouble=f"It cannot be read now: {exc.strerror}.")
    return replace(known, in_use=_is_used(folder))


def _looked_at(folder: Path) -> KeptBackup:
    manifest, seal = read_manifest(folder)
    found = read_verification(folder)
    flaws = [
        (side.store, flaw)
        for side in manifest.sides
        for name, size, _ in side.files
        if (flaw := misfit(folder, name, size)) is not None
    ]
    return KeptBackup(
        id=folder.name,
        manifest=manifest,
        verification=found if found is not None and found.seal == seal else None,
        trouble=next((flaw.text for _, flaw in flaws), ""),
        lacking=tuple(dict.fromkeys(store for store, _ in flaws)),
    )


def misfit(folder: Path, name: str, size: int) -> Flaw | None:
    """Return what is wrong with a file at first sight, without a look into it; None when it is there in full."""
    try:
        found = (folder / name).stat()
    except (FileNotFoundError, NotADirectoryError):
        found = None
    if found is None or not stat.S_ISREG(found.st_mode):
        return Flaw(damage=Damage.MISSING_FILE, text=f"The file {name} is missing.")
    if found.st_size == size:
        return None
    than = "shorter" if found.st_size < size else "longer"
    text = f"The file {name} is {than} than it was: {found.st_size:,} bytes instead of {size:,}."
    return Flaw(damage=Damage.SIZE, text=text)


def chosen(root: Path, wanted: str | None) -> str:
    """Return the id of the backup that is meant: by the beginning of its id, or the newest one that has a manifest.

    Raises:
        ConfigurationError: There is none, or there are several, or none is named.
        OSError: The folder of backups cannot be read.
    """
    if wanted is not None and not wanted.strip():
        raise ConfigurationError(
            "The id of the backup is empty.", "Say its beginning, or leave it out for the newest backup."
        )
    known = _ids(root)
    whole = (name for name in known if (root / name / MANIFEST).exists())
    found = list(islice(whole, 1)) if wanted is None else [name for name in known if name.startswith(wanted)]
    if len(found) == 1:
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
    """Remove a backup, first its name and then its files; False when somebody uses it.

    Raises:
        OSError: Some of its files are still there.
    """
    folder = root / backup_id
    if (folder / _IN_USE).is_dir():  # nobody can lock that, so that nobody uses the backup
        shutil.rmtree(folder / _IN_USE)
    with attempt_lock(folder / _IN_USE) as lock:
        if lock is None:
            return False
        gone = root / f"{BUILDING}{backup_id}"
        folder.rename(gone)
    synchronise(root)
    shutil.rmtree(gone, ignore_errors=True)  # somebody else may be at what is left over
    if gone.is_dir():
        shutil.rmtree(gone)
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


def _within(root: Path) -> list[Path]:
    """Return what lies in the folder of backups; nothing where there is none yet.

    Raises:
        ConfigurationError: It is no folder.
        OSError: It cannot be read.
    """
    try:
        return list(root.iterdir())
    except FileNotFoundError:
        return []
    except NotADirectoryError:
        raise ConfigurationError(f"{root} is no folder.", "Let TWINSTORE_BACKUPS name a folder for backups.") from None


def _ids(root: Path) -> list[str]:
    """Return the names of all folders that are called like backups, newest first."""
    return sorted((path.name for path in _within(root) if _ID.fullmatch(path.name) and path.is_dir()), reverse=True)


def _is_used(folder: Path) -> bool:
    path = folder / _IN_USE
    return path.is_file() and os.access(folder, os.W_OK) and is_locked(path)
