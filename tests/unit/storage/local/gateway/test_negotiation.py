"""What a client prefers and accepts, and which rows it wants."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.local.gateway.media import accepted_media, check_single
from storage.local.gateway.parameters import read_parameters
from storage.local.gateway.preferences import read_preferences
from storage.local.gateway.refusals import Refusal
from storage.local.gateway.window import Window, content_range, status_of, wanted_window


def window(query: str, header: str | None = None) -> Window:
    """Return the window of a query such as `limit=3&offset=1`."""
    pairs = [tuple(item.split("=")) for item in query.split("&") if item]
    return wanted_window(read_parameters((name, value) for name, value in pairs), header)


@pytest.mark.parametrize(
    ("query", "header", "expected"),
    [
        ("", None, Window()),
        ("limit=3", None, Window(limit=3)),
        ("offset=2", None, Window(offset=2)),
        ("limit=3&offset=2", None, Window(offset=2, limit=3)),
        ("", "0-9", Window(limit=10)),
        ("", "5-", Window(offset=5)),
        ("", "items=5-", Window()),
        ("limit=3", "2-9", Window(offset=2, limit=1)),
        ("offset=4", "2-9", Window(offset=4, limit=6)),
        ("limit=0", "2-9", Window(limit=0)),
        ("limit=many", None, Window()),
    ],
)
def test_query_and_header_are_both_kept(query: str, header: str | None, expected: Window) -> None:
    """The rows wanted are those that query and header agree on; what is no number or range does not count."""
    assert window(query, header) == expected


@pytest.mark.parametrize(("query", "header"), [("limit=-1", None), ("", "9-2"), ("limit=2", "5-9")])
def test_impossible_windows_are_refused(query: str, header: str | None) -> None:
    """A window that cannot have rows is 416."""
    with pytest.raises(Refusal) as caught:
        window(query, header)
    assert (caught.value.status, caught.value.code) == (416, "PGRST103")


@given(st.integers(0, 50), st.integers(0, 50), st.none() | st.integers(0, 30), st.none() | st.integers(1, 30))
def test_status_and_range_follow_from_the_numbers(total: int, offset: int, limit: int | None, cap: int | None) -> None:
    """206 exactly where rows are left out, 416 exactly beyond the end, and the header names the rows."""
    wanted = Window(offset=offset, limit=limit)
    most = wanted.capped(cap).limit
    rows = max(0, min(total - offset, total if most is None else most))
    if offset > total:
        with pytest.raises(Refusal):
            status_of(wanted, rows, total)
        return
    assert status_of(wanted, rows, total) == (206 if rows < total else 200)
    assert status_of(wanted, rows, None) == 200
    span = f"{offset}-{offset + rows - 1}" if rows else "*"
    assert content_range(offset, rows, total) == ("Content-Range", f"{span}/{total}")


def test_the_first_mention_of_a_preference_counts() -> None:
    """Preferences are read from left to right; unknown ones are ignored unless handling is strict."""
    found = read_preferences("count=exact, return=minimal,count=planned , foo, max-affected=3,timezone=UTC")
    assert (found.count, found.returns, found.max_affected, found.timezone) == ("exact", "minimal", 3, "UTC")
    assert found.limit_of_changes is None


def test_strict_handling_refuses_what_is_unknown() -> None:
    """The refusal names every unknown preference."""
    with pytest.raises(Refusal) as caught:
        read_preferences("handling=strict, foo, count=exact, bar")
    assert (caught.value.code, caught.value.details) == ("PGRST122", "Invalid preferences: foo, bar")


def test_preferences_that_had_no_effect_are_not_confirmed() -> None:
    """Only what matters for the kind of request is named in the answer."""
    found = read_preferences("return=representation, resolution=merge-duplicates, handling=strict, max-affected=2")
    assert found.applied("read") == (("Preference-Applied", "handling=strict"),)
    assert found.applied("delete") == (
        ("Preference-Applied", "return=representation, handling=strict, max-affected=2"),
    )
    assert found.applied("insert", without=("resolution",)) == (
        ("Preference-Applied", "return=representation, handling=strict"),
    )
    assert read_preferences("").applied("read") == ()


@pytest.mark.parametrize(
    ("header", "single", "stripped"),
    [
        (None, False, False),
        ("*/*", False, False),
        ("text/html, application/json;q=0.5", False, False),
        ("application/json;q=0.1, application/vnd.pgrst.object+json", True, False),
        ("application/vnd.pgrst.object", True, False),
        ("application/vnd.pgrst.object+json;nulls=stripped", True, True),
        ("application/vnd.pgrst.array+json;nulls=stripped", False, True),
    ],
)
def test_the_preferred_form_that_there_is_wins(header: str | None, single: bool, stripped: bool) -> None:  # noqa: FBT001 - columns of the table
    """Forms are tried in the order of their quality."""
    media = accepted_media(header)
    assert (media.single, media.stripped) == (single, stripped)


@pytest.mark.parametrize("header", ["text/csv", "text/html, image/png", "application/openapi+json"])
def test_a_form_that_there_is_not_is_refused(header: str) -> None:
    """Another form than JSON is 406."""
    with pytest.raises(Refusal) as caught:
        accepted_media(header)
    assert (caught.value.status, caught.value.code) == (406, "PGRST107")


@pytest.mark.parametrize("rows", [0, 2, 1000])
def test_one_object_is_exactly_one_row(rows: int) -> None:
    """No row, or several, cannot be one object."""
    check_single(accepted_media(None), rows)
    with pytest.raises(Refusal, check=lambda refusal: refusal.details == f"The result contains {rows} rows"):
        check_single(accepted_media("application/vnd.pgrst.object+json"), rows)
