"""For how long files with values are kept: reports and plans of repair go when they are older than the settings say."""

from __future__ import annotations

import re
import shutil
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.errors import TwinstoreError
from flows.repair.files import forget_old, repairs_folder
from flows.settings import Settings
from flows.wiring import runs_folder

if TYPE_CHECKING:
    from storage.state import State

_RUN = re.compile(r"\d{8}T\d{6}\d{3}Z-[0-9a-f]{4}")


def tidy(settings: Settings, memory: State, *, now: datetime) -> int:
    """Remove reports and plans that are older than they are kept; return how many folders that were.

    What cannot be removed now is removed another time: a check does not fail for it.

    Args:
        settings: The settings, which say for how many days.
        memory: The tool's memory.
        now: The present, UTC.
    """
    gone = 0
    with suppress(TwinstoreError, OSError):
        gone += forget_old(settings, memory, now=now)
    with suppress(TwinstoreError, OSError):
        gone += _forgotten(settings, memory, now=now)
    with suppress(TwinstoreError, OSError):
        for folder in old_runs(runs_folder(settings), before=now - timedelta(days=settings.keep_reports_days)):
            shutil.rmtree(folder)
            gone += 1
    return gone


def _forgotten(settings: Settings, memory: State, *, now: datetime) -> int:
    """Remove plans that this memory does not know and that are twice as old as they are kept: their memory is gone."""
    known = {one.id for one in memory.repairs.list()}
    old = old_runs(repairs_folder(settings), before=now - 2 * timedelta(days=settings.keep_repairs_days))
    lost = [folder for folder in old if folder.name not in known]
    for folder in lost:
        shutil.rmtree(folder)
    return len(lost)


def old_runs(folder: Path, *, before: datetime) -> list[Path]:
    """Return the folders of runs, or of plans, that are older than a moment, as their ids say; no others."""
    if not folder.is_dir():
        return []
    runs = (path for path in folder.iterdir() if _RUN.fullmatch(path.name) and path.is_dir() and not path.is_symlink())
    return sorted(path for path in runs if _began(path.name) < before)


def _began(run_id: str) -> datetime:
    return datetime.strptime(run_id[:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
