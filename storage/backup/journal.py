"""What was restored, from which backup, by which overrides: one small file each, kept when backups are removed."""

from __future__ import annotations

from pathlib import Path

from contracts.backups import Restoration
from storage.backup.folder import make_private
from storage.files import write_private

FOLDER = "restores"


def note_restoration(root: Path, restoration: Restoration) -> None:
    """Note a restore that begins, or has ended, in the folder of backups."""
    from pydantic import TypeAdapter

    folder = make_private(root / FOLDER)
    write_private(folder / f"{restoration.id}.json", TypeAdapter(Restoration).dump_json(restoration, indent=1))


def restorations(root: Path) -> tuple[Restoration, ...]:
    """Return all restores that were begun, newest first; a note that cannot be read is passed over."""
    from pydantic import TypeAdapter, ValidationError

    found = []
    for path in sorted((root / FOLDER).glob("*.json"), reverse=True):
        try:
            found.append(TypeAdapter(Restoration).validate_json(path.read_bytes()))
        except (OSError, ValidationError):
            continue
    return tuple(found)
