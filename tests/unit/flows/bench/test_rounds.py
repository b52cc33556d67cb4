"""Works in turns, and what their series say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from flows.bench.rounds import Sample, Series, Work, in_turns, timed


def _work(samples: Iterable[Sample], name: str, log: list[str]) -> Work:
    answers: Iterator[Sample] = iter(samples)

    def run() -> Sample:
        log.append(name)
        return next(answers)

    return run


def _samples(*seconds: float) -> list[Sample]:
    return [Sample(seconds=s, facts={"found": s * 10}) for s in seconds]


def test_works_take_turns_and_the_warm_up_does_not_count() -> None:
    """Each round runs every work once; the median is taken over the rounds after the first."""
    log: list[str] = []
    works = {"a": _work(_samples(99, 1, 3, 2), "a", log), "b": _work(_samples(99, 5, 5, 7), "b", log)}
    told: list[str] = []
    series = in_turns(works, rounds=3, progress=told.append)
    assert log == ["a", "b"] * 4
    assert (series["a"].seconds, series["b"].seconds) == (2, 5)
    assert series["a"].fact("found") == 20
    assert told[:3] == ["a, warm-up", "b, warm-up", "a, 1 of 3"]


def test_without_rounds_the_warm_up_counts() -> None:
    """A quick look runs everything once."""
    series = in_turns({"a": _work(_samples(4), "a", [])}, rounds=0, progress=lambda _: None)
    assert series["a"].seconds == 4


def test_a_work_that_fails_is_not_run_again_and_has_no_time() -> None:
    """One failure spoils the series: the times of other rounds are not shown for it."""
    log: list[str] = []
    works = {"a": _work([*_samples(1, 1), Sample(trouble="ended with exit code 1")], "a", log)}
    series = in_turns(works, rounds=3, progress=lambda _: None)["a"]
    assert len(log) == 3
    assert series.seconds is None
    assert series.trouble == "ended with exit code 1"
    assert series.reference("rival").name == "rival (ended with exit code 1)"
    assert series.reference("rival").value is None


def test_a_work_that_was_given_up_is_a_lower_bound() -> None:
    """As a reference it stands for the limit that it exceeded."""
    reference = Series((Sample(gave_up_s=600, trouble="not done after 600 s"),)).reference("rival")
    assert (reference.name, reference.value, reference.more) == ("rival", 600, True)


def test_a_fact_must_hold_in_every_round() -> None:
    """One wrong answer among right ones is a wrong answer; no answer is no right one."""
    assert Series(tuple(_samples(1, 1))).always("found", 10)
    assert not Series(tuple(_samples(1, 2))).always("found", 10)
    assert not Series(tuple(_samples(1))).always("equal", 1)
    assert not Series().always("found", 10)


def test_timing_returns_what_was_done() -> None:
    """The result comes with the seconds that it took."""
    seconds, result = timed(lambda: "done")
    assert seconds >= 0
    assert result == "done"
