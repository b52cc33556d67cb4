"""The works of the benchmark and the lines that they make: which is compared with what, and against which target."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from flows.bench import children, ours
from flows.bench.lines import Bound, Line, Met, Reference, Target
from flows.bench.pair import Bench
from flows.bench.rounds import Progress, Series, Work, in_turns
from storage.local.yardsticks import scattered_differences

PLANTED = 1000
PARITY, DIGESTS, PULL, COPY = "parity, stores equal", "two bare digest statements", "pull of a snapshot", "COPY"
RELADIFF, DATACOMPY = "reladiff", "pull + datacompy"
CHECK, MEMORY = "full check", "memory of a full check"
SCATTERED, SCATTERED_RELADIFF = "parity, scattered differences", "reladiff, scattered differences"
RELADIFF_NEEDS, DATACOMPY_NEEDS = ("reladiff", "psycopg2"), ("datacompy",)

Measured = Mapping[str, Series]
_NOTHING = Series()


def measure(bench: Bench, *, rounds: int, progress: Progress) -> tuple[Measured, int]:
    """Measure everything, in three groups: stores equal, stores that differ here and there, full checks.

    Returns:
        The measurements by name of the work, and how many keys differed in the second group.

    Raises:
        TwinstoreError: A store failed.
    """
    measured = in_turns(_of_equal_stores(bench), rounds=rounds, progress=progress)
    with scattered_differences(bench.dsns[1], min(PLANTED, bench.rows // 10)) as planted:
        bench.settle()
        measured |= in_turns(_of_differing_stores(bench), rounds=rounds, progress=progress)
    bench.settle()
    checks: dict[str, Work] = {
        CHECK: partial(children.run_check, bench),
        MEMORY: partial(children.weigh_check, bench),
    }
    measured |= in_turns(checks, rounds=rounds, progress=progress)
    return measured, planted


def lines(measured: Measured, planted: int, rows: int) -> tuple[Line, ...]:
    """Return the table: what was measured, against the targets, and what cannot be measured yet."""
    found = {name: measured.get(name, _NOTHING) for name in _NAMES}
    return (
        *_equal(found),
        *_differing(found, planted),
        _pull(found, rows),
        _line("full check, both stores", found[CHECK], Bound.AT_MOST, 30),
        _memory(found[MEMORY]),
        *_not_here(),
    )


def _of_equal_stores(bench: Bench) -> dict[str, Work]:
    works: dict[str, Work] = {
        DIGESTS: partial(ours.digest_both, bench),
        PARITY: partial(ours.reach_verdict, bench),
        COPY: partial(ours.copy, bench),
        PULL: partial(ours.pull, bench),
    }
    if children.installed(*RELADIFF_NEEDS):
        works[RELADIFF] = partial(children.run_reladiff, bench)
    if children.installed(*DATACOMPY_NEEDS):
        works[DATACOMPY] = partial(children.run_datacompy, bench)
    return works


def _of_differing_stores(bench: Bench) -> dict[str, Work]:
    works: dict[str, Work] = {SCATTERED: partial(ours.reach_verdict, bench)}
    if children.installed(*RELADIFF_NEEDS):
        works[SCATTERED_RELADIFF] = partial(children.run_reladiff, bench)
    return works


def _equal(found: Measured) -> tuple[Line, ...]:
    parity = found[PARITY]
    wrong = _wrong(parity, "found", 0) or _wrong(found[DIGESTS], "equal", 1)
    reladiff, datacompy = found[RELADIFF], found[DATACOMPY]
    return (
        _line(PARITY, parity, Bound.AT_MOST_TIMES, 1.3, found[DIGESTS].reference(DIGESTS), wrong=wrong),
        _against(PARITY, parity, 4, reladiff, _named(RELADIFF, _wrong(reladiff, "found", 0))),
        _against(PARITY, parity, 10, datacompy, _named(DATACOMPY, _wrong(datacompy, "equal", 1))),
    )


def _differing(found: Measured, planted: int) -> tuple[Line, ...]:
    work, scattered, rival = f"{planted:,} scattered differences", found[SCATTERED], found[SCATTERED_RELADIFF]
    wrong = _wrong(scattered, "found", planted)
    received = scattered.fact("rows")
    return (
        _line(work, scattered, Bound.AT_MOST_TIMES, 5, found[PARITY].reference(PARITY), wrong=wrong),
        _against(work, scattered, 6, rival, _named(RELADIFF, _wrong(rival, "found", planted))),
        Line(
            work="rows transferred per difference",
            target=Target(bound=Bound.AT_MOST, limit=20),
            measured=None if received is None or not planted else received / planted,
            unit="rows",
            wrong=wrong,
        ),
    )


def _pull(found: Measured, rows: int) -> Line:
    reference = found[COPY].reference("COPY, thrown away")
    wrong = _wrong(found[PULL], "rows", rows)
    return _line(PULL, found[PULL], Bound.AT_MOST_TIMES, 1.3, reference, wrong=wrong)


def _memory(series: Series) -> Line:
    peak, baseline = series.fact("peak_mb"), series.fact("baseline_mb")
    return Line(
        work="memory of a full check over its idle baseline",
        target=Target(bound=Bound.AT_MOST, limit=150),
        measured=None if peak is None or baseline is None else peak - baseline,
        unit="MB",
        reference=Reference(name="baseline after imports", value=baseline),
        wrong=series.trouble,
    )


def _line(
    work: str, series: Series, bound: Bound, limit: float, reference: Reference | None = None, *, wrong: str = ""
) -> Line:
    return Line(
        work=work,
        target=Target(bound=bound, limit=limit),
        measured=series.seconds,
        reference=reference,
        wrong=series.trouble or wrong,
    )


def _against(work: str, series: Series, times: float, rival: Series, name: str) -> Line:
    """Return the line of a work against an alternative."""
    target = Target(bound=Bound.AT_LEAST_FASTER, limit=times)
    absent = None if rival.samples else Met.NOT_INSTALLED
    return Line(work=work, target=target, measured=series.seconds, reference=rival.reference(name), absent=absent)


def _wrong(series: Series, fact: str, value: float) -> str:
    """Say that an answer was not the right one; empty where it was, or where there was none."""
    if not series.samples or series.trouble or series.always(fact, value):
        return ""
    return f"{fact}: {series.fact(fact):g} instead of {value:g}"


def _named(name: str, wrong: str) -> str:
    """Return the name of an alternative; that it answers wrongly is told, and its time counts all the same."""
    return f"{name} ({wrong})" if wrong else name


def _not_here() -> tuple[Line, ...]:
    works = (
        ("parity, stores equal, REST with RPC", Target(bound=Bound.AT_MOST_TIMES, limit=1.2), PARITY),
        ("parity, REST rows only", Target(bound=Bound.AT_MOST_TIMES, limit=1.3), "what the server can give"),
        ("second run with 0.1 % changed", Target(bound=Bound.AT_MOST_TIMES, limit=0.2), "the first run"),
    )
    gate = Line(work="cold gate, 10,000 rows", target=Target(bound=Bound.AT_MOST, limit=12), absent=Met.NOT_HERE)
    return (
        *(Line(work=w, target=t, reference=Reference(name=r), absent=Met.NOT_HERE) for w, t, r in works),
        gate,
    )


_NAMES = (
    PARITY,
    DIGESTS,
    PULL,
    COPY,
    RELADIFF,
    DATACOMPY,
    SCATTERED,
    SCATTERED_RELADIFF,
    CHECK,
    MEMORY,
)
