"""What is done about each cause: which store is written, with what, and why that is right."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from contracts.dataset import types
from contracts.planning import PLANNING
from contracts.repair import Mode, Why, Winner
from contracts.vocabulary import Cause, StoreName
from storage.canonical import canonical_value
from storage.repair.courses import COURSES, FIXES
from storage.repair.deciding import decide
from storage.repair.decisions import Decision
from storage.repair.ports import Seen
from tests.support.repair_cases import ENCODED, TITLE, case_of, wanted
from tests.support.row_pairs import BODY, KEY, OWNER, PRISMA, PROJECT, SUPABASE, Changes, body, make_row

Columns = Mapping[str, str | None]
NFD = unicodedata.normalize("NFD", TITLE)
METADATA = BODY["metadata"]
MADE_UP = ("prompt - 2026-01-15T04:05:06.789Z", "prompt - 2026-01-15T04:05:07.112Z")
META = json.dumps(METADATA)


def decided(primary: Changes, secondary: Changes, source: StoreName = PRISMA, **rest: Any) -> Decision:
    """Return what becomes of two rows with these changes, one store being the source of truth."""
    case = case_of(make_row(PRISMA, **primary), make_row(SUPABASE, **secondary))
    return decide(PLANNING, wanted(Mode.SOURCE_OF_TRUTH, source, **rest), case)


def written(decision: Decision) -> dict[StoreName, dict[str, str | None]]:
    """Return per store what a decision changes, in canonical form."""
    found: dict[StoreName, dict[str, str | None]] = {}
    for draft in decision.drafts:
        before, after = draft.before or {}, draft.after or {}
        changed = {name: text for name, text in after.items() if before[name] != text}
        found[draft.store] = {name: canonical_value(PLANNING.column(name), text) for name, text in changed.items()}
    return found


def canonical(changes: Columns) -> dict[str, str | None]:
    """Return values in canonical form."""
    return {name: canonical_value(PLANNING.column(name), text) for name, text in changes.items()}


@dataclass(frozen=True)
class Trial:
    """Two rows, and what must be written because of them, whichever store is the source.

    Attributes:
        primary: What is changed on prisma.
        secondary: What is changed on supabase.
        store: The store that is written.
        to: What it gets.
        winner: Why.
    """

    primary: Columns
    secondary: Columns
    store: StoreName
    to: Columns
    winner: Winner = Winner.AT_FAULT


_USUAL = make_row(SUPABASE)
ALWAYS: dict[str, Trial] = {
    "double_encoded_json": Trial({"content": ENCODED}, {}, PRISMA, {"content": body()}),
    "double_encoded_json twice": Trial({}, {"content": json.dumps(ENCODED)}, SUPABASE, {"content": body()}),
    "double_encoded_json within": Trial(
        {}, {"content": body(metadata=json.dumps(METADATA))}, SUPABASE, {"content": body()}
    ),
    "json_stripped": Trial({"content": body(id=..., type=...)}, {}, PRISMA, {"content": body()}),
    "json_key_case": Trial(
        {}, {"content": body(finalPrompt=..., final_prompt=BODY["finalPrompt"])}, SUPABASE, {"content": body()}
    ),
    "json_scalar_as_text": Trial({"content": body(durationSec="12.5")}, {}, PRISMA, {"content": body()}),
    "number_rounded": Trial(
        {"content": body(durationSec=12.456)},
        {"content": body(durationSec=12.46)},
        SUPABASE,
        {"content": body(durationSec=12.456)},
    ),
    "timestamp_truncated": Trial(
        {}, {"created_at": "2026-03-01 10:00:00.1236+00"}, PRISMA, {"created_at": "2026-03-01 10:00:00.124"}
    ),
    "time_zone_shift": Trial(
        {}, {"created_at": "2026-03-01 19:00:00.123+00"}, SUPABASE, {"created_at": "2026-03-01 10:00:00.123"}
    ),
    "created_at_rewritten": Trial(
        {"created_at": "2026-03-05 17:31:13"}, {}, PRISMA, {"created_at": _USUAL["created_at"]}
    ),
    "updated_at_rewritten": Trial(
        {}, {"updated_at": "2026-03-05 17:31:23+00"}, SUPABASE, {"updated_at": _USUAL["updated_at"]}
    ),
    "text_truncated": Trial({"source": "x" * 300}, {"source": "x" * 200}, SUPABASE, {"source": "x" * 300}),
    "text_case of a uuid": Trial({"user_id": OWNER.upper()}, {}, PRISMA, {"user_id": OWNER}),
    "text_case of a body's id": Trial({}, {"content": body(id=KEY.upper())}, SUPABASE, {"content": body()}),
    "text_mojibake": Trial({"source": "Café"}, {"source": "CafÃ©"}, SUPABASE, {"source": "Café"}),
    "title_fallback": Trial({"title": " "}, {"title": MADE_UP[0]}, PRISMA, {"title": MADE_UP[0]}),
    "column_stale": Trial({"title": "Older"}, {}, PRISMA, {"title": TITLE}),
    "column_not_written": Trial({"project_id": None}, {}, PRISMA, {"project_id": PROJECT}),
    "column_not_written default": Trial({}, {"storage_status": "pending"}, SUPABASE, {"storage_status": "saved"}),
    "status_vocabulary": Trial(
        {"content": body(metadata=...)},
        {"content": body(metadata=...), "status": "in_review"},
        SUPABASE,
        {"status": "active"},
    ),
    "status_vocabulary spelt": Trial(
        {"status": "In Progress"}, {"status": "in-progress"}, PRISMA, {"status": "processing"}
    ),
    "reference_not_uuid": Trial({"user_id": "guest"}, {"user_id": None}, PRISMA, {"user_id": None}),
}


@pytest.mark.parametrize("source", StoreName)
@pytest.mark.parametrize("trial", ALWAYS.values(), ids=ALWAYS)
def test_a_cause_that_tells_what_is_right_counts_for_either_source(trial: Trial, source: StoreName) -> None:
    """Only the store at fault is written, with the right value, whichever store is the source of truth."""
    decision = decided(dict(trial.primary), dict(trial.secondary), source)
    assert written(decision) == {trial.store: canonical(trial.to)}
    assert decision.left == ()
    (draft,) = decision.drafts
    assert draft.winner is trial.winner
    assert draft.reason.endswith(".")


def test_every_cause_with_a_fix_is_tried_here() -> None:
    """A fix that is added is tried, too; a lost window is about rows, and tried with them."""
    assert {name.split()[0] for name in ALWAYS} == FIXES - {Cause.WRITE_WINDOW}
    assert COURSES.keys() == set(Cause)


@pytest.mark.parametrize("source", StoreName)
@pytest.mark.parametrize("trial", ALWAYS.values(), ids=ALWAYS)
def test_a_fix_that_is_switched_off_leaves_the_word_to_the_source(trial: Trial, source: StoreName) -> None:
    """Then only the other store is written, or the value is left that it cannot hold."""
    decision = decided(dict(trial.primary), dict(trial.secondary), source, fixes=frozenset())
    assert {draft.store for draft in decision.drafts} <= {source.other}
    assert all(draft.winner is Winner.SOURCE for draft in decision.drafts)
    assert decision.drafts or [one.why for one in decision.left] == [Why.CANNOT_HOLD]


SOURCE_COUNTS: dict[str, tuple[Columns, Columns]] = {
    "text_case": ({}, {"title": TITLE.upper()}),
    "text_whitespace": ({"title": f"{TITLE} "}, {}),
    "text_normalization": ({"title": NFD}, {}),
    "title_fallback": ({"title": MADE_UP[0]}, {"title": MADE_UP[1]}),
    "version_drift": ({}, {"version": "4"}),
    "unexplained": ({}, {"title": "Renamed"}),
    "time_zone_shift": (
        {"metadata": None, "content": body(metadata=...)},
        {"metadata": None, "content": body(metadata=...), "created_at": "2026-03-01 19:00:00.123+00"},
    ),
    "json_key_case": ({"storage": '{"aB": 1}'}, {"storage": '{"a_b": 1}'}),
}


@pytest.mark.parametrize("source", StoreName)
@pytest.mark.parametrize(("primary", "secondary"), SOURCE_COUNTS.values(), ids=SOURCE_COUNTS)
def test_where_nothing_tells_the_source_counts(primary: Columns, secondary: Columns, source: StoreName) -> None:
    """The other store gets what the source holds."""
    rows = {PRISMA: dict(primary), SUPABASE: dict(secondary)}
    decision = decided(dict(primary), dict(secondary), source)
    (draft,) = decision.drafts
    assert (draft.store, draft.winner) == (source.other, Winner.SOURCE)
    assert decision.left == ()
    names = {
        name
        for name in {**primary, **secondary}
        if name not in primary or name not in secondary or primary[name] != secondary[name]
    }
    usual = make_row(source)
    assert written(decision)[source.other] == canonical({name: rows[source].get(name, usual[name]) for name in names})


def test_what_is_inside_an_encoded_body_is_settled_once_it_is_read() -> None:
    """Both stores get the body of the source, read: the encoding says nothing about what is inside."""
    decision = decided({"content": json.dumps(body(finalPrompt="Newer"))}, {})
    wanted_body = canonical({"content": body(finalPrompt="Newer")})
    assert written(decision) == {PRISMA: wanted_body, SUPABASE: wanted_body}
    assert [draft.winner for draft in decision.drafts] == [Winner.FIXED, Winner.SOURCE]
    other_way = decided({"content": json.dumps(body(finalPrompt="Newer"))}, {}, SUPABASE)
    assert written(other_way) == {PRISMA: canonical({"content": body()})}


@pytest.mark.parametrize("source", StoreName)
def test_what_shows_only_once_a_body_is_read_is_put_right_too(source: StoreName) -> None:
    """A number as text inside a body that was encoded twice: read first, mended then, and never spread."""
    for wrong in (body(durationSec="12.5"), body(id=..., type=...)):
        assert written(decided({"content": json.dumps(wrong)}, {}, source)) == {PRISMA: canonical({"content": body()})}
    both = decided({"content": body(durationSec="12.5")}, {"content": ENCODED}, source)
    assert written(both) == dict.fromkeys(StoreName, canonical({"content": body()}))


def test_a_body_that_is_wrong_in_one_place_keeps_what_the_source_says_elsewhere() -> None:
    """A number as text is put right on the source; the text beside it is the source's own and goes to the other."""
    decision = decided({"content": body(durationSec="12.5", finalPrompt="Newer")}, {})
    right = canonical({"content": body(finalPrompt="Newer")})
    assert written(decision) == {PRISMA: right, SUPABASE: right}


def test_a_body_in_which_both_sides_are_at_fault_is_left() -> None:
    """Nobody makes a body up of two halves; the other columns are repaired all the same."""
    decision = decided({"content": body(durationSec="12.5"), "project_id": None}, {"content": body(metadata=...)})
    assert [(one.why, one.causes) for one in decision.left] == [
        (Why.NO_WINNER, ("json_scalar_as_text", "json_stripped"))
    ]
    assert written(decision) == {PRISMA: {"project_id": PROJECT}}


@pytest.mark.parametrize("source", StoreName)
@pytest.mark.parametrize(("column", "value"), [("user_id", "user_17"), ("project_id", "project-1")])
def test_the_only_copy_of_a_reference_is_never_taken_away(column: str, value: str, source: StoreName) -> None:
    """An owner that supabase cannot hold stands nowhere else: neither store is written, until somebody insists."""
    decision = decided({column: value}, {column: None}, source)
    assert decision.drafts == ()
    assert [one.why for one in decision.left] == [Why.CANNOT_HOLD]
    insisting = decided({column: value}, {column: None}, SUPABASE, fixes=FIXES - {Cause.REFERENCE_NOT_UUID})
    assert written(insisting) == {PRISMA: {column: None}}


@pytest.mark.parametrize(("column", "value"), [("version", "0"), ("type", "podcast"), ("user_id", "user_17")])
def test_what_the_other_store_refuses_is_left_and_the_rest_is_repaired(column: str, value: str) -> None:
    """One value that supabase cannot take does not keep the others from it."""
    decision = decided({column: value, "source": "elsewhere"}, {})
    assert [one.why for one in decision.left] == [Why.CANNOT_HOLD]
    assert written(decision) == {SUPABASE: {"source": "elsewhere"}}


def test_a_row_that_is_refused_as_it_stands_is_not_written_at_all() -> None:
    """Where both rows hold what supabase refuses by now, no change of the row would be taken."""
    decision = decided({"version": "0", "source": "elsewhere"}, {"version": "0"})
    assert decision.drafts == ()
    assert [one.why for one in decision.left] == [Why.CANNOT_HOLD]


def test_a_spelling_of_the_source_is_put_right_where_it_stands() -> None:
    """Another owner in upper case goes to supabase in lower case, and stands so on prisma, too."""
    decision = decided({"user_id": PROJECT.upper()}, {})
    assert written(decision) == {PRISMA: {"user_id": PROJECT}, SUPABASE: {"user_id": PROJECT}}


def test_numbers_beside_a_fix_keep_their_digits() -> None:
    """What is written anew for one place of a body is otherwise the body that was there, digit for digit."""
    text = '{"a": 1.50, "b": "x", "metadata": 10.0}'
    case = case_of(make_row(PRISMA, storage=text), make_row(SUPABASE, storage=json.dumps(text)))
    (draft,) = decide(PLANNING, wanted(Mode.SOURCE_OF_TRUTH), case).drafts
    assert (draft.after or {})["storage"] == text


def test_filters_by_cause_and_field_change_nothing_else() -> None:
    """Of two faults of a row one is repaired: the other column stays, and so does the inside of a body."""
    rows: tuple[Changes, Changes] = (
        {"content": json.dumps(body(finalPrompt="Newer")), "project_id": None},
        {"title": "Else"},
    )
    by_cause = decided(*rows, causes=frozenset({"double_encoded_json"}))
    assert written(by_cause) == {PRISMA: canonical({"content": body(finalPrompt="Newer")})}
    assert by_cause.left == ()
    by_field = decided(*rows, fields=frozenset({"title", "project_id"}))
    assert written(by_field) == {PRISMA: {"project_id": PROJECT}, SUPABASE: {"title": TITLE}}


def test_a_text_that_was_cut_by_its_column_is_left() -> None:
    """The whole text would be cut once more: the column has to be made longer first."""
    short = replace(PLANNING.column("source"), sql_types=types("text", "character varying(200)"))
    dataset = replace(PLANNING, columns=tuple(short if c.name == "source" else c for c in PLANNING.columns))
    case = case_of(make_row(PRISMA, source="x" * 300), make_row(SUPABASE, source="x" * 200))
    for source in StoreName:
        decision = decide(dataset, wanted(Mode.SOURCE_OF_TRUTH, source), case)
        assert decision.drafts == ()
        assert [one.why for one in decision.left] == [Why.CANNOT_HOLD]
    gone = decide(dataset, wanted(Mode.SOURCE_OF_TRUTH), case_of(make_row(PRISMA, source="x" * 300), None))
    assert [(one.why, "source" in one.sentence) for one in gone.left] == [(Why.CANNOT_HOLD, True)]


def test_a_body_that_nobody_would_write_out_is_left() -> None:
    """A number of a thousand million digits in a JSON string is not read into one: no disk is filled by a plan."""
    decision = decided({"storage": json.dumps('{"a": 1e999999999, "b": 1}')}, {"storage": '{"a": 2, "b": 1}'})
    assert decision.drafts == ()
    assert [one.why for one in decision.left] == [Why.CANNOT_HOLD]


def test_a_place_in_a_list_is_put_right_and_its_neighbours_stay() -> None:
    """Of a list one item is taken from the other store; what stands beside it is the source's own."""
    decision = decided({"storage": '[{"n": "12"}, 1.50, "ours"]'}, {"storage": '[{"n": 12}, 1.50, "theirs"]'})
    right = {"storage": '[{"n":12},1.5,"ours"]'}
    assert written(decision) == {PRISMA: right, SUPABASE: right}


def test_a_title_inside_the_body_that_was_encoded_again_is_read_once() -> None:
    """A text that is a JSON string of the very text is read once; a text that only looks so is left as it is."""
    assert written(decided({}, {"content": body(finalPrompt=json.dumps(BODY["finalPrompt"]))})) == {
        SUPABASE: canonical({"content": body()})
    }


def test_filling_keeps_to_what_is_asked_for() -> None:
    """A filter by field fills that one; a mode that changes no row says so only of rows that are meant."""
    primary, secondary = make_row(PRISMA), make_row(SUPABASE, source=None, project_id=None)
    asked = wanted(Mode.FILL_NULLS, fields=frozenset({"source"}))
    assert written(decide(PLANNING, asked, case_of(primary, secondary))) == {SUPABASE: {"source": primary["source"]}}
    inserting = wanted(Mode.INSERT_ONLY, fields=frozenset({"title"}))
    assert decide(PLANNING, inserting, case_of(primary, secondary)) == Decision()


@pytest.mark.parametrize("column", ["user_id", "project_id", "status", "title", "version"])
def test_a_missing_row_that_supabase_refuses_names_the_column(column: str) -> None:
    """Whichever column it is, the sentence says so, and what to do."""
    value = {"user_id": "user_17", "project_id": "p-1", "status": "queued", "title": " ", "version": "0"}[column]
    (left,) = decide(PLANNING, wanted(Mode.UPSERT_ONLY), case_of(make_row(PRISMA, **{column: value}), None)).left
    assert left.why is Why.CANNOT_HOLD
    assert f"`{column}`" in left.sentence
    assert left.causes == ("refused_by_store",)


def test_three_way_inserts_where_only_the_holder_changed() -> None:
    """A row that was made on one side since both agreed; where neither changed, nobody knows."""
    made = case_of(make_row(PRISMA), None, adopted=False, proven=True)
    made = replace(made, seen={**made.seen, PRISMA: Seen(made.seen[PRISMA].row, 3)})
    (draft,) = decide(PLANNING, wanted(Mode.THREE_WAY), made).drafts
    assert (draft.store, draft.winner, draft.reason) == (
        SUPABASE,
        Winner.CHANGED,
        "The row is missing on supabase, and only prisma changed.",
    )
    quiet = decide(PLANNING, wanted(Mode.THREE_WAY), case_of(make_row(PRISMA), None))
    assert [one.why for one in quiet.left] == [Why.NO_WINNER]
