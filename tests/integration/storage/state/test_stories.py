"""What the memory says about differences and checks over several nights."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.ledger import Identity, Sighting, sighting
from contracts.verdicts import DatasetReport, Explanation, History, SelfProof
from contracts.vocabulary import Cause, CheckStatus, DifferenceKind, StoreName, Verdict
from storage.state import State, open_state
from tests.support.runs import make_check, make_cluster, make_dataset, make_difference, make_run, night, run_id

A, B, C = (make_difference(key, "title", "content.body") for key in ("a", "b", "c"))


def _tonight(state: State, number: int, dataset: DatasetReport) -> DatasetReport:
    """Make run `number`: annotated, remembered, and annotated again to the same effect."""
    annotated = state.annotate(dataset, run_id=run_id(number), now=night(number))
    state.remember(make_run(number, annotated))
    assert state.annotate(dataset, run_id=run_id(number), now=night(number)) == annotated
    return annotated


def _counts(history: History) -> tuple[int | None, ...]:
    return (history.new, history.gone, history.persisting, history.returned)


def test_the_first_run_is_all_new(state: State) -> None:
    """There is no run before it, and nothing is gone."""
    report = _tonight(state, 1, make_dataset(A, B))
    assert _counts(report.history) == (2, 0, 0, 0)
    assert report.history.previous_run_id is None
    assert [(d.first_seen, d.runs_seen, d.returned) for d in report.differences] == [(night(1), 1, False)] * 2


def test_new_persisting_and_gone(state: State) -> None:
    """The second run is compared with the first, difference by difference."""
    _tonight(state, 1, make_dataset(A, B))
    report = _tonight(state, 2, make_dataset(B, C))
    assert report.history.previous_run_id == run_id(1)
    assert _counts(report.history) == (1, 1, 1, 0)
    assert [(d.key, d.first_seen, d.runs_seen) for d in report.differences] == [("b", night(1), 2), ("c", night(2), 1)]


def test_what_comes_back_is_told_so(state: State) -> None:
    """It is new again, keeps its first sight, and stays known as returned."""
    for number, differences in enumerate([(A,), (), (A,)], start=1):
        report = _tonight(state, number, make_dataset(*differences))
    assert _counts(report.history) == (1, 0, 0, 1)
    assert (report.differences[0].returned, report.differences[0].first_seen) == (True, night(1))
    report = _tonight(state, 4, make_dataset(A))
    assert _counts(report.history) == (0, 0, 1, 0)
    assert (report.differences[0].returned, report.differences[0].runs_seen) == (True, 2)


LACKED = replace(make_difference("d"), kind=DifferenceKind.ONLY_SECONDARY, fields=())
LOST = {
    False: LACKED,
    True: replace(LACKED, explanations=(Explanation(cause=Cause.WRITE_WINDOW, fields=()),)),
    None: replace(LACKED, searched=False),
}


@pytest.mark.parametrize(
    ("nights", "known"),
    [
        ((True, False), True),
        ((None, False), None),
        ((False, None), None),
        ((None, True, None, False), True),
        ((False, False), False),
        ((None, "gone", False), False),
        ((True, "gone", None), None),
    ],
    ids=str,
)
def test_what_was_or_may_have_been_lost_together_stays_so(
    state: State,
    nights: tuple[bool | str | None, ...],
    known: bool | None,  # noqa: FBT001
) -> None:
    """A later run sees fewer of those rows, and cannot tell any more; until it is gone."""
    for number, found in enumerate(nights, start=1):
        _tonight(state, number, make_dataset(*([] if isinstance(found, str) else [LOST[found]])))
    (one,) = state.repairs.open_differences("planning", run_id(len(nights)))
    assert one.lost_window is known


@pytest.mark.parametrize("kind", [DifferenceKind.ONLY_SECONDARY, DifferenceKind.DIFFERING], ids=str)
def test_what_a_run_could_not_settle_is_not_gone(state: State, kind: DifferenceKind) -> None:
    """What is known of a row stays so while it moves or its change is under way; unless both stores hold it by then."""
    other = make_difference("e", "title")
    _tonight(state, 1, make_dataset(LOST[True], other))
    moving = replace(make_dataset(), unsettled={"d": kind, "e": DifferenceKind.DIFFERING, "f": kind})
    report = _tonight(state, 2, moving)
    still = kind is DifferenceKind.ONLY_SECONDARY
    assert _counts(report.history) == (0, 0 if still else 1, 0, 0)
    report = _tonight(state, 3, make_dataset(LACKED, other))
    assert _counts(report.history) == ((0, 0, 2, 0) if still else (1, 0, 1, 1))
    lacked, differing = state.repairs.open_differences("planning", run_id(3))
    assert (lacked.runs_seen, lacked.lost_window) == ((2, True) if still else (1, False))
    assert (differing.key, differing.runs_seen) == ("e", 2)


def test_a_key_that_the_other_store_spells_otherwise_is_another_difference(state: State) -> None:
    """Its row is there: that it is missing is new when it begins, and what was seen before is gone."""
    spelt = replace(LACKED, explanations=(Explanation(cause=Cause.KEY_CASE, fields=("id",)),))
    for number in (1, 2):
        _tonight(state, number, make_dataset(spelt))
    (one,) = state.repairs.open_differences("planning", run_id(2))
    assert (one.fields, one.runs_seen, one.lost_window) == (("id",), 2, None)
    report = _tonight(state, 3, make_dataset(LACKED))
    assert _counts(report.history) == (1, 1, 0, 0)
    (one,) = state.repairs.open_differences("planning", run_id(3))
    assert (one.fields, one.runs_seen, one.lost_window) == ((), 1, False)


def test_a_run_that_looked_at_no_row_proves_no_agreement(state: State) -> None:
    """One that saw an empty side lists no key, and everything may differ all the same."""
    _tonight(state, 1, make_dataset())
    empty = replace(make_dataset(), verdict=Verdict.FAILED, differences_total=300)
    _tonight(state, 2, empty)
    _tonight(state, 3, make_dataset(A))
    assert [began for began, _ in state.looks.complete_runs("planning", night(1) - timedelta(days=1))] == [
        night(1),
        night(3),
    ]


def test_what_comes_back_three_times_is_flapping(state: State) -> None:
    """It is flapping from its third return on, within 30 days."""
    flapping = []
    for number in range(1, 8):
        report = _tonight(state, number, make_dataset(*([A] if number % 2 else [])))
        flapping += [difference.flapping for difference in report.differences]
    assert flapping == [False, False, False, True]
    known = state.flapping("planning", now=night(7))
    assert known == {sighting(A).identity}
    assert state.flapping("planning", now=night(33) + timedelta(days=1)) == frozenset()


@pytest.mark.parametrize("verdict", [Verdict.ERRORED, Verdict.INCOMPLETE])
def test_a_run_that_could_not_tell_closes_nothing(state: State, verdict: Verdict) -> None:
    """What it did not see is neither gone nor back; the next run goes on where the last good one stood."""
    _tonight(state, 1, make_dataset(A, B))
    blind = _tonight(state, 2, make_dataset(verdict=verdict))
    assert _counts(blind.history) == (None, None, None, None)
    report = _tonight(state, 3, make_dataset(A))
    assert report.history.previous_run_id == run_id(1)
    assert _counts(report.history) == (0, 1, 1, 0)
    assert (report.differences[0].runs_seen, report.differences[0].returned) == (2, False)
    assert [point.verdict for point in report.history.trend] == [Verdict.FAILED, verdict]


def test_a_failed_verdict_does_not_hide_that_the_run_was_incomplete(state: State) -> None:
    """What such a run saw counts; what it did not see is not gone."""
    _tonight(state, 1, make_dataset(A, B))
    half = _tonight(state, 2, make_dataset(B, C, verdict=Verdict.FAILED, reasons=[Verdict.FAILED, Verdict.INCOMPLETE]))
    assert _counts(half.history) == (1, None, 1, 0)
    report = _tonight(state, 3, make_dataset(A, B, C))
    assert _counts(report.history) == (0, 0, 3, 0)
    assert {d.key: d.first_seen for d in report.differences} == {"a": night(1), "b": night(1), "c": night(2)}


def test_other_fields_or_another_kind_are_another_difference(state: State) -> None:
    """The old one is gone and the new one is new, though the key is the same."""
    _tonight(state, 1, make_dataset(A))
    report = _tonight(state, 2, make_dataset(make_difference("a", "title")))
    assert _counts(report.history) == (1, 1, 0, 0)
    report = _tonight(state, 3, make_dataset(make_difference("a")))
    assert _counts(report.history) == (1, 1, 0, 0)


def test_a_run_is_taken_in_once(state: State) -> None:
    """Remembering it again, even with other contents, changes nothing."""
    _tonight(state, 1, make_dataset(A))
    state.remember(make_run(1, make_dataset(B, C)))
    report = _tonight(state, 2, make_dataset(A))
    assert _counts(report.history) == (0, 0, 1, 0)
    assert len(report.history.trend) == 1


def test_an_older_run_that_ends_late_does_not_turn_the_ledger_back(state: State) -> None:
    """It shows in the trend only, and its own report claims nothing."""
    _tonight(state, 1, make_dataset(A))
    _tonight(state, 3, make_dataset(A))
    late = state.annotate(make_dataset(B), run_id=run_id(2), now=night(2))
    assert _counts(late.history) == (None, None, None, None)
    state.remember(make_run(2, make_dataset(B)))
    report = _tonight(state, 4, make_dataset(A))
    assert (report.history.previous_run_id, _counts(report.history)) == (run_id(3), (0, 0, 1, 0))
    assert [point.run_id for point in report.history.trend] == [run_id(1), run_id(2), run_id(3)]


def test_counts_are_over_all_differences_not_over_the_listed_ones(state: State) -> None:
    """The report lists one of three; the ledger knows all three, and the cluster too."""
    found = (A, B, C)
    listed = make_dataset(A, total=3, clusters=[make_cluster(*found)])
    everything = [sighting(difference) for difference in found]
    first = state.annotate(listed, run_id=run_id(1), now=night(1), sightings=everything)
    assert (_counts(first.history), first.clusters[0].new) == ((3, 0, 0, 0), 3)
    state.remember(make_run(1, listed), sightings={"planning": everything})
    second = state.annotate(listed, run_id=run_id(2), now=night(2), sightings=iter(everything))
    assert _counts(second.history) == (0, 0, 3, 0)
    assert (second.clusters[0].new, second.clusters[0].oldest) == (0, night(1))


def test_a_list_that_was_cut_off_closes_nothing(state: State) -> None:
    """Without all differences at hand nothing is said to be new or gone."""
    _tonight(state, 1, make_dataset(A, B))
    cut = _tonight(state, 2, make_dataset(A, total=5000))
    assert _counts(cut.history) == (None, None, None, None)
    assert cut.differences[0].runs_seen == 2
    report = _tonight(state, 3, make_dataset(A, B))
    assert _counts(report.history) == (0, 0, 2, 0)


def test_checks_that_begin_and_cease_to_fail(state: State) -> None:
    """A check that errored or was skipped in between neither ceased nor began."""
    story = [CheckStatus.FAILED, CheckStatus.ERRORED, CheckStatus.FAILED, CheckStatus.WAIVED, CheckStatus.PASSED]
    told = []
    for number, status in enumerate(story, start=1):
        checks = [make_check("planning.title", status), make_check("planning.other", CheckStatus.PASSED)]
        history = _tonight(state, number, make_dataset(checks=checks)).history
        told.append((history.checks_new, history.checks_gone))
    title = ("planning.title",)
    assert told == [(title, ()), ((), ()), ((), ()), ((), ()), ((), title)]


def test_a_check_is_gone_only_when_no_store_fails_it(state: State) -> None:
    """It may begin to fail on the second store, though it failed on the first before."""
    left, right = StoreName.PRISMA, StoreName.SUPABASE
    failed, passed = CheckStatus.FAILED, CheckStatus.PASSED
    told = []
    for number, pair in enumerate([(failed, passed), (failed, failed), (passed, failed), (passed, passed)], start=1):
        checks = [make_check("x", status, store) for store, status in zip((left, right), pair, strict=True)]
        history = _tonight(state, number, make_dataset(checks=checks)).history
        told.append((history.checks_new, history.checks_gone))
    assert told == [(("x",), ()), (("x",), ()), ((), ()), ((), ("x",))]


def test_the_trend_has_thirty_runs_oldest_first(state: State) -> None:
    """Each point has the numbers of its run."""
    for number in range(1, 34):
        state.remember(make_run(number, make_dataset(rows=(number, number + 1))))
    trend = state.annotate(make_dataset(), run_id=run_id(34), now=night(34)).history.trend
    assert [point.rows_primary for point in trend] == list(range(4, 34))
    assert (trend[-1].run_id, trend[-1].started_at, trend[-1].rows_secondary) == (run_id(33), night(33), 34)


def test_row_counts_come_from_runs_that_looked_everywhere(state: State) -> None:
    """Errored and incomplete runs would teach a trend wrong numbers."""
    verdicts = [Verdict.PASSED, Verdict.ERRORED, Verdict.FAILED, Verdict.INCOMPLETE, Verdict.WARNED]
    for number, verdict in enumerate(verdicts, start=1):
        state.remember(make_run(number, make_dataset(verdict=verdict, rows=(number, number * 10))))
    assert state.row_counts("planning", StoreName.PRISMA) == (1, 3, 5)
    assert state.row_counts("planning", StoreName.SUPABASE, limit=2) == (30, 50)
    assert state.row_counts("unheard", StoreName.PRISMA) == ()


def test_two_environments_share_a_database_and_nothing_else(state_url: str) -> None:
    """The same dataset of another pair of stores has its own history."""
    with open_state(state_url, environment="staging") as staging, open_state(state_url) as production:
        _tonight(staging, 1, make_dataset(A))
        assert _counts(_tonight(production, 2, make_dataset(A)).history) == (1, 0, 0, 0)


def test_a_memory_that_is_not_durable_knows_nothing() -> None:
    """History is unknown, not empty, also within the process."""
    with open_state(None) as state:
        assert not state.durable
        state.remember(make_run(1, make_dataset(A)))
        report = make_dataset(A)
        assert state.annotate(report, run_id=run_id(2), now=night(2)) == report


def test_old_runs_and_what_is_long_gone_are_forgotten(state: State) -> None:
    """The newest run stays, and so does what is open."""
    for number, differences in enumerate([(A, B), (B,), (B,), (B,)], start=1):
        _tonight(state, number, make_dataset(*differences))
    assert state.prune(now=night(4), keep_runs=2) == 2
    assert [p.run_id for p in _tonight(state, 5, make_dataset(A, B)).history.trend] == [run_id(3), run_id(4)]
    assert state.prune(now=night(1000), keep_days=10) == 2
    report = _tonight(state, 1001, make_dataset(A, B))
    assert report.history.previous_run_id == run_id(5)
    assert _counts(report.history) == (0, 0, 2, 0)


def test_what_is_long_gone_comes_back_as_new(state: State) -> None:
    """A difference that was forgotten is not called returned."""
    _tonight(state, 1, make_dataset(A))
    _tonight(state, 2, make_dataset())
    state.prune(now=night(500))
    report = _tonight(state, 501, make_dataset(A))
    assert (_counts(report.history), report.differences[0].first_seen) == ((1, 0, 0, 0), night(501))


def test_keys_deferred_in_three_runs_in_a_row(state: State) -> None:
    """A run without a key ends its row; asking again for a run changes nothing; an older run is not believed."""
    assert state.deferred("planning", ["a", "b"], run_id(1)) == frozenset()
    assert state.deferred("planning", ["a", "b"], run_id(2)) == frozenset()
    assert state.deferred("planning", ["a"], run_id(3)) == {"a"}
    assert state.deferred("planning", ["a"], run_id(3)) == {"a"}
    assert state.deferred("planning", ["b"], run_id(1)) == frozenset()
    assert state.deferred("planning", ["a", "b"], run_id(4)) == {"a"}
    assert state.deferred("planning", [], run_id(5)) == frozenset()
    assert state.deferred("planning", ["a"], run_id(6)) == frozenset()


@pytest.mark.soak
def test_a_hundred_thousand_differences_take_seconds(state: State) -> None:
    """They are read and written in bulk; a statement per difference would take minutes."""
    cause = (Explanation(cause=Cause.MISSING_ROW, fields=()),)
    seen = [
        Sighting(identity=Identity(key=f"{n:08x}", kind=DifferenceKind.ONLY_PRIMARY), explanations=cause)
        for n in range(100_000)
    ]
    report = make_dataset(verdict=Verdict.FAILED, total=len(seen))
    started = time.perf_counter()
    for number in (1, 2):
        annotated = state.annotate(report, run_id=run_id(number), now=night(number), sightings=seen)
        state.remember(make_run(number, annotated), sightings={"planning": seen})
    assert _counts(annotated.history) == (0, 0, 100_000, 0)
    assert time.perf_counter() - started < 120


def _proven(audited: int, form: str = "one") -> DatasetReport:
    return replace(make_dataset(), proof=SelfProof(planted=30, audited=audited, form=form))


def test_audits_add_up_over_the_runs(state: State) -> None:
    """The second run counts the rows of the first, and says since when; a run that compared nothing changes nothing."""
    first = _tonight(state, 1, _proven(200)).proof
    assert first is not None
    assert (first.total, first.since, first.bound) == (200, night(1), 0.015)
    assert _tonight(state, 2, make_dataset()).proof is None
    third = _tonight(state, 3, _proven(100)).proof
    assert third is not None
    assert (third.total, third.since, third.bound) == (300, night(1), 0.01)


def test_audits_of_rows_that_were_read_otherwise_do_not_count(state: State) -> None:
    """A new way of reading or hashing rows begins its audits anew."""
    _tonight(state, 1, _proven(200))
    report = _tonight(state, 2, _proven(50, form="another"))
    assert report.proof is not None
    assert (report.proof.total, report.proof.since) == (50, night(2))


def test_without_a_durable_memory_no_audit_is_added_up() -> None:
    """Only this run's own sample is known then."""
    with open_state(None) as state:
        proof = state.annotate(_proven(200), run_id=run_id(1), now=night(1)).proof
    assert proof is not None
    assert (proof.total, proof.bound) == (None, 0.015)
