"""JSON by value: what is equal has one text, what is not has two."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.canonical_json import Number, kind, number, parse, to_text

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
scalars = st.none() | st.booleans() | st.integers() | texts | st.decimals(allow_nan=False, allow_infinity=False)
values = st.recursive(scalars, lambda v: st.lists(v, max_size=4) | st.dictionaries(texts, v, max_size=4), max_leaves=12)


def written(value: Any, **style: Any) -> str:
    """Write a value with the standard library; decimals keep all digits."""
    return Decimals(**style).encode(value)


class Decimals(json.JSONEncoder):
    """Writes decimals as marked strings, whose marks are then taken away."""

    def default(self, o: Any) -> Any:
        """Mark a decimal."""
        return f"\ue000{o}\ue000"

    def encode(self, o: Any) -> str:
        """Encode without the marks."""
        return (
            super()
            .encode(o)
            .replace('"\ue000', "")
            .replace('\ue000"', "")
            .replace('"\\ue000', "")
            .replace('\\ue000"', "")
        )


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("1", "1"),
        ("1.0", "1"),
        ("1.00", "1"),
        ("1e2", "100"),
        ("1E+2", "100"),
        ("100e-2", "1"),
        ("-0", "0"),
        ("-0.000e77", "0"),
        ("0.10", "0.1"),
        ("-12.340", "-12.34"),
        ("12345e-7", "0.0012345"),
        ("9007199254740993", "9007199254740993"),
        ("1e40", "1" + "0" * 40),
        ("1e41", "1e41"),
        ("1" + "0" * 41, "1e41"),
        ("1e-41", "0." + "0" * 40 + "1"),
        ("1e-42", "1e-42"),
        ("1e00000000000000000000000000001", "10"),
        ("-2.50e-999999999", "-25e-1000000000"),
    ],
)
def test_numbers_are_exact(text: str, canonical: str) -> None:
    """A number has one text, and a huge exponent is not written out."""
    assert number(text) == Number(canonical)
    assert number(canonical) == Number(canonical)
    assert Number(canonical).decimal == Decimal(text)


@pytest.mark.parametrize("text", ["1e" + "9" * 18, "1e-" + "9" * 5000, "one", "", "--1"])
def test_numbers_that_no_store_holds_are_refused(text: str) -> None:
    """An exponent that no store could hold is refused rather than computed."""
    with pytest.raises(ValueError, match=r"number|exponent"):
        number(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "[",
        "]",
        "}",
        "[}",
        "[1,]",
        "[,1]",
        "[1 2]",
        '{"a"}',
        '{"a":}',
        '{"a":1,}',
        '{"a":1]',
        '["a":1]',
        "{1:2}",
        "{,}",
        "1 2",
        "01",
        "1.",
        ".5",
        "+1",
        "NaN",
        "nul",
        ":",
        ",",
        '"a',
        '"\n"',
        '"\\x"',
        '"\\ud800"',
        '"\\u0000"',
        "[1e99999999999999999999]",
        "[]]",
    ],
)
def test_what_is_no_json_is_refused(text: str) -> None:
    """What `jsonb` would refuse is refused."""
    with pytest.raises(ValueError, match=r".+"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ('{"b": 1, "a": {"d": [], "c": {}}}', '{"a":{"c":{},"d":[]},"b":1}'),
        ("[ [ ] , [ [ 1 ] ] ]", "[[],[[1]]]"),
        ('{"a": 1, "a": 2.0}', '{"a":2}'),
        ('"\\u00e9\\ud83d\\ude00\\n"', '"é😀\\n"'),
        ("true", "true"),
        ("[false,null]", "[false,null]"),
    ],
)
def test_one_text_per_value(text: str, canonical: str) -> None:
    """Key order, space and escapes do not count; the last of equal keys does."""
    assert to_text(parse(text)) == canonical


@settings(deadline=None)
@given(values)
def test_writing_it_otherwise_changes_nothing(value: Any) -> None:
    """However a value is written, its canonical text is the same, and is its own canonical text."""
    canonical = to_text(parse(written(value)))
    assert to_text(parse(written(value, indent=3, ensure_ascii=False))) == canonical
    assert to_text(parse(canonical)) == canonical


@settings(deadline=None)
@given(values, values)
def test_the_text_is_equal_exactly_when_the_value_is(one: Any, other: Any) -> None:
    """Equal texts mean equal values and the reverse; a number is no boolean and no text."""
    equal = _marked(one) == _marked(other)
    assert (to_text(parse(written(one))) == to_text(parse(written(other)))) is equal


def _marked(value: Any) -> Any:
    """Tell apart what Python holds equal: 1 and true."""
    if isinstance(value, dict):
        return {key: _marked(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_marked(child) for child in value]
    return value if isinstance(value, int | Decimal) and not isinstance(value, bool) else (type(value), value)


def test_depth_and_size_do_not_matter() -> None:
    """A body nested 50 000 levels deep and a text of a megabyte are read and written like any other."""
    deep = '{"a":[' * 25_000 + "]}" * 25_000
    long = json.dumps("줄\n" * 400_000, ensure_ascii=False)
    assert to_text(parse(deep)) == deep
    assert to_text(parse(long)) == long


@pytest.mark.parametrize(
    ("text", "name"),
    [("null", "null"), ("true", "boolean"), ("1", "number"), ('"1"', "string"), ("[]", "array"), ("{}", "object")],
)
def test_kinds(text: str, name: str) -> None:
    """A kind is called as `jsonb_typeof` calls it."""
    assert kind(parse(text)) == name
