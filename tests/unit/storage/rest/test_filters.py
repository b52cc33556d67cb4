"""Filters say what they mean, whatever values and names hold: they are read back by a grammar of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ConfigurationError
from storage.rest.filters import Span, between, is_one_of, name, ordered, quoted, selected

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
NAMES = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"], exclude_characters='"\\'), min_size=1)
HOSTILE = [
    "",
    '"',
    "\\",
    '\\"',
    '"),or=(x.eq.1',
    "a,b",
    "(",
    ")",
    ".",
    "*",
    "null",
    "%22",
    "\n",
    "é🙂",
    'in.("a")',
    "&x=y",
]

Tree = tuple[object, ...]


class Reader:
    """Reads a condition as PostgREST's documentation describes conditions; written without a look at the writer."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def condition(self) -> Tree:
        """Read a junction or a comparison."""
        for word in ("and", "or"):
            if self.text.startswith(f"{word}(", self.at):
                self.at += len(word)
                return (word, *self.listed(self.condition))
        column = self.word(".")
        operator = self.word(".")
        return (column, operator, list(self.listed(self.value)) if operator == "in" else self.value())

    def listed(self, one: object) -> Iterator[object]:
        """Read members in brackets."""
        self.need("(")
        yield one()  # type: ignore[operator]  # either reader of one member
        while self.text[self.at] == ",":
            self.at += 1
            yield one()  # type: ignore[operator]  # likewise
        self.need(")")

    def word(self, end: str) -> str:
        """Read a name, in quotation marks or up to a character."""
        if self.text[self.at] == '"':
            found = self.value()
        else:
            stop = self.text.index(end, self.at)
            found, self.at = self.text[self.at : stop], stop
        self.need(end)
        return found

    def value(self) -> str:
        """Read a value in quotation marks."""
        self.need('"')
        found = []
        while self.text[self.at] != '"':
            self.at += self.text[self.at] == "\\"
            found.append(self.text[self.at])
            self.at += 1
        self.need('"')
        return "".join(found)

    def need(self, character: str) -> None:
        """Pass a character that must stand here."""
        assert self.text[self.at] == character
        self.at += 1


def read(condition: str | None) -> Tree:
    """Read a whole condition."""
    assert condition is not None
    reader = Reader(condition)
    tree = reader.condition()
    assert reader.at == len(condition)
    return tree


@given(TEXTS)
def test_a_quoted_value_is_read_as_itself(value: str) -> None:
    """Nothing in a value ends it, and nothing is added to it."""
    reader = Reader(quoted(value))
    assert reader.value() == value
    assert reader.at == len(reader.text)


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_stays_one_value(value: str) -> None:
    """Values that look like filters filter by themselves."""
    assert read(is_one_of(["id"], [(value,), ("x",)])) == ("id", "in", [value, "x"])
    assert read(Span(after=(value,)).condition(["id"])) == ("id", "gt", value)
    assert read(between("at", value, value)) == ("and", ("at", "gte", value), ("at", "lte", value))


@given(NAMES, TEXTS)
def test_a_name_is_read_as_itself(column: str, value: str) -> None:
    """Names with dots, commas, brackets and blanks stand in quotation marks."""
    assert read(Span(after=(value,)).condition([column])) == (column, "gt", value)


@pytest.mark.parametrize("column", ['a"b', "a\\b", "a\nb", "\0"])
def test_a_name_that_no_quotation_marks_help_is_refused(column: str) -> None:
    """It is not sent at all."""
    with pytest.raises(ConfigurationError):
        name(column)


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=5))
def test_keys_of_several_columns_are_compared_part_by_part(keys: list[tuple[str, str]]) -> None:
    """A row is meant when all parts of one of the keys are its own."""
    expected: list[Tree] = [("and", ("a", "eq", a), ("b", "eq", b)) for a, b in keys]
    assert read(is_one_of(["a", "b"], keys)) == (expected[0] if len(keys) == 1 else ("or", *expected))


def holds(tree: Tree, row: dict[str, str]) -> bool:
    """Say whether a row meets a condition."""
    if tree[0] in ("and", "or"):
        members = [holds(member, row) for member in tree[1:]]  # type: ignore[arg-type]  # members are trees
        return all(members) if tree[0] == "and" else any(members)
    column, operator, value = tree
    own = row[str(column)]
    return {
        "gt": own > str(value),
        "gte": own >= str(value),
        "lt": own < str(value),
        "lte": own <= str(value),
        "eq": own == value,
    }[str(operator)]


PART = st.sampled_from("abc")
KEYS = st.tuples(PART, PART, PART)


@given(KEYS, st.none() | KEYS, st.none() | KEYS)
def test_a_span_holds_the_keys_after_its_begin_up_to_its_end(
    key: tuple[str, ...], after: tuple[str, ...] | None, upto: tuple[str, ...] | None
) -> None:
    """Keys of several columns are ordered by their first column, then by the next one."""
    condition = Span(after=after, upto=upto).condition(["a", "b", "c"])
    inside = (after is None or key > after) and (upto is None or key <= upto)
    assert inside is (condition is None or holds(read(condition), dict(zip("abc", key, strict=True))))


def test_columns_are_read_as_text_under_their_canonical_names() -> None:
    """Alias, name and cast of each; an order by each."""
    assert selected([("id", "id"), ("at", "Seen at")]) == 'id:id::text,at:"Seen at"::text'
    assert ordered(["id", "Seen at"]) == 'id.asc,"Seen at".asc'
