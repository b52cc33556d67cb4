"""Causes that the row itself shows, and what is left over when no value tells."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from contracts.planning import PLANNING
from contracts.row_facts import RowFacts
from contracts.vocabulary import Cause, StoreName
from storage.parity.causes import explain
from storage.parity.fields import diff_fields
from tests.support.row_pairs import BODY, CREATED, OWNER, PRISMA, SUPABASE, UPDATED, body, make_row, on, told, why

both_stores = pytest.mark.parametrize("store", list(StoreName))
UNEXPLAINED = Cause.UNEXPLAINED
MADE_UP = "prompt - 2026-01-15T04:05:06.789Z"
NO_TITLE = body(title=...)


@both_stores
@pytest.mark.parametrize("blank", ["", "   ", None])
@pytest.mark.parametrize("made_up", [MADE_UP, "prompt - 2026-01-15 04:05:06.789+00", "prompt - 2026-01-15 13:05:06+09"])
def test_a_made_up_title(store: StoreName, blank: str | None, made_up: str) -> None:
    """A title of type and instant where the other side has none was made up; no side is at fault."""
    changes = on(store, {"title": made_up}, {"title": blank})
    assert why(*changes) == {"title": Cause.TITLE_FALLBACK}
    (explanation,) = told(*changes)
    assert (explanation.store, explanation.detail) == (None, f"made up on {store} where the other is blank")


def test_titles_made_up_by_both_stores() -> None:
    """Two instants of one type were made up by two clocks."""
    (explanation,) = told({"title": MADE_UP}, {"title": "prompt - 2026-01-15T04:05:07.112Z"})
    assert explanation.cause is Cause.TITLE_FALLBACK
    assert explanation.detail == "made up by both stores at different instants"


@both_stores
@pytest.mark.parametrize(
    ("one", "other"),
    [
        (MADE_UP, "A proper title"),
        ("story - 2026-01-15T04:05:06.789Z", "   "),
        ("prompt - yesterday", "   "),
        ("prompt 2026-01-15T04:05:06.789Z", "   "),
        ("A proper title", ""),
    ],
)
def test_made_up_title_decoys(store: StoreName, one: str, other: str) -> None:
    """A proper title on the other side, another type or no instant: unexplained."""
    changes = on(store, {"title": one, "content": NO_TITLE}, {"title": other, "content": NO_TITLE})
    assert why(*changes) == {"title": UNEXPLAINED}


@pytest.mark.parametrize("column", ["user_id", "project_id"])
@pytest.mark.parametrize("legacy", ["guest", "user_12", "", '"><img src=x>'])
def test_references_that_are_no_uuid(column: str, legacy: str) -> None:
    """An id of prisma that supabase cannot hold, and holds as NULL, says so."""
    assert why({column: legacy}, {column: None}) == {column: Cause.REFERENCE_NOT_UUID}
    (explanation,) = told({column: legacy}, {column: None})
    assert explanation.store is PRISMA


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"user_id": "guest"}, {}),
        ({"user_id": None}, {"user_id": "guest"}),
        ({"source": "guest"}, {"source": "other"}),
    ],
)
def test_reference_decoys(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """An owner on supabase, the wrong side or a column that is no reference: unexplained."""
    assert set(why(ours, theirs).values()) == {UNEXPLAINED}


@both_stores
def test_a_lost_owner_is_not_written(store: StoreName) -> None:
    """A reference that one side lost is NULL there and a UUID on the other."""
    assert why(*on(store, {"user_id": None})) == {"user_id": Cause.COLUMN_NOT_WRITTEN}


@both_stores
@pytest.mark.parametrize("word", ["queued", "in_review", ""])
def test_an_unknown_status(store: StoreName, word: str) -> None:
    """A status of no vocabulary on one side is named with that side, even where a body says otherwise."""
    assert why(*on(store, {"status": word})) == {"status": Cause.STATUS_VOCABULARY}
    assert told(*on(store, {"status": word}))[0].store is store


@both_stores
@pytest.mark.parametrize(("one", "other"), [("archived", "completed"), ("draft", "completed"), ("queued", "in_review")])
def test_status_decoys(store: StoreName, one: str, other: str) -> None:
    """Two valid statuses, the first of a life among them, or two unknown ones: unexplained."""
    without = body(metadata=...)
    changes = on(store, {"status": one, "content": without}, {"status": other, "content": without})
    assert why(*changes) == {"status": UNEXPLAINED}


def test_a_made_up_relation_comes_before_a_vocabulary() -> None:
    """A status in upper case was made from the other: the narrower rule names it."""
    assert why({}, {"status": "ACTIVE"}) == {"status": Cause.TEXT_CASE}
    assert why({}, {"type": "PROMPT"}) == {"type": Cause.TEXT_CASE}
    assert why({}, {"type": "podcast"}) == {"type": UNEXPLAINED}


@both_stores
@pytest.mark.parametrize("rewritten", [UPDATED, "2026-03-05 17:31:49.456", "2026-04-01 00:00:00.001"])
def test_created_at_rewritten(store: StoreName, rewritten: str) -> None:
    """A row that is no older than its last change, while the other is, was created again by a save."""
    changes = on(store, {"created_at": rewritten})
    assert why(*changes) == {"created_at": Cause.CREATED_AT_REWRITTEN}
    assert told(*changes)[0].store is store


@both_stores
@pytest.mark.parametrize(
    "changes",
    [
        {"created_at": "2026-03-01 10:00:37.123"},  # later, but before the last change
        {"created_at": "2026-02-01 10:00:00.001"},  # earlier
        {"created_at": "2026-03-06 10:00:00.001", "updated_at": None},
        {"created_at": "2026-03-06 10:00:00.001", "updated_at": "infinity"},
    ],
)
def test_created_at_decoys(store: StoreName, changes: dict[str, Any]) -> None:
    """A time of creation before the last change, or without one to compare: unexplained."""
    assert why(*on(store, changes))["created_at"] is UNEXPLAINED


def test_an_untouched_row_does_not_look_rewritten() -> None:
    """A row that was never changed is as old as its last change; the other side's later creation is unexplained."""
    untouched = {"created_at": CREATED, "updated_at": CREATED}
    later = {"created_at": "2026-03-01 10:00:37.123", "updated_at": UPDATED}
    assert why(untouched, later) == {"created_at": UNEXPLAINED, "updated_at": UNEXPLAINED}


@pytest.mark.parametrize("content", [body(), json.dumps(body()), json.dumps(json.dumps(body()))])
def test_stale_columns(content: str) -> None:
    """A title or status of prisma that its own body contradicts is stale, however the body is encoded."""
    found = why({"title": "Working title", "status": "failed", "content": content}, {})
    assert (found["title"], found["status"]) == (Cause.COLUMN_STALE, Cause.COLUMN_STALE)


def test_a_stale_column_is_read_through_its_aliases() -> None:
    """A body that spells the status in an older way says the same."""
    content = body(metadata={**BODY["metadata"], "status": "in-progress"})
    ours = {"status": "active", "content": content}
    assert why(ours, {"status": "processing", "content": content}) == {"status": Cause.COLUMN_STALE}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({}, {"title": "Working title"}),  # supabase is the odd one
        ({"title": "One"}, {"title": "Another"}),  # the body agrees with neither
        ({"title": "One", "content": NO_TITLE}, {"content": NO_TITLE}),
        ({"title": "One", "content": body(title=7)}, {"content": body(title=7)}),
        ({"title": "One", "content": "[]"}, {"content": "[]"}),
        ({"title": "One", "content": '"no JSON"'}, {"content": '"no JSON"'}),
        ({"title": "One", "content": None}, {"content": None}),
        ({"source": "import"}, {}),
    ],
)
def test_stale_decoys(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """A body that agrees with neither column, or says nothing, explains nothing."""
    assert set(why(ours, theirs).values()) == {UNEXPLAINED}


@both_stores
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("project_id", None),
        ("metadata", None),
        ("storage", None),
        ("source", None),
        ("storage_status", None),
        ("storage_status", "pending"),
        ("version", None),
        ("created_at", None),
        ("updated_at", None),
        ("status", None),
        ("content", None),
        ("type", None),
    ],
)
def test_columns_that_nobody_wrote(store: StoreName, column: str, value: str | None) -> None:
    """NULL, or a default that stays for ever, where the other side has a valid value."""
    assert why(*on(store, {column: value})) == {column: Cause.COLUMN_NOT_WRITTEN}
    (explanation,) = told(*on(store, {column: value}))
    words = "NULL" if value is None else "still the default"
    assert (explanation.store, explanation.detail) == (store, f"{words} on {store}")


def test_null_before_a_default() -> None:
    """NULL where the other side has the default was not written; the default was."""
    (explanation,) = told({"storage_status": "pending"}, {"storage_status": None})
    assert explanation.store is SUPABASE


@both_stores
@pytest.mark.parametrize(
    ("column", "one", "other"),
    [
        ("source", "", "import"),
        ("source", None, "  "),
        ("storage_status", "failed", "saved"),
        ("metadata", None, "null"),
        ("metadata", None, '"text"'),
        ("metadata", "null", "{}"),
        ("created_at", None, "infinity"),
        ("status", None, "queued"),
    ],
)
def test_not_written_decoys(store: StoreName, column: str, one: str | None, other: str) -> None:
    """An empty text, two written values, or nothing valid on the other side: unexplained."""
    found = why(*on(store, {column: one}, {column: other}))
    assert found[column] is (UNEXPLAINED if column != "status" else Cause.STATUS_VOCABULARY)


@both_stores
def test_version_drift(store: StoreName) -> None:
    """A version that alone differs, or with the time of the last change, has drifted."""
    assert why(*on(store, {"version": "5"})) == {"version": Cause.VERSION_DRIFT}
    stamped = on(store, {"version": "5", "updated_at": "2026-03-05 17:32:25.456"})
    assert why(*stamped) == {"version": Cause.VERSION_DRIFT, "updated_at": Cause.VERSION_DRIFT}
    (explanation,) = told(*stamped)
    assert (explanation.store, explanation.detail) == (None, f"ahead on {store}")
    assert explanation.fields == ("updated_at", "version")


def test_a_version_that_may_be_nothing_has_drifted_without_direction() -> None:
    """NULL against a version that is none has no direction."""
    (explanation,) = told({"version": "0"}, {"version": None})
    assert (explanation.cause, explanation.detail) == (Cause.VERSION_DRIFT, "")


def test_a_version_and_a_text_are_unexplained() -> None:
    """A version that differs together with an unexplained column is unexplained."""
    found = why({}, {"version": "4", "title": "Another", "updated_at": "2026-03-05 17:32:25.456"})
    assert found == dict.fromkeys(("version", "title", "updated_at"), UNEXPLAINED)


def test_a_version_beside_an_explained_column_has_drifted() -> None:
    """What another cause explains does not stand in the way: two faults, two names."""
    found = why({}, {"version": "4", "source": None})
    assert found == {"source": Cause.COLUMN_NOT_WRITTEN, "version": Cause.VERSION_DRIFT}


@pytest.mark.parametrize("later", ["2026-03-05 17:31:12.457", "2026-03-08 17:32:19.579"])
def test_updated_at_rewritten(later: str) -> None:
    """A later last change on supabase, and nothing else, was stamped by it."""
    (explanation,) = told({}, {"updated_at": later})
    assert (explanation.cause, explanation.store) == (Cause.UPDATED_AT_REWRITTEN, SUPABASE)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"updated_at": "2026-03-05 17:31:12.458"}, {}),
        ({}, {"updated_at": "2026-03-05 17:32:13.456", "content": body(finalPrompt="Another")}),
        ({}, {"updated_at": "infinity"}),
    ],
)
def test_updated_at_decoys(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Later on prisma, together with a text, or infinite: unexplained."""
    assert set(why(ours, theirs).values()) == {UNEXPLAINED}


@pytest.mark.parametrize(
    ("ours", "theirs", "causes"),
    [
        ({"user_id": "guest"}, {"user_id": None, "status": "queued"}, "reference_not_uuid status_vocabulary"),
        ({"metadata": None}, {"created_at": UPDATED}, "column_not_written created_at_rewritten"),
        ({"title": "  "}, {"title": MADE_UP, "version": "9"}, "title_fallback version_drift"),
        (
            {"created_at": "2026-03-01 10:00:00.123"},
            {"created_at": "2026-03-01 10:00:00.123600", "version": None},
            "timestamp_truncated column_not_written",
        ),
        (
            {"content": json.dumps(body())},
            {"created_at": "2026-03-01 15:30:00.123"},
            "double_encoded_json time_zone_shift",
        ),
        ({"title": "Working title", "metadata": None}, {}, "column_stale column_not_written"),
        ({"content": body(title="CAFÉ 거리의 아침")}, {"source": "import"}, "text_case unexplained"),
    ],
)
def test_two_faults_name_two_causes(ours: dict[str, Any], theirs: dict[str, Any], causes: str) -> None:
    """Two faults on one row are both named, an unexplained one among them."""
    assert {str(explanation.cause) for explanation in told(ours, theirs)} == set(causes.split())


def test_a_dataset_without_facts_is_explained_by_its_values() -> None:
    """Rules about the meaning of columns are silent where it is unknown; those about values are not."""
    dataset = replace(PLANNING, facts=RowFacts(), created=None, updated=None)
    theirs = make_row(SUPABASE, title="  ", status="QUEUED", version="4", source=None, content=NO_TITLE)
    theirs["created_at"] = theirs["updated_at"]
    ours = make_row(PRISMA, title=MADE_UP, status="queued")
    fields, _ = explain(dataset, ours, theirs, diff_fields(dataset, ours, theirs))
    assert {field.field: field.cause for field in fields} == {
        "title": UNEXPLAINED,
        "content.title": UNEXPLAINED,
        "status": Cause.TEXT_CASE,
        "version": UNEXPLAINED,
        "source": Cause.COLUMN_NOT_WRITTEN,
        "created_at": UNEXPLAINED,
    }


def test_references_are_known_from_the_columns() -> None:
    """Columns that are a UUID on supabase and free text on prisma are references; the key is none."""
    assert PLANNING.references == {"user_id", "project_id"}
    assert OWNER
