"""The fields of one step, before and after, as its reader may see them: whatever is written, to the last digit."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from contracts.dataset import Column, ColumnType, Dataset
from contracts.repair import Step
from contracts.repair.plan import Texts
from contracts.verdicts import MISSING, FieldDifference
from contracts.vocabulary import Classification

_STRICTNESS = (Classification.PUBLIC, Classification.INTERNAL, Classification.PERSONAL)
_MARK = re.compile(r"[ \t\n\r]*([{}:,])[ \t\n\r]*")
_READER = json.JSONDecoder(parse_int=str, parse_float=str)  # finds where a value ends, and makes no number of it


def changes(dataset: Dataset, step: Step) -> tuple[FieldDifference, ...]:
    """Return what a step changes, in the dataset's order: before on the left, after on the right.

    Of JSON objects on both sides only the keys that change are told, each with its own classification.
    """
    return tuple(
        change
        for column in dataset.columns
        if column.name in step.fields
        for change in _changes(column, _text(step.before, column), _text(step.after, column))
    )


def _text(row: Texts | None, column: Column) -> str | None:
    return MISSING if row is None else row.get(column.name)


def _changes(column: Column, before: str | None, after: str | None) -> Iterator[FieldDifference]:
    one, other = _members(column, before), _members(column, after)
    if one is None or other is None or one == other:  # texts that differ beside their members are shown, too
        yield _difference(column.name, _strictest(column), before, after)
        return
    for name in (name for name in dict.fromkeys((*one, *other)) if one.get(name) != other.get(name)):
        who = column.paths.get(name, column.classification)
        yield _difference(f"{column.name}.{name}", who, one.get(name, MISSING), other.get(name, MISSING))


def _difference(field: str, who: Classification, before: str | None, after: str | None) -> FieldDifference:
    return FieldDifference(field=field, primary=before, secondary=after, classification=who)


def _strictest(column: Column) -> Classification:
    """A whole JSON column is as secret as the most secret part of it."""
    return max((column.classification, *column.paths.values()), key=_STRICTNESS.index)


def _members(column: Column, text: str | None) -> dict[str, str] | None:
    """Return the members of a JSON object as they are written; None for a text that is none.

    Numbers keep their digits: what a float would round is a change like any other.
    """
    if column.type is not ColumnType.JSON or column.array or text in (None, MISSING):
        return None
    try:
        return dict(_pairs(text or ""))
    except (ValueError, RecursionError):  # of a body that is nested very deeply
        return None


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """Yield key and text of each member of an object.

    Raises:
        ValueError: The text is no JSON object.
    """
    _, at = _past(text, 0, "{")
    mark = ","
    if text.startswith("}", at):
        mark, at = _past(text, at, "}")
    while mark == ",":
        name, at = _READER.raw_decode(text, at)
        _, start = _past(text, at, ":")
        _, at = _READER.raw_decode(text, start)
        yield str(name), text[start:at]
        mark, at = _past(text, at, ",}")
    if at < len(text):
        raise ValueError("more than an object")


def _past(text: str, at: int, marks: str) -> tuple[str, int]:
    """Return which of these marks stands at a place, and where what follows it begins."""
    found = _MARK.match(text, at)
    if found is None or found[1] not in marks:
        raise ValueError("not an object")
    return found[1], found.end()
