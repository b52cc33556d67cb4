"""Files of ours that hold values of one user: plans with their journals, open reports, rows that were left behind."""

from __future__ import annotations

import csv
import json
import tempfile
import time
from collections.abc import Collection, Iterator
from pathlib import Path

from contracts.dataset import Dataset
from contracts.errors import TwinstoreError
from contracts.repair import Ended, Plan
from flows.repair.files import folder_of
from flows.repair.known import known
from flows.repair.work import Work
from flows.wiring import runs_folder

SPOOLED = "twinstore-rows-*"  # as `storage.rest.row_file` names them
LEFT_BEHIND_S = 3600.0
"""A folder of spooled rows that nobody wrote to for so long was left by a process that died."""


def plans_of(work: Work, user: str, datasets: Collection[Dataset]) -> tuple[tuple[str, ...], tuple[str, ...], set[str]]:
    """Return the plans that hold a row of the user, those that are under way, and the keys of such rows."""
    owners = {dataset.name: str(dataset.facts.owner) for dataset in datasets}
    removable, under_way, keys = list[str](), list[str](), set[str]()
    for repair in work.memory.repairs.list():
        folder = folder_of(work.settings, repair.id)
        if repair.dataset not in owners or not folder.is_dir():
            continue
        try:
            found = _keys_in(known(work.settings, work.memory, repair.id).plan, owners[repair.dataset], user)
        except TwinstoreError:  # what cannot be read may hold anything
            removable.append(repair.id)
            continue
        if found:
            keys |= found
            (under_way if repair.ended is Ended.BEGUN else removable).append(repair.id)
    return tuple(removable), tuple(under_way), keys


def _keys_in(plan: Plan, owner: str, user: str) -> set[str]:
    rows = ((step.key, row) for step in plan.steps for row in (step.before, step.after) if row is not None)
    return {key for key, row in rows if row.get(owner) == user}


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
