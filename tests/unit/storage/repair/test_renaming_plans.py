"""Records that get a new key: on both stores or on none, and what is left."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts.planning import PLANNING
from contracts.repair import Act, Mode, Why, Winner
from contracts.replication import Place
from storage.repair.deciding import OF_PEOPLE
from storage.repair.renaming import new_key
from tests.support.repair_cases import wanted
from tests.support.repair_planning import (
    PROVEN,
    A,
    B,
    Rows,
    applied,
    found_of,
    planned,
    reasons,
    told,
    valid,
)
from tests.support.row_pairs import OWNER, PRISMA, PROJECT, SUPABASE

PROBE = "health-check-1712345678901"


def test_keys_that_supabase_cannot_hold_are_left_until_renaming_is_asked_for() -> None:
    """They are named with how to go on, and supabase is not even asked for them."""
    plan, sides = planned({PROBE: ({}, None)}, excluded=[PROBE])
    assert reasons(plan.left) == [(PROBE, Why.KEY_NEEDED)]
    assert plan.left[0].causes == ("id_not_replicable",)
    assert sides[SUPABASE].asked == []
    for filters, number in (
        ({"older_than": timedelta(1)}, 0),
        ({"users": frozenset({PROJECT})}, 0),
        ({"users": frozenset({OWNER})}, 1),
        ({"causes": frozenset({"key_case"})}, 0),
        ({"causes": frozenset({"id_not_replicable"})}, 1),
        ({"keys": frozenset({str(new_key(PLANNING, PROBE))})}, 1),
        ({"fields": frozenset({"title"})}, 0),
    ):
        picked, _ = planned({PROBE: ({}, None)}, wanted(Mode.SOURCE_OF_TRUTH, **filters), excluded=[PROBE])
        assert [len(picked.steps), len(picked.left)] == [0, number], filters


def test_a_record_gets_a_new_key_on_both_stores() -> None:
    """Inserted under the new key on prisma, then on supabase, and the old row deleted; the body follows."""
    new = new_key(PLANNING, PROBE)
    assert new == new_key(PLANNING, PROBE)
    assert new is not None
    assert UUID(new).version == 5
    for mode in (Mode.SOURCE_OF_TRUTH, Mode.THREE_WAY):
        plan, sides = planned({PROBE: ({}, None)}, wanted(mode, rename=True), excluded=[PROBE])
        assert told(plan) == [(Act.INSERT, PRISMA, new), (Act.INSERT, SUPABASE, new), (Act.DELETE, PRISMA, PROBE)]
        assert [step.needs for step in plan.steps] == [None, 1, 1]
        assert {step.winner for step in plan.steps} == {Winner.RENAMED}
        assert applied(plan, sides) == []
        assert sides[PRISMA].rows.keys() == sides[SUPABASE].rows.keys() == {new}
        assert f'"id": "{new}"' in str(sides[SUPABASE].rows[new]["content"])


def test_what_is_put_right_while_a_record_gets_a_new_key_is_named() -> None:
    """The step that writes the record names both causes; a value that was not asked for keeps the record as it is."""
    rows: Rows = {PROBE: ({"user_id": "guest"}, None)}
    for causes in (frozenset[str](), frozenset({"id_not_replicable", "reference_not_uuid"})):
        asked = wanted(Mode.SOURCE_OF_TRUTH, rename=True, causes=causes)
        plan, _ = planned(rows, asked, excluded=[PROBE])
        assert plan.steps[0].causes == ("id_not_replicable", "reference_not_uuid")
    alone = wanted(Mode.SOURCE_OF_TRUTH, rename=True, causes=frozenset({"id_not_replicable"}))
    plan, _ = planned(rows, alone, excluded=[PROBE])
    assert (plan.steps, reasons(plan.left)) == ((), [(PROBE, Why.CANNOT_HOLD)])


def test_the_new_key_never_changes() -> None:
    """Whoever meets an old key somewhere can compute the new one: it is the same for ever."""
    assert new_key(PLANNING, PROBE) == "6dd5e4a9-0135-5c30-a088-d2c9e970d036"
    assert new_key(PLANNING, A.upper()) == A
    assert new_key(PLANNING, A.replace("-", "")) == A


def test_another_spelling_of_a_uuid_becomes_the_record_that_supabase_holds() -> None:
    """Prisma gets the canonical key; what else differs is settled as for any record, and supabase's row stays."""
    old = A.upper()
    rows: Rows = {old: ({"source": "x"}, None), A: (None, {})}
    plan, sides = planned(rows, wanted(Mode.SOURCE_OF_TRUTH, rename=True), excluded=[old])
    assert told(plan) == [(Act.INSERT, PRISMA, A), (Act.UPDATE, SUPABASE, A), (Act.DELETE, PRISMA, old)]
    assert applied(plan, sides) == []
    assert sides[PRISMA].rows.keys() == sides[SUPABASE].rows.keys() == {A}
    assert sides[PRISMA].rows[A]["source"] == sides[SUPABASE].rows[A]["source"] == "x"
    without, _ = planned(rows, excluded=[old])
    assert sorted(reasons(without.left), key=str) == sorted([(old, Why.KEY_NEEDED), (A, Why.KEY_NEEDED)], key=str)
    assert without.steps == ()


@pytest.mark.parametrize(
    ("rest", "changes", "why"),
    [
        ({}, {"version": "0"}, Why.CANNOT_HOLD),
        ({}, {"content": valid(PROBE, finalPrompt="")}, Why.BREAKS_CONTRACT),
        ({"referenced": {PRISMA: {PROBE}}}, {}, Why.REFERENCED),
        ({"lines_prisma": {PROBE: 3}}, {}, Why.UNDER_WAY),
        ({"asked": wanted(Mode.UPSERT_ONLY, rename=True)}, {}, Why.MODE),
    ],
    ids=lambda value: value.value if isinstance(value, Why) else "",
)
def test_a_record_that_cannot_get_a_new_key_keeps_its_old_one(
    rest: dict[str, Any], changes: dict[str, str], why: Why
) -> None:
    """No half of a renaming is ever planned, and the old key is named with the reason."""
    asked = rest.pop("asked", wanted(Mode.SOURCE_OF_TRUTH, rename=True))
    plan, _ = planned({PROBE: (changes, None)}, asked, excluded=[PROBE], **rest)
    assert plan.steps == ()
    assert reasons(plan.left) == [(PROBE, why)]
    assert ("`--mode source-of-truth` does." in plan.left[0].sentence) is (why is Why.MODE)


@pytest.mark.parametrize("changes", [{"version": "0"}, {"content": valid(A.upper(), finalPrompt="")}])
def test_both_keys_of_a_record_that_keeps_its_old_one_are_left(changes: dict[str, str]) -> None:
    """What supabase holds under the canonical key goes on differing, and is not passed over."""
    old = A.upper()
    rows: Rows = {old: (changes, None), A: (None, {})}
    plan, _ = planned(rows, wanted(Mode.SOURCE_OF_TRUTH, rename=True), excluded=[old])
    assert plan.steps == ()
    assert {one.key for one in plan.left} == {old, A}


def test_a_record_that_prisma_holds_twice_is_left() -> None:
    """Two rows are never made one by a machine; a key that is gone meanwhile is settled."""
    old = A.upper()
    rows: Rows = {old: ({}, None), A: ({}, {})}
    asked = wanted(Mode.SOURCE_OF_TRUTH, rename=True)
    plan, _ = planned(rows, asked, found=[found_of(B)], excluded=[old, PROBE])
    assert reasons(plan.left) == [(old, Why.KEY_NEEDED), (PROBE, Why.SETTLED), (B, Why.SETTLED)]
    assert "twice" in plan.left[0].sentence


@pytest.mark.parametrize("mode", [Mode.SOURCE_OF_TRUTH, Mode.THREE_WAY])
@pytest.mark.parametrize("there", [None, {}])
def test_records_that_would_get_one_key_are_left(mode: Mode, there: dict[str, str] | None) -> None:
    """Two spellings of one key on prisma are two rows: nobody knows which is right, also where one is picked."""
    one, two = A.upper(), A.replace("-", "")
    rows: Rows = {one: ({"source": "x"}, None), two: ({}, None)} | ({} if there is None else {A: (None, there)})
    found = [found_of(A)] if there is not None else []
    for keys in (frozenset[str](), frozenset({one})):
        asked = wanted(mode, rename=True, keys=keys)
        plan, _ = planned(rows, asked, found=found or [found_of(B)], excluded=[one, two])
        assert plan.steps == ()
        assert {one} <= {left.key for left in plan.left if left.why is Why.KEY_NEEDED}


def test_no_side_of_a_renamed_record_is_taken_for_the_only_one_that_changed() -> None:
    """Changes under the old key are not captured: supabase's change is noted, prisma's would not be."""
    old = A.upper()
    rows: Rows = {old: ({"source": "x"}, None), A: (None, {"source": "by a person"})}
    asked = wanted(Mode.THREE_WAY, rename=True)
    rest: dict[str, Any] = {"excluded": [old], "adopted": False, "agreed": PROVEN, "lines_supabase": {A: 7}}
    plan, _ = planned(rows, asked, found=[found_of(A)], **rest)
    assert plan.steps == ()
    assert (old, Why.NO_WINNER) in reasons(plan.left)


@pytest.mark.parametrize("place", [Place.CONFLICT, Place.DEAD_LETTER])
@pytest.mark.parametrize("found", [True, False])
def test_what_people_decide_about_is_not_renamed_past_them(place: Place, *, found: bool) -> None:
    """Whether a check saw the new key differ, or only replication knows of it."""
    old = A.upper()
    rows: Rows = {old: ({}, None)} | ({A: (None, {})} if found else {})
    rest: dict[str, Any] = {"places": {A: place}} if not found else {}
    known = [found_of(A, place=place)] if found else [found_of(B)]
    plan, _ = planned(rows, wanted(Mode.SOURCE_OF_TRUTH, rename=True), found=known, excluded=[old], **rest)
    assert plan.steps == ()
    assert {why for key, why in reasons(plan.left) if key == old} == {OF_PEOPLE[place]}


def test_what_came_back_is_not_renamed_again_unless_it_is_named() -> None:
    """By either key."""
    new = new_key(PLANNING, PROBE) or ""
    for key in (PROBE, new):
        rest: dict[str, Any] = {"excluded": [PROBE], "came_back": {key: "A trigger."}}
        plan, _ = planned({PROBE: ({}, None)}, wanted(Mode.SOURCE_OF_TRUTH, rename=True), **rest)
        assert reasons(plan.left) == [(PROBE, Why.CAME_BACK)]
        asked = wanted(Mode.SOURCE_OF_TRUTH, rename=True, keys=frozenset({PROBE}))
        assert len(planned({PROBE: ({}, None)}, asked, **rest)[0].steps) == 3
