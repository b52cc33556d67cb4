"""Two values side by side."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from contracts.vocabulary import Classification
from reports.diff import CONTEXT, MARKED_MAX, FieldDiff, field_diff
from reports.masking import State
from tests.support.factories import MASK_KEY, make_field, make_report


def shown(primary: str | None, secondary: str | None, **rest: Any) -> FieldDiff:
    """Return the difference of two values that everybody may see."""
    values: dict[str, Any] = {"classification": Classification.PUBLIC} | rest
    return field_diff(make_field("title", primary, secondary, **values), make_report(), MASK_KEY)


def test_only_what_differs_is_marked() -> None:
    """What both sides share stands before and after the mark."""
    diff = shown("media-eu.png", "media-us.png")
    assert (diff.primary.before, diff.primary.marked, diff.primary.after) == ("media-", "eu", ".png")
    assert (diff.secondary.before, diff.secondary.marked, diff.secondary.after) == ("media-", "us", ".png")
    assert diff.where == "differs from character 7"
    assert diff.spelt == ""


@given(st.text("ab", max_size=14), st.text("ab", max_size=14))
def test_the_pieces_make_the_whole(one: str, other: str) -> None:
    """Before, mark and after put together are the value, on both sides, and both share what is not marked."""
    diff = shown(one, other)
    for piece, whole in ((diff.primary, one), (diff.secondary, other)):
        assert piece.before + piece.marked + piece.after == whole
    assert (diff.primary.before, diff.primary.after) == (diff.secondary.before, diff.secondary.after)


def test_long_values_are_cut_around_the_difference() -> None:
    """A megabyte with one other character in the middle shows that character, some context, and its whole length."""
    one = "x" * 500_000 + "A" + "y" * 500_000
    diff = shown(one, one.replace("A", "B"))
    assert diff.primary.before == "…" + "x" * CONTEXT
    assert diff.primary.marked == "A"
    assert diff.primary.after == "y" * CONTEXT + "…"
    assert diff.primary.note == "1,000,001 characters"
    wide = shown("x" * 1_000, "")
    assert wide.primary.marked == "x" * MARKED_MAX + "… 1,000 characters differ"
    assert wide.weight < 2_000


def test_values_without_a_counterpart_are_shown_whole() -> None:
    """Against NULL there is nothing to share; a long value is cut."""
    diff = shown(None, "z" * 1_000)
    assert diff.primary.state is State.NULL
    assert diff.secondary.marked == "z" * MARKED_MAX + "…"
    assert diff.secondary.note == "1,000 characters"
    assert diff.where == ""


def test_masked_values_show_where_they_part_and_nothing_else() -> None:
    """A masked side holds its mask; the position of the difference is told."""
    diff = shown("secret one", "secret two", classification=Classification.PERSONAL)
    assert diff.primary.state is State.MASKED
    assert diff.where == "differs from character 8"
    assert "secret" not in repr(diff)


def test_look_alikes_are_spelt() -> None:
    """Characters that look the same are told by their code points; white space shows."""
    assert shown("caf\u00e9", "cafe\u0301").spelt == "U+00E9 against U+0065 U+0301"
    assert shown("a\u00a0", "a").spelt == "U+00A0 against nothing"
    assert shown("a\n", "a\t").primary.marked == "↵\n"
    assert shown("a\n", "a\t").secondary.marked == "␉"
