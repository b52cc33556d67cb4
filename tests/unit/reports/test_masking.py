"""What a reader may not see is masked, the same way everywhere."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.verdicts import MISSING
from contracts.vocabulary import Classification
from reports.masking import State, common_prefix, first_difference, is_masked, masked_text, shape, sides
from tests.support.factories import MASK_KEY, make_field, make_report

PUBLIC, INTERNAL, PERSONAL = Classification.PUBLIC, Classification.INTERNAL, Classification.PERSONAL


@pytest.mark.parametrize(
    ("masked", "share", "hidden"),
    [
        (True, False, {PERSONAL}),
        (False, False, set()),
        (True, True, {INTERNAL, PERSONAL}),
        (False, True, {INTERNAL, PERSONAL}),
    ],
)
def test_who_sees_what(masked: bool, share: bool, hidden: set[Classification]) -> None:  # noqa: FBT001 - the flags of a report
    """Public values always show; a shared report shows nothing else; personal ones need an explicit wish."""
    report = make_report(masked=masked, share=share)
    assert {c for c in Classification if is_masked(c, report)} == hidden


def test_a_mask_tells_shape_length_and_hash_only() -> None:
    """Equal values have equal masks under one key, another key gives another mask, and no part of the value shows."""
    value = "kim@example.com"
    assert masked_text(value, MASK_KEY) == masked_text(value, MASK_KEY)
    assert masked_text(value, MASK_KEY) != masked_text(value, b"another key")
    assert masked_text(value, MASK_KEY).startswith("text, 15 characters, hash ")
    assert not any(value[i : i + 4] in masked_text(value, MASK_KEY) for i in range(len(value) - 3))


def test_absence_is_not_masked() -> None:
    """NULL and a path that does not exist are facts about a row, not values of it."""
    primary, secondary = sides(make_field("title", None, MISSING), make_report(), MASK_KEY)
    assert (primary.state, primary.value, secondary.state, secondary.value) == (State.NULL, None, State.MISSING, None)


def test_shown_and_masked_sides() -> None:
    """A public value is shown as it is; a personal one is replaced."""
    shown, _ = sides(make_field("type", "video", None, classification=PUBLIC), make_report(), MASK_KEY)
    masked, _ = sides(make_field("title", "video", None), make_report(), MASK_KEY)
    assert (shown.state, shown.value) == (State.VALUE, "video")
    assert masked.state is State.MASKED
    assert "video" not in (masked.value or "")


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("", "empty text"),
        ("hello", "text"),
        ('{"a": 1}', "JSON object"),
        ("[1]", "JSON array"),
        ('"text"', "JSON string"),
        ("true", "boolean"),
        ("-1.5e9", "number"),
        ("6e1f2c0a-0000-4000-8000-000000000000", "id"),
        ("2026-03-14T02:00:00Z", "instant"),
    ],
)
def test_shapes(value: str, name: str) -> None:
    """The shape of a value is read from its text."""
    assert shape(value) == name


@given(st.text("ab", max_size=12), st.text("ab", max_size=12))
def test_the_common_prefix_is_the_longest(one: str, other: str) -> None:
    """The search by halves finds what a walk by characters finds."""
    walked = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
    assert common_prefix(one, other) == walked


def test_the_position_where_values_part() -> None:
    """The first differing character is counted from 1; there is none where a side holds no text."""
    assert first_difference(make_field("title", "abc", "abd")) == 3
    assert first_difference(make_field("title", "abc", "ab")) == 3
    assert first_difference(make_field("title", None, "ab")) is None
    assert first_difference(make_field("title", "ab", MISSING)) is None


def test_hostile_values_can_be_masked() -> None:
    """A lone surrogate and a megabyte are masked like anything else."""
    assert masked_text("\ud800", MASK_KEY).startswith("text, 1 character,")
    assert masked_text("x" * 1_000_000, MASK_KEY).startswith("text, 1,000,000 characters,")
