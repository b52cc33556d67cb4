"""`twinstore erase`: what twinstore itself keeps with values of one user."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from contracts.errors import ConfigurationError
from flows.commands.check import progress_line
from flows.commands.common import confirmed, err, out
from flows.erasing import Erased, Traces, erase, gone_at, owned_datasets, traces
from flows.quiet import quiet_libraries
from flows.repair.work import Work, at_work
from flows.settings import load_settings
from flows.showing import refresh
from flows.wiring import home

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_WORDS = {
    "plans": "plan of repair with its journal",
    "reports": "report that showed personal values",
    "conflicts": "decided conflict",
    "audit_lines": "line of the secondary's audit log",
    "spooled": "folder of spooled rows",
    "requests": "expired request",
    "backups": "backup",
}
_PLURALS = {
    "plans": "plans of repair with their journals",
    "reports": "reports that showed personal values",
    "audit_lines": "lines of the secondary's audit log",
    "spooled": "folders of spooled rows",
}
NOT_OURS = "The application's own records are not ours to delete: delete those in the application."


def erase_command(user: str, dataset: str | None, *, backups: bool, yes: bool, as_json: bool) -> None:
    """Say what holds values of a user, ask, remove it, and say how much that was; exit 1 where something stays."""
    if not user.strip():
        raise ConfigurationError("It is not said whose values are meant.", "Say --user with the id of a user.")
    settings = load_settings()
    quiet_libraries(home(settings))
    datasets = owned_datasets(dataset)
    with at_work(settings) as work:
        with progress_line() as progress:
            progress("look for what holds values of the user")
            found = traces(replace(work, progress=progress), user, datasets)
        confirmed("\n".join(_found(found, backups=backups)), yes=yes)
        with progress_line() as progress:
            erased = erase(work, found, datasets, backups=backups, progress=progress)
            refresh(settings, work.memory)
        kept = list(_kept(work, found, erased, backups=backups))
    if as_json:
        sys.stdout.write(json.dumps(_document(work, found, erased, backups=backups), indent=2) + "\n")
    else:
        console = out()
        console.print(f"Erased: {_counted(erased)}.", soft_wrap=True)
        for line in (*kept, NOT_OURS):
            console.print(line, soft_wrap=True)
        if not found.anything and not found.unlooked:
            err().print(f"Nothing{' else' if kept else ''} of ours holds values of this user.")
    sys.exit(1 if found.unfinished or erased.refused else 0)


def _found(found: Traces, *, backups: bool) -> Iterator[str]:
    from reports.text import count

    yield "These go, and cannot be brought back; a repair whose journal is gone cannot be undone any more:"
    yield f"  {count(len(found.plans), _WORDS['plans'], _PLURALS['plans'])}"
    yield f"  {count(len(found.reports), _WORDS['reports'], _PLURALS['reports'])}"
    yield f"  {count(found.losers, _WORDS['conflicts'])}"
    if found.audited is not None:
        records = count(found.audited, "record")
        yield f"  the images of {records} in the audit log of the secondary"
    yield f"  {count(len(found.spooled), _WORDS['spooled'], _PLURALS['spooled'])}"
    yield f"  {count(found.requests, _WORDS['requests'])}"
    if backups:
        yield f"  {count(len(found.backups), 'backup')}, all of which may hold records of the user"


def _kept(work: Work, found: Traces, erased: Erased, *, backups: bool) -> Iterator[str]:
    """Say what stays, and what somebody has to do about it."""
    from reports.text import one_line

    for plan in found.under_way:
        yield (
            f"Plan {plan} is being carried out: finish it with `twinstore repair apply {plan}`, or end it as it is by "
            f"`twinstore repair close {plan}`, then erase again. "
            "What another environment carried out can be erased a day later."
        )
    for folder in found.unlooked:
        yield (
            f"{_place(folder)} was not looked at: something may be writing it right now. "
            "If a process was killed at it, erase again in an hour."
        )
    for key in found.open_conflicts:
        yield f"An open conflict of {one_line(key)} stays: decide it with `twinstore sync conflicts resolve`."
    for statement in found.by_hand:
        yield f"The audit log cannot be reached by SQL. Run there, with the user's id for $1: {statement}"
    for name in erased.refused:
        yield f"Backup {name} stays: somebody verifies or restores it. Erase again when that has ended."
    for one in () if backups else found.backups:
        at = gone_at(work, one)
        when = "when it is the oldest one" if at is None else f"on {at:%Y-%m-%d}"
        yield f"Backup {one.id} stays; retention removes it {when}, or `--backups` now."


def _place(folder: Path) -> str:
    """Return where a folder lies in ours."""
    return f"{folder.parent.name}/{folder.name}"


def _counted(erased: Erased) -> str:
    from reports.text import count

    told = (count(number, _WORDS[name], _PLURALS.get(name)) for name, number in erased.counts.items() if number)
    return ", ".join(told) or "nothing"


def _document(work: Work, found: Traces, erased: Erased, *, backups: bool) -> dict[str, object]:
    kept = [one for one in found.backups if not backups or one.id in erased.refused]
    return {
        "erased": dict(erased.counts),
        "plans_under_way": list(found.under_way),
        "not_looked_at": [_place(folder) for folder in found.unlooked],
        "open_conflicts": list(found.open_conflicts),
        "backups": [
            {"id": one.id, "removed_by_retention": (at := gone_at(work, one)) and at.isoformat()} for one in kept
        ],
        "by_hand": list(found.by_hand),
    }
