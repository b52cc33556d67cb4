"""differences.csv."""

from __future__ import annotations

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.vocabulary import Classification, DifferenceKind
from reports.spreadsheet import HEADER, inert, to_csv
from tests.support.factories import (
    MASK_KEY,
    make_dataset,
    make_difference,
    make_field,
    make_large_report,
    make_missing,
    make_report,
)
from tests.support.troubled_report import make_failed_report

FULL_WIDTH = "\uff1d\uff0b\uff0d\uff20"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\0", *FULL_WIDTH])
def test_cells_that_a_spreadsheet_computes_are_neutralised(start: str) -> None:
    """A cell that could be a formula begins with an apostrophe."""
    assert inert(f"{start}cmd|' /C calc'!A0").startswith("'")


@given(st.text(st.characters(), max_size=30))
def test_other_cells_keep_their_text(text: str) -> None:
    """Only what acts is changed; the result is always UTF-8 and never begins like a formula."""
    cell = inert(text)
    cell.encode()
    assert cell[:1] not in set("=+-@\t\r\n\0") | set(FULL_WIDTH)
    if text.isalnum():
        assert cell == text


def test_one_line_per_key_and_field() -> None:
    """A row with two fields has two lines, a one-sided row has one; values are masked as on the page."""
    dataset = make_dataset(
        differences=(
            make_difference(
                1,
                make_field("title", "Grandmother", "Grand"),
                make_field("status", "=draft", None, classification=Classification.PUBLIC),
                returned=True,
            ),
            make_missing(2, DifferenceKind.ONLY_PRIMARY, first_seen=None),
        )
    )
    lines = list(to_csv(make_report(datasets=(dataset,)), mask_key=MASK_KEY))
    rows = [dict(zip(HEADER, cells, strict=True)) for cells in csv.reader(lines[1:])]
    assert [(r["field"], r["cause"]) for r in rows] == [
        ("title", "unexplained"),
        ("status", "unexplained"),
        ("", "missing_row"),
    ]
    assert "Grand" not in "".join(lines)
    assert (rows[0]["prisma_state"], rows[0]["first_difference"], rows[0]["returned"]) == ("masked", "6", "yes")
    assert (rows[1]["prisma"], rows[1]["supabase"], rows[1]["supabase_state"]) == ("'=draft", "", "null")
    assert (rows[2]["kind"], rows[2]["first_seen"]) == ("only_primary", "")


def test_the_list_is_full() -> None:
    """Every difference that the run kept is there."""
    lines = list(to_csv(make_failed_report(), mask_key=MASK_KEY))
    assert len({line.split(",")[1] for line in lines[1:]}) == 467
    assert sum(1 for _ in to_csv(make_large_report(3_000), mask_key=MASK_KEY)) == 6_001
