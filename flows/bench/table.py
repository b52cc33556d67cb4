"""From measurements to the table: which work is compared with what, and against which target."""

from __future__ import annotations

from collections import defaultdict

from flows.bench.lines import Bound, Line, Met, Reference, Target
from flows.bench.rounds import Series
from flows.bench.works import (
    BY_FUNCTIONS,
    BY_ROWS,
    CHECK,
    COPY,
    DATACOMPY,
    DIGESTS,
    GATE,
    GATE_ROWS,
    MEMORY,
    PAGES,
    PARITY,
    PULL,
    RELADIFF,
    SCATTERED,
    SCATTERED_RELADIFF,
    Measured,
)


def lines_of_parity(measured: Measured, planted: int, rows: int) -> tuple[Line, ...]:
    """Return what was measured of comparisons, against the targets."""
    found = defaultdict(Series, measured)
    return (*_equal(found), *_over_rest(found, rows), *_differing(found, planted), _pull(found, rows))


def lines_of_checks(measured: Measured) -> tuple[Line, ...]:
    """Return what was measured of checks, against the targets, and what cannot be measured yet."""
    found = defaultdict(Series, measured)
    return (
        _line("full check, both stores", found[CHECK], Bound.AT_MOST, 30),
        _memory(found[MEMORY]),
        _line(f"cold gate, {GATE_ROWS:,} rows", found[GATE], Bound.AT_MOST, 12),
        _second_run(),
    )


def _equal(found: Measured) -> tuple[Line, ...]:
    parity = found[PARITY]
    wrong = _wrong(parity, "found", 0) or _wrong(found[DIGESTS], "equal", 1)
    reladiff, datacompy = found[RELADIFF], found[DATACOMPY]
    return (
        _line(PARITY, parity, Bound.AT_MOST_TIMES, 1.3, found[DIGESTS].reference(DIGESTS), wrong=wrong),
        _against(PARITY, parity, 4, reladiff, _named(RELADIFF, _wrong(reladiff, "found", 0))),
        _against(PARITY, parity, 10, datacompy, _named(DATACOMPY, _wrong(datacompy, "equal", 1))),
    )


def _over_rest(found: Measured, rows: int) -> tuple[Line, ...]:
    by_functions, by_rows, pages = found[BY_FUNCTIONS], found[BY_ROWS], found[PAGES]
    wrong = _wrong(by_functions, "found", 0)
    return (
        _line(BY_FUNCTIONS, by_functions, Bound.AT_MOST_TIMES, 1.2, found[PARITY].reference(PARITY), wrong=wrong),
        Line(
            work="requests of that",
            target=Target(bound=Bound.AT_MOST, limit=200),
            measured=by_functions.fact("requests"),
            unit="requests",
            wrong=by_functions.trouble or wrong,
        ),
        _line(
            BY_ROWS,
            by_rows,
            Bound.AT_MOST_TIMES,
            1.3,
            pages.reference(PAGES),
            wrong=_wrong(by_rows, "found", 0) or _wrong(pages, "rows", rows),
        ),
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


def _second_run() -> Line:
    """Return the line of what this version has not."""
    return Line(
        work="second run with 0.1 % changed",
        target=Target(bound=Bound.AT_MOST_TIMES, limit=0.2),
        reference=Reference(name="the first run"),
        absent=Met.NOT_HERE,
    )
