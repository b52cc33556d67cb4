"""Every fault of the catalogue: planned, repaired and checked again, or left with the reason why no machine may."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path

import pytest

from contracts.repair import Brake, Done, Mended, Mode, Plan, Situation, Why, brakes
from contracts.verdicts import CheckResult, DatasetReport, RowTotals
from contracts.vocabulary import Cause, Channel, CheckStatus, StoreName
from storage.local import seed
from storage.local.faults import (
    ADOPTED,
    ADOPTED_DECOYS,
    DECOYS,
    FAULTS,
    PAIRS,
    Fault,
    Injected,
    inject,
    inject_adopted,
)
from tests.support.checking import check, job_of, over
from tests.support.factories import make_dataset
from tests.support.repair_cases import wanted
from tests.support.repair_plans import MADE
from tests.support.repair_trial import Records, Trial, trying
from tests.support.replicating import relaying, replicating
from tests.support.servers import SEEDED_AT, Pair

PRISMA, SUPABASE = StoreName
TOGETHER = [one for one in (*FAULTS, *DECOYS, *PAIRS) if not one.exclusive]
EMPTY = [one for one in FAULTS if one.expects.causes == {Cause.SIDE_EMPTY}]
WHOLE = [one for one in (*FAULTS, *DECOYS) if one.exclusive and one not in EMPTY]
REPLICATED = [one for one in (*ADOPTED, *ADOPTED_DECOYS) if not one.exclusive]
GAPS = [one for one in (*ADOPTED, *ADOPTED_DECOYS) if one.exclusive]
ALIKE = {one.id for one in TOGETHER if one.expects.kind is None and not one.expects.excluded}
"""Faults of rows on which both stores agree: the plan tells them by rule and number."""
NOT_AGAIN = {
    "status_unknown_supabase",
    "version_null_supabase",
    "created_at_null_supabase",
    "updated_at_null_supabase",
    "timestamp_truncated_prisma+version_null_supabase",
    "status_unknown_supabase+user_guest",
    "status_unknown_supabase+title_decomposed_supabase",
}
"""Faults that were planted past the secondary's constraints, which do not take them a second time."""
PLACES = {
    "waiting_too_long_prisma": Why.UNDER_WAY,
    "waiting_too_long_supabase": Why.UNDER_WAY,
    "decoy_waiting_other_cause": Why.UNDER_WAY,
    "conflict_adopted": Why.IN_CONFLICT,
    "dead_letter": Why.DEAD_LETTER,
}
MORE_ROWS = 900  # beside the 300 of a pair: every fault of rows has victims of its own
MODES = [mode for mode in Mode if mode is not Mode.UNDO]


def plant(pair: Pair, faults: Sequence[Fault]) -> list[Injected]:
    """Plant faults on rows of their own."""
    seed.load(pair.primary, pair.secondary, MORE_ROWS, seed=7, now=SEEDED_AT)
    return inject(pair.primary, pair.secondary, faults)


def assert_what_remains_is_left(plan: Plan, report: DatasetReport) -> None:
    """Every key that still differs is left with a reason, and so is every check that still fails."""
    left = {one.key for one in plan.left}
    assert {one.key for one in report.differences} <= left
    named = {cause for one in plan.left for cause in one.causes}
    for one in report.checks:
        if one.status is CheckStatus.FAILED:
            assert one.id in named or left.issuperset(one.sample_keys), (one.id, one.store)
    assert all(entry.sentence.endswith(".") for entry in plan.left)


def assert_taken_back(trial: Trial, before: Records, undo: Plan, taken: Mapping[int, Done]) -> None:
    """All rows are as they were, text for text, but those that the secondary's constraints would not take again."""
    refused = {step.key: taken[step.number] for step in undo.steps if taken[step.number].outcome is not Mended.WRITTEN}
    assert {(one.outcome, one.code) for one in refused.values()} <= {(Mended.REJECTED, "23514")}
    assert undo.left == ()
    after = trial.records()
    assert after[PRISMA].keys() == before[PRISMA].keys()
    assert after[SUPABASE].keys() == before[SUPABASE].keys()
    changed = {key for store in StoreName for key, row in before[store].items() if after[store][key] != row}
    assert changed == refused.keys()


@pytest.mark.parametrize("channel", [Channel.SQL, pytest.param(Channel.RPC, marks=pytest.mark.soak)])
def test_all_faults_of_rows_are_repaired_or_left_and_taken_back(
    seeded_pair: Pair, clean_suite: tuple[CheckResult, ...], tmp_path: Path, channel: Channel
) -> None:
    """One plan for all of them: what differs afterwards is left, a second plan has no step, an undo brings all back."""
    planted = plant(seeded_pair, TOGETHER)
    with over(seeded_pair, channel) as rest, trying(seeded_pair, clean_suite, tmp_path, rest=rest) as trial:
        before, asked = trial.records(), wanted(Mode.SOURCE_OF_TRUTH, rename=True)
        plan = trial.plan(trial.check(), asked)
        done, verified = trial.carry_out(plan)
        assert {(one.outcome, one.row) for one in done.values()} == {
            (Mended.WRITTEN, None)
        }  # as planned, text for text
        assert (len(done), verified.moved, verified.unconverged) == (len(plan.steps), (), ())
        report = trial.check()
        assert_what_remains_is_left(plan, report)
        assert report.rows.excluded == 0
        again = trial.plan(report, asked)
        assert again.steps == ()
        assert {one.key for one in report.differences} <= {one.key for one in again.left}
        assert_taken_back(trial, before, *trial.take_back(plan, done))
    assert {one.fault.id for one in planted if _is_passed_over(one, plan)} == ALIKE


def _is_passed_over(planted: Injected, plan: Plan) -> bool:
    """Tell whether no key of a fault is in a plan; keys that were excluded have other texts."""
    keys = {step.key for step in plan.steps} | {one.key for one in plan.left}
    return not planted.fault.expects.excluded and keys.isdisjoint(planted.found)


@pytest.mark.soak
@pytest.mark.parametrize("channel", [Channel.SQL, Channel.RPC])
def test_mode_by_mode_it_is_repaired_and_taken_back(
    seeded_pair: Pair, clean_suite: tuple[CheckResult, ...], tmp_path: Path, channel: Channel
) -> None:
    """Each mode, with each source, does what it may; what it leaves is named, and an undo brings all back."""
    plant(seeded_pair, [one for one in TOGETHER if one.id not in NOT_AGAIN])
    with over(seeded_pair, channel) as rest, trying(seeded_pair, clean_suite, tmp_path, rest=rest) as trial:
        before, first = trial.records(), trial.check()
        for mode, source in product(MODES, StoreName):
            plan = trial.plan(first, wanted(mode, source))
            done, verified = trial.carry_out(plan)
            assert {(one.outcome, one.row) for one in done.values()} <= {(Mended.WRITTEN, None)}
            assert (verified.moved, verified.unconverged) == ((), ())
            report = trial.check()
            assert_what_remains_is_left(plan, report)
            assert trial.plan(report, wanted(mode, source)).steps == ()
            assert_taken_back(trial, before, *trial.take_back(plan, done))


@pytest.mark.parametrize("channel", [Channel.SQL, pytest.param(Channel.RPC, marks=pytest.mark.soak)])
def test_faults_of_a_pair_that_replicates(
    seeded_pair: Pair, clean_suite: tuple[CheckResult, ...], tmp_path: Path, channel: Channel
) -> None:
    """What was lost is repaired and not carried over once more; what waits or stands with a person is left."""
    with (
        over(seeded_pair, channel) as rest,
        replicating(seeded_pair, rest) as replication,
        trying(seeded_pair, clean_suite, tmp_path, rest=rest) as trial,
    ):
        planted = inject_adopted(
            seeded_pair.primary_superuser, seeded_pair.secondary_superuser, REPLICATED, relay=relaying(replication)
        )
        waiting = [side.standing().last_change for side in replication.both()[:2]]
        plan = trial.plan(trial.check(), wanted(Mode.SOURCE_OF_TRUTH))
        keys = {one.fault.id: set(one.found) for one in planted}
        assert {step.key for step in plan.steps} == set().union(
            *(keys[name] for name in keys if name.startswith("lost"))
        )
        why = {one.key: one.why for one in plan.left}
        for name, reason in PLACES.items():
            assert {why.get(key) for key in keys[name]} == {reason}, name
        done, verified = trial.carry_out(plan)
        assert {one.outcome for one in done.values()} == {Mended.WRITTEN}
        assert (verified.agree, verified.unconverged) == (len(plan.steps), ())
        assert [side.standing().last_change for side in replication.both()[:2]] == waiting
        assert_what_remains_is_left(plan, trial.check())


@pytest.mark.parametrize("one", EMPTY, ids=lambda fault: fault.id)
def test_an_empty_side_is_held_by_the_brake(seeded_pair: Pair, tmp_path: Path, one: Fault) -> None:
    """Nothing is planned row by row; the plan says what to do instead, and the brake holds even that."""
    inject(seeded_pair.primary, seeded_pair.secondary, [one])
    with trying(seeded_pair, (), tmp_path) as trial:
        rows = {store: len(found) for store, found in trial.records().items()}
        report = make_dataset(rows=RowTotals(primary=rows[PRISMA], secondary=rows[SUPABASE]))
        plan = trial.plan(report, wanted(Mode.SOURCE_OF_TRUTH))
    assert plan.steps == ()
    assert [(left.key, left.rows, left.causes) for left in plan.left] == [(None, 300, ("side_empty",))]
    assert holding(plan) == [Brake.EMPTY_SIDE]


@pytest.mark.soak
@pytest.mark.parametrize("one", WHOLE, ids=lambda fault: fault.id)
def test_faults_of_a_whole_table_are_left_or_held(seeded_pair: Pair, tmp_path: Path, one: Fault) -> None:
    """No machine repairs a table that is wrong on both stores: each check that fails is named, or a brake holds."""
    inject(seeded_pair.primary, seeded_pair.secondary, [one])
    with trying(seeded_pair, (), tmp_path) as trial:
        report = check(job_of(seeded_pair), trend=(300, 300, 300))
        plan = trial.plan(report, wanted(Mode.SOURCE_OF_TRUTH, SUPABASE if one.decoy else PRISMA))
    assert holding(plan) == ([Brake.CUT_SHORT, Brake.ROWS, Brake.DELETES] if one.decoy else [])
    if not one.decoy:
        assert plan.steps == ()
        assert_what_remains_is_left(plan, report)


@pytest.mark.soak
@pytest.mark.parametrize("one", GAPS, ids=lambda fault: fault.id)
def test_a_gap_of_capture_is_left(
    seeded_pair: Pair, clean_suite: tuple[CheckResult, ...], tmp_path: Path, one: Fault
) -> None:
    """No row differs, and no repair of rows closes a gap: it is named, and nothing is written."""
    with replicating(seeded_pair) as replication, trying(seeded_pair, clean_suite, tmp_path) as trial:
        superusers = seeded_pair.primary_superuser, seeded_pair.secondary_superuser
        inject_adopted(*superusers, [one], relay=relaying(replication))
        report = trial.check()
        plan = trial.plan(report, wanted(Mode.SOURCE_OF_TRUTH))
    assert plan.steps == ()
    assert [left.causes for left in plan.left] == [("planning.capture_gap",)]
    assert_what_remains_is_left(plan, report)


def test_every_fault_of_the_catalogue_is_tried() -> None:
    """Together, alone on a whole table, on an empty side, or between stores that replicate: none is left out."""
    tried = [*TOGETHER, *WHOLE, *EMPTY, *REPLICATED, *GAPS]
    assert {one.id for one in tried} == {one.id for one in (*FAULTS, *DECOYS, *PAIRS, *ADOPTED, *ADOPTED_DECOYS)}


def holding(plan: Plan) -> list[Brake]:
    """Return what holds a plan that was made a moment ago for these stores."""
    header = plan.header
    now = Situation(
        now=MADE, rows=header.rows, identities=header.identities, environment=header.environment, durable=True
    )
    return [braked.brake for braked in brakes(plan, now)]
