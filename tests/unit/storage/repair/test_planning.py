"""A whole plan: what is asked for, what is judged, in which order steps are taken, and what is left and told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts.errors import ConfigurationError
from contracts.planning import PLANNING
from contracts.repair import Act, Left, Mode, Plan, Step, Why, Winner
from contracts.repair.plan import Texts
from contracts.vocabulary import Cause, DifferenceKind, StoreName
from storage.repair.agreeing import Agreed
from storage.repair.planning import Failing, Found, Wanted, make_plan
from storage.repair.ports import hash_of
from storage.repair.renaming import new_key
from tests.support.factories import make_key
from tests.support.memory_side import NOTED, MemorySide
from tests.support.repair_cases import kind_of, wanted
from tests.support.repair_plans import COLUMNS, MADE, make_header
from tests.support.row_pairs import OWNER, PRISMA, PROJECT, SUPABASE, TextRow, body, make_row

Rows = Mapping[str, tuple[Mapping[str, str | None] | None, Mapping[str, str | None] | None]]
"""Per key what is changed on prisma and on supabase; None where a store holds no row."""
A, B, C = (make_key(number) for number in (1, 2, 3))
PROVEN = Agreed(
    captured=NOTED - timedelta(hours=2),
    looked=((NOTED - timedelta(hours=1), NOTED - timedelta(minutes=59)),),
    differed={},
    ahead=dict.fromkeys(StoreName, timedelta(0)),
)
"""A check looked everywhere under capture, before the changes were noted that wait, and no key differed."""


def valid(key: str, **changes: Any) -> str:
    """Return a body that breaks no rule, unless it is changed."""
    return body(id=key, durationSec=..., **changes)


def row_of(key: str, store: StoreName, **changes: str | None) -> TextRow:
    """Return a sound row of a store with a key of its own."""
    return make_row(store, id=key, **{"content": valid(key)} | changes)


def planned(rows: Rows, asked: Wanted | None = None, **rest: Any) -> tuple[Plan, dict[StoreName, MemorySide]]:
    """Plan for these keys, all of which a check found twice; return the stores, too."""
    sides = {
        store: MemorySide(
            store,
            {key: row_of(key, store, **changes) for key, both in rows.items() if (changes := both[n]) is not None},
            rest.pop(f"lines_{store}", {}),
        )
        for n, store in enumerate(StoreName)
    }
    kinds = {key: kind_of(*both) for key, both in rows.items() if key in {A, B, C}}
    found = rest.pop("found", None) or [found_of(key, kind=kind) for key, kind in kinds.items()]
    header = rest.pop("header", None) or make_header(fixes=("nonsense",), filters={})
    plan = make_plan(PLANNING, asked or wanted(Mode.SOURCE_OF_TRUTH), found, sides, header=header, **rest)
    return plan, sides


def found_of(key: str, **rest: Any) -> Found:
    """Return a difference that two runs saw."""
    values: dict[str, Any] = {"key": key, "kind": DifferenceKind.DIFFERING, "runs_seen": 2}
    return Found(**values | rest)


def told(plan: Plan) -> list[tuple[Act, StoreName, str]]:
    """Return the steps of a plan in short."""
    return [(step.act, step.store, step.key) for step in plan.steps]


def reasons(left: Sequence[Left]) -> list[tuple[str | None, Why]]:
    """Return what is left in short."""
    return [(one.key, one.why) for one in left]


def applied(plan: Plan, sides: Mapping[StoreName, MemorySide]) -> list[Step]:
    """Take all steps; return those that were not taken."""
    done = {one.number: one for step in plan.steps for one in sides[step.store].mend([step])}
    return [step for step in plan.steps if done[step.number].outcome.value != "written"]


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
        fixes=frozenset({Cause.TEXT_CASE}),
        rename=True,
        keys=frozenset({B, A}),
        older_than=timedelta(days=2),
    )
    plan, _ = planned({}, asked)
    header = plan.header
    assert (header.mode, header.source, header.fixes) == (Mode.UPSERT_ONLY, SUPABASE, ("text_case",))
    assert header.filters == {"key": tuple(sorted([A, B])), "older_than": ("2 days, 0:00:00",), "rename_keys": ("yes",)}
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
    plan, _ = planned({A: (None, {})}, wanted(Mode.UPSERT_ONLY, causes=frozenset({"write_window"})), found=found)
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
