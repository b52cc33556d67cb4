"""What a starting suite asks, and the text of its file."""

from __future__ import annotations

import ast
from dataclasses import replace

import pytest

from contracts.dataset import Column, ColumnType, Dataset
from contracts.errors import ConfigurationError
from contracts.vocabulary import StoreName
from expectations.starting import StartingThresholds, starting_file, starting_suite


def column(name: str, kind: ColumnType, sql_type: str) -> Column:
    """Return a column of one type."""
    return Column(name=name, type=kind, sql_types=dict.fromkeys(StoreName, frozenset({sql_type})))


ORDERS = Dataset(
    name="orders",
    key=("tenant", "number"),
    columns=(
        column("tenant", ColumnType.UUID, "uuid"),
        column("number", ColumnType.INTEGER, "bigint"),
        column("note", ColumnType.TEXT, "text"),
        column("placed", ColumnType.DATE, "date"),
        column("changed", ColumnType.TIMESTAMP_US, "timestamp with time zone"),
    ),
    tables=dict.fromkeys(StoreName, ("public", "orders")),
    updated="changed",
)


def asked(dataset: Dataset, fresh: str | None = None, **null_shares: float) -> dict[str, tuple[str, ...]]:
    """Return the columns that each check of a starting suite reads, by the check's short id."""
    suite = starting_suite(dataset, StartingThresholds(null_shares=null_shares), fresh=fresh)
    assert suite.dataset_name == dataset.name
    return {check.id.removeprefix("orders."): check.columns for check in suite.checks}


def test_it_asks_for_volume_freshness_nulls_and_keys() -> None:
    """Each check says which columns it reads; the key is one check, however many columns it has."""
    assert asked(ORDERS, note=0.5) == {
        "volume_trend": (),
        "not_shrunk": (),
        "freshness": ("changed",),
        "null_rate.note": ("note",),
        "key_unique": ("tenant", "number"),
    }


def test_freshness_needs_a_column_of_time() -> None:
    """The column of changes is taken unless another one is named; without either there is no such check."""
    assert asked(ORDERS, "placed")["freshness"] == ("placed",)
    assert asked(replace(ORDERS, updated=None, created="changed"))["freshness"] == ("changed",)
    assert "freshness" not in asked(replace(ORDERS, updated=None))
    with pytest.raises(ConfigurationError, match="`note` of orders holds no moments"):
        asked(ORDERS, "note")


def test_an_unknown_column_is_refused() -> None:
    """A misspelt column is no check that never fails."""
    with pytest.raises(ConfigurationError, match="orders has no column `nothing`"):
        asked(ORDERS, nothing=0.5)


def test_the_file_leaves_room_for_what_is_found_today() -> None:
    """Limits lie somewhat above today's shares and age; columns of NULLs only are left out."""
    text = starting_file(
        "orders", null_shares={'a "note"': 0.0, "agent": 0.6, "due": 0.9, "unused": 1.0}, newest_age_days=90
    )
    call = ast.parse(text).body[-1]
    assert isinstance(call, ast.Assign)
    assert ast.unparse(call) == (
        "SUITE = starting_suite(contract_for('orders').dataset, "
        "StartingThresholds(null_shares={'a \"note\"': 0.05, 'agent': 0.9, 'due': 1.0}, fresh_days=135))"
    )


def test_the_file_says_nothing_where_the_defaults_do() -> None:
    """A table that changed today and has no NULLs needs no limits of its own."""
    assert "StartingThresholds()" in starting_file("orders", null_shares={}, newest_age_days=0.1)
