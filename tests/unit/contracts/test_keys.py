"""Key texts: one text per key, whatever its parts hold."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.keys import join_key, split_key
from contracts.planning import PLANNING

TWO = replace(PLANNING, key=("type", "title"))
parts = st.tuples(*[st.text(st.sampled_from("a|\\é "))] * 2)


@given(parts, parts)
def test_two_keys_never_share_a_text(one: tuple[str, str], other: tuple[str, str]) -> None:
    """Keys of two parts, full of separators and escapes, are read back as they were and share no text."""
    assert split_key(TWO, join_key(one)) == one
    assert (join_key(one) == join_key(other)) == (one == other)


@given(st.text(st.sampled_from("a|\\")))
def test_a_key_of_one_column_is_its_text(text: str) -> None:
    """Nothing is escaped where there is nothing to tell apart."""
    assert join_key([text]) == text
    assert split_key(PLANNING, text) == (text,)


@pytest.mark.parametrize("text", ["", "a", "a|b|c", "a\\|b", "a|b\\", "a|b\\c", "\\"])
def test_what_is_no_key_is_refused(text: str) -> None:
    """Another number of parts, or an escape of nothing, is no key of the dataset."""
    with pytest.raises(ValueError, match="not a key"):
        split_key(TWO, text)
