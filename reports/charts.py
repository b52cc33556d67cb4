"""Geometry of the trend charts; the templates draw it as inline SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from contracts.verdicts import DatasetReport, RunReport, TrendPoint
from contracts.vocabulary import Verdict
from reports.text import count, duration, moment, number
from reports.words import SYMBOLS

WIDTH, HEIGHT = 520, 180
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 24, 26
POINTS_MAX = 60
GAP_FACTOR = 1.8  # a pause this many times the usual one is drawn as missing runs
_BAR_MAX = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A line of the grid with its label."""

    y: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One run in a chart: a bar, or a dot on a line.

    Attributes:
        x: Centre of the run.
        y: Top of the bar.
        width: Width of the bar.
        height: Height of the bar; 0 is drawn as a stub so that the run stays visible.
        verdict: Verdict of the run.
        symbol: Its symbol, drawn above the bar.
        title: What the run was, in words.
        current: True for the run of this report.
    """

    x: float
    y: float
    width: float
    height: float
    verdict: Verdict
    symbol: str
    title: str
    current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A drawn chart.

    Attributes:
        marks: Oldest first.
        ticks: Lines of the value axis.
        lines: Points of each line, as SVG wants them: primary, then secondary; empty for bars.
        gaps: Where runs are missing: position and words.
        start: Label of the first run.
        end: Label of the last run.
    """

    marks: tuple[Mark, ...]
    ticks: tuple[Tick, ...]
    lines: tuple[str, ...]
    gaps: tuple[tuple[float, str], ...]
    start: str
    end: str


def trend(dataset: DatasetReport, report: RunReport) -> tuple[TrendPoint, ...]:
    """Return the remembered runs and this one, oldest first."""
    points = [p for p in dataset.history.trend if p.run_id != report.run_id]
    this = TrendPoint(
        run_id=report.run_id,
        started_at=report.started_at,
        verdict=dataset.verdict,
        differences=dataset.differences_total,
        rows_primary=dataset.rows.primary,
        rows_secondary=dataset.rows.secondary,
    )
    return (*points, this)[-POINTS_MAX:]


def differences_chart(points: Sequence[TrendPoint]) -> Chart:
    """Return a bar per run, as high as its differences."""
    ceiling = _ceiling(max(p.differences for p in points))
    return _chart(points, [p.differences for p in points], 0, ceiling, lines=())


def rows_chart(points: Sequence[TrendPoint]) -> Chart:
    """Return a line per store through its number of rows, on an axis that shows small losses."""
    values = [(p.rows_primary, p.rows_secondary) for p in points]
    low, high = min(map(min, values)), max(map(max, values))
    floor, ceiling = _frame(low, high)
    lines = tuple(
        " ".join(f"{_x(i, len(points)):.1f},{_y(pair[side], floor, ceiling):.1f}" for i, pair in enumerate(values))
        for side in (0, 1)
    )
    return _chart(points, [pair[0] for pair in values], floor, ceiling, lines=lines)


def _chart(
    points: Sequence[TrendPoint], values: Sequence[int], low: int, high: int, *, lines: tuple[str, ...]
) -> Chart:
    step = (WIDTH - LEFT - RIGHT) / len(points)
    marks = tuple(
        Mark(
            x=round(_x(i, len(points)), 1),
            y=round(_y(value, low, high), 1),
            width=round(min(_BAR_MAX, step * 0.7), 1),
            height=round(max(2.0, HEIGHT - BOTTOM - _y(value, low, high)), 1),
            verdict=point.verdict,
            symbol=SYMBOLS[point.verdict],
            title=_title(point),
            current=i == len(points) - 1,
        )
        for i, (point, value) in enumerate(zip(points, values, strict=True))
    )
    middle = (low + high) // 2
    ticks = tuple(Tick(y=round(_y(v, low, high), 1), label=number(v)) for v in sorted({low, middle, high}))
    start, end = (f"{points[i].started_at:%d %b %H:%M}" for i in (0, -1))
    return Chart(
        marks=marks, ticks=ticks, lines=lines, gaps=_gaps(points), start=start if len(points) > 1 else "", end=end
    )


def _title(point: TrendPoint) -> str:
    rows = f"{number(point.rows_primary)} and {number(point.rows_secondary)} rows"
    return f"{moment(point.started_at)}: {point.verdict}, {count(point.differences, 'difference')}, {rows}"


def _gaps(points: Sequence[TrendPoint]) -> tuple[tuple[float, str], ...]:
    """Return where the pause between two runs is far longer than usual."""
    pauses = [_pause(a.started_at, b.started_at) for a, b in pairwise(points)]
    if len(pauses) < 3:  # noqa: PLR2004 - fewer pauses do not tell what is usual
        return ()
    usual = timedelta(seconds=median(p.total_seconds() for p in pauses))
    return tuple(
        (round((_x(i, len(points)) + _x(i + 1, len(points))) / 2, 1), f"no run for {duration(pause.total_seconds())}")
        for i, pause in enumerate(pauses)
        if pause > usual * GAP_FACTOR and pause > timedelta(hours=1)
    )


def _pause(before: datetime, after: datetime) -> timedelta:
    return max(after - before, timedelta())


def _x(position: int, total: int) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * (position + 0.5) / total


def _y(value: int, low: int, high: int) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - low) / (high - low)


def _frame(low: int, high: int) -> tuple[int, int]:
    """Return round numbers below and above two, with room between."""
    span = max(1, high - low)
    unit = 10 ** (len(str(span)) - 1)
    room = max(1, span // 4)
    return max(0, (low - room) // unit * unit), -(-(high + room) // unit) * unit


def _ceiling(value: int) -> int:
    """Return the next round number: 1, 2, 4 or 6 of a power of ten."""
    power = 1
    while True:
        for lead in (2, 4, 6, 10):
            if value <= lead * power:
                return lead * power
        power *= 10
