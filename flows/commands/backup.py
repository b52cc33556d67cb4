"""`twinstore backup`: make, prove and list backups, and remove old ones."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from contracts.alerts import span_text
from contracts.backups import Form, KeptBackup, KeptSide, Manifest, Verification
from contracts.errors import ConfigurationError, TwinstoreError
from contracts.vocabulary import StoreName
from flows.backup import backups_folder, create_backup, known_backups, prune_backups, verify_backup
from flows.commands.check import progress_line
from flows.commands.common import out
from flows.commands.sync_show import moment
from flows.ending import terminable
from flows.settings import Settings, load_settings
from flows.wiring import find_stores, open_memory

if TYPE_CHECKING:
    from storage.state import State

SIDES = {"primary": (StoreName.PRISMA,), "secondary": (StoreName.SUPABASE,), "both": tuple(StoreName)}


def create_command(side: str, names: Sequence[str] | None, *, as_json: bool) -> None:
    """Make a backup."""
    sides = sides_of(side)
    settings = load_settings()
    with terminable(), progress_line() as progress:
        stores = find_stores(settings, alone=sides == (StoreName.PRISMA,), progress=progress)
        with memory_of(settings, stores.environment) as memory:
            manifest = create_backup(settings, stores, sides=sides, names=names or (), memory=memory, progress=progress)
    if as_json:
        write_json(_document(KeptBackup(id=manifest.id, manifest=manifest)))
        return
    console = out()
    console.print(
        f"{manifest.id}: {_sides(manifest)}; {_size(manifest.bytes)} in {manifest.seconds:.1f} s", soft_wrap=True
    )
    if later := [backup.id for backup in known_backups(settings) if backup.id > manifest.id]:
        console.print(f"{later[0]} is dated later than this one: a clock was ahead, or is behind.", soft_wrap=True)
    console.print(f"Prove that it can be restored: `twinstore backup verify {manifest.id}`.", soft_wrap=True)


def verify_command(wanted: str | None, *, as_json: bool) -> None:
    """Verify a backup; exit code 1 when it is damaged."""
    settings = load_settings()
    with terminable(), progress_line() as progress, memory_of(settings, _environment(settings)) as memory:
        backup_id, found = verify_backup(settings, wanted, memory=memory, progress=progress)
    if as_json:
        write_json({"id": backup_id, **_verification(found)})
    else:
        print_verification(backup_id, found)
    sys.exit(0 if found.passed else 1)


def list_command(*, as_json: bool) -> None:
    """List all backups; exit code 1 when none is verified."""
    settings = load_settings()
    backups = known_backups(settings)
    if as_json:
        write_json([_document(backup) for backup in backups])
    elif backups:
        _print_list(backups, datetime.now(UTC))
    else:
        out().print(f"There is no backup in {backups_folder(settings)}.", soft_wrap=True)
    sys.exit(0 if any(backup.verified_at for backup in backups) else 1)


def prune_command(*, dry_run: bool, as_json: bool) -> None:
    """Remove old backups."""
    settings = load_settings()
    with memory_of(settings, _environment(settings)) as memory:
        stay, gone = prune_backups(settings, datetime.now(UTC), memory=memory, dry_run=dry_run)
    if as_json:
        kept = [{"id": one.id, "why": one.why} for one in stay]
        write_json({"removed": [one.id for one in gone], "kept": kept, "dry_run": dry_run})
        return
    console = out()
    for one in gone:
        console.print(f"{one.id} {'would be removed' if dry_run else 'is removed'}")
    for one in stay:
        console.print(f"{one.id} stays: {one.why}")
    if not stay and not gone:
        console.print("There are no backups.")


def sides_of(side: str, words: Sequence[str] = ("primary", "secondary", "both")) -> tuple[StoreName, ...]:
    """Return the stores that a word means.

    Raises:
        ConfigurationError: It is no such word; what is said instead are the words that can be said.
    """
    if side not in SIDES:
        told = f"{', '.join(words[:-1])} or {words[-1]}"
        raise ConfigurationError(f"There is no side {side!r}.", f"Say --side {told}.")
    return SIDES[side]


@contextmanager
def memory_of(settings: Settings, environment: str) -> Iterator[State | None]:
    """Open the tool's memory; a backup is worth as much without it."""
    memory = None
    with suppress(TwinstoreError):
        memory = open_memory(settings, environment)
    try:
        yield memory
    finally:
        if memory is not None:
            memory.close()


def print_verification(backup_id: str, found: Verification) -> None:
    """Say what a drill found."""
    console = out()
    if found.passed:
        servers = " and ".join(found.servers)
        where = f"PostgreSQL {servers} in {found.seconds:.1f} s"
        text = f"{backup_id} is verified: restored into {where}, and what was compared is as it was."
        console.print(text, style="green", soft_wrap=True)
    else:
        console.print(f"{backup_id} is damaged:", style="red", soft_wrap=True)
        for flaw in found.flaws:
            console.print(f"  {flaw.text}", soft_wrap=True)
        for store in found.proven:
            console.print(f"{store} can be restored from it all the same.", soft_wrap=True)
        console.print("Use another backup: `twinstore backup list`. Make a new one now.", soft_wrap=True)
    for note in found.notes:
        console.print(note, soft_wrap=True)


def write_json(value: object) -> None:
    """Print a value for machines."""
    sys.stdout.write(json.dumps(value, indent=2, default=str) + "\n")


def _environment(settings: Settings) -> str:
    return settings.environment or ("embedded" if settings.embedded else "default")


def _print_list(backups: Sequence[KeptBackup], now: datetime) -> None:
    from rich.table import Table

    table = Table("backup", "age", "sides", "size", "verified", box=None, pad_edge=False)
    for backup in backups:
        manifest = backup.manifest
        if manifest is None:
            known = "nobody can tell" if backup.foreign or backup.unread else "damaged"
            table.add_row(backup.id, "", backup.trouble, "", known)
            continue
        age = span_text(now - manifest.created_at)
        table.add_row(backup.id, age, _sides(manifest), _size(manifest.bytes), _verified(backup, now))
    out().print(table)


def _verified(backup: KeptBackup, now: datetime) -> str:
    good = "".join(f"; {store} is good" for store in StoreName if backup.proves(store))
    if backup.trouble:
        return f"damaged: {backup.trouble.removesuffix('.')}{good}"
    if backup.verification is None:
        return "never"
    if backup.verification.flaws:
        return f"damaged, found {moment(backup.verification.at)}{good}"
    if untried := backup.verification.untried:
        return f"nobody can tell of {' and '.join(untried)}{good}"
    return f"{moment(backup.verification.at)} ({span_text(now - backup.verification.at)} ago)"


def _sides(manifest: Manifest) -> str:
    return ", ".join(_side(side) for side in manifest.sides)


def _side(side: KeptSide) -> str:
    how = "" if side.form is Form.DUMP else " (rows over REST)"
    return f"{side.store} {side.rows:,} rows{how}"


def _size(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


def _document(backup: KeptBackup) -> dict[str, Any]:
    manifest = backup.manifest
    verified = backup.verification
    document: dict[str, Any] = {"id": backup.id, "trouble": backup.trouble or None, "in_use": backup.in_use}
    if manifest is not None:
        document |= {
            "environment": manifest.environment,
            "version": manifest.version,
            "created_at": manifest.created_at.isoformat(),
            "seconds": manifest.seconds,
            "bytes": manifest.bytes,
            "sides": [_side_document(side) for side in manifest.sides],
        }
    document["verification"] = verified and _verification(verified)
    return document


def _side_document(side: KeptSide) -> dict[str, Any]:
    return {
        "store": side.store,
        "channel": side.channel,
        "form": side.form,
        "taken_at": side.taken_at.isoformat(),
        "server_version": side.server_version or None,
        "program": side.program or None,
        "identity": side.identity,
        "migrations": list(side.migrations),
        "files": [{"name": name, "bytes": size, "sha256": sha256} for name, size, sha256 in side.files],
        "datasets": [
            {"name": content.dataset, "rows": content.rows, "excluded": content.excluded, "digest": content.digest}
            for content in side.datasets
        ],
        "tables": len(side.tables),
        "replicated": [name for name, _ in side.standings],
    }


def _verification(found: Verification) -> dict[str, Any]:
    return {
        "verified": found.passed,
        "at": found.at.isoformat(),
        "seconds": found.seconds,
        "proven": list(found.proven),
        "untried": list(found.untried),
        "servers": list(found.servers),
        "flaws": [{"damage": flaw.damage, "text": flaw.text} for flaw in found.flaws],
        "notes": list(found.notes),
    }
