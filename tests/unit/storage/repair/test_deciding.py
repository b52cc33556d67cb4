"""What a decision may never do, whatever two rows hold; and the order in which reasons to leave a key are asked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.planning import PLANNING
from contracts.repair import Act, Mode, Why, Winner
from contracts.repair.plan import Texts
from contracts.replication import Place
from contracts.vocabulary import DifferenceKind, StoreName
from storage.parity.agreement import by_rule
from storage.repair.deciding import decide
from storage.repair.ports import Seen
from storage.repair.settled import explained
from storage.repair.wanted import Case
from tests.support.repair_cases import after, case_of, cases, wanted
from tests.support.row_pairs import KEY, PRISMA, SUPABASE, make_row

MODES = [mode for mode in Mode if mode is not Mode.UNDO]
SOURCES = st.sampled_from(list(StoreName))
EXAMPLES = settings(max_examples=40, deadline=None)
MANY = settings(max_examples=2_000, deadline=None)


def quiet(case: Case) -> Case:
    """Return a case of which nothing waits and that was never repaired."""
    seen = {store: Seen(case.seen[store].row, None) for store in StoreName}
    return replace(case, seen=seen, came_back=None, found=replace(case.found, runs_seen=2))


def differ(rows: dict[StoreName, Texts | None]) -> bool:
    """Tell whether two rows differ."""
    primary, secondary = rows[PRISMA], rows[SUPABASE]
    if primary is None or secondary is None:
        return primary is not secondary
    return by_rule(PLANNING, primary, secondary) is None


@EXAMPLES
@given(case=cases(), source=SOURCES)
def test_insert_only_never_updates_or_deletes(case: Case, source: StoreName) -> None:
    """It inserts into the store that is not the source, where that holds no row, and does nothing else."""
    for draft in decide(PLANNING, wanted(Mode.INSERT_ONLY, source), case).drafts:
        assert (draft.act, draft.store) == (Act.INSERT, source.other)


@EXAMPLES
@given(case=cases(), source=SOURCES)
def test_upsert_only_never_deletes(case: Case, source: StoreName) -> None:
    """No row is gone afterwards that was there."""
    for draft in decide(PLANNING, wanted(Mode.UPSERT_ONLY, source), case).drafts:
        assert draft.act is not Act.DELETE


@EXAMPLES
@given(case=cases(), source=SOURCES)
def test_fill_nulls_changes_only_nulls_of_the_target(case: Case, source: StoreName) -> None:
    """What had a value keeps it, and the source is not touched."""
    for draft in decide(PLANNING, wanted(Mode.FILL_NULLS, source), case).drafts:
        assert (draft.act, draft.store) == (Act.UPDATE, source.other)
        assert draft.before is not None
        assert draft.after is not None
        changed = [name for name in draft.before if draft.before[name] != draft.after[name]]
        assert changed
        assert all(draft.before[name] is None for name in changed)


@EXAMPLES
@given(case=cases(), mode=st.sampled_from(MODES), source=SOURCES)
def test_a_step_begins_with_the_row_that_is_there_and_changes_it(case: Case, mode: Mode, source: StoreName) -> None:
    """Its before is the row of its store, its after another one; no store is written twice."""
    drafts = decide(PLANNING, wanted(mode, source), case).drafts
    assert len({draft.store for draft in drafts}) == len(drafts)
    for draft in drafts:
        assert draft.before == case.seen[draft.store].row
        assert draft.after != draft.before
        assert draft.after is None or draft.after.keys() == {column.name for column in PLANNING.columns}


@EXAMPLES
@given(case=cases(), mode=st.sampled_from(MODES), source=SOURCES)
def test_after_all_steps_the_stores_agree_or_the_key_is_left(case: Case, mode: Mode, source: StoreName) -> None:
    """Nothing that differs is passed over in silence; what is planned twice is planned once."""
    asked = wanted(mode, source)
    decision = decide(PLANNING, asked, case)
    taken = after(case, decision)
    assert decision.left or not differ(taken)
    assert all(one.key == KEY and one.sentence for one in decision.left)
    again = replace(case, seen={store: Seen(taken[store], case.seen[store].line) for store in StoreName})
    assert decide(PLANNING, asked, again).drafts == ()


@EXAMPLES
@given(case=cases(), mode=st.sampled_from([Mode.SOURCE_OF_TRUTH, Mode.UPSERT_ONLY, Mode.THREE_WAY]), source=SOURCES)
def test_no_step_changes_the_side_that_is_right(case: Case, mode: Mode, source: StoreName) -> None:
    """Where every cause names one store at fault, the other one is not written, whichever is the source."""
    case = quiet(case)
    primary, secondary = case.seen[PRISMA].row, case.seen[SUPABASE].row
    if primary is None or secondary is None:
        return
    told = [one for found in explained(PLANNING, {PRISMA: primary, SUPABASE: secondary}).values() for one in found]
    if len({one.store for one in told}) != 1 or told[0].store is None or _is_misspelt(primary, secondary):
        return
    for draft in decide(PLANNING, wanted(mode, source), case).drafts:
        assert draft.store is told[0].store


@pytest.mark.soak
@MANY
@given(case=cases(), mode=st.sampled_from(MODES), source=SOURCES)
def test_all_of_it_at_length(case: Case, mode: Mode, source: StoreName) -> None:
    """The same over many more rows."""
    test_after_all_steps_the_stores_agree_or_the_key_is_left.hypothesis.inner_test(case, mode, source)  # type: ignore[attr-defined]  # Hypothesis adds it
    test_a_step_begins_with_the_row_that_is_there_and_changes_it.hypothesis.inner_test(case, mode, source)  # type: ignore[attr-defined]  # likewise


def _is_misspelt(*rows: Texts) -> bool:
    """Tell whether a row spells a reference or a word in a way that is wrong by itself, whatever the other one says."""
    references = [row[name] for row in rows for name in ("user_id", "project_id")]
    words = any(row["status"] == "In Progress" for row in rows)
    return words or any(value is not None and value != value.lower() for value in references)


@EXAMPLES
@given(case=cases(), source=SOURCES)
def test_without_fixes_the_source_is_never_written(case: Case, source: StoreName) -> None:
    """Who switches every fix off gets a plan that follows the source and nothing else."""
    for draft in decide(PLANNING, wanted(Mode.SOURCE_OF_TRUTH, source, fixes=frozenset()), case).drafts:
        assert draft.store is source.other
        assert draft.winner is Winner.SOURCE


@EXAMPLES
@given(case=cases(), mode=st.sampled_from(MODES), source=SOURCES)
def test_sentences_hold_no_value_of_the_record(case: Case, mode: Mode, source: StoreName) -> None:
    """Reasons name columns, paths and stores; what people wrote is in the rows alone."""
    decision = decide(PLANNING, wanted(mode, source), case)
    texts = [draft.reason for draft in decision.drafts] + [one.sentence for one in decision.left]
    for store in StoreName:
        for name, value in (case.seen[store].row or {}).items():
            if value is not None and len(value) > 7 and name not in {"id", "content", "metadata", "storage"}:
                assert not any(value in text for text in texts), name


@EXAMPLES
@given(case=cases())
def test_three_way_follows_the_only_side_that_changed(case: Case) -> None:
    """What no cause decides goes from the changed store to the other one; nothing is ever deleted."""
    case = replace(case, adopted=False)
    changed = [store for store in StoreName if case.seen[store].line is not None]
    for draft in decide(PLANNING, wanted(Mode.THREE_WAY), case).drafts:
        assert draft.act is not Act.DELETE
        assert draft.winner is not Winner.CHANGED or draft.store is changed[0].other
        assert len(changed) < 2
        assert draft.winner is not Winner.CHANGED or case.proven


def test_deletes_need_two_runs_and_no_rows_that_hang_on_it() -> None:
    """A row that the source lacks is deleted once two runs saw it, unless rows of other tables refer to it."""
    case = case_of(None, make_row(SUPABASE))
    asked = wanted(Mode.SOURCE_OF_TRUTH)
    (draft,) = decide(PLANNING, asked, case).drafts
    assert (draft.act, draft.store) == (Act.DELETE, SUPABASE)
    once = replace(case, found=replace(case.found, runs_seen=1))
    assert [one.why for one in decide(PLANNING, asked, once).left] == [Why.ONE_RUN]
    for kind in (DifferenceKind.DIFFERING, DifferenceKind.ONLY_PRIMARY):  # seen often, but nobody saw this row missing
        other = replace(case, found=replace(case.found, kind=kind, runs_seen=9))
        assert [one.why for one in decide(PLANNING, asked, other).left] == [Why.ONE_RUN]
    hung = replace(case, referenced=frozenset({SUPABASE}))
    assert [one.why for one in decide(PLANNING, asked, hung).left] == [Why.REFERENCED]
    doubtful = replace(case, found=replace(case.found, explained=False))
    assert [one.why for one in decide(PLANNING, asked, doubtful).left] == [Why.NO_WINNER]
    assert decide(PLANNING, replace(asked, fixes=frozenset()), doubtful).drafts == (draft,)
    elsewhere = replace(case, referenced=frozenset({PRISMA}))
    assert decide(PLANNING, asked, elsewhere).drafts == (draft,)


TITLES = case_of(make_row(PRISMA, title="One"), make_row(SUPABASE, title="Other"))


@pytest.mark.parametrize(
    ("case", "why"),
    [
        (case_of(None, None), Why.SETTLED),
        (case_of(make_row(PRISMA, status="in-progress"), make_row(SUPABASE, status="processing")), Why.SETTLED),
        (replace(TITLES, came_back="It came back."), Why.CAME_BACK),
        (replace(TITLES, found=replace(TITLES.found, place=Place.CONFLICT)), Why.IN_CONFLICT),
        (replace(TITLES, found=replace(TITLES.found, place=Place.DEAD_LETTER)), Why.DEAD_LETTER),
        (replace(TITLES, seen={**TITLES.seen, PRISMA: Seen(make_row(PRISMA, title="One"), 7)}), Why.UNDER_WAY),
    ],
    ids=lambda value: value.value if isinstance(value, Why) else "",
)
@pytest.mark.parametrize("mode", MODES)
def test_what_is_not_for_a_repair_is_left(case: Case, why: Why, mode: Mode) -> None:
    """What agrees, came back, waits or stands with a person is left in every mode, with one sentence."""
    decision = decide(PLANNING, wanted(mode), case)
    assert decision.drafts == ()
    assert [one.why for one in decision.left] == [why]


def test_a_key_that_came_back_is_planned_when_it_is_named() -> None:
    """Somebody who names the key knows; a filter on something else does not."""
    case = replace(TITLES, came_back="It came back.")
    assert decide(PLANNING, wanted(Mode.SOURCE_OF_TRUTH, keys=frozenset({KEY})), case).drafts
    assert not decide(PLANNING, wanted(Mode.SOURCE_OF_TRUTH, causes=frozenset({"unexplained"})), case).drafts


def test_a_line_of_a_pair_without_a_relay_stands_in_nobodys_way() -> None:
    """Nothing would carry it over: the source counts, and in three-way the side that has the line."""
    seen = {PRISMA: TITLES.seen[PRISMA], SUPABASE: Seen(TITLES.seen[SUPABASE].row, 4)}
    case = replace(TITLES, seen=seen, adopted=False)
    (by_source,) = decide(PLANNING, wanted(Mode.SOURCE_OF_TRUTH), case).drafts
    assert (by_source.store, by_source.winner) == (SUPABASE, Winner.SOURCE)
    (by_change,) = decide(PLANNING, wanted(Mode.THREE_WAY), replace(case, proven=True)).drafts
    assert (by_change.store, by_change.winner) == (PRISMA, Winner.CHANGED)
    both = replace(case, seen={**seen, PRISMA: Seen(TITLES.seen[PRISMA].row, 2)})
    assert [one.why for one in decide(PLANNING, wanted(Mode.THREE_WAY), both).left] == [Why.IN_CONFLICT]
    assert [one.why for one in decide(PLANNING, wanted(Mode.THREE_WAY), TITLES).left] == [Why.NO_WINNER]


@pytest.mark.parametrize("secondary", [TITLES.seen[SUPABASE].row, None])
def test_a_line_without_proof_that_both_agreed_before_tells_nothing(secondary: Texts | None) -> None:
    """The other store may have been written around capture, or have differed long before: it is left, and said why."""
    case = case_of(make_row(PRISMA, title="One"), secondary, adopted=False)
    case = replace(case, seen={**case.seen, PRISMA: Seen(case.seen[PRISMA].row, 7)})
    decision = decide(PLANNING, wanted(Mode.THREE_WAY), case)
    assert decision.drafts == ()
    assert [(one.why, "Only prisma is known to have changed" in one.sentence) for one in decision.left] == [
        (Why.NO_WINNER, True)
    ]
    assert decide(PLANNING, wanted(Mode.THREE_WAY), replace(case, proven=True)).drafts
