"""What the index of runs lists beside them: the repairs that the memory knows, and the backups with their drills."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.backups import KeptBackup
from contracts.errors import TwinstoreError
from contracts.repair import Repair
from flows.settings import Settings
from flows.wiring import runs_folder

if TYPE_CHECKING:
    from reports import Beside
    from storage.state import State


def beside(settings: Settings, memory: State) -> Beside:
    """Return what the index lists beside the runs; nothing of what cannot be read."""
    from flows.backup import known_backups
    from reports import Beside

    repairs: tuple[Repair, ...] = ()
    backups: tuple[KeptBackup, ...] = ()
    with suppress(TwinstoreError):
        repairs = memory.repairs.list()
    with suppress(TwinstoreError, OSError):
        backups = known_backups(settings)
    return Beside(repairs=repairs, backups=backups)


def refresh(settings: Settings, memory: State) -> Path:
    """Write the index anew, after something beside the runs has changed; return its path.

    Raises:
        OSError: The disk refuses.
    """
    from reports import refresh_index

    folder = runs_folder(settings)
    folder.mkdir(mode=0o700, exist_ok=True)
    return refresh_index(folder, beside(settings, memory))
