"""Deep merge: what a patch names is there afterwards, and nothing else changes."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from storage.dual.merging import merged

SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3)
)
OBJECTS = st.dictionaries(st.text(max_size=2), VALUES, max_size=4)


def leaves(value: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """Return what is no object that holds something, by path."""
    if not isinstance(value, dict) or not value:
        return {path: value}
    return {at: leaf for key, inner in value.items() for at, leaf in leaves(inner, (*path, key)).items()}


def under(path: tuple[str, ...], others: Any) -> bool:
    """Tell whether a path lies at, above or below one of some others."""
    return any(path[: len(other)] == other or other[: len(path)] == path for other in others)


@given(OBJECTS, OBJECTS)
def test_nothing_is_lost_that_a_patch_does_not_name(base: dict[str, Any], patch: dict[str, Any]) -> None:
    """Every leaf of the base whose path the patch does not touch is still there."""
    result = leaves(merged(base, patch))
    named = leaves(patch) if patch else {}
    for path, value in leaves(base).items():
        if not under(path, named):
            assert base == {} or result[path] == value


@given(OBJECTS, OBJECTS)
def test_what_a_patch_names_is_there(base: dict[str, Any], patch: dict[str, Any]) -> None:
    """An empty object lies over another one without emptying it."""
    result = leaves(merged(base, patch))
    for path, value in leaves(patch).items():
        if value != {}:
            assert result[path] == value


@given(OBJECTS, OBJECTS)
def test_a_patch_laid_twice_is_laid_once(base: dict[str, Any], patch: dict[str, Any]) -> None:
    """And neither argument is changed."""
    before = deepcopy((base, patch))
    once = merged(base, patch)
    assert merged(once, patch) == once
    assert (base, patch) == before


def test_lists_and_null_replace() -> None:
    """Objects are merged, everything else is a value."""
    base = {"a": {"b": [1, 2], "c": 1}, "d": {"e": 1}}
    assert merged(base, {"a": {"b": [3], "c": None}, "d": 7}) == {"a": {"b": [3], "c": None}, "d": 7}
