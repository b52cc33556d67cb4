"""What holds a repair back: each brake alone, at its edge, and what releases it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from contracts.repair import (
    Act,
    Brake,
    Braked,
    Caps,
    Mode,
    Override,
    Plan,
    Situation,
    Winner,
    best_known,
    brakes,
    releasing,
    strange_pair,
    unreleased,
)
from contracts.vocabulary import StoreName
from tests.support.repair_plans import MADE, make_header, make_plan, make_step

PRISMA, SUPABASE = StoreName.PRISMA, StoreName.SUPABASE
RELEASABLE = {Brake.ROWS, Brake.DELETES, Brake.EMPTY_SIDE, Brake.CUT_SHORT, Brake.EXPIRED, Brake.UNPROVEN_PAIR}
IDS = make_header().identities


def situation(**rest: Any) -> Situation:
    """Return the situation of a plan that was approved and may be carried out, unless said otherwise."""
    header = make_header()
    values: dict[str, Any] = {
        "now": MADE + timedelta(minutes=5),
        "rows": header.rows,
        "identities": header.identities,
        "environment": header.environment,
        "durable": True,
        "approved": True,
    }
    return Situation(**values | rest)


def plan_of_undo() -> Plan:
    """Return a plan that takes a repair back."""
    return make_plan(mode=Mode.UNDO, undoes="20260314T010000000Z-0a0b")


def plan_of(act: Act, number: int, **header: Any) -> Plan:
    """Return a plan with so many steps of one kind."""
    return make_plan(*(make_step(n + 1, act) for n in range(number)), **header)


def holding(plan: Plan, now: Situation, *released: Override, caps: Caps | None = None) -> list[Brake]:
    """Return the brakes that hold."""
    return [braked.brake for braked in brakes(plan, now, caps=caps or Caps(), released=released)]


def allow(brake: str, value: int | None = None) -> Override:
    """Return that somebody released a brake."""
    return Override(brake=brake, value=value, by="Ada")


SMALL = plan_of(Act.UPDATE, 3)
HELD: dict[Brake, tuple[Plan, Situation]] = {
    Brake.ROWS: (plan_of(Act.UPDATE, 501), situation()),
    Brake.DELETES: (plan_of(Act.DELETE, 51), situation()),
    Brake.EMPTY_SIDE: (SMALL, situation(rows={PRISMA: 1, SUPABASE: 0})),
    Brake.CUT_SHORT: (SMALL, situation(rows={PRISMA: 2_499, SUPABASE: 5_000})),
    Brake.EXPIRED: (SMALL, situation(now=MADE + timedelta(hours=24))),
    Brake.INCOMPLETE: (SMALL, situation(incomplete="12 rows were not looked at again.")),
    Brake.OTHER_PAIR: (SMALL, situation(environment="production")),
    Brake.CHANGED: (SMALL, situation(approved=False)),
    Brake.FORGETFUL: (SMALL, situation(durable=False)),
    Brake.UNPROVEN_PAIR: (plan_of(Act.INSERT, 3), situation(begun=True, identities={**IDS, SUPABASE: "at host/db"})),
}


def test_nothing_holds_a_plan_that_is_as_it_should_be() -> None:
    """A fresh plan for these stores, of few steps, approved or to be approved, passes; so does an empty one."""
    assert holding(SMALL, situation()) == []
    assert holding(SMALL, situation(approved=None)) == []
    assert holding(make_plan(), situation()) == []


def test_an_undo_is_held_whose_repair_went_on() -> None:
    """It knows only of a part of what was written, and nobody may take that for all of it."""
    undo = plan_of_undo()
    assert holding(undo, situation()) == []
    (braked,) = brakes(undo, situation(outrun=True), released=[allow("changed")])
    assert (braked.brake, "undo 20260314T010000000Z-0a0b" in braked.todo) == (Brake.CHANGED, True)


@pytest.mark.parametrize(
    ("before", "now", "strange"),
    [
        ("b07d91e4", "b07d91e4", None),
        ("at host/db", "at host/db", None),
        ("b07d91e4", "0c1d2e3f", True),
        ("at abcdefghijklmnopqrst", "at uvwxyzabcdefghijklmn", True),  # projects, by their references
        ("at abcdefghijklmnopqrst", "at https://data.example.org", False),  # it may have got an address of its own
        ("at https://old.example.org", "at https://data.example.org", False),
        ("at host/db", "b07d91e4", False),
        ("b07d91e4", "at host/db", False),
        ("", "b07d91e4", False),
        ("", "at host/db", False),
        ("", "", False),
    ],
)
def test_stores_are_others_only_where_that_is_proven(before: str, now: str, *, strange: bool | None) -> None:
    """A new plan is held unless they are proven the same; what was begun, or an undo, where they are proven others."""
    header, sees = make_header(identities={**IDS, SUPABASE: before}), {**IDS, SUPABASE: now}
    found = strange_pair(header, sees, header.environment)
    assert (None if found is None else found.proven) is strange
    plan, undo = (replace(one, header=replace(header, mode=one.header.mode)) for one in (SMALL, plan_of_undo()))
    held = {
        "new": holding(plan, situation(identities=sees)),
        "begun": holding(plan, situation(identities=sees, begun=True)),
        "undo": holding(undo, situation(identities=sees)),
    }
    brake = [Brake.OTHER_PAIR]
    assert held == {
        "new": brake if strange is not None else [],
        **dict.fromkeys(("begun", "undo"), brake * bool(strange)),
    }


def test_no_row_comes_into_a_store_that_may_be_another_one_unless_somebody_says_so() -> None:
    """Where a row is missing nothing is left to compare: what is begun, or an undo, inserts only by a named release."""
    undo = replace(plan_of(Act.INSERT, 2), header=plan_of_undo().header)
    strange = {**IDS, SUPABASE: "at host/db"}
    (braked,) = brakes(undo, situation(identities=strange))
    assert "It would insert 2 rows into supabase" in braked.what
    assert holding(undo, situation(identities=strange), allow("unproven-pair")) == []
    assert holding(undo, situation()) == []
    assert holding(undo, situation(identities={**IDS, PRISMA: "at host/db"})) == []  # none would come into that one
    assert holding(undo, situation(identities={**IDS, SUPABASE: "0c1d2e3f"}), allow("unproven-pair")) == [
        Brake.OTHER_PAIR
    ]


def test_stores_are_known_best_by_an_id() -> None:
    """What an undo writes is known by an id as soon as one is seen, and by the one of its repair first."""
    before = {PRISMA: "6e1f2c0a", SUPABASE: "at host/db"}
    assert best_known(before, {PRISMA: "at else/db", SUPABASE: "b07d91e4"}) == make_header().identities
    assert best_known({PRISMA: ""}, before) == before
    assert best_known(before, {PRISMA: "0c1d2e3f", SUPABASE: "at else/db"}) == before
    assert best_known(before, {SUPABASE: "at abcdefghijklmnopqrst"})[SUPABASE] == "at abcdefghijklmnopqrst"


def test_every_brake_is_tried_here() -> None:
    """A brake that is added is tried, too."""
    assert HELD.keys() == set(Brake)


@pytest.mark.parametrize("brake", Brake)
def test_each_brake_holds_alone_and_says_why_and_what_to_do(brake: Brake) -> None:
    """One reason gives one brake, with two sentences; what can be released says by which option."""
    plan, now = HELD[brake]
    (braked,) = brakes(plan, now)
    assert braked.brake is brake
    assert braked.what.endswith(".")
    assert braked.todo.endswith(".")
    assert (f"`--allow {braked.allow}`" in braked.todo) is (brake in RELEASABLE)


@pytest.mark.parametrize("brake", Brake)
def test_only_some_are_released_and_only_by_their_own_name(brake: Brake) -> None:
    """What `--allow` names is what releases it; a grave one is released by nothing, and no brake by another's name."""
    plan, now = HELD[brake]
    (braked,) = brakes(plan, now)
    assert brake.releasable is (brake in RELEASABLE)
    assert holding(plan, now, allow(brake, 10_000)) == ([] if brake in RELEASABLE else [brake])
    assert holding(plan, now, *(allow(other, 10_000) for other in Brake if other is not brake)) == [brake]
    assert (braked.allow is None) is (brake not in RELEASABLE)


@pytest.mark.parametrize(("brake", "number"), [(Brake.ROWS, 501), (Brake.DELETES, 51)])
def test_a_cap_is_released_up_to_the_number_that_was_named(brake: Brake, number: int) -> None:
    """Fewer than there are do not release it, nor does its name without a number."""
    plan, now = HELD[brake]
    assert holding(plan, now, allow(brake, number)) == []
    assert holding(plan, now, allow(brake, number - 1)) == [brake]
    assert holding(plan, now, allow(brake)) == [brake]
    assert [braked.allow for braked in brakes(plan, now)] == [f"{brake}={number}"]


@pytest.mark.parametrize(
    ("act", "rows", "most"),
    [
        (Act.UPDATE, 5_000, 500),
        (Act.UPDATE, 1_009, 100),  # whole rows
        (Act.UPDATE, 200, 100),  # the least, where a tenth is less
        (Act.DELETE, 5_000, 50),
        (Act.DELETE, 300, 10),  # likewise
    ],
)
def test_caps_are_a_share_of_the_larger_store(act: Act, rows: int, most: int) -> None:
    """So many steps pass and one more does not; a small store has a least number."""
    now = situation(rows={PRISMA: rows, SUPABASE: rows - 5})
    assert holding(plan_of(act, most), now) == []
    assert holding(plan_of(act, most + 1), now) == [Brake.ROWS if act is Act.UPDATE else Brake.DELETES]


def test_caps_may_be_given() -> None:
    """A policy may allow less or more; zero deletes allows none."""
    assert holding(plan_of(Act.UPDATE, 3), situation(), caps=Caps(rows=2)) == [Brake.ROWS]
    assert holding(plan_of(Act.UPDATE, 600), situation(), caps=Caps(rows=600)) == []
    assert holding(plan_of(Act.DELETE, 1), situation(), caps=Caps(deletes=0)) == [Brake.DELETES]
    assert holding(plan_of(Act.DELETE, 60), situation(), caps=Caps(deletes=60)) == []


def test_caps_count_what_was_done_before() -> None:
    """Small plans do not add up to more than one may do; what is released names the sum, and no step is held by it."""
    for act, brake, spent, most in (
        (Act.UPDATE, Brake.ROWS, "spent_rows", 500),
        (Act.DELETE, Brake.DELETES, "spent_deletes", 50),
    ):
        assert holding(plan_of(act, 20), situation(**{spent: most - 20})) == []
        over = situation(**{spent: most - 19})
        (braked,) = brakes(plan_of(act, 20), over)
        assert (braked.brake, braked.allow) == (brake, f"{brake}={most + 1}")
        assert f", after {most - 19} of others within a day;" in braked.what
        assert holding(plan_of(act, 20), over, allow(brake, most)) == [brake]
        assert holding(plan_of(act, 20), over, allow(brake, most + 1)) == []
        assert holding(make_plan(), situation(**{spent: 9_999})) == []
        assert holding(plan_of(act, 20, mode=Mode.UNDO), situation(**{spent: 9_999})) == []
    assert holding(plan_of(Act.UPDATE, 1), situation(spent_deletes=9_999)) == []


def test_a_release_names_all_that_is_done() -> None:
    """Also what was released before: one number does not release plan after plan."""
    now = situation(spent_rows=490, done_rows=790)
    assert brakes(plan_of(Act.UPDATE, 20), now)[0].allow == "rows=810"
    assert holding(plan_of(Act.UPDATE, 20), now, allow(Brake.ROWS, 510)) == [Brake.ROWS]
    assert holding(plan_of(Act.UPDATE, 10), now) == []


def test_what_releases_nothing_is_no_release() -> None:
    """A cap that does not hold, or holds beyond the number: nothing is put on record, and nothing is left out later."""
    (held,) = brakes(plan_of(Act.UPDATE, 501), situation())
    enough, little, other = allow(Brake.ROWS, 501), allow(Brake.ROWS, 500), allow(Brake.DELETES, 9)
    assert releasing([held], [enough, other]) == (enough,)
    assert releasing([held], [little]) == releasing([], [enough]) == ()
    assert unreleased([held], [little]) == [held]


def test_the_end_of_an_older_key_is_no_delete() -> None:
    """A record that gets another key is not lost; a delete for any other reason counts."""
    steps = [make_step(n + 1, Act.DELETE, winner=Winner.RENAMED) for n in range(60)]
    assert holding(make_plan(*steps), situation()) == []
    assert holding(make_plan(*(replace(s, winner=Winner.AT_FAULT) for s in steps)), situation()) == [Brake.DELETES]


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ({PRISMA: 0, SUPABASE: 0}, []),
        ({PRISMA: 0, SUPABASE: 1}, [Brake.EMPTY_SIDE]),
        ({PRISMA: 1}, [Brake.EMPTY_SIDE]),
        ({PRISMA: 9, SUPABASE: 18}, []),
        ({PRISMA: 8, SUPABASE: 18}, [Brake.CUT_SHORT]),
        ({PRISMA: 18, SUPABASE: 8}, [Brake.CUT_SHORT]),
        ({PRISMA: 1, SUPABASE: 10}, []),  # nine rows are no accident
        ({PRISMA: 1, SUPABASE: 11}, [Brake.CUT_SHORT]),
    ],
)
def test_a_side_that_is_empty_or_cut_short_holds(rows: dict[StoreName, int], found: list[Brake]) -> None:
    """Either store may be the one; two empty stores agree, and few rows may well be missing."""
    assert holding(SMALL, situation(rows=rows)) == found


def test_other_stores_are_told_by_their_identity_and_by_their_name() -> None:
    """Another database behind the same name, one without identity, and another environment are other pairs."""
    ours = make_header().identities
    for identities in ({**ours, PRISMA: "else"}, {**ours, SUPABASE: ""}, {}):
        assert holding(SMALL, situation(identities=identities)) == [Brake.OTHER_PAIR]
    (braked,) = brakes(SMALL, situation(identities={**ours, SUPABASE: "else"}))
    assert "supabase" in braked.what
    assert "prisma" not in braked.what


def test_a_plan_expires_at_its_hour_and_not_before() -> None:
    """The last moment counts."""
    late = make_header().expires_at
    assert holding(SMALL, situation(now=late - timedelta(microseconds=1))) == []
    assert holding(SMALL, situation(now=late)) == [Brake.EXPIRED]


def test_taking_back_has_the_size_of_what_was_done() -> None:
    """An undo is not held by caps, nor by a side that the repair itself filled; by all that is grave it is."""
    undo = plan_of(Act.DELETE, 600, mode=Mode.UNDO, source=None)
    assert holding(undo, situation(rows={PRISMA: 100, SUPABASE: 700})) == []
    assert holding(undo, situation(approved=False, durable=False)) == [Brake.CHANGED, Brake.FORGETFUL]


def test_all_that_hold_are_listed_the_gravest_first() -> None:
    """What nobody can release comes before what somebody can; releasing one leaves the others."""
    now = situation(
        now=MADE + timedelta(days=2),
        rows={PRISMA: 1_000, SUPABASE: 0},
        environment="else",
        durable=False,
        approved=False,
        incomplete="rows kept changing",
    )
    found = brakes(plan_of(Act.DELETE, 101), now)
    order = ["changed", "other-pair", "incomplete", "no-memory", "empty-side", "rows", "deletes", "expired"]
    assert [braked.brake.value for braked in found] == order
    assert _names(brakes(plan_of(Act.DELETE, 101), now, released=[allow("rows", 101)])) == [
        name for name in order if name != "rows"
    ]


def _names(found: list[Braked]) -> list[str]:
    return [braked.brake.value for braked in found]
