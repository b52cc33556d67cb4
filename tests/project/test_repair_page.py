"""The page about plans of repair says what planning does."""

from collections.abc import Callable
from pathlib import Path

import pytest

from contracts.repair import Mode, Why
from storage.repair.courses import FIXES, MAY
from storage.repair.page import REASONS, causes_table, modes_table, reasons_table

PAGE = Path(__file__).parents[2] / "docs" / "repair-plans.md"


@pytest.mark.parametrize("table", [modes_table, causes_table, reasons_table])
def test_the_tables_of_the_page_are_those_of_the_code(table: Callable[[], str]) -> None:
    """Whoever changes what is done about a cause changes the page, too: `python -m storage.repair.page` prints it."""
    assert table() in PAGE.read_text(encoding="utf-8")


def test_every_mode_and_every_reason_is_told() -> None:
    """A mode that is added has a column, a reason a line."""
    assert MAY.keys() == set(Mode) - {Mode.UNDO}
    assert REASONS.keys() == set(Why)


def test_the_page_counts_the_fixes_right() -> None:
    """The number that the page names is that of the causes with a fix."""
    assert f"{len(FIXES)} causes" in PAGE.read_text(encoding="utf-8")
