"""The fields of one step, before and after, as its reader may see them."""

from __future__ import annotations

import json
from collections.abc import Iterator

from contracts.dataset import Column, ColumnType, Dataset
from contracts.repair import Step
from contracts.repair.plan import Texts
from contracts.verdicts import MISSING, FieldDifference
from contracts.vocabulary import Classification


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
    objects = _object(column, before), _object(column, after)
    if objects[0] is None or objects[1] is None:
        yield _difference(column.name, column.classification, before, after)
        return
    for name in dict.fromkeys((*objects[0], *objects[1])):
        texts = [json.dumps(o[name], ensure_ascii=False) if name in o else MISSING for o in objects if o is not None]
        if texts[0] != texts[1]:
            who = column.paths.get(name, column.classification)
            yield _difference(f"{column.name}.{name}", who, texts[0], texts[1])


def _difference(field: str, who: Classification, before: str | None, after: str | None) -> FieldDifference:
    return FieldDifference(field=field, primary=before, secondary=after, classification=who)


def _object(column: Column, text: str | None) -> dict[str, object] | None:
    """Return the JSON object that a text holds; None where it holds none."""
    if column.type is not ColumnType.JSON or column.array or text in (None, MISSING):
        return None
    try:
        found = json.loads(text or "")
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
