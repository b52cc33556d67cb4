"""Writing a run to disk: all its files, readable by their owner only, each one whole or not there at all."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from contracts.backups import KeptBackup
from contracts.errors import ConfigurationError
from contracts.repair import Repair
from contracts.verdicts import RunReport
from contracts.vocabulary import Verdict
from reports.document import to_json
from reports.history import RepairEntry, RunEntry, index_html
from reports.html import to_html
from reports.junit import to_junit
from reports.spreadsheet import to_csv
from reports.summary import to_summary

PAGE: Final = "report.html"
DOCUMENT: Final = "report.json"
REPAIR_PAGE: Final = "plan.html"
_RUN_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")
_HEAD_MAX: Final = 1_000_000  # characters of a document's head; its list of datasets comes after it


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What the index lists beside the runs.

    Attributes:
        repairs: The plans of repair.
        backups: The backups.
    """

    repairs: Sequence[Repair] = ()
    backups: Sequence[KeptBackup] = ()


NOTHING: Final = Beside()


def publish(report: RunReport, runs_dir: Path, *, mask_key: bytes, beside: Beside = NOTHING) -> Path:
    """Write all files of a run, then the index of all runs beside it; return the run's folder.

    Files get mode 0600 and folders that are made here 0700. `report.json` is written last: a run whose folder holds
    one is complete. A run that was published before is replaced file by file.

    Args:
        report: What is rendered.
        runs_dir: Folder of all runs; made if it is missing.
        mask_key: Secret key of the hashes that stand for masked values.
        beside: What the index lists beside the runs.

    Raises:
        ConfigurationError: The run's id is no file name, or its folder is a link.
        OSError: The disk refuses.
    """
    folder = _run_folder(report.run_id, runs_dir)
    write_whole(folder / PAGE, [to_html(report, mask_key=mask_key)])
    write_whole(folder / "junit.xml", [to_junit(report)])
    write_whole(folder / "summary.md", [to_summary(report)])
    write_whole(folder / "differences.csv", to_csv(report, mask_key=mask_key))
    write_whole(folder / DOCUMENT, [to_json(report, mask_key=mask_key)])
    refresh_index(runs_dir, beside)
    return folder


def refresh_index(runs_dir: Path, beside: Beside = NOTHING) -> Path:
    """Write the index of all runs in a folder anew; return its path.

    Args:
        runs_dir: Folder of all runs.
        beside: What is listed beside the runs; a plan has a page in `../repairs/<its id>/plan.html`, if it is there.

    Raises:
        OSError: The disk refuses.
    """
    index = runs_dir / "index.html"
    repairs = [_repair_entry(repair, runs_dir) for repair in beside.repairs]
    write_whole(index, [index_html(run_entries(runs_dir), repairs=repairs, backups=beside.backups)])
    return index


def _repair_entry(repair: Repair, runs_dir: Path) -> RepairEntry:
    page = Path("repairs", repair.id, REPAIR_PAGE)
    there = _RUN_ID.fullmatch(repair.id) and (runs_dir.parent / page).is_file()
    return RepairEntry(repair=repair, href=f"../{quote(page.as_posix())}" if there else None)


def run_entries(runs_dir: Path) -> list[RunEntry]:
    """Read what the index needs of every run in a folder; a run that cannot be read has no verdict.

    Links and folders whose name is no run id are left out.
    """
    folders = (f for f in sorted(runs_dir.iterdir()) if f.is_dir() and not f.is_symlink() and _RUN_ID.fullmatch(f.name))
    return [_entry(folder) for folder in folders]


def _entry(folder: Path) -> RunEntry:
    href = f"{quote(folder.name)}/{PAGE}" if (folder / PAGE).is_file() else None
    try:
        head = _head(folder / DOCUMENT)
        return RunEntry(
            run_id=folder.name,
            started_at=datetime.fromisoformat(head["started_at"]),
            environment=str(head["environment"]),
            verdict=Verdict(head["verdict"]),
            reason=str(head["reason"]),
            differences=int(head["differences_total"]),
            href=href,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = f"{DOCUMENT} is missing." if isinstance(error, FileNotFoundError) else f"{DOCUMENT} cannot be read."
        return RunEntry(
            run_id=folder.name,
            started_at=None,
            environment="unknown",
            verdict=None,
            reason=reason,
            differences=None,
            href=href,
        )


def _head(path: Path) -> dict[str, Any]:
    """Return the members of a document that stand before its datasets, without reading those if it can be helped.

    Our documents have one member per line and the datasets, which may be large, at the end.
    """
    with path.open(encoding="utf-8") as file:
        start = file.read(_HEAD_MAX)
        head, found, _ = start.partition(',\n"datasets": ')
        document = json.loads(head + "\n}") if found and _ends_well(path) else json.loads(start + file.read())
    if not isinstance(document, dict):
        raise TypeError
    return document


def _ends_well(path: Path) -> bool:
    """Say whether a document ends as ours do, so that a torn one is not taken for a whole one."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 4))
        return file.read() == b"]\n}\n"


def _run_folder(run_id: str, runs_dir: Path) -> Path:
    if not _RUN_ID.fullmatch(run_id):
        raise ConfigurationError(
            "The id of the run is no file name.", "Use letters, digits, dots, dashes, underscores."
        )
    folder = runs_dir / run_id
    if folder.is_symlink():
        raise ConfigurationError("The folder of the run is a link.", f"Remove {run_id} from the folder of runs.")
    runs_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def write_whole(path: Path, parts: Iterable[str]) -> None:
    """Write a file beside its place, readable by its owner only, force it to disk and move it there.

    Raises:
        OSError: The disk refuses; then no file is there, or the one that was there before.
    """
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600, never through a link
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace", newline="") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
