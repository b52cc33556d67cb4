"""Ages, flapping and clusters, from entries of the ledger alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts.ledger import sighting
from contracts.vocabulary import Cause, Verdict
from storage.state.history import Entry, Tally, age, is_flapping, looked_everywhere
from tests.support.runs import make_cluster, make_dataset, make_difference, night, run_id


def _entry(
    *, opened: int = 1, last: int = 2, openings: int = 1, gone: bool = False, returns: tuple[int, ...] = ()
) -> Entry:
    return Entry(
        id=1,
        first_seen=night(1),
        opened_run_id=run_id(opened),
        last_run_id=run_id(last),
        runs_seen=last - opened + 1,
        openings=openings,
        returns=tuple(night(number) for number in returns),
        gone=gone,
    )


def test_what_was_never_seen_is_new() -> None:
    """It is first seen now."""
    known = age(None, run_id=run_id(3), now=night(3))
    assert (known.new, known.returned, known.runs_seen, known.first_seen) == (True, False, 1, night(3))


def test_what_is_open_persists() -> None:
    """It keeps its first sight and counts one run more."""
    known = age(_entry(), run_id=run_id(3), now=night(3))
    assert (known.new, known.returned, known.runs_seen, known.first_seen) == (False, False, 3, night(1))


def test_what_was_gone_comes_back() -> None:
    """It is new again, keeps its first sight and begins a new row of runs."""
    known = age(_entry(gone=True), run_id=run_id(4), now=night(4))
    assert (known.new, known.returned_now, known.returned, known.runs_seen) == (True, True, True, 1)
    assert known.first_seen == night(1)


def test_a_run_that_was_taken_in_gets_the_same_answer() -> None:
    """Its own trace in the ledger is not taken for an earlier run's."""
    opened_now = _entry(opened=3, last=3)
    assert age(opened_now, run_id=run_id(3), now=night(3)).new
    assert not age(opened_now, run_id=run_id(3), now=night(3)).returned
    assert age(_entry(opened=3, last=3, openings=2), run_id=run_id(3), now=night(3)).returned_now
    assert age(_entry(opened=1, last=3), run_id=run_id(3), now=night(3)).runs_seen == 3


def test_what_came_back_once_is_still_told_so_later() -> None:
    """In later runs it persists, and is known to have been gone."""
    known = age(_entry(opened=4, last=4, openings=2), run_id=run_id(5), now=night(5))
    assert (known.new, known.returned_now, known.returned) == (False, False, True)


def test_three_returns_within_30_days_are_flapping() -> None:
    """Two are not, and neither are three over a longer time; the thirtieth day counts."""
    assert is_flapping([night(9), night(6), night(3)], night(9))
    assert not is_flapping([night(9), night(6)], night(9))
    assert is_flapping([night(40), night(20), night(10)], night(40))
    assert not is_flapping([night(40), night(20), night(10)], night(40) + timedelta(seconds=1))


def test_the_return_of_this_run_counts_as_flapping() -> None:
    """Two returns in the ledger and one now make three."""
    known = age(_entry(gone=True, openings=3, returns=(6, 3)), run_id=run_id(9), now=night(9))
    assert known.flapping


@pytest.mark.parametrize(
    ("verdict", "reasons", "everywhere"),
    [
        (Verdict.PASSED, [], True),
        (Verdict.WARNED, [Verdict.WARNED], True),
        (Verdict.FAILED, [Verdict.FAILED], True),
        (Verdict.FAILED, [Verdict.FAILED, Verdict.INCOMPLETE], False),
        (Verdict.FAILED, [Verdict.FAILED, Verdict.ERRORED], False),
        (Verdict.INCOMPLETE, [], False),
        (Verdict.ERRORED, [], False),
    ],
)
def test_only_a_run_without_gaps_looked_everywhere(
    verdict: Verdict,
    reasons: list[Verdict],
    *,
    everywhere: bool,
) -> None:
    """A failed verdict does not hide that something was incomplete or errored."""
    assert looked_everywhere(make_dataset(verdict=verdict, reasons=reasons)) is everywhere


def test_a_cluster_tells_what_is_new_in_it() -> None:
    """Members count by cause and detail; another detail with the same fields is another cluster."""
    late = [make_difference(key, "created_at", cause=Cause.TIME_ZONE_SHIFT, detail="9 h later") for key in "ab"]
    early = [make_difference(key, "created_at", cause=Cause.TIME_ZONE_SHIFT, detail="1 h earlier") for key in "cde"]
    tally = Tally(())
    for difference in (*late, *early):
        tally.add(
            sighting(difference), age(_entry() if difference.key in "ac" else None, run_id=run_id(3), now=night(3))
        )
    by_key = {difference.key: sighting(difference) for difference in (*late, *early)}
    told = [tally.clustered(make_cluster(*members), by_key) for members in (late, early)]
    assert [(cluster.new, cluster.oldest) for cluster in told] == [(1, night(1)), (2, night(1))]
    assert (tally.new, tally.persisting) == (3, 2)


def test_a_cluster_whose_members_are_not_all_known_stays_unknown() -> None:
    """Better no number than a wrong one."""
    member = make_difference("a", "title", cause=Cause.TEXT_CASE)
    cluster = make_cluster(member, make_difference("b", "title", cause=Cause.TEXT_CASE))
    tally = Tally(())
    tally.add(sighting(member), age(None, run_id=run_id(1), now=night(1)))
    assert tally.clustered(cluster, {"a": sighting(member)}) == cluster
    assert tally.clustered(cluster, {}) == cluster


def test_a_difference_that_was_not_counted_keeps_its_unknown_age() -> None:
    """Nothing is invented for it."""
    difference = make_difference("a", "title")
    assert Tally([difference]).dated(difference) == difference
