"""The grammar of the URL: what is quoted comes back as it was, what is malformed is refused, nothing leaks out."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.local.gateway.conditions import read_filter, read_tree
from storage.local.gateway.grammar import read_field, read_names, read_order, read_selection
from storage.local.gateway.parameters import read_parameters
from storage.local.gateway.refusals import Refusal
from storage.local.gateway.scanner import Unexpected
from storage.local.gateway.terms import Condition, Field, Junction, Step

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


def quoted(text: str) -> str:
    """Return a text as PostgREST's documentation says it must be quoted."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@given(TEXTS)
def test_an_operand_alone_is_taken_as_it_is(text: str) -> None:
    """A filter that stands alone compares with everything after its operator."""
    assert read_filter("name", f"eq.{text}").operand == text


@given(st.lists(TEXTS, min_size=1))
def test_quoted_items_of_a_list_come_back(texts: list[str]) -> None:
    """Every quoted item of `in` is one item, whatever it holds."""
    assert read_filter("name", f"in.({','.join(map(quoted, texts))})").operand == tuple(texts)


@given(TEXTS, TEXTS)
def test_quoted_operands_in_a_tree_come_back(one: str, other: str) -> None:
    """A quoted operand cannot end its condition, nor add another."""
    tree = read_tree("or", f"(a.eq.{quoted(one)},and(b.gt.{quoted(other)},c.is.null))")
    assert tree == Junction(
        operator="OR",
        members=(
            Condition(field=Field(name="a"), operator="=", operand=one),
            Junction(
                operator="AND",
                members=(
                    Condition(field=Field(name="b"), operator=">", operand=other),
                    Condition(field=Field(name="c"), operator="IS", operand="NULL"),
                ),
            ),
        ),
    )


@given(TEXTS)
def test_a_quoted_name_comes_back(name: str) -> None:
    """Any name can be asked for in quotes."""
    assert read_field(quoted(name)) == Field(name=name)


@given(TEXTS)
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text breaks the readers in another way than by a refusal."""
    for read in (read_selection, read_order, read_names, read_field, lambda value: read_tree("or", value)):
        with suppress(Unexpected, Refusal):
            read(text)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("data->>a", Field(name="data", path=(Step(key="a", as_text=True),))),
        ("data->a->0", Field(name="data", path=(Step(key="a", as_text=False), Step(key=0, as_text=False)))),
        ("data->-1", Field(name="data", path=(Step(key=-1, as_text=False),))),
        ('data->>"a->b"', Field(name="data", path=(Step(key="a->b", as_text=True),))),
        ("first-name", Field(name="first-name")),
        (
            "data->some-key->x",
            Field(name="data", path=(Step(key="some-key", as_text=False), Step(key="x", as_text=False))),
        ),
        ("data->1a", Field(name="data", path=(Step(key="1a", as_text=False),))),
        ("名前", Field(name="名前")),
    ],
)
def test_a_field_is_a_name_and_a_path(text: str, field: Field) -> None:
    """Dashes belong to names, arrows lead into JSON, whole numbers are places in arrays."""
    assert read_field(text) == field


@pytest.mark.parametrize("negation", ["not.", ""])
@pytest.mark.parametrize("operator", ["and", "or"])
def test_a_junction_may_be_negated(negation: str, operator: str) -> None:
    """`not.and` and `not.or` mean the opposite."""
    tree = read_tree(negation + operator, "(a.eq.1)")
    assert isinstance(tree, Junction)
    assert (tree.operator, tree.negated) == (operator.upper(), bool(negation))


@pytest.mark.parametrize(
    "text",
    ["or(", "((", "(a.eq.1", "(a.eq.1))", "(a.eq.1,)", "(,a.eq.1)", "(a.eq)", "(not.a.eq.1)", "(a.not.not.eq.1)"],
)
def test_a_broken_tree_is_refused(text: str) -> None:
    """Brackets must match, and every member be a condition."""
    with pytest.raises(Unexpected):
        read_tree("or", text)


def test_a_tree_beyond_all_measure_is_refused() -> None:
    """Brackets nested a thousand deep are refused, rather than break the interpreter."""
    with pytest.raises(Unexpected):
        read_tree("or", "(and" * 1000 + "(a.eq.1)" + ")" * 1000)


@pytest.mark.parametrize("text", ["author(name)", "...author(name)", "author!inner(name)", "a:author(name)"])
def test_embedding_is_refused_by_name(text: str) -> None:
    """What is not covered is said, not ignored."""
    with pytest.raises(Refusal) as caught:
        read_selection(text)
    assert (caught.value.code, caught.value.details) == ("PGRST127", "Embedding of related resources")


@pytest.mark.parametrize("operator", ["fts", "plfts", "phfts(english)", "not.wfts"])
def test_text_search_is_refused_by_name(operator: str) -> None:
    """Full-text search is not covered."""
    with pytest.raises(Refusal, check=lambda refusal: refusal.code == "PGRST127"):
        read_filter("name", f"{operator}.word")


def test_parameters_of_one_name_are_told_apart() -> None:
    """Several filters on one column all count; the first `select` and the last `limit` do."""
    pairs = [("id", "gt.1"), ("id", "lt.9"), ("select", "a"), ("select", "b"), ("limit", "3"), ("limit", "4")]
    found = read_parameters(pairs)
    assert [tree.operand for tree in found.where if isinstance(tree, Condition)] == ["1", "9"]
    assert [item.field.name for item in found.select] == ["a"]
    assert found.limit == 4


@pytest.mark.parametrize(
    ("value", "is_filter"), [("eq.1", True), ("1", False), ("isabel", False), ("equal", False), ("like(any).{a}", True)]
)
def test_arguments_of_a_call_are_what_is_no_filter(value: str, is_filter: bool) -> None:  # noqa: FBT001 - a column of the table
    """A function called by GET takes as arguments what cannot be a filter."""
    found = read_parameters([("who", value)], call=True)
    assert (len(found.where), len(found.arguments)) == ((1, 0) if is_filter else (0, 1))


@pytest.mark.parametrize("value", ["not.a", "in.1", "is.me"])
def test_half_a_filter_is_no_argument(value: str) -> None:
    """What begins as a filter and does not end as one is refused."""
    with pytest.raises(Refusal, check=lambda refusal: refusal.code == "PGRST100"):
        read_parameters([("who", value)], call=True)
