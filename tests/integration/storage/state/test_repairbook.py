"""What the memory keeps of repairs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from contracts.errors import Conflict
from contracts.repair import Ended, Mended, Mode, Override, Repair
from contracts.verdicts import DatasetReport, Difference
from contracts.vocabulary import Verdict
from storage.state import State
from tests.support.factories import make_dataset, make_difference, make_report

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
PLAN = Repair(
    id="20260304T050607000Z-aaaa",
    dataset="planning",
    environment="default",
    mode=Mode.UPSERT_ONLY,
    plan_hash="ab" * 32,
    made_at=NOW,
    run_id="20260304T050000000Z-bbbb",
    steps=3,
    left=2,
    ended=Ended.PLANNED,
)


NOTHING = (0, 0, 0, 0, ())


def test_a_plan_is_remembered_as_it_was_made(state: State) -> None:
    """What is asked for by id is what was noted, and nothing is known of any other id."""
    state.repairs.plan(PLAN)
    assert state.repairs.get(PLAN.id) == PLAN
    assert state.repairs.get("another") is None


def test_a_repair_that_was_begun_twice_tells_of_the_last_time(state: State) -> None:
    """One that was killed and goes on writes now; who approved it last is named."""
    state.repairs.plan(PLAN)
    released = Override(brake="rows", value=3, by="ada")
    state.repairs.begin(PLAN.id, by="ada", overrides=[], now=NOW)
    state.repairs.begin(PLAN.id, by="bob", overrides=[released], now=NOW + timedelta(hours=1))
    found = state.repairs.get(PLAN.id)
    expected = replace(PLAN, ended=Ended.BEGUN, approved_by="bob", overrides=(released,))
    assert found == replace(expected, begun_at=NOW + timedelta(hours=1))


def test_the_end_of_a_repair_says_which_keys_did_not_stay_repaired(state: State) -> None:
    """A key that did not stay so is kept with the reason until a later repair of it stays."""
    state.repairs.plan(PLAN)
    ended = replace(
        PLAN,
        ended=Ended.PARTLY,
        ended_at=NOW,
        outcomes={Mended.WRITTEN: 2, Mended.MOVED: 1},
        agree=1,
        unconverged=1,
    )
    state.repairs.end(ended, steady=["k1"], unsteady={"k2": "A trigger changes `title`."})
    assert state.repairs.get(PLAN.id) == ended
    assert state.repairs.came_back("planning") == {"k2": "A trigger changes `title`."}
    assert state.repairs.came_back("other") == {}
    with pytest.raises(Conflict, match="Somebody else ended repair"):
        state.repairs.end(replace(ended, ended=Ended.REPAIRED), unsteady={"k3": "It slept until the other had ended."})
    with pytest.raises(Conflict, match="Somebody else ended repair"):
        state.repairs.begin(PLAN.id, by="ada", overrides=[], now=NOW)
    assert (state.repairs.get(PLAN.id), set(state.repairs.came_back("planning"))) == (ended, {"k2"})
    later = replace(PLAN, id="20260304T060000000Z-dddd")
    state.repairs.plan(later)
    state.repairs.end(replace(later, ended=Ended.REPAIRED), steady=["k2"])
    assert state.repairs.came_back("planning") == {}


def test_keys_are_forgotten_when_that_is_asked_for(state: State) -> None:
    """What is forgotten is counted; keys that are not known do not count."""
    state.repairs.plan(PLAN)
    state.repairs.end(replace(PLAN, ended_at=NOW), unsteady={"k2": "why", "k3": "why"})
    assert state.repairs.forget("planning", ["k2", "k9"]) == 1
    assert set(state.repairs.came_back("planning")) == {"k3"}


def test_an_undo_that_took_everything_back_marks_the_other_repair(state: State) -> None:
    """The repair that was taken back counts as undone; one that was taken back in part does not."""
    undo = replace(PLAN, id="20260304T060000000Z-cccc", mode=Mode.UNDO, undoes=PLAN.id)
    later = replace(undo, id="20260304T070000000Z-cccc")
    state.repairs.plan(replace(PLAN, ended=Ended.REPAIRED))
    for again in (undo, later):
        state.repairs.plan(again)
    state.repairs.end(replace(undo, ended=Ended.PARTLY))
    before = state.repairs.get(PLAN.id)
    assert before is not None
    assert before.ended is Ended.REPAIRED
    state.repairs.end(replace(later, ended=Ended.REPAIRED), took_back=True)
    after = state.repairs.get(PLAN.id)
    assert after is not None
    assert after.ended is Ended.UNDONE


def test_what_an_undo_took_back_stands_again_when_the_undo_is_taken_back(state: State) -> None:
    """The repair is again what it was before, whether it was whole or not; taken back once more, it is undone."""
    for was in (Ended.PARTLY, Ended.REPAIRED, Ended.BEGUN):
        names = [PLAN.id, *(f"2026030{day}T060000000Z-cccc" for day in (5, 6, 7))]
        repairs = [replace(PLAN, ended=was)]
        repairs += [
            replace(PLAN, id=one, mode=Mode.UNDO, undoes=undone, ended=Ended.REPAIRED, outcomes={Mended.WRITTEN: 1})
            for undone, one in pairwise(names)
        ]
        seen = []
        for one in repairs:
            state.repairs.plan(replace(one, ended=Ended.BEGUN))
            state.repairs.end(one, took_back=one.undoes is not None)
            seen.append([found.ended for found in state.repairs.list()][::-1])
        taken, whole = Ended.UNDONE, Ended.REPAIRED
        assert seen == [[was], [taken, whole], [was, taken, whole], [taken, whole, taken, whole]]
        state.repairs.prune(now=NOW + timedelta(days=9), kept=timedelta())


def test_a_repair_stands_again_when_a_part_of_its_undo_is_taken_back(state: State) -> None:
    """Nothing that is repaired counts as undone: it could not be taken back any more."""
    undo = replace(PLAN, id="20260305T060000000Z-cccc", mode=Mode.UNDO, undoes=PLAN.id)
    again = replace(undo, id="20260306T060000000Z-cccc", undoes=undo.id)
    for outcomes, wrote in (({Mended.WRITTEN: 1, Mended.MOVED: 1}, False), ({Mended.UNCLEAR: 1}, False), ({}, True)):
        for one in (replace(PLAN, ended=Ended.REPAIRED), undo, again):
            state.repairs.plan(one)
        state.repairs.end(replace(undo, ended=Ended.REPAIRED), took_back=True)
        state.repairs.end(replace(again, ended=Ended.PARTLY, outcomes=outcomes), wrote=wrote)
        endings = {one.id: one.ended for one in state.repairs.list()}
        assert endings == {PLAN.id: Ended.REPAIRED, undo.id: Ended.REPAIRED, again.id: Ended.PARTLY}


def test_a_repair_of_which_nothing_is_left_counts_as_taken_back(state: State) -> None:
    """Whoever brought its rows back; what it had taken back itself stands again."""
    undo = replace(PLAN, id="20260305T060000000Z-cccc", mode=Mode.UNDO, undoes=PLAN.id)
    state.repairs.plan(replace(PLAN, ended=Ended.PARTLY))
    state.repairs.plan(undo)
    state.repairs.end(replace(undo, ended=Ended.REPAIRED), took_back=True)
    seen = []
    for taken in (undo.id, PLAN.id):
        state.repairs.taken_back(taken)
        seen.append([one.ended for one in state.repairs.list()])
    assert seen == [[Ended.UNDONE, Ended.PARTLY], [Ended.UNDONE, Ended.UNDONE]]


def test_what_was_read_later_changes_no_ending(state: State) -> None:
    """Whoever looked while a repair was ended or taken back notes what they saw, and nothing that they knew before."""
    state.repairs.plan(PLAN)
    state.repairs.begin(PLAN.id, by="ada", overrides=[], now=NOW)
    read = state.repairs.get(PLAN.id)
    assert read is not None
    state.repairs.end(replace(read, ended=Ended.REPAIRED, ended_at=NOW, agree=3))
    seen = replace(read, agree=2, unconverged=1)
    noted = state.repairs.verified(seen, now=NOW, steady=[], unsteady={"k2": "why"})
    assert (noted.ended, noted.ended_at, noted.agree, noted.unconverged) == (Ended.REPAIRED, NOW, 2, 1)
    assert state.repairs.came_back("planning") == {"k2": "why"}
    undo = replace(PLAN, id="20260305T060000000Z-cccc", mode=Mode.UNDO, undoes=PLAN.id)
    state.repairs.plan(undo)
    state.repairs.end(undo, took_back=True)
    noted = state.repairs.verified(replace(seen, agree=0), now=NOW, steady=["k2"], unsteady={"k3": "why"})
    assert (noted.ended, noted.agree, noted) == (Ended.UNDONE, 2, state.repairs.get(PLAN.id))
    assert state.repairs.came_back("planning") == {"k2": "why"}


def test_what_was_done_lately_is_counted(state: State) -> None:
    """Steps that were written, or may have been; not what was only planned, taken back, released or is long ago."""
    done = replace(PLAN, ended=Ended.PARTLY, ended_at=NOW, steps=9, outcomes={Mended.WRITTEN: 5, Mended.MOVED: 4})
    begun = replace(done, ended=Ended.BEGUN, ended_at=None, outcomes={}, deletes=2)
    released = (Override(brake="rows", value=9, by="ada"),)
    told = [
        (replace(done, deletes=2), (5, 2, 5, 2, ())),
        (replace(done, overrides=released, deletes=2), (0, 2, 5, 2, ())),
        (replace(done, overrides=(Override(brake="deletes", value=9, by="ada"),), deletes=2), (5, 0, 5, 2, ())),
        (replace(begun, begun_at=NOW), (9, 2, 9, 2, (PLAN.id,))),
        (replace(begun, begun_at=NOW - timedelta(days=2)), NOTHING),
        (replace(begun, begun_at=NOW, ended=Ended.CLOSED, ended_at=NOW), (9, 2, 9, 2, ())),
        (replace(begun, begun_at=NOW - timedelta(days=2), ended=Ended.CLOSED, ended_at=NOW), NOTHING),
        (replace(done, ended_at=NOW - timedelta(hours=2), deletes=2), NOTHING),
        (replace(PLAN, ended=Ended.PLANNED, deletes=2), NOTHING),
        (replace(done, ended=Ended.UNDONE, deletes=2), NOTHING),
        (replace(done, mode=Mode.UNDO, deletes=2), NOTHING),
    ]
    since = NOW - timedelta(hours=1)
    for repair, spent in told:
        state.repairs.plan(repair)
        assert state.repairs.get(repair.id) == repair
        assert state.repairs.spent(repair.dataset, since=since, but="another") == spent, repair
        assert state.repairs.spent(repair.dataset, since=since, but=repair.id) == NOTHING
        assert state.repairs.spent("other", since=since, but="another") == NOTHING


def test_repairs_are_listed_newest_first_and_forgotten_when_they_are_old(state: State) -> None:
    """Those of one dataset, or all; an old one goes, unless it was begun and has not ended."""
    names = [f"2026030{day}T000000000Z-dddd" for day in (1, 2, 3)]
    for name, dataset, ended in zip(names, ("a", "b", "a"), (Ended.REPAIRED, Ended.BEGUN, Ended.PLANNED), strict=True):
        state.repairs.plan(replace(PLAN, id=name, dataset=dataset, ended=ended))
    assert [one.id for one in state.repairs.list()] == names[::-1]
    assert [one.id for one in state.repairs.list("a")] == [names[2], names[0]]
    assert state.repairs.prune(now=NOW + timedelta(days=1), kept=timedelta(days=2)) == ()
    assert set(state.repairs.prune(now=NOW + timedelta(days=3), kept=timedelta(days=2))) == {names[0], names[2]}
    assert [one.id for one in state.repairs.list()] == [names[1]]


def test_what_a_run_found_is_known_by_run(state: State) -> None:
    """The differences that a run saw and no later one proved to be gone; a run that is not remembered found nothing."""
    gone, stays = make_difference(1), make_difference(2)
    first = make_report(run_id="20260301T000000000Z-aaaa", datasets=(_report(gone, stays),))
    later = make_report(run_id="20260302T000000000Z-bbbb", datasets=(_report(stays),))
    for run in (first, later):
        state.remember(run)
    here = replace(first, run_id="nowhere")
    found = {run.run_id: state.repairs.open_differences("planning", run.run_id) for run in (first, later, here)}
    assert [(one.key, one.runs_seen) for one in found[first.run_id]] == [(stays.key, 2)]
    assert found[later.run_id] == found[first.run_id]
    assert found[here.run_id] == ()
    assert state.repairs.looked_everywhere("planning", first.run_id) is True
    assert state.repairs.looked_everywhere("planning", here.run_id) is None


def test_a_run_that_could_not_look_everywhere_is_known_as_one(state: State) -> None:
    """No plan may rest on it."""
    blind = make_dataset(verdict=Verdict.INCOMPLETE)
    state.remember(make_report(run_id="run-1", verdict=Verdict.INCOMPLETE, datasets=(blind,)))
    assert state.repairs.looked_everywhere("planning", "run-1") is False


def _report(*differences: Difference) -> DatasetReport:
    return make_dataset(verdict=Verdict.FAILED, differences=differences, differences_total=len(differences))
