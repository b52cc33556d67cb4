"""One backup of the still pair, which tests copy before they damage it; drills on the servers of the session."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from contracts.backups import Manifest, Verification
from contracts.vocabulary import StoreName
from storage.backup.verify import Servers as ScratchServers
from tests.support import backups
from tests.support.servers import Pair, Servers


@dataclass(frozen=True, slots=True)
class Made:
    """A backup in a folder of its own.

    Attributes:
        root: The folder of backups.
        manifest: What it says of itself.
        servers: Servers for drills.
    """

    root: Path
    manifest: Manifest
    servers: ScratchServers

    @property
    def folder(self) -> Path:
        """The folder of the backup."""
        return self.root / self.manifest.id

    def verify(self) -> Verification:
        """Verify it."""
        return backups.drill(self.root, self.manifest.id, self.servers)


@pytest.fixture(scope="session")
def drills(servers: Servers) -> ScratchServers:
    """What runs scratch servers."""
    return backups.on_servers(servers)


@pytest.fixture(scope="session")
def _original(still_pair: Pair, drills: ScratchServers, tmp_path_factory: pytest.TempPathFactory) -> Made:
    root = tmp_path_factory.mktemp("backups")
    return Made(root, backups.make(root, still_pair, stores=[StoreName.PRISMA]), drills)


@pytest.fixture
def made(_original: Made, tmp_path: Path) -> Made:
    """A backup of the 300 records of the primary, which a test may damage."""
    return Made(backups.copy_of(_original.root, _original.manifest.id, tmp_path), _original.manifest, _original.servers)
