"""The works of the benchmark: what is measured, beside what, and how often."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from flows.bench import children, ours
from flows.bench.pair import Bench, FarBench, far, running
from flows.bench.rounds import Progress, Series, Work, in_turns
from storage.local.yardsticks import scattered_differences

PLANTED: Final = 1000
GATE_ROWS: Final = 10_000
ROUNDS_BY_ROWS: Final = 1  # each takes a minute or more with a million rows

PARITY, DIGESTS, PULL, COPY = "parity, stores equal", "two bare digest statements", "pull of a snapshot", "COPY"
RELADIFF, DATACOMPY = "reladiff", "pull + datacompy"
BY_FUNCTIONS, BY_ROWS = "parity, stores equal, REST with RPC", "parity, REST rows only (one round)"
PAGES = "what the server can give"
SCATTERED, SCATTERED_RELADIFF = "parity, scattered differences", "reladiff, scattered differences"
CHECK, MEMORY, GATE = "full check", "memory of a full check", "cold gate"
RELADIFF_NEEDS, DATACOMPY_NEEDS = ("reladiff", "psycopg2"), ("datacompy",)

Measured = Mapping[str, Series]


def measure_parity(bench: Bench, *, rounds: int, progress: Progress) -> tuple[Measured, int]:
    """Measure comparisons, group by group: stores equal, by rows alone, differing here and there.

    Returns:
        The measurements by name of the work, and how many keys differed in the third group.

    Raises:
        TwinstoreError: A store failed.
    """
    with far(bench) as away:
        measured = in_turns(_of_equal_stores(bench, away), rounds=rounds, progress=progress)
        measured |= in_turns(_by_rows(away), rounds=min(rounds, ROUNDS_BY_ROWS), progress=progress)
    with scattered_differences(bench.dsns[1], min(PLANTED, bench.rows // 10)) as planted:
        bench.settle()
        measured |= in_turns(_of_differing_stores(bench), rounds=rounds, progress=progress)
    return measured, planted


def measure_checks(bench: Bench, *, rounds: int, progress: Progress) -> Measured:
    """Measure full checks, and gates on a small pair of their own.

    Raises:
        TwinstoreError: A store failed.
    """
    bench.settle()
    measured = in_turns(_of_processes(bench), rounds=rounds, progress=progress)
    progress(f"start a second pair with {GATE_ROWS:,} records")
    with running(bench.settings.home / "gate", bench.settings, GATE_ROWS) as small:
        measured |= in_turns({GATE: partial(children.run_gate, small)}, rounds=rounds, progress=progress)
    return measured


def _of_equal_stores(bench: Bench, away: FarBench) -> dict[str, Work]:
    works: dict[str, Work] = {
        DIGESTS: partial(ours.digest_both, bench),
        PARITY: partial(ours.reach_verdict, bench),
        BY_FUNCTIONS: partial(ours.reach_verdict, away.by_functions),
        COPY: partial(ours.copy, bench),
        PULL: partial(ours.pull, bench),
    }
    if children.installed(*RELADIFF_NEEDS):
        works[RELADIFF] = partial(children.run_reladiff, bench)
    if children.installed(*DATACOMPY_NEEDS):
        works[DATACOMPY] = partial(children.run_datacompy, bench)
    return works


def _by_rows(away: FarBench) -> dict[str, Work]:
    return {PAGES: partial(ours.take_pages, away), BY_ROWS: partial(ours.reach_verdict, away.by_rows)}


def _of_differing_stores(bench: Bench) -> dict[str, Work]:
    works: dict[str, Work] = {SCATTERED: partial(ours.reach_verdict, bench)}
    if children.installed(*RELADIFF_NEEDS):
        works[SCATTERED_RELADIFF] = partial(children.run_reladiff, bench)
    return works


def _of_processes(bench: Bench) -> dict[str, Work]:
    return {CHECK: partial(children.run_check, bench), MEMORY: partial(children.weigh_check, bench)}
