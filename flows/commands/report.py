"""`twinstore report`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.errors import ConfigurationError
from flows.commands.common import out
from flows.settings import load_settings
from flows.wiring import runs_folder

if TYPE_CHECKING:
    from reports import RunEntry


def list_command(*, as_json: bool) -> None:
    """Print the runs, newest first."""
    entries = _entries(runs_folder(load_settings()))
    if as_json:
        sys.stdout.write(json.dumps([_facts(e) for e in entries], indent=2, ensure_ascii=False) + "\n")
        return
    from rich.table import Table

    table = Table("Run", "Started", "Environment", "Verdict", "Differences", "Reason", box=None)
    for entry in entries:
        table.add_row(*(str(value) if value is not None else "?" for value in _facts(entry).values()))
    console = out()
    console.print(table if entries else "There is no run yet. `twinstore check` makes one.")


def open_command(run: str | None, *, print_path: bool) -> None:
    """Open a report in the browser, or print where it is."""
    if run is not None and not run.strip():
        raise ConfigurationError("The id of the run is empty.", "Say its beginning, or leave it out for the newest.")
    folder = runs_folder(load_settings())
    names = [e.run_id for e in _entries(folder) if run is None or e.run_id.startswith(run)]
    if not names:
        raise ConfigurationError(
            f"There is no run {run}." if run else "There is no run yet.", "`twinstore report list` lists the runs."
        )
    if run is not None and len(names) > 1 and run not in names:
        raise ConfigurationError(f"{len(names)} runs begin with {run}.", "Give more of the run id.")
    path = folder / (run if run in names else names[0]) / "report.html"
    out().print(str(path), soft_wrap=True)
    if not print_path:
        import webbrowser

        webbrowser.open(path.as_uri())


def _entries(folder: Path) -> list[RunEntry]:
    from reports import run_entries

    if not folder.is_dir():
        return []
    return sorted(run_entries(folder), key=lambda e: e.run_id, reverse=True)


def _facts(entry: RunEntry) -> dict[str, object]:
    return {
        "run_id": entry.run_id,
        "started_at": entry.started_at.isoformat(timespec="seconds") if entry.started_at else None,
        "environment": entry.environment,
        "verdict": str(entry.verdict) if entry.verdict else None,
        "differences": entry.differences,
        "reason": entry.reason,
    }
