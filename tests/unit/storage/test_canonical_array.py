"""Arrays are read and written as PostgreSQL writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.canonical_array import Array, Elements, parse, to_text

texts = st.none() | st.text(st.sampled_from('aNULl{}",\\ \n\t\xa0\x1f'), max_size=6)


@given(st.lists(texts, max_size=5))
def test_elements_are_read_back_as_they_were_written(elements: Elements) -> None:
    """Quotes, escapes, NULL and the text `NULL` survive."""
    assert parse(to_text(Array("", elements))) == Array("", elements)


@pytest.mark.parametrize(
    ("text", "elements"),
    [
        ("{}", []),
        ("{1,NULL,2}", ["1", None, "2"]),
        ('{"NULL",null}', ["NULL", "null"]),
        ("{{1,2},{3,4}}", [["1", "2"], ["3", "4"]]),
        ('{"a\\"b","c\\\\d",""}', ['a"b', "c\\d", ""]),
        ("{no\xa0break\u2028line\x1f,b}", ["no\xa0break\u2028line\x1f", "b"]),  # no space to the server
    ],
)
def test_arrays_of_the_server_are_read(text: str, elements: Elements) -> None:
    """Empty, nested and quoted, as the server writes them."""
    assert parse(text).elements == elements


def test_bounds_belong_to_the_value() -> None:
    """An array that does not begin at 1 keeps its bounds."""
    assert to_text(parse("[0:1][2:2]={{1},{2}}")) == "[0:1][2:2]={{1},{2}}"


@pytest.mark.parametrize("text", ["", "1", "{", "}", "{1", "{1,}", "{,1}", "{1}{2}", "{1}x", '{"a}', "[0:1]=", "{1 2}"])
def test_what_is_no_array_is_refused(text: str) -> None:
    """Anything that the server would not write is an error, never a guess."""
    with pytest.raises(ValueError, match="not an array"):
        parse(text)


def test_only_as_many_dimensions_as_the_server_has() -> None:
    """Six dimensions are read, seven are not."""
    assert parse("{" * 6 + "1" + "}" * 6).elements == [[[[[["1"]]]]]]
    with pytest.raises(ValueError, match="not an array"):
        parse("{" * 7 + "1" + "}" * 7)
