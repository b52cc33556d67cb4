"""Files of ours that hold values of one user: plans with their journals, open reports, rows that were left behind."""

from __future__ import annotations

import csv
import json
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from contracts.dataset import Dataset
from contracts.errors import TwinstoreError
from contracts.repair import Ended
from flows.repair.files import JOURNAL, PLAN, repairs_folder
from flows.repair.work import Work
from flows.wiring import runs_folder

SPOOLED = "twinstore-rows-*"  # as `storage.rest.row_file` names them
LEFT_BEHIND_S = 3600.0
"""A folder of spooled rows that nobody wrote to for so long was left by a process that died."""

BUSY_S = 86400.0
"""A plan of another environment to whose journal nobody wrote for so long is not being carried out."""


def plans_of(work: Work, user: str, datasets: Collection[Dataset]) -> tuple[tuple[str, ...], tuple[str, ...], set[str]]:
    """Return the plans that hold a row of the user, those that are under way, and the keys of such rows.

    Every folder counts, whether or not this memory knows of it: another environment may have made it.
    """
    owners = {dataset.name: str(dataset.facts.owner) for dataset in datasets}
    remembered = work.memory.repairs.list()
    known, under_way = {one.id for one in remembered}, {one.id for one in remembered if one.ended is Ended.BEGUN}
    removable, busy, keys = list[str](), list[str](), set[str]()
    for folder in sorted(path for path in repairs_folder(work.settings).iterdir() if (path / PLAN).is_file()):
        found = _keys_in(folder, owners, user)
        if found is not None:
            keys |= found
            is_busy = folder.name in under_way or (folder.name not in known and _began_lately(folder))
            (busy if is_busy else removable).append(folder.name)
    return tuple(removable), tuple(busy), keys


def _keys_in(folder: Path, owners: Mapping[str, str], user: str) -> set[str] | None:
    """Return the keys of the user's rows in a plan; None for one that neither holds such a row nor names the user.

    A plan that cannot be read may hold anything.
    """
    from storage.repair.plan_file import read_plan

    try:
        plan, _ = read_plan(folder / PLAN)
    except TwinstoreError:
        return set()
    owner = owners.get(plan.header.dataset)
    rows = ((step.key, row) for step in plan.steps for row in (step.before, step.after) if row is not None)
    found = {key for key, row in rows if owner is not None and row.get(owner) == user}
    return found if found or user in plan.header.filters.get("user", ()) else None


def _began_lately(folder: Path) -> bool:
    """Tell whether a plan that this memory does not know may be carried out right now: another environment's."""
    try:
        return (folder / JOURNAL).stat().st_mtime > time.time() - BUSY_S
    except OSError:
        return False


def reports_of(work: Work, user: str, keys: Collection[str]) -> tuple[Path, ...]:
    """Return the folders of runs that show personal values and name the user or one of the keys."""
    folder = runs_folder(work.settings)
    if not folder.is_dir():
        return ()
    runs = (path for path in folder.iterdir() if path.is_dir() and not path.is_symlink())
    return tuple(path for path in sorted(runs) if _is_about(path, user, set(keys)))


def _is_about(run: Path, user: str, keys: set[str]) -> bool:
    try:
        text = (run / "report.json").read_text(encoding="utf-8")
        document = json.loads(text)
    except FileNotFoundError:
        return False
    except (OSError, ValueError):
        return True  # what cannot be read may hold anything
    masked = document.get("masked", {}) if isinstance(document, dict) else {}
    if masked.get("personal"):
        return False
    named = {one["key"] for dataset in document.get("datasets", ()) for one in dataset.get("differences", ())}
    return user in text or bool(keys & (named | set(_listed(run / "differences.csv"))))


def _listed(file: Path) -> Iterator[str]:
    """Yield the keys that a spreadsheet lists; a report holds only some of many."""
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            yield from (str(line.get("key", "")) for line in csv.DictReader(lines))
    except OSError:
        return


def left_behind() -> tuple[Path, ...]:
    """Return the folders of pulled rows that a process left which died."""
    before = time.time() - LEFT_BEHIND_S
    return tuple(path for path in sorted(Path(tempfile.gettempdir()).glob(SPOOLED)) if _is_left(path, before))


def _is_left(path: Path, before: float) -> bool:
    try:
        newest = max((one.stat().st_mtime for one in (path, *path.iterdir())), default=0.0)
        return path.is_dir() and not path.is_symlink() and newest < before
    except OSError:
        return False
