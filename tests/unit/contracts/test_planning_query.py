"""Queries: what may be asked, and cursors that come back unchanged."""

from __future__ import annotations

import pytest

from contracts.errors import Invalid
from contracts.planning import Status
from contracts.planning_query import PlanningQuery, read_query
from tests.support.planning_rows import KEY, OWNER

AT = "2026-11-23 12:00:00.123"


def test_nothing_asked_is_the_first_page_of_everything() -> None:
    """Twenty records."""
    query = read_query()
    assert (query.limit, query.place, query.statuses) == (20, None, ())


def test_an_older_spelling_of_a_status_asks_for_the_same() -> None:
    """And either way both spellings are found."""
    for word in ("processing", "in-progress"):
        query = read_query(status=word)
        assert (query.status, query.statuses) == (Status.PROCESSING, ("processing", "in-progress"))
    assert read_query(status="draft").statuses == ("draft",)


def test_names_may_be_those_of_json() -> None:
    """As an application of another language knows them."""
    assert read_query(userId=OWNER, projectId=KEY) == read_query(user_id=OWNER, project_id=KEY)


@pytest.mark.parametrize(
    "asked",
    [
        {"limit": 0},
        {"limit": 101},
        {"limit": "many"},
        {"type": "poem"},
        {"status": "queued"},
        {"status": 7},
        {"user_id": "user-1"},
        {"project_id": "guest"},
        {"search": "x" * 101},
        {"search": "a\0b"},
        {"page": 2},
        {"cursor": "x" * 501},
    ],
)
def test_what_cannot_be_asked_is_refused(asked: dict[str, object]) -> None:
    """Before any store is asked, with the name of what is wrong."""
    with pytest.raises(Invalid) as caught:
        read_query(**asked)
    assert [path for path, _ in caught.value.violations] == list(asked)


def test_a_cursor_leads_to_its_place() -> None:
    """Whatever the size of the page is."""
    query = PlanningQuery(user_id=OWNER, search="%")
    cursor = query.cursor_after(AT, KEY)
    assert read_query(user_id=OWNER, search="%", limit=7, cursor=cursor).place == (AT, KEY)
    assert cursor.isascii()
    assert "=" not in cursor


@pytest.mark.parametrize("at", ["2026-11-23 12:00:00", "0044-03-15 00:00:00 BC", "infinity", "-infinity"])
def test_every_instant_of_a_store_makes_a_cursor(at: str) -> None:
    """Also those that Python cannot hold."""
    assert read_query(cursor=PlanningQuery().cursor_after(at, KEY)).place == (at, KEY)


@pytest.mark.parametrize("cursor", ["", "é", "!!!", "bnVsbA", "WzEsMiwzXQ"])
def test_a_cursor_of_somebody_elses_is_refused(cursor: str) -> None:
    """What is no cursor of ours is never taken for a place."""
    with pytest.raises(Invalid, match="none of ours"):
        read_query(cursor=cursor)


def test_a_cursor_cannot_carry_anything_else() -> None:
    """An instant that is none, or a key that is none, is refused."""
    query = PlanningQuery()
    for at, key in (("now()", KEY), (AT, "x"), (AT + "'", KEY)):
        with pytest.raises(Invalid, match="none of ours"):
            read_query(cursor=query.cursor_after(at, key))


def test_a_cursor_of_another_query_is_refused() -> None:
    """Its place means nothing there."""
    with pytest.raises(Invalid, match="another query"):
        read_query(type="video", cursor=PlanningQuery().cursor_after(AT, KEY))
