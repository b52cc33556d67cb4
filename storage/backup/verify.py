"""Verify a backup: files, then a drill of each side; what was found is noted beside the backup."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from contracts.backups import Damage, Flaw, KeptSide, Manifest, Verification
from contracts.dataset import Dataset
from contracts.errors import ConfigurationError
from contracts.vocabulary import StoreName
from storage.backup.drill import Progress, Restored, check_files, restore_side, version_for
from storage.backup.folder import in_use
from storage.backup.manifest import MANIFEST, Damaged, read_manifest, read_verification, write_verification
from storage.backup.scratch import scratch_database
from storage.local.server import Server

Servers = Callable[[int], AbstractContextManager[Server]]
"""Runs a scratch server of a major version."""


def verify(
    root: Path,
    backup_id: str,
    datasets: Sequence[Dataset],
    servers: Servers,
    *,
    progress: Progress = lambda _: None,
) -> Verification:
    """Restore a backup into scratch servers, compare it with what it was, and note beside it what was found.

    Args:
        root: The folder of backups.
        backup_id: Id of the backup.
        datasets: All datasets that this version knows.
        servers: Runs scratch servers.
        progress: Is told what happens now.

    Raises:
        ConfigurationError: There is no such backup, or it needs programs that are not here.
        TwinstoreError: The drill itself failed, which says nothing about the backup.
    """
    with drilled(root, backup_id, datasets, servers, progress=progress) as drill:
        return drill.verification


class Drill:
    """A backup that was restored.

    Args:
        manifest: What the backup says of itself; None where that cannot be read.
        verification: What was found.
        sides: Both sides as they lie in scratch databases; none of a side with a flaw.
    """

    def __init__(self, manifest: Manifest | None, verification: Verification, sides: dict[StoreName, Restored]) -> None:
        self.manifest = manifest
        self.verification = verification
        self.sides = sides


@contextmanager
def drilled(
    root: Path,
    backup_id: str,
    datasets: Sequence[Dataset],
    servers: Servers,
    *,
    only: StoreName | None = None,
    progress: Progress = lambda _: None,
) -> Iterator[Drill]:
    """Verify a backup, and keep what was restored for as long as the block runs.

    Args:
        root: The folder of backups.
        backup_id: Id of the backup.
        datasets: All datasets that this version knows.
        servers: Runs scratch servers.
        only: The one side that is restored; what was found is then not noted as the verification of the backup.
        progress: Is told what happens now.

    Raises:
        TwinstoreError: As `verify`.
    """
    folder, began = root / backup_id, time.monotonic()
    if not folder.is_dir():
        raise ConfigurationError(f"There is no backup {backup_id} in {root}.", "`twinstore backup list` lists them.")
    with in_use(folder), ExitStack() as stack:
        manifest, seal, flaws = _manifest(folder)
        earlier = read_verification(folder)
        sides: dict[StoreName, Restored] = {}
        versions, notes = [], []
        for side in manifest.sides if manifest else ():
            if only not in (None, side.store):
                continue
            progress(f"check the files of {side.store}")
            found = check_files(folder, side)
            if not found:
                restored = _restored(folder, side, datasets, servers, stack=stack, progress=progress)
                if restored.flaws and earlier and earlier.passed and earlier.seal == seal:
                    progress("try once more: these very files were restored before")
                    restored = _restored(folder, side, datasets, servers, stack=stack, progress=progress)
                found, sides[side.store] = restored.flaws, restored
                versions.append(str(version_for(side)))
                notes += restored.notes
            flaws += found
        verification = Verification(
            at=datetime.now(UTC),
            seconds=round(time.monotonic() - began, 3),
            seal=seal,
            flaws=tuple(flaws),
            servers=tuple(versions),
            notes=tuple(dict.fromkeys(notes)),
        )
        if only is None:
            write_verification(folder, verification)
        yield Drill(manifest, verification, sides)


def _restored(
    folder: Path, side: KeptSide, datasets: Sequence[Dataset], servers: Servers, *, stack: ExitStack, progress: Progress
) -> Restored:
    version = version_for(side)
    progress(f"start a scratch server of PostgreSQL {version}")
    server = stack.enter_context(servers(version))
    scratch = stack.enter_context(scratch_database(server))
    return restore_side(folder, side, datasets, server, scratch, progress=progress)


def _manifest(folder: Path) -> tuple[Manifest | None, str, list[Flaw]]:
    try:
        manifest, seal = read_manifest(folder)
    except FileNotFoundError:
        flaw = Flaw(damage=Damage.MISSING_FILE, text=f"The file {MANIFEST} is missing.")
    except Damaged as exc:
        flaw = Flaw(damage=Damage.MANIFEST, text=exc.what)
    else:
        return manifest, seal, []
    return None, "", [flaw]
