"""Whatever two rows hold: every differing field gets one cause, and equal rows get none."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.dataset import ColumnType
from contracts.planning import PLANNING
from contracts.verdicts import FieldDifference
from contracts.vocabulary import Cause
from storage.canonical import canonical_row
from storage.parity.causes import explain
from storage.parity.fields import diff_fields
from tests.support.row_pairs import KEY, OWNER, PRISMA, SUPABASE, body, explained, make_row, told

plain = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
words = st.sampled_from(
    ["", "  ", "guest", OWNER, OWNER.upper(), "active", "in-progress", "Straße", "STRASSE", "x" * 100]
)
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | plain | st.sampled_from(["1", "true", "{}", '["a"]', '{"id": "a"}']),
    lambda v: (
        st.lists(v, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "title", "metadata", "userId", "user_id", "x.y"]), v, max_size=4)
        | v.map(json.dumps)
    ),
    max_leaves=10,
)
instants = st.sampled_from(
    ["infinity", "-infinity", "0044-03-15 00:00:00 BC", "1999-12-31 23:59:59.9995"]
) | st.datetimes().map(str)
values: dict[ColumnType, st.SearchStrategy[str]] = {
    ColumnType.TEXT: plain | words,
    ColumnType.JSON: documents.map(json.dumps),
    ColumnType.INTEGER: st.integers(-3, 3).map(str),
    ColumnType.TIMESTAMP_MS: instants,
}
rows = st.fixed_dictionaries(
    {c.name: st.none() | values[c.type] for c in PLANNING.columns if c.name != "id"} | {"id": st.just(KEY)}
)


@settings(deadline=None, max_examples=300)
@given(rows, rows, st.sets(st.sampled_from([c.name for c in PLANNING.columns]), max_size=4))
def test_every_difference_gets_one_cause(one: dict[str, Any], other: dict[str, Any], changed: set[str]) -> None:
    """No rows make it raise; fields are there exactly when rows differ; explanations name the causes of the fields."""
    for secondary in (other, one | {name: other[name] for name in changed}):
        found = diff_fields(PLANNING, one, secondary)
        fields, explanations = explained(one, secondary)
        assert bool(found) is (canonical_row(PLANNING, one) != canonical_row(PLANNING, secondary))
        assert [(f.field, f.primary, f.secondary) for f in fields[: len(found)]] == [
            (f.field, f.primary, f.secondary) for f in found
        ]
        assert len({field.field for field in fields}) == len(fields)
        assert {field.cause for field in fields} == {explanation.cause for explanation in explanations}
        assert len(set(explanations)) == len(explanations)
        assert all(explanation.fields for explanation in explanations)


@settings(deadline=None, max_examples=100)
@given(rows)
def test_equal_rows_need_no_explanation(row: dict[str, Any]) -> None:
    """A row and itself, and a row and its canonical record, have nothing to explain."""
    assert explained(row, row) == ((), ())
    assert explained(row, canonical_row(PLANNING, row)) == ((), ())


def test_a_field_that_is_none_stays_unexplained() -> None:
    """A field that the rows do not show to differ is kept, unexplained: nothing is dropped in silence."""
    odd = FieldDifference(field="title", primary="a", secondary="b")
    fields, explanations = explain(PLANNING, make_row(PRISMA), make_row(SUPABASE), [odd])
    assert fields == (odd,)
    assert explanations == ()


def test_explanations_are_ordered_with_the_unexplained_last() -> None:
    """Explanations come in the order of the vocabulary, whatever the order of columns."""
    found = told({"title": "x" * 100, "source": "One", "content": json.dumps(body())}, {"title": "x" * 101})
    assert [explanation.cause for explanation in found] == [
        Cause.DOUBLE_ENCODED_JSON,
        Cause.TEXT_TRUNCATED,
        Cause.UNEXPLAINED,
    ]


def test_very_deep_and_very_long_bodies_are_explained() -> None:
    """Depth and size raise nothing and hide nothing."""
    deep = '{"a":' * 20_000 + "1" + "}" * 20_000
    assert [e.cause for e in told({"storage": json.dumps(deep)}, {"storage": deep})] == [Cause.DOUBLE_ENCODED_JSON]
    long = "가 " * 500_000
    assert [e.cause for e in told({"source": long + " "}, {"source": long + "\n"})] == [Cause.TEXT_WHITESPACE]
    many = json.dumps({str(at): at for at in range(2000)})
    assert [e.fields for e in told({"storage": many}, {"storage": "{}"})] == [("storage",)]
