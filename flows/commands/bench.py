"""`twinstore bench`."""

from __future__ import annotations

import sys

from flows.bench.result import Result, load_now, machine_of, print_result, to_json
from flows.bench.rounds import ROUNDS, Progress
from flows.commands.check import progress_line
from flows.commands.common import out
from flows.quiet import quiet_libraries
from flows.settings import Settings, load_settings
from flows.wiring import home


def bench_command(rows: int, *, as_json: bool) -> None:
    """Measure, and print the table; a target that is not met is shown as such and fails nothing."""
    settings = load_settings()
    quiet_libraries(home(settings))
    with progress_line() as progress:
        result = run_bench(settings, rows, progress=progress)
    if as_json:
        sys.stdout.write(to_json(result) + "\n")
    else:
        print_result(result, out())


def run_bench(settings: Settings, rows: int, *, rounds: int = ROUNDS, progress: Progress = lambda _: None) -> Result:
    """Measure on a pair of its own below the home folder, which is stopped at the end; its records stay.

    Args:
        settings: The settings; only the home folder counts.
        rows: Records in each store.
        rounds: How often everything is measured after the warm-up.
        progress: Is told what happens now.

    Raises:
        TwinstoreError: The pair does not start, or a store failed.
    """
    from flows.bench.pair import running
    from flows.bench.table import lines
    from flows.bench.works import measure

    progress(f"start a pair of stores with {rows:,} records")
    with running(home(settings) / "bench", settings, rows) as bench:
        load = load_now()
        measured, planted = measure(bench, rounds=rounds, progress=progress)
        return Result(machine=machine_of(bench, load), lines=lines(measured, planted, rows))
