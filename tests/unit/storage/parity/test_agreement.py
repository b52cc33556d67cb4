"""Compare rules: what counts as equal, what does not, and what a comparison says of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from contracts.dataset import Column, ColumnType, Dataset
from contracts.planning import PLANNING
from contracts.vocabulary import StoreName, Verdict
from storage.parity.agreement import agrees, by_rule
from storage.parity.engine import Parity, ParityOptions, compare
from storage.parity.recheck import Patience
from storage.ports import Row
from tests.support.memory_store import MemoryReader
from tests.support.row_pairs import make_row

PRISMA, SUPABASE = StoreName.PRISMA, StoreName.SUPABASE
KEYS = [f"00000000-0000-4000-8000-00000000000{n}" for n in range(6)]


def column(kind: ColumnType, **rule: Any) -> Column:
    """Return a column with a rule."""
    return Column(name="it", type=kind, sql_types={}, **rule)


def planning_with(name: str, **rule: Any) -> Dataset:
    """Return the planning dataset with a rule on one column."""
    columns = tuple(replace(c, **rule) if c.name == name else c for c in PLANNING.columns)
    return replace(PLANNING, columns=columns)


CENT = {"tolerance": Decimal("0.01")}
SECOND = {"tolerance": timedelta(seconds=1)}
INSTANT = "2026-01-01T00:00:00.{}Z"


@pytest.mark.parametrize(
    ("kind", "rule", "one", "other", "expected"),
    [
        (ColumnType.NUMERIC, CENT, "1", "1.01", True),
        (ColumnType.NUMERIC, CENT, "1", "1.0100000000000000000000000000000000001", False),
        (ColumnType.NUMERIC, CENT, "1e60", "1e60", True),
        (ColumnType.NUMERIC, CENT, "1e60", f"1{'0' * 59}1", False),
        (ColumnType.NUMERIC, CENT, "NaN", "1", False),
        (ColumnType.NUMERIC, CENT, "NaN", "NaN", True),
        (ColumnType.FLOAT, CENT, "Infinity", "-Infinity", False),
        (ColumnType.INTEGER, {"tolerance": Decimal(2)}, "9007199254740993", "9007199254740995", True),
        (ColumnType.INTEGER, {"tolerance": Decimal(2)}, "9007199254740993", "9007199254740996", False),
        (ColumnType.TIMESTAMP_MS, SECOND, INSTANT.format("000"), INSTANT.format("999"), True),
        (ColumnType.TIMESTAMP_US, SECOND, INSTANT.format("000000"), "2026-01-01T00:00:01.000001Z", False),
        (ColumnType.TIMESTAMP_MS, SECOND, "infinity", INSTANT.format("000"), False),
        (ColumnType.TIME, SECOND, "12:00:00", "12:00:00.5", True),
        (ColumnType.TIME, SECOND, "23:59:59.5", "24:00:00", True),
        (ColumnType.TIME, SECOND, "00:00:00", "24:00:00", False),
        (ColumnType.TEXT, {"ignore_case": True}, "Straße", "STRASSE", True),
        (ColumnType.TEXT, {"ignore_case": True}, "a", "b", False),
        (ColumnType.TEXT, {"pending": True}, "a", None, True),
        (ColumnType.TEXT, {"ignore_case": True}, "a", None, False),
        (ColumnType.TEXT, {}, "a", "A", False),
    ],
)
def test_values_agree_up_to_their_rule(
    kind: ColumnType,
    rule: dict[str, Any],
    one: str,
    other: str | None,
    expected: bool,  # noqa: FBT001 - a case
) -> None:
    """Exactly as far apart as allowed agrees, a step further does not; NULL and infinity are near nothing."""
    assert agrees(column(kind, **rule), one, other) is expected
    assert other is None or agrees(column(kind, **rule), other, one) is expected


def test_columns_that_agree_by_rule_are_named() -> None:
    """Equal rows name none, rows within the rule name their columns, others disagree."""
    dataset = planning_with("title", ignore_case=True)
    row = make_row(PRISMA, title="One")
    assert by_rule(dataset, row, make_row(SUPABASE, title="One")) == ()
    assert by_rule(dataset, row, make_row(SUPABASE, title="ONE")) == ("title",)
    assert by_rule(dataset, row, make_row(SUPABASE, title="ONE", source="other")) is None


def compared(dataset: Dataset, ours: Sequence[Row], theirs: Sequence[Row]) -> Parity:
    """Compare two stores in memory."""
    primary = MemoryReader(PRISMA, list(ours), dataset=dataset)
    secondary = MemoryReader(SUPABASE, list(theirs), dataset=dataset)
    options = ParityOptions(patience=Patience(grace_s=0, rounds=1))
    return compare(primary, secondary, (primary.facts(), secondary.facts()), options=options, sleep=lambda _: None)


def test_rows_that_agree_by_rule_are_matched_and_told() -> None:
    """Such rows count as matched, make no difference, and the notes say how many there were in which column."""
    dataset = planning_with("title", ignore_case=True)
    ours = [make_row(PRISMA, id=key, title="One") for key in KEYS]
    theirs = [make_row(SUPABASE, id=key, title="ONE" if key in KEYS[:2] else "One") for key in KEYS]
    parity = compared(dataset, ours, theirs)
    assert (parity.rows.matched, parity.differences, parity.reasons) == (6, (), ())
    assert parity.notes == ("`title` differs by no more than its compare rule allows; rows that are equal so: 2",)
    assert not parity.identical


def test_a_rule_hides_no_other_column_of_the_row() -> None:
    """A row that also differs elsewhere is a difference, in that column alone."""
    dataset = planning_with("title", ignore_case=True)
    parity = compared(
        dataset,
        [make_row(PRISMA, id=key, title="One", source="a") for key in KEYS],
        [make_row(SUPABASE, id=key, title="ONE", source="a" if key != KEYS[3] else "b") for key in KEYS],
    )
    (difference,) = parity.differences
    assert (difference.key, [field.field for field in difference.fields]) == (KEYS[3], ["source"])
    assert [reason.verdict for reason in parity.reasons] == [Verdict.FAILED]


def test_a_pending_column_is_listed_until_its_day() -> None:
    """Before the day its differences are counted in a note, even if there are none; from the day on they count."""
    day = date(2026, 3, 1)
    dataset = planning_with("source", pending_until=day)
    ours = [make_row(PRISMA, id=key, source="a") for key in KEYS]
    theirs = [make_row(SUPABASE, id=key, source=None if key == KEYS[0] else "a") for key in KEYS]
    before = dataset.as_of(day - timedelta(days=1))
    assert compared(before, ours, theirs).notes == (
        "`source` is not compared before 2026-03-01; rows that differ in it alone: 1",
    )
    assert "in it alone: 0" in compared(before, ours, ours).notes[0]
    assert [d.key for d in compared(dataset.as_of(day), ours, theirs).differences] == [KEYS[0]]
