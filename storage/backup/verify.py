"""Verify a backup: files, then a drill of each side; what was found is noted beside the backup."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from contracts.backups import Damage, Flaw, KeptSide, Manifest, Verification
from contracts.dataset import Dataset
from contracts.errors import ConfigurationError, TwinstoreError
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
        TwinstoreError: The drill itself failed, and nothing is wrong with what could be tried.
    """
    with drilled(root, backup_id, datasets, servers, progress=progress) as drill:
        return drill.verification


class Drill:
    """A backup that was restored.

    Args:
        manifest: What the backup says of itself; None where that cannot be read.
        verification: What was found.
        sides: The sides that were restored, as they lie in scratch databases.
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
        only: The one side that is restored; what was found is then noted only where it is a flaw.
        progress: Is told what happens now.

    Raises:
        TwinstoreError: As `verify`.
    """
    folder, began = root / backup_id, time.monotonic()
    if not folder.is_dir():
        raise ConfigurationError(f"There is no backup {backup_id} in {root}.", "`twinstore backup list` lists them.")
    with in_use(folder), ExitStack() as stack:
        manifest, seal, flaws = _manifest(folder)
        found = _Found(flaws=flaws)
        earlier = read_verification(folder)
        proven = earlier.proven if earlier is not None and earlier.seal == seal else ()
        chosen = [side for side in manifest.sides if only in (None, side.store)] if manifest else []
        for side in _whole(folder, chosen, found, progress):
            try:
                restored = _restored(folder, side, datasets, servers, stack=stack, progress=progress)
                if restored.flaws and side.store in proven:
                    progress("try once more: these very files were restored before")
                    restored = _restored(folder, side, datasets, servers, stack=stack, progress=progress)
            except TwinstoreError as exc:
                found.untried[side.store] = exc
            else:
                found.add(side, restored)
        good = found.proven(proven)
        verification = Verification(
            at=datetime.now(UTC),
            seconds=round(time.monotonic() - began, 3),
            seal=seal,
            proven=good,
            flaws=tuple(found.flaws),
            untried=tuple(store for store in found.untried if store not in good),
            servers=tuple(found.versions),
            notes=found.told(only),
        )
        if (
            found.untried and not found.flaws
        ):  # nobody can tell; what was found out before stays, and a good side is noted
            if only is None and {*good} - {*proven}:
                known = earlier.flaws if earlier is not None and earlier.seal == seal else ()
                write_verification(folder, replace(verification, flaws=known))
            raise next(iter(found.untried.values()))
        if only is None or found.flaws:
            write_verification(folder, verification)
        yield Drill(manifest, verification, found.sides)


@dataclass(slots=True)
class _Found:
    """What is found side by side; torn are those whose files are not as they were written."""

    flaws: list[Flaw]
    notes: list[str] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)
    sides: dict[StoreName, Restored] = field(default_factory=dict)
    untried: dict[StoreName, TwinstoreError] = field(default_factory=dict)
    torn: set[StoreName] = field(default_factory=set)

    def proven(self, earlier: Sequence[StoreName]) -> tuple[StoreName, ...]:
        """Return the sides that are good: by this drill, or by an earlier one where this one says nothing of them."""
        good = {store for store, restored in self.sides.items() if not restored.flaws}
        unsaid = {*earlier} - self.torn - {*self.sides}
        return tuple(store for store in StoreName if store in good | unsaid)

    def add(self, side: KeptSide, restored: Restored) -> None:
        """Add what a side came to."""
        self.flaws += restored.flaws
        self.notes += restored.notes
        self.versions.append(str(version_for(side)))
        self.sides[side.store] = restored

    def told(self, only: StoreName | None) -> tuple[str, ...]:
        """Return what could not be tried."""
        notes = [f"{store} was not tried: {error.what}" for store, error in self.untried.items()]
        alone = [f"Only {only} was tried."] if only else []
        return tuple(dict.fromkeys([*self.notes, *notes, *alone]))


def _whole(folder: Path, sides: Sequence[KeptSide], found: _Found, progress: Progress) -> list[KeptSide]:
    """Return the sides whose files are as they were written: those of all are looked at before one is restored."""
    whole = []
    for side in sides:
        progress(f"check the files of {side.store}")
        if flaws := check_files(folder, side):
            found.flaws += flaws
            found.torn.add(side.store)
        else:
            whole.append(side)
    return whole


def _restored(
    folder: Path, side: KeptSide, datasets: Sequence[Dataset], servers: Servers, *, stack: ExitStack, progress: Progress
) -> Restored:
    version = version_for(side)
    progress(f"start a scratch server of PostgreSQL {version}")
    server = stack.enter_context(servers(version))
    scratch = stack.enter_context(scratch_database(server, side.ctype, side.settings))
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
