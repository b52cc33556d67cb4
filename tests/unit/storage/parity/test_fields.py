"""Which fields differ: nothing that is equal, everything that is not, each by a name of its own."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.dataset import Column, ColumnType, Dataset
from contracts.planning import PLANNING
from contracts.verdicts import MISSING, FieldDifference
from contracts.vocabulary import Classification
from storage.canonical_json import parse, to_text
from storage.parity.fields import MAX_PATHS, diff_fields, gaps
from tests.support.row_pairs import PRISMA, SUPABASE, body, make_row

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=6)
documents = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | texts,
    lambda v: st.lists(v, max_size=4) | st.dictionaries(texts, v, max_size=4),
    max_leaves=15,
)


def differing(primary: dict[str, Any], secondary: dict[str, Any]) -> tuple[FieldDifference, ...]:
    """Return the fields that differ, given what is changed on either side."""
    return diff_fields(PLANNING, make_row(PRISMA, **primary), make_row(SUPABASE, **secondary))


def named(primary: dict[str, Any], secondary: dict[str, Any]) -> dict[str, tuple[str | None, str | None]]:
    """Return both values by field."""
    return {field.field: (field.primary, field.secondary) for field in differing(primary, secondary)}


def test_equal_rows_have_no_difference() -> None:
    """Rows that are written differently and mean the same do not differ."""
    assert differing({}, {}) == ()
    assert differing({"status": "in-progress", "version": "07"}, {"status": "processing", "version": "7"}) == ()


def test_columns_and_paths_are_named_in_order() -> None:
    """Columns come in the dataset's order, the paths of a JSON column by key and position."""
    ours = {"title": "One", "content": body(keywords=["rain", "fog", "x"], tone=None, finalPrompt=...), "version": None}
    assert named(ours, {}) == {
        "title": ("One", "Café 거리의 아침"),
        "content.finalPrompt": (MISSING, '"A street at dawn, soft light, 35 mm"'),
        "content.keywords.1": ('"fog"', '"neon"'),
        "content.keywords.2": ('"x"', MISSING),
        "content.tone": ("null", MISSING),
        "version": (None, "3"),
    }


def test_another_kind_of_value_is_one_difference() -> None:
    """A string in place of an object, the JSON null and NULL are differences of the whole."""
    assert named({"metadata": '"x"'}, {"metadata": '{"a": 1}'}) == {"metadata": ('"x"', '{"a":1}')}
    assert named({"metadata": None}, {"metadata": "null"}) == {"metadata": (None, "null")}
    assert named({"metadata": '{"a": [1]}'}, {"metadata": '{"a": {"0": 1}}'}) == {"metadata.a": ("[1]", '{"0":1}')}
    assert named({"metadata": '{"a": true}'}, {"metadata": '{"a": 1}'}) == {"metadata.a": ("true", "1")}


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("plain-key_1", "storage.plain-key_1"),
        ("열쇠", "storage.열쇠"),
        ("a.b", 'storage."a.b"'),
        ("a b", 'storage."a b"'),
        ('a"b', 'storage."a\\"b"'),
        ("", 'storage.""'),
        ("12", 'storage."12"'),
        ("line\nbreak", 'storage."line\\nbreak"'),
    ],
)
def test_unusual_keys_are_quoted(key: str, name: str) -> None:
    """A key that could be mistaken for a path, or a position, stands in quotes."""
    assert list(named({"storage": json.dumps({key: 1})}, {"storage": "{}"})) == [name]


def test_long_keys_are_cut_and_stay_apart() -> None:
    """A path shows the beginning of a long key; two keys with one beginning have two names."""
    ours = json.dumps({"k" * 5000: 1, "k" * 5001: 1})
    one, other = named({"storage": ours}, {"storage": "{}"})
    assert one != other
    assert max(len(one), len(other)) < 120


def test_classification_follows_the_top_level_key() -> None:
    """A path takes the classification of its top-level key, a whole JSON column the most secret one."""
    ours = {"content": body(id="x", finalPrompt="x", durationSec=1), "storage": "1", "status": "draft"}
    assert {field.field: field.classification for field in differing(ours, {})} == {
        "content.durationSec": Classification.INTERNAL,
        "content.finalPrompt": Classification.PERSONAL,
        "content.id": Classification.PUBLIC,
        "status": Classification.PUBLIC,
        "storage": Classification.INTERNAL,
    }
    column = Column(
        name="doc",
        type=ColumnType.JSON,
        sql_types={},
        classification=Classification.PUBLIC,
        paths={"name": Classification.PERSONAL},
    )
    key = Column(name="id", type=ColumnType.TEXT, sql_types={})
    dataset = Dataset(name="other", key=("id",), columns=(key, column), tables={})
    (field,) = diff_fields(dataset, {"id": "1", "doc": "[]"}, {"id": "1", "doc": "{}"})
    assert field.classification is Classification.PERSONAL


def test_columns_that_are_not_compared_do_not_differ() -> None:
    """A column that is read but not compared is no difference."""
    columns = tuple(replace(column, compared=column.name != "title") for column in PLANNING.columns)
    dataset = replace(PLANNING, columns=columns)
    assert diff_fields(dataset, make_row(PRISMA, title="One"), make_row(SUPABASE)) == ()


def test_too_many_paths_are_one_difference() -> None:
    """A column with more differing paths than anyone reads is one difference."""
    many = json.dumps(list(range(MAX_PATHS + 1)))
    assert len(named({"storage": many}, {"storage": "[]"})) == 1
    assert len(named({"storage": json.dumps(list(range(MAX_PATHS)))}, {"storage": "[]"})) == MAX_PATHS


def test_depth_and_size_are_bounded() -> None:
    """What lies very deep is one difference at a bounded depth; equal depths are equal; a megabyte is no matter."""
    deep, deeper = ("[" * levels + "]" * levels for levels in (20_000, 20_001))
    assert differing({"storage": deep}, {"storage": deep}) == ()
    (field,) = differing({"storage": deep}, {"storage": deeper})
    assert field.field.count(".") == 64
    long = "가" * 1_000_000
    (field,) = differing({"content": body(finalPrompt=long)}, {"content": body(finalPrompt=long + "x")})
    assert len(field.primary or "") == 1_000_002


@settings(deadline=None)
@given(documents, documents)
def test_gaps_are_exactly_the_difference(one: Any, other: Any) -> None:
    """Two documents have gaps exactly when they differ, and taking over every gap makes one the other."""
    primary, secondary = json.dumps({"top": one}), json.dumps({"top": other})
    found = differing({"storage": primary}, {"storage": secondary})
    assert bool(found) is (to_text(parse(primary)) != to_text(parse(secondary)))
    assert len({field.field for field in found}) == len(found)
    assert all(field.primary != field.secondary for field in found)
    assert len(gaps(("storage",), parse(primary), parse(secondary))) == len(found)
