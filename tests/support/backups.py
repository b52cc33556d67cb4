"""Backups of the stores of a test, drills on its servers, and what may happen to a backup."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from contracts.backups import KeptSide, Manifest, Verification
from contracts.dataset import Dataset
from contracts.planning import PLANNING
from contracts.vocabulary import StoreName
from flows.check import make_run_id
from storage.backup.create import BySql, create
from storage.backup.dump import Written
from storage.backup.manifest import MANIFEST, read_manifest, write_manifest, write_verification
from storage.backup.programs import find_pg_dump
from storage.backup.verify import Servers, verify
from storage.local.server import Server
from storage.session import Limits
from tests.support import servers as support
from tests.support.servers import Pair

ENVIRONMENT = "test"
DUMP = {StoreName.PRISMA: "prisma.dump", StoreName.SUPABASE: "supabase.dump"}
MAJOR = {StoreName.PRISMA: 16, StoreName.SUPABASE: 18}


def on_servers(servers: support.Servers) -> Servers:
    """Let drills use the servers of the test session, which saves them the start of their own."""

    @contextmanager
    def run(version: int) -> Iterator[Server]:
        yield {16: servers.primary, 18: servers.secondary}[version]

    return run


def sources(pair: Pair, datasets: Sequence[Dataset] = (PLANNING,), *, lock_s: float = 10.0) -> tuple[BySql, ...]:
    """Return both stores of a test as they are dumped."""
    urls = {StoreName.PRISMA: pair.primary, StoreName.SUPABASE: pair.secondary}
    return tuple(
        BySql(store=store, dsn=dsn, datasets=tuple(datasets), limits=Limits(lock_s=lock_s))
        for store, dsn in urls.items()
    )


def make(
    root: Path,
    pair: Pair,
    datasets: Sequence[Dataset] = (PLANNING,),
    *,
    stores: Sequence[StoreName] = tuple(StoreName),
    progress: Callable[[str], None] = lambda _: None,
) -> Manifest:
    """Make a backup of both stores, or of some."""
    chosen = [source for source in sources(pair, datasets) if source.store in stores]
    return create(root, make_run_id(datetime.now(UTC)), chosen, environment=ENVIRONMENT, version="0", progress=progress)


def drill(root: Path, backup_id: str, servers: Servers, datasets: Sequence[Dataset] = (PLANNING,)) -> Verification:
    """Verify a backup."""
    return verify(root, backup_id, datasets, servers)


def copy_of(root: Path, backup_id: str, target: Path) -> Path:
    """Copy a backup into another folder of backups, which it returns."""
    shutil.copytree(root / backup_id, target / backup_id)
    return target


def proven(root: Path, backup_id: str) -> None:
    """Note beside a backup that a drill found nothing, without one."""
    manifest, seal = read_manifest(root / backup_id)
    sides = tuple(side.store for side in manifest.sides)
    write_verification(root / backup_id, Verification(at=datetime.now(UTC), seconds=0.0, seal=seal, proven=sides))


def cut(path: Path, dice: Random) -> None:
    """Cut a file off somewhere."""
    with path.open("r+b") as file:
        file.truncate(dice.randrange(path.stat().st_size))


def flip(path: Path, dice: Random) -> None:
    """Turn one bit of a file over."""
    data = bytearray(path.read_bytes())
    data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    path.write_bytes(data)


def sealed_anew(folder: Path, change: Callable[[KeptSide], KeptSide] = lambda side: side) -> None:
    """Write a manifest that says of its files what they are now: what is wrong then is in the dump itself."""
    manifest, _ = read_manifest(folder)
    (folder / MANIFEST).unlink()
    sides = tuple(
        change(replace(side, files=tuple(measured(folder / name) for name, _, _ in side.files)))
        for side in manifest.sides
    )
    write_manifest(folder, replace(manifest, sides=sides))


def measured(path: Path) -> tuple[str, int, str]:
    """Return name, size and SHA-256 of a file, as a manifest says it."""
    data = path.read_bytes()
    written = Written(name=path.name, size=len(data), sha256=hashlib.sha256(data).hexdigest())
    return written.name, written.size, written.sha256


def dump_anew(folder: Path, store: StoreName, dsn: str, *arguments: str, major: int | None = None) -> None:
    """Replace the dump of a side by one that pg_dump makes now, and seal the manifest over it."""
    program = find_pg_dump(major or MAJOR[store])
    command = [str(program.path), "--format=custom", f"--file={folder / DUMP[store]}", *arguments, dsn]
    subprocess.run([*command, "--schema=public", "--schema=twinstore"], check=True)
    sealed_anew(folder)
