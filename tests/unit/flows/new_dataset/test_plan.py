"""What is planned from two tables, and how it is written down."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from contracts import found_files
from contracts.column_types import ColumnType
from contracts.errors import ConfigurationError
from contracts.registry import contract_for
from contracts.vocabulary import StoreName
from flows.new_dataset.plan import common_type, plan_dataset
from flows.new_dataset.text import contract_file
from storage.table_shape import ColumnShape, TableShape

PRISMA, SUPABASE = StoreName.PRISMA, StoreName.SUPABASE


def column(name: str, kind: str, *labels: str, required: bool = False) -> ColumnShape:
    """Return a column of a table."""
    return ColumnShape(name=name, type=kind, labels=labels, required=required)


OURS = TableShape(
    schema="public",
    table="Order",
    columns=(
        column("orderId", "text", required=True),
        column("lineNo", "integer", required=True),
        column("state", 'public."State"', "new", "paid", "lost", required=True),
        column("price", "numeric(10,2)"),
        column("label", "character varying(40)"),
        column("tags", "text[]"),
        column("createdAt", "timestamp(3) without time zone", required=True),
        column("shape", "point"),
        column("onlyHere", "text"),
    ),
    key=("orderId", "lineNo"),
    checks=("CHECK ((price >= (0)::numeric))", 'CHECK ((label ~ \'"""\\d\'::text))'),
)
THEIRS = TableShape(
    schema="shop",
    table="orders",
    columns=(
        column("order_id", "uuid", required=True),
        column("line_no", "bigint", required=True),
        column("state", "text"),
        column("price", "numeric", required=True),
        column("label", "text"),
        column("tags", "text[]"),
        column("created_at", "timestamp with time zone", required=True),
        column("shape", "point"),
    ),
    key=("line_no", "order_id"),
    checks=("CHECK ((price >= (1)::numeric))", "CHECK ((char_length(label) <= 40))"),
)
SHAPES = {PRISMA: OURS, SUPABASE: THEIRS}


@pytest.mark.parametrize(
    ("primary", "secondary", "in_key", "expected"),
    [
        ("text", "uuid", True, ColumnType.UUID),
        ("text", "uuid", False, ColumnType.TEXT),
        ("uuid", "text", False, ColumnType.TEXT),
        ("uuid", "uuid", False, ColumnType.UUID),
        ("integer", "numeric", False, ColumnType.NUMERIC),
        ("bigint", "numeric(38,0)", False, ColumnType.NUMERIC),
        ("timestamp(3) without time zone", "timestamp with time zone", False, ColumnType.TIMESTAMP_MS),
        ("timestamp without time zone", "timestamp with time zone", False, ColumnType.TIMESTAMP_US),
        ("public.mood", "text", False, ColumnType.TEXT),
        ("integer", "text", False, None),
        ("numeric", "real", False, None),
        ("text", "text[]", False, None),
        ("point", "point", False, None),
        ("date", "timestamp with time zone", False, None),
    ],
)
def test_columns_are_compared_in_a_form_that_both_types_have(
    primary: str,
    secondary: str,
    in_key: bool,  # noqa: FBT001 - a case
    expected: ColumnType | None,
) -> None:
    """The form loses nothing of what both can hold; where there is none, none is made up."""
    assert common_type(primary, secondary, in_key=in_key) is expected


def test_two_tables_make_a_dataset() -> None:
    """Columns pair by name in snake_case; the secondary's spelling and the order of its key are the canonical ones."""
    plan = plan_dataset("orders", SHAPES, without=["shape"])
    dataset = plan.dataset
    assert dataset.key == ("line_no", "order_id")
    assert [c.name for c in dataset.columns] == ["order_id", "line_no", "state", "price", "label", "tags", "created_at"]
    assert dataset.column("order_id").name_in(PRISMA) == "orderId"
    assert (dataset.created, dataset.updated) == ("created_at", None)
    assert [(rule.function, *rule.arguments) for rule in plan.rules] == [
        ("required", "state", "price", "created_at"),
        ("one_of", "state", "new", "paid", "lost"),
        ("longest", "label", 40),
        ("at_least", "price", "0"),
    ]
    assert plan.notes == (
        "column shape of prisma is left out, as asked",
        "column onlyHere of prisma is not compared, since supabase has none of that name",
        "column shape of supabase is left out, as asked",
        'prisma has a constraint that no rule here says: CHECK ((label ~ \'"""\\d\'::text))',
        "supabase has a constraint that no rule here says: CHECK ((price >= (1)::numeric))",
    )


@pytest.mark.parametrize(
    ("ours", "without", "trouble"),
    [
        (OURS, (), "Column shape is point, which cannot be compared"),
        (OURS, ("shape", "nothing"), "No table has a column nothing"),
        (replace(OURS, key=()), ("shape",), r"no key in common: \(none\) on prisma"),
        (replace(OURS, key=("orderId",)), ("shape",), r"no key in common: \(orderId\) on prisma and \(line_no"),
        (OURS, ("shape", "lineNo"), "no key in common"),
    ],
)
def test_tables_that_make_no_dataset_are_refused(ours: TableShape, without: tuple[str, ...], trouble: str) -> None:
    """An unreadable type is refused by name, and so are tables of which one key does not stand for one row of both."""
    with pytest.raises(ConfigurationError, match=trouble):
        plan_dataset("orders", {PRISMA: ours, SUPABASE: THEIRS}, without=without)


def test_the_file_says_what_was_planned(tmp_path: Path) -> None:
    """The file is loaded as the dataset that was planned, and a formatter and a linter leave it as it is."""
    plan = plan_dataset("orders", SHAPES, without=["shape"])
    file = tmp_path / "contracts" / "orders.py"
    file.parent.mkdir()
    file.write_text(contract_file(plan), encoding="utf-8")
    found_files.use_folder(tmp_path)
    try:
        contract = contract_for("orders")
    finally:
        found_files.use_folder(None)
    assert contract.dataset == plan.dataset
    assert [rule.id for rule in contract.rules] == [
        "orders.required_present",
        "orders.state_known",
        "orders.label_length",
        "orders.price_at_least",
    ]
    assert "onlyHere" in file.read_text(encoding="utf-8")
    ruff = [sys.executable, "-m", "ruff"]
    for command in (["format", "--check", "--line-length=120"], ["check", "--select=E,F,I,D1", "--line-length=120"]):
        subprocess.run([*ruff, *command, "--isolated", str(file)], check=True)
