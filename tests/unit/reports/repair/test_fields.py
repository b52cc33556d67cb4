"""The fields of a step, before and after: no change that is written is left out."""

from __future__ import annotations

import pytest

from contracts.dataset import Column, ColumnType, Dataset, types
from contracts.planning import PLANNING
from contracts.repair import Step
from contracts.verdicts import MISSING
from contracts.vocabulary import Classification
from reports.repair.fields import changes
from tests.support.repair_views import make_step, texts

DEEP = 5_000


def changing(before: str | None, after: str | None, *, column: str = "storage") -> Step:
    """Return a step that changes one JSON column."""
    return make_step(before=texts(**{column: before}), after=texts(**{column: after}), fields=(column,))


def told(step: Step) -> list[tuple[str, str | None, str | None]]:
    """Return what is told of a step."""
    return [(one.field, one.primary, one.secondary) for one in changes(PLANNING, step)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("12345678901234567.123", "12345678901234567.891"),
        ("0.1234567890123456789", "0.12345678901234568"),
        ("1" * 5_000, "1" * 4_999 + "2"),
        ("1", "1.0"),
        ("[1.00000000000000001]", "[1.00000000000000002]"),
    ],
)
def test_numbers_are_told_to_their_last_digit(before: str, after: str) -> None:
    """Numbers that a float would take for one are two, wherever they stand."""
    step = changing(f'{{"n": {before}, "same": 1}}', f'{{"n": {after}, "same": 1}}')
    assert told(step) == [("storage.n", before, after)]


def test_members_that_come_and_go_are_told() -> None:
    """A key that only one of the objects has is not there in the other."""
    assert told(changing("{}", '{"é": "a, }"}')) == [("storage.é", MISSING, '"a, }"')]
    assert told(changing('{ "a": {"b": [1, 2]}, "c": null }', '{"c": null}')) == [
        ("storage.a", '{"b": [1, 2]}', MISSING)
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"a": 1}', '{"a":  1}'),
        ('{"a": 2, "a": 1}', '{"a": 1}'),
        ('{"a": ' + "[" * DEEP + "]" * DEEP + "}", '{"a": ' + "[" * DEEP + "1" + "]" * DEEP + "}"),
        ('{"a": 1} {}', '{"a": 1}'),
        ('{"a": 1', '{"a": 1}'),
        ("{a: 1}", '{"a": 1}'),
        ("[1]", '{"a": 1}'),
        ("", '{"a": 1}'),
        (None, '{"a": 1}'),
    ],
)
def test_a_text_that_differs_beside_its_members_is_told_whole(before: str | None, after: str) -> None:
    """What is written is shown, also where no member differs, or where there is no object to look into."""
    assert told(changing(before, after)) == [("storage", before, after)]


def test_a_whole_column_is_as_secret_as_its_most_secret_part() -> None:
    """A public column with a personal key is not shown whole; a key that changes is as secret as itself."""
    column = Column(
        name="body",
        type=ColumnType.JSON,
        sql_types=types("jsonb", "jsonb"),
        classification=Classification.PUBLIC,
        paths={"name": Classification.PERSONAL},
    )
    dataset = Dataset(name="notes", key=("id",), columns=(PLANNING.column("id"), column), tables=PLANNING.tables)

    def secrecy(before: str | None, after: str) -> list[tuple[str, Classification]]:
        step = make_step(before={"body": before}, after={"body": after}, fields=("body",))
        return [(one.field, one.classification) for one in changes(dataset, step)]

    assert secrecy(None, '{"name": "Ada", "n": 1}') == [("body", Classification.PERSONAL)]
    assert secrecy('{"name": "Ada", "n": 1}', '{"name": "Bob", "n": 2}') == [
        ("body.name", Classification.PERSONAL),
        ("body.n", Classification.PUBLIC),
    ]
