"""What a gateway that runs in a process of its own finds in its folder."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path

from storage.files import write_private
from storage.local.gateway.keys import ProjectKeys
from storage.local.gateway.options import Options


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Settings:
    """Everything that a process is started with. It holds a password.

    Attributes:
        dsn: URL of the database as `authenticator`.
        cap: As in `Options`.
        latency_s: As in `Options`.
        keys: Fingerprint of the keys: a process with lost ones is replaced.
        code: Fingerprint of the code that runs: a process of another version is replaced.
    """

    dsn: str
    cap: int | None
    latency_s: float
    keys: str
    code: str

    def options(self) -> Options:
        """Return the options of the gateway."""
        return Options(cap=self.cap, latency_s=self.latency_s)


def settings_for(dsn: str, options: Options, keys: ProjectKeys) -> Settings:
    """Return the settings that a process of this version would have."""
    fingerprint = hashlib.sha256(json.dumps(asdict(keys)).encode()).hexdigest()[:16]
    return Settings(dsn=dsn, cap=options.cap, latency_s=options.latency_s, keys=fingerprint, code=_code())


def save_settings(folder: Path, settings: Settings) -> None:
    """Keep settings in a folder, readable by its owner only."""
    write_private(folder / "settings", json.dumps(asdict(settings)))


def load_settings(folder: Path) -> Settings | None:
    """Return the settings in a folder; None if there are none of this shape."""
    try:
        return Settings(**json.loads((folder / "settings").read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def save_keys(folder: Path, keys: ProjectKeys) -> None:
    """Keep the keys of a project in a folder, readable by its owner only."""
    write_private(folder / "keys", json.dumps(asdict(keys)))


def load_keys(folder: Path) -> ProjectKeys | None:
    """Return the keys in a folder; None if there are none of this shape."""
    try:
        return ProjectKeys(**json.loads((folder / "keys").read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def _code() -> str:
    digest = hashlib.sha256()
    for file in sorted(files("storage.local.gateway").iterdir(), key=lambda file: file.name):
        if file.is_file():
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
