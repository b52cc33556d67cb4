"""`twinstore bench`."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from flows.bench.parts import EVERYTHING, Part
from flows.bench.result import Result, load_now, machine_of, print_result, to_json
from flows.bench.rounds import ROUNDS, Progress
from flows.commands.check import progress_line
from flows.commands.common import out
from flows.quiet import quiet_libraries
from flows.settings import Settings, load_settings
from flows.wiring import home

if TYPE_CHECKING:
    from flows.bench.lines import Line
    from flows.bench.pair import Bench
    from flows.bench.result import Machine


def bench_command(rows: int, *, only: Collection[Part] = EVERYTHING, as_json: bool) -> None:
    """Measure, and print the table; a target that is not met is shown as such and fails nothing."""
    settings = load_settings()
    quiet_libraries(home(settings))
    with progress_line() as progress:
        result = run_bench(settings, rows, parts=only or EVERYTHING, progress=progress)
    if as_json:
        sys.stdout.write(to_json(result) + "\n")
    else:
        print_result(result, out())


def run_bench(
    settings: Settings,
    rows: int,
    *,
    parts: Collection[Part] = EVERYTHING,
    rounds: int = ROUNDS,
    progress: Progress = lambda _: None,
) -> Result:
    """Measure on pairs of its own below the home folder, which are stopped at the end; their records stay.

    Args:
        settings: The settings; only the home folder counts.
        rows: Records in each store; fewer on the pair that replicates.
        parts: What is measured.
        rounds: How often everything is measured after the warm-up.
        progress: Is told what happens now.

    Raises:
        TwinstoreError: A pair does not start, or a store failed.
    """
    load = load_now()
    machines: list[Machine] = []
    lines: list[Line] = []
    if {Part.PARITY, Part.CHECK, Part.BACKUP} & set(parts):
        with _running(settings, "bench", rows, progress) as bench:
            machines.append(machine_of(bench, load))
            lines += _compared(bench, parts, rounds=rounds, progress=progress)
    if Part.REPAIR in parts:
        from flows.bench.repairs import ROWS, lines_of_repair, measure_repair

        with _running(settings, "bench/repair", min(rows, ROWS), progress) as bench:
            machines.append(machine_of(bench, load))
            lines += lines_of_repair(measure_repair(bench, rounds=rounds, progress=progress), bench.rows)
    if Part.REPLICATION in parts:
        from flows.bench.replication import ROWS

        with _running(settings, "bench/replication", min(rows, ROWS), progress) as bench:
            machines.append(machine_of(bench, load))
            lines += _replicated(bench, rounds=rounds, progress=progress)
    return Result(machine=machines[0], lines=tuple(lines))


@contextmanager
def _running(settings: Settings, folder: str, rows: int, progress: Progress) -> Iterator[Bench]:
    from flows.bench.pair import running

    progress(f"start a pair of stores with {rows:,} records")
    with running(home(settings) / folder, settings, rows) as bench:
        yield bench


def _compared(bench: Bench, parts: Collection[Part], *, rounds: int, progress: Progress) -> Iterator[Line]:
    from flows.bench.table import lines_of_checks, lines_of_parity
    from flows.bench.works import measure_checks, measure_parity

    if Part.PARITY in parts:
        measured, planted = measure_parity(bench, rounds=rounds, progress=progress)
        yield from lines_of_parity(measured, planted, bench.rows)
    if Part.CHECK in parts:
        yield from lines_of_checks(measure_checks(bench, rounds=rounds, progress=progress))
    if Part.BACKUP in parts:
        from flows.bench.backups import lines_of_backup, measure_backup

        yield from lines_of_backup(measure_backup(bench, rounds=rounds, progress=progress), bench.rows)


def _replicated(bench: Bench, *, rounds: int, progress: Progress) -> tuple[Line, ...]:
    from flows.bench.replicated import replicated
    from flows.bench.replication import lines_of_replication, measure_replication

    with replicated(bench) as stage:
        return lines_of_replication(measure_replication(stage, rounds=rounds, progress=progress), bench.rows)
