"""The folders of plans: where they are, which one is meant, and for how long they are kept."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.errors import ConfigurationError
from contracts.repair import Repair
from flows.settings import Settings
from flows.wiring import home

if TYPE_CHECKING:
    from storage.state import State

PLAN = "plan.json"
PAGE = "plan.html"
JOURNAL = "journal.jsonl"


def repairs_folder(settings: Settings) -> Path:
    """Return the folder below which every plan has its own, made for its owner alone.

    Raises:
        ConfigurationError: It cannot be made.
    """
    folder = home(settings) / "repairs"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as exc:
        raise ConfigurationError(
            f"The folder {folder} cannot be made ({exc.strerror}).",
            "Set TWINSTORE_HOME to a folder that you may write.",
        ) from None
    return folder


def folder_of(settings: Settings, plan_id: str) -> Path:
    """Return the folder of one plan; it need not be there."""
    return repairs_folder(settings) / plan_id


def chosen(memory: State, beginning: str) -> Repair:
    """Return the repair whose id begins like this.

    Raises:
        ConfigurationError: There is none, or there are several, or nothing durable remembers any.
    """
    require_memory(memory)
    found = [one for one in memory.repairs.list() if one.id.startswith(beginning)]
    exact = [one for one in found if one.id == beginning]
    if not beginning or not found:
        raise ConfigurationError(f"There is no plan {beginning}.", "`twinstore repair list` lists the plans.")
    if len(found) > 1 and not exact:
        raise ConfigurationError(f"{len(found)} plans begin with {beginning}.", "Give more of the id.")
    return (exact or found)[0]


def require_memory(memory: State) -> None:
    """Refuse to plan or to repair where nothing would remember it.

    Raises:
        ConfigurationError: The memory is not durable.
    """
    if not memory.durable:
        raise ConfigurationError(
            "Nothing durable would remember what the repair does, so that it could not be taken back.",
            "Set TWINSTORE_STATE_URL to a database that stays, or TWINSTORE_HOME to a folder that is kept.",
        )


def forget_old(settings: Settings, memory: State, *, now: datetime) -> int:
    """Remove plans and journals that are older than the settings say; return how many.

    A repair that was begun and has not ended stays, however old it is.
    """
    kept = timedelta(days=settings.keep_repairs_days)
    gone = memory.repairs.prune(now=now, kept=kept)
    for one in gone:
        shutil.rmtree(folder_of(settings, one), ignore_errors=True)
    return len(gone)
