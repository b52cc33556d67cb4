"""Suites are found by the name of their dataset, in the package and in a folder of the user."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts import found_files
from contracts.errors import ConfigurationError
from expectations.planning import SUITE
from expectations.registry import declared_checks, needed_columns, suite_for
from expectations.starting import starting_file

CONTRACT = '''"""The contract of orders."""

from contracts.dataset import Column, ColumnType, Dataset
from contracts.judge import Contract
from contracts.vocabulary import StoreName


def column(name: str, kind: ColumnType, sql_type: str) -> Column:
    return Column(name=name, type=kind, sql_types=dict.fromkeys(StoreName, frozenset({sql_type})))


CONTRACT = Contract(
    dataset=Dataset(
        name="orders",
        key=("tenant", "number"),
        columns=(
            column("note", ColumnType.TEXT, "text"),
            column("tenant", ColumnType.UUID, "uuid"),
            column("number", ColumnType.INTEGER, "bigint"),
            column("total", ColumnType.NUMERIC, "numeric"),
        ),
        tables=dict.fromkeys(StoreName, ("public", "orders")),
    ),
    rules=(),
    evaluators=lambda _: (),
)
'''
SUITE_FILE = starting_file("orders", null_shares={"note": 0.5})
OF_ANOTHER_COLUMN = """
from dataclasses import replace
SUITE = replace(SUITE, checks=(replace(SUITE.checks[0], columns=("colour",)),))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder of datasets that has the contract of orders, and no suite yet."""
    for part in ("contracts", "expectations"):
        (tmp_path / part).mkdir()
    (tmp_path / "contracts" / "orders.py").write_text(CONTRACT, encoding="utf-8")
    found_files.use_folder(tmp_path)
    yield tmp_path
    found_files.use_folder(None)


def write(folder: Path, text: str) -> None:
    """Write the suite's file."""
    (folder / "expectations" / "orders.py").write_text(text, encoding="utf-8")


def test_our_own_suite_is_found() -> None:
    """The suite of planning needs no folder."""
    assert suite_for("planning") is SUITE


def test_the_columns_that_a_suite_needs_are_in_the_order_of_the_dataset() -> None:
    """What is spooled for a suite is what its checks declare, and no body or title."""
    assert needed_columns("planning") == (
        "id",
        "type",
        "status",
        "user_id",
        "project_id",
        "metadata",
        "created_at",
        "updated_at",
    )


def test_a_suite_is_found_in_the_folder(folder: Path) -> None:
    """The generated file is a suite as it is."""
    write(folder, SUITE_FILE)
    assert [key for key, _, _ in declared_checks("orders")] == [
        "orders.volume_trend",
        "orders.not_shrunk",
        "orders.null_rate.note",
        "orders.key_unique",
    ]
    assert needed_columns("orders") == ("note", "tenant", "number")


@pytest.mark.parametrize("name", ["scenes", "runner", "../orders", ""])
def test_an_unknown_dataset_is_refused(folder: Path, name: str) -> None:
    """A name that no contract has is refused, and the known ones are named."""
    with pytest.raises(ConfigurationError, match=r"orders, planning"):
        suite_for(name)


def test_a_dataset_without_a_suite_is_refused(folder: Path) -> None:
    """A contract alone is no dataset: a suite that is not there proves nothing."""
    with pytest.raises(ConfigurationError, match=r"no suite for 'orders'.*expectations/orders\.py"):
        suite_for("orders")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SUITE = 1 +", "line 1"),
        ("import nothing_of_that_name", "line 1.*ModuleNotFoundError"),
        ("suite = None", "does not assign SUITE"),
        ("SUITE = None", "does not hold the suite of orders"),
        ("from expectations.planning import SUITE", "does not hold the suite of orders"),
        (SUITE_FILE.replace("note", "notes"), "line 6.*orders has no column `notes`"),
        (
            SUITE_FILE + OF_ANOTHER_COLUMN,
            "columns that its contract does not know: colour",
        ),
    ],
)
def test_an_unusable_file_is_refused(folder: Path, text: str, message: str) -> None:
    """What is wrong is said in one sentence, before anything is evaluated."""
    write(folder, text)
    with pytest.raises(ConfigurationError, match=message):
        suite_for("orders")
