"""Files of ours that hold values of one user: plans with their journals, open reports, what killed processes left."""

from __future__ import annotations

import csv
import json
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from contracts.dataset import Dataset
from contracts.errors import TwinstoreError
from contracts.repair import Ended
from flows.repair.files import JOURNAL, PLAN, repairs_folder
from flows.repair.work import Work
from flows.wiring import runs_folder

TORN_S = 3600.0
"""A folder without its plan or its report to which nobody wrote for so long was left by a process that died."""

BUSY_S = 86400.0
"""A plan of another environment to whose journal nobody wrote for so long is not being carried out."""

DOCUMENT = "report.json"
ESCAPED = 3  # as often as text may be escaped: a report tells JSON that holds a text of JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Folders of one kind that hold values of a user.

    Attributes:
        removable: Those that can go.
        under_way: Those that are being used, and stay.
        unlooked: Those that lack the file which tells what they hold, and to which something may be writing right now.
        keys: Keys of the user's rows in them.
    """

    removable: tuple[Path, ...] = ()
    under_way: tuple[Path, ...] = ()
    unlooked: tuple[Path, ...] = ()
    keys: frozenset[str] = frozenset()


def plans_of(work: Work, user: str, datasets: Collection[Dataset]) -> Files:
    """Return the plans that hold a row of the user, with the keys of such rows.

    Every folder counts, whether or not this memory knows of it: another environment may have made it.
    """
    owners = {dataset.name: str(dataset.facts.owner) for dataset in datasets}
    remembered = work.memory.repairs.list()
    known, begun = {one.id for one in remembered}, {one.id for one in remembered if one.ended is Ended.BEGUN}
    whole, removable, unlooked = _sorted(repairs_folder(work.settings), PLAN)
    found = {folder: keys for folder in whole if (keys := _keys_in(folder, owners, user)) is not None}
    meant = sorted((*found, *removable))
    busy = {one for one in meant if one.name in begun or (one.name not in known and _began_lately(one))}
    return Files(
        removable=tuple(one for one in meant if one not in busy),
        under_way=tuple(one for one in meant if one in busy),
        unlooked=unlooked,
        keys=frozenset().union(*found.values()),
    )


def _keys_in(folder: Path, owners: Mapping[str, str], user: str) -> set[str] | None:
    """Return the keys of the user's rows in a plan; None for one that neither holds such a row nor names the user.

    A plan that cannot be read may hold anything.
    """
    from storage.canonical import canonical_id
    from storage.repair.plan_file import read_plan

    try:
        plan, _ = read_plan(folder / PLAN)
    except TwinstoreError:
        return set()
    owner, wanted = owners.get(plan.header.dataset), canonical_id(user)
    rows = ((step.key, row) for step in plan.steps for row in (step.before, step.after) if row is not None)
    found = {key for key, row in rows if owner is not None and canonical_id(row.get(owner) or "") == wanted}
    named = wanted in map(canonical_id, plan.header.filters.get("user", ()))
    return found if found or named else None


def _began_lately(folder: Path) -> bool:
    """Tell whether a plan that this memory does not know may be carried out right now: another environment's."""
    try:
        return (folder / JOURNAL).stat().st_mtime > time.time() - BUSY_S
    except OSError:
        return False


def reports_of(work: Work, user: str, keys: Collection[str]) -> Files:
    """Return the runs that show personal values and name the user or one of the keys."""
    from storage.canonical import canonical_id

    whole, removable, unlooked = _sorted(runs_folder(work.settings), DOCUMENT)
    wanted = {canonical_id(key) for key in keys}
    about = (folder for folder in whole if _is_about(folder, _naming(user), wanted))
    return Files(removable=tuple(sorted((*about, *removable))), unlooked=unlooked)


def _sorted(root: Path, whole: str) -> tuple[list[Path], list[Path], tuple[Path, ...]]:
    """Return the folders that hold a file of this name, those that were left without it, and those that may get it.

    A process that was killed leaves files with values, and not the one that tells what they hold: they may hold
    anything.
    """
    if not root.is_dir():
        return [], [], ()
    folders = sorted(path for path in root.iterdir() if path.is_dir() and not path.is_symlink())
    torn = [path for path in folders if not (path / whole).is_file() and any(path.iterdir())]
    young = tuple(path for path in torn if _newest(path) > time.time() - TORN_S)
    return [path for path in folders if (path / whole).is_file()], [one for one in torn if one not in young], young


def _newest(folder: Path) -> float:
    """Return when something below a folder was written last; what is gone meanwhile was written now."""
    try:
        return max(path.lstat().st_mtime for path in (folder, *folder.rglob("*")))
    except OSError:
        return time.time()


def _naming(user: str) -> Callable[[str], bool]:
    """Return what tells whether a text names the user; a UUID is the same one however it is spelt.

    Any other id may stand in JSON, or in JSON that is a text of JSON, with its quotes and backslashes escaped.
    """
    from storage.canonical import canonical_uuid, is_uuid

    if not is_uuid(user):
        spelt = [user]
        for _ in range(ESCAPED):
            spelt += [json.dumps(spelt[-1], ensure_ascii=False)[1:-1]]
        return lambda text: any(one in text for one in spelt)
    digits, blank = canonical_uuid(user).replace("-", ""), str.maketrans("", "", "{}-")
    return lambda text: digits in text.translate(blank).lower()


def _is_about(run: Path, names_user: Callable[[str], bool], keys: Collection[str]) -> bool:
    from storage.canonical import canonical_id

    try:
        document = json.loads((run / DOCUMENT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return True  # what cannot be read may hold anything
    masked = document.get("masked", {}) if isinstance(document, dict) else {}
    if masked.get("personal"):
        return False
    if names_user(json.dumps(document, ensure_ascii=False)):
        return True
    named = (one["key"] for dataset in document.get("datasets", ()) for one in dataset.get("differences", ()))
    return any(canonical_id(key) in keys for key in named) or any(
        canonical_id(line.get("key", "")) in keys or any(map(names_user, line.values()))
        for line in _lines(run / "differences.csv")
    )


def _lines(file: Path) -> Iterator[dict[str, str]]:
    """Yield what a spreadsheet lists; a report holds only some of many."""
    csv.field_size_limit(sys.maxsize)  # a body may be larger than what is read by default
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            for line in csv.DictReader(lines):
                yield {name: cell for name, cell in line.items() if isinstance(cell, str)}
    except OSError:
        return
