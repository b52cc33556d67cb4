"""Values as the store that gets them answers them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.dataset import Column, ColumnType, types
from contracts.planning import PLANNING
from contracts.vocabulary import StoreName
from storage.canonical_json import to_text
from storage.repair.forms import held, json_text, read_json

PRISMA, SUPABASE = StoreName


@pytest.mark.parametrize(
    ("column", "text", "on_prisma", "on_supabase"),
    [
        ("created_at", "2026-03-01 10:00:00.1235+00", "2026-03-01 10:00:00.124", "2026-03-01 10:00:00.1235+00"),
        ("created_at", "1999-12-31 23:59:59.1235+00", "1999-12-31 23:59:59.123", "1999-12-31 23:59:59.1235+00"),
        ("created_at", "2026-03-01 10:00:00", "2026-03-01 10:00:00", "2026-03-01 10:00:00+00"),
        ("created_at", "2026-03-01T10:00:00.120Z", "2026-03-01 10:00:00.12", "2026-03-01 10:00:00.12+00"),
        ("created_at", "0044-03-15 00:00:00 BC", "0044-03-15 00:00:00 BC", "0044-03-15 00:00:00+00 BC"),
        ("created_at", "infinity", "infinity", "infinity"),
        ("status", "in-progress", "processing", "processing"),
        ("title", "  As it is ", "  As it is ", "  As it is "),
        ("metadata", None, None, None),
        ("content", '{"a": {}, "b": 1.50}', '{"a": {}, "b": 1.50}', '{"a": {}, "b": 1.50}'),
        ("version", "3", "3", "3"),
    ],
)
def test_a_value_is_written_as_each_store_answers_it(
    column: str, text: str | None, on_prisma: str | None, on_supabase: str | None
) -> None:
    """Precision and zone of instants, spelling of words, spaces and order of JSON are those of the column."""
    found = PLANNING.column(column)
    assert (held(found, PRISMA, text), held(found, SUPABASE, text)) == (on_prisma, on_supabase)


def test_an_owner_is_spelt_as_the_store_spells_uuids() -> None:
    """Upper case becomes lower case where the column is of UUIDs; text stays text where it is."""
    owner = "0B9B2D10-6A4F-4C0E-9A55-0F7F6BFE3C11"
    assert held(PLANNING.column("user_id"), SUPABASE, owner) == owner.lower()
    assert held(PLANNING.column("user_id"), PRISMA, owner) == owner
    assert held(PLANNING.column("id"), PRISMA, owner) == owner.lower()


@pytest.mark.parametrize(("column", "text"), [("user_id", "guest"), ("id", "health-check-17"), ("created_at", "soon")])
def test_what_a_store_cannot_hold_is_refused(column: str, text: str) -> None:
    """A text that is no UUID, or no instant, is said so before a step is planned."""
    with pytest.raises(ValueError, match="not"):
        held(PLANNING.column(column), SUPABASE, text)


def test_a_text_that_is_too_long_for_the_other_store_is_refused() -> None:
    """A column of limited length takes what fits, and no more."""
    column = Column(name="code", type=ColumnType.TEXT, sql_types=types("text", "character varying(3)"))
    assert held(column, SUPABASE, "제목이") == "제목이"
    assert held(column, PRISMA, "four") == "four"
    with pytest.raises(ValueError, match="too long"):
        held(column, SUPABASE, "four")


def test_arrays_and_json_of_the_older_kind_are_kept_as_they_are() -> None:
    """`json` keeps its text, `jsonb` has its own; arrays are not looked into, nor is what needs no other form."""
    assert held(PLANNING.column("storage"), SUPABASE, "1" + "0" * 50_000) == "1" + "0" * 50_000
    plain = Column(name="raw", type=ColumnType.JSON, sql_types=types("jsonb", "json"))
    assert held(plain, SUPABASE, '{"b":1,"a":2}') == '{"b":1,"a":2}'
    assert held(plain, PRISMA, '{"b":1,"a":2}') == '{"a": 2, "b": 1}'
    tags = Column(name="tags", type=ColumnType.TEXT, array=True, sql_types=types("text[]"))
    assert held(tags, SUPABASE, "{b,a}") == "{b,a}"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ('{"bb":1,"a":[1, {"x":null}],"é":true}', '{"a": [1, {"x": null}], "bb": 1, "é": true}'),
        ("[]", "[]"),
        ("{}", "{}"),
        ('[{},[],""]', '[{}, [], ""]'),
        ("[1e3, 1.50e1, -0.00, 1E-3, 10.0]", "[1000, 15.0, 0.00, 0.001, 10.0]"),
        (r'"\u0007\n\u00e9\/"', '"\\u0007\\né/"'),
        ('{"a":1,"a":2}', '{"a": 2}'),
        ("false", "false"),
    ],
)
def test_json_is_written_as_jsonb_writes_it(text: str, written: str) -> None:
    """Keys by length and bytes, digits as they are, no exponents; checked against a server beside the doors."""
    assert json_text(read_json(text)) == written


@settings(max_examples=50, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text('ab"\\\n\x07é🎬'),
        lambda inner: st.lists(inner) | st.dictionaries(st.text("abé🎬"), inner),
    )
)
def test_what_is_written_is_the_same_value(value: object) -> None:
    """Written and read again nothing is lost, and writing it once more changes nothing."""
    text = json_text(read_json(json.dumps(value)))
    assert json.loads(text) == value
    assert json_text(read_json(text)) == text
    assert to_text(read_json(text)) == to_text(read_json(json.dumps(value)))


def test_depth_costs_no_recursion() -> None:
    """A body nested ten thousand levels deep is written like any other."""
    text = "[" * 10_000 + "]" * 10_000
    assert json_text(read_json(text)) == text


def test_a_number_that_nobody_would_write_out_is_refused() -> None:
    """An exponent of a thousand million makes no text of a gigabyte."""
    with pytest.raises(ValueError, match="too large"):
        json_text(read_json("1e999999999"))
