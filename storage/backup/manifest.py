"""The manifest of a backup as a file: sealed, so that a change of one bit is seen, and written at the end."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, TypeVar

from contracts.backups import FORMAT, Manifest, Verification
from contracts.errors import ConfigurationError, ProtocolError
from storage.files import write_private

MANIFEST, VERIFIED = "manifest.json", "verified.json"
T = TypeVar("T")


class Damaged(ProtocolError):
    """A manifest, or what was noted about a backup, is not what was written."""


class Foreign(ConfigurationError):
    """A manifest, or what was noted about a backup, was written by a version that writes another form."""


def write_manifest(folder: Path, manifest: Manifest) -> str:
    """Write the manifest into the folder of a backup, all of it or nothing; return its seal."""
    return _write(folder / MANIFEST, manifest)


def read_manifest(folder: Path) -> tuple[Manifest, str]:
    """Return the manifest of a backup and its seal.

    Raises:
        Damaged: It is not what was sealed.
        Foreign: It is what was sealed, by a version that writes another form.
        FileNotFoundError: There is none.
    """
    return _read(folder / MANIFEST, Manifest)


def write_verification(folder: Path, verification: Verification) -> None:
    """Note what a drill found beside the backup."""
    _write(folder / VERIFIED, verification)


def read_verification(folder: Path) -> Verification | None:
    """Return what the last drill found; None when there was none, or its note is not what was written.

    Raises:
        OSError: The disk does not answer, which is no reason to take a backup for one that was never verified.
    """
    try:
        return _read(folder / VERIFIED, Verification)[0]
    except (FileNotFoundError, Damaged, Foreign):
        return None


def _write(path: Path, value: object) -> str:
    from pydantic import TypeAdapter

    body = TypeAdapter(type(value)).dump_python(value, mode="json")
    text, seal = _sealed(body, FORMAT)
    write_private(path, text)
    return seal


def _read(path: Path, kind: type[T]) -> tuple[T, str]:
    from pydantic import TypeAdapter, ValidationError

    changed = Damaged(f"{path.name} of {path.parent.name} is not what was written.", "Use another backup.")
    raw = path.read_bytes()
    try:
        document = json.loads(raw)
        body, form = document["body"], document["format"]
        text, seal = _sealed(body, form)
        if raw != text.encode():
            raise changed
        if form != FORMAT:
            raise Foreign(
                f"{path.name} of {path.parent.name} was made by another version of twinstore (form {form!r}, and this "
                f"one reads {FORMAT}): nobody can tell here whether the backup is good.",
                "Use the version of twinstore that made it, or make a new one: `twinstore backup create`.",
            )
        return TypeAdapter(kind).validate_python(body), seal
    except (ValueError, KeyError, TypeError, ValidationError):
        raise changed from None


def _sealed(body: Any, form: Any) -> tuple[str, str]:
    """Return the text of a file, and the SHA-256 of what it says: of every form in the same way."""
    said = json.dumps(body, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    seal = hashlib.sha256(f"{form}:{said}".encode()).hexdigest()
    return json.dumps({"format": form, "seal": seal, "body": body}, indent=1, sort_keys=True) + "\n", seal
