"""The trend charts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from contracts.verdicts import History, TrendPoint
from contracts.vocabulary import Verdict
from reports.charts import BOTTOM, HEIGHT, POINTS_MAX, TOP, differences_chart, rows_chart, trend
from tests.support.factories import STARTED, make_dataset, make_report
from tests.support.troubled_report import make_failed_report


def point(day: float, **rest: Any) -> TrendPoint:
    """Return a run so many days before this one."""
    values: dict[str, Any] = {"verdict": Verdict.PASSED, "differences": 0, "rows_primary": 10, "rows_secondary": 10}
    return TrendPoint(run_id=f"run-{day}", started_at=STARTED - timedelta(days=day), **values | rest)


def test_this_run_is_the_last_point_once() -> None:
    """The run of the report ends the trend, whether the history already holds it or not."""
    report = make_report()
    dataset = make_dataset(history=History(trend=(point(1), replace(point(0), run_id=report.run_id))))
    assert [p.run_id for p in trend(dataset, report)] == ["run-1", report.run_id]
    many = make_dataset(history=History(trend=tuple(point(200 - n) for n in range(200))))
    assert len(trend(many, report)) == POINTS_MAX


def test_everything_is_drawn_inside_the_chart() -> None:
    """Bars, dots and ticks stay within the frame for a realistic history and for extreme values."""
    report = make_failed_report()
    realistic = trend(report.datasets[0], report)
    extreme = [point(2, rows_primary=0, rows_secondary=10**12), point(1, differences=10**9)]
    for points in (realistic, extreme, [point(0)]):
        for chart in (differences_chart(points), rows_chart(points)):
            assert all(TOP <= m.y <= HEIGHT - BOTTOM for m in chart.marks)
            assert all(TOP <= t.y <= HEIGHT - BOTTOM for t in chart.ticks)
            ys = [float(pair.split(",")[1]) for line in chart.lines for pair in line.split()]
            assert all(TOP <= y <= HEIGHT - BOTTOM for y in ys)


def test_axes_are_round_and_rows_do_not_start_at_zero() -> None:
    """A loss of five rows in five thousand is visible, on round labels."""
    points = [point(2, rows_primary=5_000, rows_secondary=5_000), point(1, rows_primary=5_000, rows_secondary=4_995)]
    assert [t.label for t in rows_chart(points).ticks] == ["4,994", "4,997", "5,001"]
    assert [t.label for t in differences_chart([point(0, differences=467)]).ticks] == ["0", "300", "600"]


def test_a_run_without_differences_stays_visible() -> None:
    """Zero is drawn as a stub, and every bar says its run in words."""
    (mark,) = differences_chart([point(0)]).marks
    assert mark.height > 0
    assert mark.title == "2026-03-14 02:00:00 UTC: passed, 0 differences, 10 and 10 rows"
    assert mark.current


def test_missing_runs_are_visible() -> None:
    """A pause far longer than usual is marked; too short a history tells nothing about what is usual."""
    nightly = [point(day) for day in (9, 8, 7, 3, 2, 1)]
    ((_, words),) = differences_chart(nightly).gaps
    assert words == "no run for 4 d 0 h"
    assert differences_chart(nightly[:3]).gaps == ()
    quick = [point(day / 10_000) for day in (9, 8, 7, 3, 2, 1)]
    assert differences_chart(quick).gaps == ()


def test_a_clock_that_went_back_does_no_harm() -> None:
    """Runs out of order are drawn in the order of the history."""
    assert differences_chart([point(1), point(2), point(3), point(0)]).gaps
