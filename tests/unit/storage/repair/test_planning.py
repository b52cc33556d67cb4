"""A whole plan: what is asked for, what is judged, in which order steps are taken, and what is left and told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from contracts.errors import ConfigurationError
from contracts.planning import PLANNING
from contracts.repair import Act, Mode, Why, Winner
from contracts.repair.plan import Texts
from contracts.vocabulary import Cause, DifferenceKind, StoreName
from storage.repair.courses import FIXES
from storage.repair.planning import Failing, Unlisted, Wanted, make_plan
from storage.repair.ports import hash_of
from tests.support.factories import make_key
from tests.support.memory_side import MemorySide
from tests.support.repair_cases import wanted
from tests.support.repair_planning import (
    PROVEN,
    A,
    B,
    C,
    Rows,
    applied,
    found_of,
    planned,
    reasons,
    row_of,
    told,
    valid,
)
from tests.support.repair_plans import COLUMNS, MADE, make_header
from tests.support.row_pairs import OWNER, PRISMA, PROJECT, SUPABASE, make_row


def test_steps_are_numbered_and_what_is_deleted_comes_last() -> None:
    """In the order of keys, and no row is gone before the others are safe."""
    low, middle, high = sorted([A, B, C])
    plan, _ = planned({high: ({}, None), low: (None, {}), middle: ({"source": "x"}, {})})
    assert [step.number for step in plan.steps] == [1, 2, 3]
    assert told(plan) == [(Act.UPDATE, SUPABASE, middle), (Act.INSERT, SUPABASE, high), (Act.DELETE, SUPABASE, low)]


def test_a_step_knows_both_rows_as_they_were_seen() -> None:
    """Before is the row of its store, other the hash of the other one's; fields are the columns that change."""
    plan, sides = planned({A: ({"source": "x"}, {}), B: ({}, None)})
    by_key = {step.key: step for step in plan.steps}
    update, insert = by_key[A], by_key[B]
    assert update.before == sides[SUPABASE].rows[A]
    assert update.other == hash_of(COLUMNS, sides[PRISMA].rows[A])
    assert (update.fields, update.line, update.other_line, update.needs) == (("source",), None, None, None)
    assert insert.before is None
    assert insert.fields == COLUMNS
    assert insert.after is not None
    assert insert.after["created_at"] == "2026-03-01 10:00:00.123+00"


def test_lines_that_were_seen_are_part_of_the_step() -> None:
    """Where nothing is carried over, the door refuses a step whose key was written since."""
    rows: Rows = {A: ({"source": "x"}, {})}
    lines: dict[str, Any] = {"lines_prisma": {A: 7}, "lines_supabase": {}}
    plan, _ = planned(rows, wanted(Mode.THREE_WAY), adopted=False, agreed=PROVEN, **lines)
    (step,) = plan.steps
    assert (step.store, step.line, step.other_line, step.winner) == (SUPABASE, None, 7, Winner.CHANGED)
    for agreed in (None, replace(PROVEN, looked=()), replace(PROVEN, differed={A: ((PROVEN.captured, None),)})):
        plan, _ = planned(rows, wanted(Mode.THREE_WAY), adopted=False, agreed=agreed, **lines)
        assert (plan.steps, reasons(plan.left)) == ((), [(A, Why.NO_WINNER)])


def test_the_second_step_of_a_record_needs_the_first() -> None:
    """A record of which both rows change is not mended by halves."""
    plan, sides = planned({A: ({"user_id": PROJECT.upper()}, {})})
    assert told(plan) == [(Act.UPDATE, PRISMA, A), (Act.UPDATE, SUPABASE, A)]
    assert [step.needs for step in plan.steps] == [None, 1]
    assert applied(plan, sides) == []
    assert sides[PRISMA].rows[A]["user_id"] == sides[SUPABASE].rows[A]["user_id"] == PROJECT


def test_a_plan_of_what_was_repaired_has_no_steps() -> None:
    """Planning again after all steps finds that nothing differs any more."""
    rows: Rows = {A: ({}, None), B: ({"source": "x"}, {}), C: (None, {})}
    plan, sides = planned(rows)
    assert applied(plan, sides) == []
    found = [found_of(key) for key in rows]
    again = make_plan(PLANNING, wanted(Mode.SOURCE_OF_TRUTH), found, sides, header=make_header())
    assert again.steps == ()
    assert reasons(again.left) == [(key, Why.SETTLED) for key in sorted(rows)]


def test_the_header_says_what_was_asked_for() -> None:
    """Mode, source, fixes and filters are those of the plan, whatever the header said."""
    asked = Wanted(
        mode=Mode.UPSERT_ONLY,
        source=SUPABASE,
        fixes=FIXES - {Cause.TEXT_CASE, Cause.WRITE_WINDOW},
        rename=True,
        keys=frozenset({B, A}),
        older_than=timedelta(days=2),
    )
    plan, _ = planned({}, asked)
    header = plan.header
    assert (header.mode, header.source, header.fixes) == (Mode.UPSERT_ONLY, SUPABASE, tuple(sorted(asked.fixes)))
    assert header.filters == {
        "key": tuple(sorted([A, B])),
        "older_than": ("2d",),
        "rename_keys": ("yes",),
        "no_fix": ("text_case", "write_window"),
    }
    assert header.columns == COLUMNS


def test_a_row_that_would_break_a_critical_rule_is_never_written() -> None:
    """The whole record is left with the rule, also where only one of its two steps would break it."""
    bad = valid(A, finalPrompt="")
    plan, _ = planned({A: ({"content": bad, "user_id": OWNER.upper()}, {}), B: ({"source": "x"}, {})})
    assert told(plan) == [(Act.UPDATE, SUPABASE, B)]
    (left,) = plan.left
    assert (left.key, left.why) == (A, Why.BREAKS_CONTRACT)
    assert "`planning.content_valid`" in left.sentence


def test_a_fix_that_mends_a_rule_is_written() -> None:
    """What breaks a rule now does not after the step, and that is what counts; a warning holds nothing back."""
    plan, _ = planned({A: ({"user_id": "guest"}, {"user_id": None}), B: ({"storage_status": "lost"}, {})})
    assert set(told(plan)) == {(Act.UPDATE, PRISMA, A), (Act.UPDATE, SUPABASE, B)}
    assert plan.left == ()


OLD = MADE - timedelta(days=9)
YOUNG = MADE - timedelta(hours=1)
FILTERS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "no filter": ({}, {A, B, C}),
    "key": ({"keys": frozenset({B})}, {B}),
    "user": ({"users": frozenset({PROJECT})}, {B}),
    "user in capitals": ({"users": frozenset({PROJECT.upper()})}, {B}),
    "user of either store": ({"users": frozenset({OWNER})}, {A, C}),
    "field": ({"fields": frozenset({"title"})}, {A}),
    "cause": ({"causes": frozenset({"missing_row"})}, {C}),
    "several causes": ({"causes": frozenset({"missing_row", "unexplained"})}, {B, C}),
    "older": ({"older_than": timedelta(days=2)}, {A}),
    "younger": ({"younger_than": timedelta(days=2)}, {B}),
    "older and younger": ({"older_than": timedelta(minutes=5), "younger_than": timedelta(days=2)}, {B}),
    "all at once": ({"keys": frozenset({A, B}), "fields": frozenset({"source"}), "users": frozenset({PROJECT})}, {B}),
    "none fits": ({"users": frozenset({"nobody"})}, set()),
}


@pytest.mark.parametrize(("filters", "keys"), FILTERS.values(), ids=FILTERS)
def test_filters_pick_what_is_meant(filters: dict[str, Any], keys: set[str]) -> None:
    """What is not meant is neither a step nor left; a difference of unknown age has none."""
    rows: Rows = {
        A: ({}, {"title": "CAFÉ 거리의 아침"}),
        B: ({"source": "x", "user_id": PROJECT}, {"user_id": PROJECT}),
        C: (None, {}),
    }
    found = [found_of(A, first_seen=OLD), found_of(B, first_seen=YOUNG)]
    found.append(found_of(C, kind=DifferenceKind.ONLY_SECONDARY))
    plan, _ = planned(rows, wanted(Mode.SOURCE_OF_TRUTH, **filters), found=found)
    assert {step.key for step in plan.steps} == keys
    assert plan.left == ()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"mode": Mode.UNDO}, "repair undo"),
        ({"mode": Mode.SOURCE_OF_TRUTH}, "Name the source"),
        ({"mode": Mode.THREE_WAY, "source": PRISMA}, "no source"),
        ({"mode": Mode.THREE_WAY, "causes": frozenset({"boredom"})}, "no cause `boredom`"),
        ({"mode": Mode.THREE_WAY, "fixes": frozenset({Cause.UNEXPLAINED})}, "no fix for the cause `unexplained`"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(values: dict[str, Any], message: str) -> None:
    """A mode without its source, an unknown cause, a fix that there is not: said before anything is read."""
    with pytest.raises(ConfigurationError, match=message):
        Wanted(**values)


def test_a_field_that_there_is_not_is_refused() -> None:
    """A filter that could never fit would repair nothing and say that all is well."""
    with pytest.raises(ConfigurationError, match="no column `wage`"):
        planned({}, wanted(Mode.SOURCE_OF_TRUTH, fields=frozenset({"wage"})))


def test_rows_of_a_lost_window_are_restored_only_by_name_and_never_deleted() -> None:
    """An outage and a clean-up look the same: the source gets them back when the cause is named, and not else."""
    found = [found_of(A, kind=DifferenceKind.ONLY_SECONDARY, causes=("write_window",), runs_seen=5)]
    for mode in (Mode.UPSERT_ONLY, Mode.SOURCE_OF_TRUTH):
        plan, _ = planned({A: (None, {})}, wanted(mode), found=found)
        assert (told(plan), reasons(plan.left)) == ([], [(A, Why.NO_WINNER)])
        assert "--cause write_window" in plan.left[0].sentence
    filtered = wanted(Mode.UPSERT_ONLY, causes=frozenset({"write_window"}))  # as a policy allows causes
    assert reasons(planned({A: (None, {})}, filtered, found=found)[0].left) == [(A, Why.NO_WINNER)]
    plan, _ = planned({A: (None, {})}, replace(filtered, restore=True), found=found)
    assert told(plan) == [(Act.INSERT, PRISMA, A)]
    assert plan.steps[0].causes == ("write_window",)
    only = wanted(Mode.INSERT_ONLY)
    assert reasons(planned({A: (None, {})}, only, found=found)[0].left) == [(A, Why.MODE)]
    off = wanted(Mode.SOURCE_OF_TRUTH, fixes=frozenset())
    assert told(planned({A: (None, {})}, off, found=found)[0]) == [(Act.DELETE, SUPABASE, A)]
    assert told(planned({A: ({"source": "x"}, {})}, found=found)[0]) == [(Act.UPDATE, SUPABASE, A)]


def test_a_row_that_was_refused_is_left_for_either_source() -> None:
    """It is not deleted where supabase is the source: that one could never hold it."""
    for source in StoreName:
        plan, _ = planned({A: ({"version": "0"}, None)}, wanted(Mode.SOURCE_OF_TRUTH, source))
        assert reasons(plan.left) == [(A, Why.CANNOT_HOLD)]
        assert plan.steps == ()


def test_a_row_that_is_only_spelt_wrong_is_corrected_and_inserted() -> None:
    """Both steps belong together; a mode that may not correct the source leaves the row."""
    rows: Rows = {A: ({"user_id": "guest", "project_id": PROJECT.upper()}, None)}
    plan, sides = planned(rows)
    assert told(plan) == [(Act.UPDATE, PRISMA, A), (Act.INSERT, SUPABASE, A)]
    assert plan.steps[1].needs == 1
    assert applied(plan, sides) == []
    assert (sides[SUPABASE].rows[A]["user_id"], sides[SUPABASE].rows[A]["project_id"]) == (None, PROJECT)
    assert (sides[PRISMA].rows[A]["user_id"], sides[PRISMA].rows[A]["project_id"]) == (None, PROJECT)
    assert reasons(planned(rows, wanted(Mode.INSERT_ONLY))[0].left) == [(A, Why.MODE)]


def test_a_correction_counts_for_its_own_causes() -> None:
    """Who allows missing rows alone gets no value of the source changed for it: the row is left, and why is said."""
    rows: Rows = {A: ({"project_id": PROJECT.upper()}, None)}
    correction, insertion = planned(rows)[0].steps
    assert (correction.causes, insertion.causes) == (("text_case",), ("missing_row",))
    for causes, steps in (({"missing_row"}, 0), ({"missing_row", "text_case"}, 2)):
        plan, _ = planned(rows, wanted(Mode.UPSERT_ONLY, causes=frozenset(causes)))
        assert len(plan.steps) == steps
        assert [(one.why, one.causes) for one in plan.left] == (
            [] if steps else [(Why.CANNOT_HOLD, ("missing_row", "text_case"))]
        )
    assert (
        "was not asked for (text_case)"
        in planned(rows, wanted(Mode.UPSERT_ONLY, causes=frozenset({"missing_row"})))[0].left[0].sentence
    )


def test_checks_that_fail_on_rows_that_are_alike_are_told_with_their_number() -> None:
    """Rows that differ are named by their keys; of the rest it is told how many there are, and where."""
    rows: Rows = {A: ({"version": "0"}, {}), B: ({"source": "x"}, {})}
    failing = [
        Failing(check="planning.version_positive", store=PRISMA, rows=4),
        Failing(check="planning.version_positive", store=SUPABASE, rows=3),
        Failing(check="planning.status_known", store=PRISMA, rows=0),
        Failing(check="planning.freshness", store=PRISMA, rows=None),
    ]
    plan, _ = planned(rows, failing=failing)
    alike = {one.causes: one for one in plan.left if one.why is Why.BOTH_ALIKE}
    assert {causes: one.rows for causes, one in alike.items()} == {
        ("planning.version_positive",): 3,
        ("planning.freshness",): 1,
    }
    assert all(one.key is None for one in alike.values())
    picked, _ = planned(rows, wanted(Mode.SOURCE_OF_TRUTH, keys=frozenset({B})), failing=failing)
    assert picked.left == ()


ALIKE = [(0, 0, [], [3]), (2, 0, [], [1]), (0, 0, [B, C], [1]), (1, 0, [B, C], []), (4, 2, [B, C], [2])]


@pytest.mark.parametrize(("beside", "named", "settled", "alike"), ALIKE)
def test_what_was_repaired_since_is_not_taken_for_rows_that_are_alike(
    beside: int, named: int, settled: list[str], alike: list[int]
) -> None:
    """A key that does not differ any more may be one that the check counted; so many rows at least are alike."""
    rows: Rows = {A: ({"version": "0"}, {}), **dict.fromkeys(settled, ({}, {}))}
    failing = [Failing(check="planning.version_positive", store=PRISMA, rows=4, alike=named, beside=beside)]
    plan, _ = planned(rows, found=[found_of(key) for key in rows], failing=failing)
    assert [one.rows for one in plan.left if one.why is Why.BOTH_ALIKE] == alike


@pytest.mark.parametrize("source", StoreName)
def test_what_prisma_may_hold_under_another_spelling_is_neither_deleted_nor_inserted(source: StoreName) -> None:
    """Where it holds more keys that are no UUIDs than are known; what supabase lacks is no question of spelling."""
    rows: Rows = {A: (None, {}), B: ({}, None)}
    asked = wanted(Mode.SOURCE_OF_TRUTH, source=source)
    plan, _ = planned(rows, asked, all_excluded=False)
    assert [step.key for step in plan.steps] == [B]
    assert reasons(plan.left) == [(A, Why.KEY_NEEDED)]
    assert "TWINSTORE_ROW_BUDGET" in plan.left[0].sentence
    plan, _ = planned(rows, asked)
    assert {step.key for step in plan.steps} == {A, B}


def test_rows_are_counted_not_what_is_left_of_them() -> None:
    """Two fields of one row are left for their own reasons; it is one row."""
    rows: Rows = {A: ({"source": "x", "title": "One"}, {"source": "y", "title": "Other"})}
    plan, _ = planned(rows, wanted(Mode.FILL_NULLS), failing=[Failing(check="planning.x", store=PRISMA, rows=4)])
    assert [one.key for one in plan.left] == [A, A, None]
    assert plan.rows_left == 1 + 4


def test_an_empty_side_is_told_once() -> None:
    """Its rows are not planned one by one: the brake holds such a plan, and the plan says what to do instead."""
    plan, _ = planned({}, header=make_header(rows={PRISMA: 300, SUPABASE: 0}))
    (left,) = plan.left
    assert (left.key, left.causes, left.rows) == (None, ("side_empty",), 300)
    assert left.sentence.startswith("supabase holds no row")


def test_what_came_back_is_left_with_the_reason_that_is_remembered() -> None:
    """A repair is not repeated night after night."""
    plan, _ = planned({A: ({"source": "x"}, {})}, came_back={A: "A trigger keeps it."})
    assert reasons(plan.left) == [(A, Why.CAME_BACK)]
    assert "A trigger keeps it." in plan.left[0].sentence


def test_a_key_may_be_named_in_any_spelling_and_is_never_met_with_silence() -> None:
    """The header has it as it was named; a key of which nothing was found is said so."""
    named = frozenset({A.upper(), C})
    plan, _ = planned({A: ({"source": "x"}, {}), B: ({"source": "x"}, {})}, wanted(Mode.SOURCE_OF_TRUTH, keys=named))
    assert told(plan) == [(Act.UPDATE, SUPABASE, A)]
    assert reasons(plan.left) == [(C, Why.SETTLED)]
    assert plan.header.filters == {"key": tuple(sorted(named))}


@pytest.mark.parametrize(
    ("unlisted", "why", "left"),
    [
        (Unlisted(unsettled={B}), Why.SETTLED, 0),
        (Unlisted(unsettled={C}), Why.UNDER_WAY, 1),
        (Unlisted(unsettled={C}, equal=False), Why.UNDER_WAY, 1),
        (Unlisted(unsettled={B}, equal=False), Why.NOT_NAMED, 1),
    ],
)
def test_a_named_key_is_settled_only_where_the_check_says_so(unlisted: Unlisted, why: Why, left: int) -> None:
    """Of what moved, was under way, or may stand among what is not listed, nobody knows that."""
    asked = wanted(Mode.SOURCE_OF_TRUTH, keys=frozenset({C.upper()}))
    plan, _ = planned({A: ({"source": "x"}, {})}, asked, unlisted=unlisted)
    assert reasons(plan.left) == [(C.upper(), why)]
    assert plan.rows_left == left
    assert ("check again" in plan.left[0].sentence) is (left == 1)


def test_a_row_that_prisma_spells_otherwise_is_never_deleted() -> None:
    """Also where the list of such keys was cut: what the check said of the key is enough to leave it."""
    plan, _ = planned({A: (None, {})}, found=[found_of(A, causes=("key_case",))])
    assert plan.steps == ()
    assert reasons(plan.left) == [(A, Why.KEY_NEEDED)]


def test_a_column_that_is_not_compared_yet_is_not_repaired() -> None:
    """Until its day has come a difference in it is none; from then on it is one like any other."""
    columns = tuple(
        replace(column, pending_until=MADE.date() + timedelta(days=1)) if column.name == "source" else column
        for column in PLANNING.columns
    )
    dataset = replace(PLANNING, columns=columns)
    sides = {store: MemorySide(store, {A: row_of(A, store, source=store.value)}) for store in StoreName}
    for header, steps, why in (
        (make_header(), 0, [Why.SETTLED]),
        (make_header(made_at=MADE + timedelta(days=1)), 1, []),
    ):
        plan = make_plan(dataset, wanted(Mode.SOURCE_OF_TRUTH), [found_of(A)], sides, header=header)
        assert len(plan.steps) == steps
        assert [one.why for one in plan.left] == why


def test_many_keys_are_read_some_hundred_at_a_time() -> None:
    """Each key is asked for once on each store, and every one of them has its step."""
    keys = [make_key(number) for number in range(10, 611)]
    rows = {key: make_row(SUPABASE, id=key, content=valid(key)) for key in keys}
    changed: dict[str, Texts] = {key: make_row(PRISMA, id=key, content=valid(key), source="x") for key in keys}
    sides = {PRISMA: MemorySide(PRISMA, changed), SUPABASE: MemorySide(SUPABASE, rows)}
    found = [found_of(key) for key in [*keys, keys[0]]]
    plan = make_plan(PLANNING, wanted(Mode.SOURCE_OF_TRUTH), found, sides, header=replace(make_header()))
    assert [step.key for step in plan.steps] == sorted(keys)
    assert sides[PRISMA].asked == sides[SUPABASE].asked == sorted(keys)


def test_what_does_not_differ_any_more_is_left_to_nobody() -> None:
    """It is told, since a run had found it, and is not among the rows that wait for a person."""
    plan, _ = planned({A: ({}, {})}, wanted(Mode.UPSERT_ONLY), found=[found_of(A)])
    assert reasons(plan.left) == [(A, Why.SETTLED)]
    assert plan.rows_left == 0
