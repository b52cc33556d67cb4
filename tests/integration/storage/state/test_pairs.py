"""What was seen in other databases says nothing about these, whatever name they share."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from contracts.repair import Ended, Mode, Repair
from contracts.verdicts import DatasetReport, Explanation, History, SelfProof
from contracts.vocabulary import Cause, CheckStatus, DifferenceKind, StoreName, Verdict
from storage.state import State
from storage.state.pairs import LEFT_OUT, NOTES, Kin
from tests.support.runs import make_check, make_dataset, make_difference, make_run, night, run_id

PRISMA, SUPABASE = StoreName
OURS, OTHERS = ("id-1", "id-2"), ("id-1", "id-3")
ROWS = ("id-1", "at https://project.example")
A, B, C = (make_difference(key, "title") for key in ("a", "b", "c"))
LOST = replace(
    make_difference("d"),
    kind=DifferenceKind.ONLY_SECONDARY,
    fields=(),
    explanations=(Explanation(cause=Cause.WRITE_WINDOW, fields=()),),
)
BROKEN = make_check("planning.title_not_blank", CheckStatus.FAILED)
REPAIR = Repair(
    id="one",
    dataset="planning",
    environment="default",
    mode=Mode.UPSERT_ONLY,
    plan_hash="00",
    made_at=night(1),
    run_id=run_id(1),
    steps=1,
    left=0,
    ended=Ended.PARTLY,
    ended_at=night(1),
)


def _tonight(state: State, number: int, dataset: DatasetReport) -> DatasetReport:
    """Make run `number`: annotated, remembered, and annotated again to the same effect."""
    annotated = state.annotate(dataset, run_id=run_id(number), now=night(number))
    state.remember(make_run(number, annotated))
    assert state.annotate(dataset, run_id=run_id(number), now=night(number)) == annotated
    return annotated


def _runs_seen(state: State, number: int) -> dict[str, int]:
    return {one.key: one.runs_seen for one in state.repairs.open_differences("planning", run_id(number))}


def test_other_databases_begin_a_new_history(state: State) -> None:
    """Nothing is old, gone or repaired, and nothing that forbade a repair of the others forbids one of these."""
    proof = SelfProof(audited=100, form="text")
    broken = replace(make_dataset(A, B, checks=[BROKEN], known_as=OURS), proof=proof)
    _tonight(state, 1, broken)
    _tonight(state, 2, broken)
    state.repairs.plan(replace(REPAIR, ended=Ended.BEGUN))
    state.repairs.end(REPAIR, unsteady={"a": "Something writes it."})
    there = _tonight(state, 3, replace(broken, stores=make_dataset(known_as=OTHERS).stores))
    assert there.notes == (NOTES[Kin.OTHER],)
    told = there.history
    assert (told.previous_run_id, told.new, told.gone, told.persisting, told.returned) == (None, 2, 0, 0, 0)
    assert (told.checks_new, told.checks_gone) == ((BROKEN.id,), ())
    assert [(one.first_seen, one.runs_seen) for one in there.differences] == [(night(3), 1)] * 2
    assert there.proof is not None
    assert (there.proof.total, there.proof.since) == (100, night(3))
    assert (_runs_seen(state, 3), state.repairs.came_back("planning")) == ({"a": 1, "b": 1}, {})
    assert _tonight(state, 4, replace(broken, stores=there.stores)).notes == ()
    assert _runs_seen(state, 4) == {"a": 2, "b": 2}


def test_only_runs_since_others_were_looked_at_prove_an_agreement(state: State) -> None:
    """Going back to the first databases is a new history, too: what was seen of them before is not kept."""
    for number, pair in enumerate((OURS, OTHERS, OURS, OURS), start=1):
        _tonight(state, number, make_dataset(known_as=pair))
    proven = state.looks.complete_runs("planning", night(0))
    assert [began for began, _ in proven] == [night(3), night(4)]
    assert state.looks.reach("planning") == (OURS, run_id(2))
    assert [state.looks.pair("planning", run_id(number)) for number in (1, 2)] == [OURS, OTHERS]


@pytest.mark.parametrize(
    ("before", "now"), [(("", ""), OURS), (("id-1", ""), ("id-1", "")), (ROWS, OURS), (ROWS, ("id-1", "at elsewhere"))]
)
def test_where_nothing_proves_that_they_are_the_same_only_what_forbids_something_is_kept(
    state: State, before: tuple[str, str], now: tuple[str, str]
) -> None:
    """Ages and lost times stay, but how many runs saw a row missing is counted anew; a memory of old says nothing."""
    for number in (1, 2):
        _tonight(state, number, make_dataset(A, LOST, known_as=before))
    report = _tonight(state, 3, make_dataset(A, LOST, known_as=now))
    assert report.notes == (NOTES[Kin.UNPROVEN],)
    assert (report.history.persisting, report.history.gone, report.differences[0].first_seen) == (2, 0, night(1))
    assert [(one.runs_seen, one.lost_window) for one in state.repairs.open_differences("planning", run_id(3))] == [
        (1, False),
        (1, True),
    ]
    assert [began for began, _ in state.looks.complete_runs("planning", night(0))] == ([night(3)] if all(now) else [])


def test_a_store_without_an_id_is_known_by_where_it_is(state: State) -> None:
    """Over REST without our functions nothing else tells; its history goes on."""
    for number in (1, 2, 3):
        report = _tonight(state, number, make_dataset(A, known_as=ROWS))
        assert (report.notes, _runs_seen(state, number)) == ((), {"a": number})


@pytest.mark.parametrize("unknown", [("id-1", "at https://project.example"), ("", "")])
def test_a_run_without_an_id_between_hides_no_other_databases(state: State, unknown: tuple[str, str]) -> None:
    """Each step alone proves nothing; that the ids of the first and of the last differ does, and does so but once."""
    for number, pair in enumerate((OURS, unknown, OURS, unknown), start=1):
        assert _tonight(state, number, make_dataset(A, B, known_as=pair)).notes != (NOTES[Kin.OTHER],)
    there = _tonight(state, 5, make_dataset(A, known_as=OTHERS))
    assert there.notes == (NOTES[Kin.OTHER],)
    told = (there.history.persisting, there.history.gone, there.differences[0].first_seen)
    assert (told, _runs_seen(state, 5)) == ((0, 0, night(5)), {"a": 1})
    for number, pair in enumerate((unknown, OTHERS), start=6):
        assert _tonight(state, number, make_dataset(A, known_as=pair)).notes == (NOTES[Kin.UNPROVEN],)


def test_an_id_of_before_a_new_history_says_nothing(state: State) -> None:
    """The id of one side that the history of earlier databases showed is not that of the databases that followed."""
    for number, pair in enumerate((OURS, ("id-9", "at https://project.example")), start=1):
        notes = _tonight(state, number, make_dataset(A, known_as=pair)).notes
    assert notes == (NOTES[Kin.OTHER],)
    assert _tonight(state, 3, make_dataset(A, known_as=("id-9", "id-3"))).notes == (NOTES[Kin.UNPROVEN],)


def test_rows_that_other_databases_held_are_no_trend(state: State) -> None:
    """Each store counts for itself; one without an id may be any, but for those of before the last id."""
    nights = ((OURS, 10), (OTHERS, 20), (ROWS, 30), (OURS, 40))
    drawn = []
    for number, (pair, rows) in enumerate(nights, start=1):
        told = _tonight(state, number, make_dataset(rows=(rows, rows + 1), known_as=pair))
        drawn.append([point.rows_secondary for point in told.history.trend])
    assert drawn == [[], [], [21], [11, 31]]
    counts = partial(state.row_counts, "planning")
    assert counts(PRISMA, known_as="id-1") == (10, 20, 30, 40)
    assert counts(PRISMA, known_as="id-9") == ()
    assert counts(SUPABASE, known_as="id-3") == (21, 31)
    assert counts(SUPABASE, known_as="id-2") == (11, 31, 41)
    assert counts(SUPABASE, known_as="at https://project.example") == (11, 31, 41)
    assert counts(SUPABASE, known_as="id-2", limit=2) == (31, 41)


def test_keys_that_moved_in_other_databases_do_not_count(state: State) -> None:
    """Deferred twice there and once here is not three times in a row; three times here is."""
    never_still = []
    for number, pair in enumerate((OURS, OURS, OTHERS, OTHERS, OTHERS), start=1):
        dataset = make_dataset(known_as=pair)
        told = partial(state.deferred, "planning", ["a"], run_id(number), stores=dataset.stores)
        never_still.append(told())
        _tonight(state, number, dataset)
        assert told() == never_still[-1]
    assert never_still == [frozenset()] * 4 + [{"a"}]


def test_a_blind_look_at_other_databases_changes_nothing(state: State) -> None:
    """It saw nothing there, and says so, so that what is known of the first ones still stands."""
    for number in (1, 2):
        _tonight(state, number, make_dataset(A, checks=[BROKEN], known_as=OURS))
    blind = _tonight(state, 3, make_dataset(checks=[BROKEN], verdict=Verdict.INCOMPLETE, known_as=OTHERS))
    assert (blind.notes, blind.history) == ((LEFT_OUT,), History(trend=blind.history.trend))
    report = _tonight(state, 4, make_dataset(A, checks=[BROKEN], known_as=OURS))
    assert (report.notes, report.history.persisting, report.history.checks_new) == ((), 1, ())
    assert _runs_seen(state, 4) == {"a": 3}


def test_a_run_that_could_not_look_claims_no_new_count(state: State) -> None:
    """A server that was down for a night keeps nothing from being repaired, and the report does not say so."""
    for number in (1, 2):
        _tonight(state, number, make_dataset(A, known_as=OURS))
    assert _tonight(state, 3, make_dataset(verdict=Verdict.ERRORED, known_as=("id-1", ""))).notes == ()
    assert _tonight(state, 4, make_dataset(A, known_as=OURS)).notes == ()
    assert _runs_seen(state, 4) == {"a": 3}
