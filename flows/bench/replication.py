"""The part of the benchmark about replication: what is measured on a pair that replicates, and the targets."""

from __future__ import annotations

from functools import partial
from typing import Final

from flows.bench.drains import drain
from flows.bench.lines import Bound, Line, Reference, Target
from flows.bench.replicated import Replicated
from flows.bench.rounds import Progress, Series, Work, in_turns
from flows.bench.saves import RECORDS, call_repository, save_in_vain
from flows.bench.works import Measured

ROWS: Final = 20_000  # records of the pair, at most: all of them are carried over in every round
SAVES: Final = 500  # saves of each kind in a round
ROUNDS_IN_VAIN: Final = 5

IN_VAIN, CALLS = "saves, supabase never answers", "calls of the repository"
BY_FUNCTIONS, BY_SQL = "the relay, REST with RPC", "the relay, SQL"


def measure_replication(
    stage: Replicated, *, rounds: int, progress: Progress, saves: int = SAVES, records: int = RECORDS
) -> Measured:
    """Measure the repository with both stores and with one that never answers, and then the relay.

    Args:
        stage: The pair.
        rounds: How often everything is measured after the warm-up; none measures the warm-up.
        progress: Is told what happens now.
        saves: Saves of each kind in a round.
        records: Records that are called for.

    Raises:
        TwinstoreError: A store failed.
    """
    often = max(rounds, ROUNDS_IN_VAIN) if rounds else 0
    in_vain: dict[str, Work] = {IN_VAIN: partial(save_in_vain, stage, saves)}
    others: dict[str, Work] = {
        CALLS: partial(call_repository, stage, records),
        BY_FUNCTIONS: partial(drain, stage, stage.by_functions),
        BY_SQL: partial(drain, stage, stage.by_sql),
    }
    measured = in_turns(in_vain, rounds=often, progress=progress)
    return measured | in_turns(others, rounds=rounds, progress=progress)


def lines_of_replication(measured: Measured, rows: int) -> tuple[Line, ...]:
    """Return what was measured, against the targets.

    Args:
        measured: The measurements by name of the work.
        rows: Records of the pair.
    """
    return (*_in_vain(measured[IN_VAIN]), _drained(measured, rows), *_called(measured[CALLS]))


def _in_vain(series: Series) -> tuple[Line, ...]:
    wrong = series.trouble or _unless(series, "saved", "a save failed, or tried the store that never answers")
    return (
        Line(
            work="saves that fail on supabase until its circuit is open",
            target=Target(bound=Bound.AT_MOST, limit=3),
            measured=series.fact("failures"),
            unit="failures",
            wrong=wrong,
        ),
        Line(
            work="p99 of a save with that circuit open, more than without supabase",
            target=Target(bound=Bound.AT_MOST, limit=5),
            measured=series.fact("more_ms"),
            unit="ms",
            reference=Reference(name="p99 without supabase", value=series.fact("alone_ms")),
            wrong=wrong,
        ),
    )


def _drained(measured: Measured, rows: int) -> Line:
    series, by_sql = measured[BY_FUNCTIONS], measured[BY_SQL]
    everywhere = "" if series.always("rows", rows) else f"{series.fact('rows'):g} rows were written"
    return Line(
        work=f"relay, {rows:,} rows written on both sides, REST with RPC",
        target=Target(bound=Bound.AT_LEAST, limit=2000),
        measured=series.fact("per_s"),
        unit="rows/s",
        reference=Reference(name="the same by SQL", value=by_sql.fact("per_s")),
        wrong=series.trouble
        or everywhere
        or _unless(series, "same", "the stores differ afterwards")
        or _unless(by_sql, "same", "the stores differ afterwards, by SQL"),
    )


def _called(series: Series) -> tuple[Line, ...]:
    return (
        _call(series, "save", "save to both stores", 5000),
        _call(series, "get", "get", 3000),
        _call(series, "list", "list, a page", 3000),
        _call(series, "record", "check_consistency", 10_000),
        _call(series, "owner", "check_user_consistency", 10_000),
    )


def _call(series: Series, name: str, work: str, limit_ms: float) -> Line:
    return Line(
        work=f"p99 of {work}",
        target=Target(bound=Bound.AT_MOST, limit=limit_ms),
        measured=series.fact(f"{name}_ms"),
        unit="ms",
        reference=Reference(name="its median", value=series.fact(f"{name}_median_ms")),
        wrong=series.trouble or _unless(series, f"{name}_right", "not every answer was that of two equal stores"),
    )


def _unless(series: Series, fact: str, wrong: str) -> str:
    """Say what is wrong unless a fact held in every measurement."""
    return "" if series.always(fact, 1.0) else wrong
