"""`twinstore demo`: three real runs on a pair of its own, what was planted and found, a repair and its undo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.errors import InternalFault
from flows.check import Finished, Progress, run_check, threads
from flows.commands.check import progress_line
from flows.commands.common import out
from flows.commands.demo_repair import repair_twice
from flows.commands.stack import DEMO_HOME
from flows.findings import Finding, findings, invented
from flows.quiet import quiet_libraries
from flows.settings import Settings, load_settings
from flows.wiring import Stores, find_stores, home

if TYPE_CHECKING:
    from rich.table import Table

ENVIRONMENT = "demo"
LATEST = "latest-demo"
DATASETS = ("planning",)
SEED = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """The stores of a demo and how they were filled."""

    settings: Settings
    stores: Stores
    records: int
    now: datetime


def demo_command(records: int) -> None:
    """Make three runs, compare what was found with what was planted, repair, undo, and repair again."""
    from storage.local import LocalPair

    ours = load_settings()
    quiet_libraries(home(ours))
    pair_home = home(ours) / DEMO_HOME
    try:
        with progress_line() as progress:
            demo = _fill(ours, pair_home, records, progress)
            folder, last, right = _three_runs(demo, progress)
            repaired = repair_twice(demo.settings, demo.stores, last, progress)
    finally:
        LocalPair(pair_home).down()
    _link(folder)
    out().print(f"Report: {folder.parent / LATEST / 'report.html'}", soft_wrap=True)
    if not repaired:
        raise InternalFault("The demo's repair did not come out as planned.", "Report it with the lines above.")
    if not right:
        raise InternalFault("The demo did not find exactly what it planted.", "Report it with the table above.")


def _fill(ours: Settings, pair_home: Path, records: int, progress: Progress) -> Demo:
    """Start the demo's own pair, apart from the user's, and fill it anew."""
    from storage.local.seed import clear, load

    own = ours.model_copy(
        update={"database_url": None, "supabase_url": None, "supabase_db_url": None, "environment": ENVIRONMENT}
    )
    stores = find_stores(own.model_copy(update={"home": pair_home}), progress=progress)
    demo = Demo(settings=own.model_copy(update={"reveal": True}), stores=stores, records=records, now=datetime.now(UTC))
    clear(*demo.stores.dsns)
    load(*demo.stores.dsns, records, seed=SEED, now=demo.now)
    return demo


def _three_runs(demo: Demo, progress: Progress) -> tuple[Path, str, bool]:
    """Check clean, broken and partly mended stores.

    Returns the folder of the broken one, the run of the mended one, and whether all was right.
    """
    from storage.local.faults import DECOYS, FAULTS, PAIRS, inject
    from storage.local.seed import mend

    clean = _check(demo, progress)
    _tell("1. Both stores hold the same records", clean)
    planted = inject(*demo.stores.dsns, [f for f in (*FAULTS, *DECOYS, *PAIRS) if not f.exclusive])
    broken = _check(demo, progress)
    found = findings(planted, broken.report.datasets[0])
    stray = invented(planted, broken.report.datasets[0])
    out().print(_table(found))
    _tell(f"2. {len(planted)} faults planted", broken)
    missed = [f for f in found if not f.found]
    out().print(f"   {len(found) - len(missed)} of {len(found)} found as the catalogue says, {len(stray)} invented")
    alone = sum(fault.exclusive for fault in (*FAULTS, *DECOYS))
    out().print(f"   {alone} more empty a whole store and can only be planted alone; the tests do that")
    mended = [injected for number, injected in enumerate(planted) if number % 3]
    mend(*demo.stores.dsns, [k for injected in mended for k in injected.keys], demo.records, seed=SEED, now=demo.now)
    partly = _check(demo, progress)
    _tell(f"3. {len(mended)} of them mended by hand", partly)
    history = partly.report.datasets[0].history
    out().print(f"   {history.gone} differences gone, {history.persisting} persist, {history.new} new")
    for problem in (*(f"{f.fault}: {', '.join(f.wrong)}" for f in missed), *stray):
        out().print(f"   wrong: {problem}", soft_wrap=True)
    right = not (missed or stray or clean.report.verdict.exit_code or history.new)
    return broken.folder, partly.report.run_id, right


def _check(demo: Demo, progress: Progress) -> Finished:
    with threads() as conductor:
        return run_check(
            demo.settings, demo.stores, conductor, datasets=DATASETS, owner="twinstore demo", progress=progress
        )


def _tell(title: str, finished: Finished) -> None:
    out().print(f"{title}: {finished.report.verdict}. {finished.report.reason}", soft_wrap=True)


def _table(found: Sequence[Finding]) -> Table:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("Fault", "Finding", "Cause", ""):
        table.add_column(heading, overflow="fold")
    for finding in found:
        table.add_row(finding.fault, finding.finding, finding.cause, "found" if finding.found else "WRONG")
    return table


def _link(folder: Path) -> None:
    """Let `latest-demo` name the newest demo's folder, in one step."""
    link = folder.parent / LATEST
    passing = folder.parent / f".{LATEST}-{folder.name}"
    passing.symlink_to(folder.name, target_is_directory=True)
    passing.replace(link)
