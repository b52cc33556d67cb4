"""Targets, ratios, and when a target counts as met."""

from __future__ import annotations

import pytest

from flows.bench.lines import Bound, Line, Met, Reference, Target, median


def _line(
    bound: Bound,
    limit: float,
    measured: float | None,
    reference: float | None = None,
    *,
    more: bool = False,
    wrong: str = "",
    absent: Met | None = None,
) -> Line:
    return Line(
        work="work",
        target=Target(bound=bound, limit=limit),
        measured=measured,
        reference=Reference(name="reference", value=reference, more=more),
        wrong=wrong,
        absent=absent,
    )


@pytest.mark.parametrize(("measured", "met"), [(2.6, Met.YES), (2.7, Met.NO)])
def test_at_most_times_divides_by_the_reference(measured: float, met: Met) -> None:
    """A work may take the reference's time as often as the limit says, the limit included."""
    line = _line(Bound.AT_MOST_TIMES, 1.3, measured, 2.0)
    assert line.ratio == pytest.approx(measured / 2.0)
    assert line.met is met


@pytest.mark.parametrize(("reference", "met"), [(8.0, Met.YES), (7.9, Met.NO)])
def test_at_least_faster_divides_the_reference(reference: float, met: Met) -> None:
    """An alternative must take at least so many times as long."""
    line = _line(Bound.AT_LEAST_FASTER, 4, 2.0, reference)
    assert line.ratio == reference / 2.0
    assert line.met is met


@pytest.mark.parametrize(("measured", "met"), [(30.0, Met.YES), (30.1, Met.NO), (None, Met.UNKNOWN)])
def test_an_amount_needs_no_reference(measured: float | None, met: Met) -> None:
    """A target that is an amount is met or not by what was measured alone."""
    line = Line(work="work", target=Target(bound=Bound.AT_MOST, limit=30), measured=measured)
    assert line.met is met
    assert line.ratio is None


@pytest.mark.parametrize(("measured", "met"), [(2000.0, Met.YES), (1999.9, Met.NO), (None, Met.UNKNOWN)])
def test_an_amount_may_be_the_least(measured: float | None, met: Met) -> None:
    """A speed is met from its limit on; what it is compared with is only shown."""
    line = _line(Bound.AT_LEAST, 2000, measured, 4000.0)
    assert line.met is met
    assert line.target.words("rows/s") == "≥ 2000 rows/s"


@pytest.mark.parametrize("bound", [Bound.AT_MOST_TIMES, Bound.AT_LEAST_FASTER])
@pytest.mark.parametrize(("measured", "reference"), [(None, 1.0), (1.0, None), (None, None)])
def test_nothing_measured_is_never_met(bound: Bound, measured: float | None, reference: float | None) -> None:
    """Without a measurement or without its reference nobody can tell."""
    assert _line(bound, 4, measured, reference).met is Met.UNKNOWN


def test_a_reference_that_was_given_up_is_a_lower_bound() -> None:
    """What would have taken longer can prove that a target is met, never that it is missed."""
    assert _line(Bound.AT_LEAST_FASTER, 4, 100, 600, more=True).met is Met.YES
    assert _line(Bound.AT_LEAST_FASTER, 4, 200, 600, more=True).met is Met.UNKNOWN
    assert _line(Bound.AT_MOST_TIMES, 1.3, 700, 600, more=True).met is Met.YES
    assert _line(Bound.AT_MOST_TIMES, 1.3, 900, 600, more=True).met is Met.UNKNOWN


def test_a_wrong_answer_meets_no_target() -> None:
    """However fast it was, a work that answered wrongly misses its target."""
    assert _line(Bound.AT_MOST_TIMES, 1.3, 1, 1, wrong="found: 3 instead of 0").met is Met.NO


@pytest.mark.parametrize("absent", [Met.NOT_HERE, Met.NOT_INSTALLED])
def test_what_is_absent_is_said_to_be_absent(absent: Met) -> None:
    """A line that could not be measured at all says why."""
    assert _line(Bound.AT_MOST, 1, None, absent=absent).met is absent


@pytest.mark.parametrize(
    ("bound", "limit", "words"),
    [
        (Bound.AT_MOST_TIMES, 1.3, "≤ 1.3 \N{MULTIPLICATION SIGN}"),
        (Bound.AT_LEAST_FASTER, 4, "≥ 4 \N{MULTIPLICATION SIGN} faster"),
        (Bound.AT_MOST, 150, "≤ 150 MB"),
    ],
)
def test_a_target_says_what_it_promises(bound: Bound, limit: float, words: str) -> None:
    """A reader sees the limit and what it is about."""
    assert Target(bound=bound, limit=limit).words("MB") == words


def test_the_median_is_a_value_that_was_measured() -> None:
    """The middle one counts, the lower of two; one outlier moves nothing."""
    assert median([9.0, 1.0, 2.0]) == 2.0
    assert median([4.0, 3.0]) == 3.0
    with pytest.raises(ValueError, match="no value"):
        median([])
