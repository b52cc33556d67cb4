"""What a dataset may say of itself, and what is refused when its contract is loaded."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from contracts.column_types import ColumnType, usual_type
from contracts.dataset import Column, Dataset
from contracts.errors import ConfigurationError
from contracts.planning import PLANNING
from contracts.vocabulary import StoreName

DAY = date(2026, 3, 1)


def column(kind: ColumnType, sql: str = "", **more: Any) -> Column:
    """Return a column of one form that is of one type on both stores."""
    return Column(name="it", type=kind, sql_types={s: frozenset({sql}) for s in StoreName} if sql else {}, **more)


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("uuid", ColumnType.UUID),
        ("text", ColumnType.TEXT),
        ("character varying(20)", ColumnType.TEXT),
        ("character(3)[]", ColumnType.TEXT),
        ("public.mood", ColumnType.TEXT),
        ("inet", ColumnType.TEXT),
        ("json", ColumnType.JSON),
        ("smallint", ColumnType.INTEGER),
        ("bigint[]", ColumnType.INTEGER),
        ("numeric(38,20)", ColumnType.NUMERIC),
        ("numeric(3,-2)", ColumnType.NUMERIC),
        ("double precision", ColumnType.FLOAT),
        ("boolean", ColumnType.BOOLEAN),
        ("date", ColumnType.DATE),
        ("time(3) without time zone", ColumnType.TIME),
        ("time with time zone", ColumnType.TIME_ZONED),
        ("timestamp(3) without time zone", ColumnType.TIMESTAMP_MS),
        ("timestamp(0) with time zone", ColumnType.TIMESTAMP_MS),
        ("timestamp with time zone", ColumnType.TIMESTAMP_US),
        ("interval day to second(3)", ColumnType.INTERVAL),
        ("bytea", ColumnType.BYTES),
        ("tsvector", None),
        ("point", None),
        ("money", None),
        ("int4range", None),
    ],
)
def test_every_common_type_has_a_usual_form(sql: str, kind: ColumnType | None) -> None:
    """Types are known by what the catalogue calls them; those that we cannot compare are not guessed at."""
    assert usual_type(sql) is kind
    if kind is not None:
        assert column(kind, sql, array=sql.endswith("[]")).type is kind


@pytest.mark.parametrize(
    ("kind", "sql", "array"),
    [
        (ColumnType.INTEGER, "numeric", False),
        (ColumnType.NUMERIC, "real", False),
        (ColumnType.TEXT, "tsvector", False),
        (ColumnType.TEXT, "text[]", False),
        (ColumnType.TEXT, "text", True),
        (ColumnType.DATE, "timestamp without time zone", False),
    ],
)
def test_a_type_that_cannot_be_compared_is_refused_by_name(kind: ColumnType, sql: str, array: bool) -> None:  # noqa: FBT001 - a case
    """The error names column, type and form; a value of the one could not be told from another in that form."""
    with pytest.raises(ConfigurationError, match=r"Column `it` is .* on prisma, which cannot be compared as") as caught:
        column(kind, sql, array=array)
    assert sql in str(caught.value)


def test_types_that_are_read_differently_are_refused_together() -> None:
    """A store has one type of a column; only texts of different lengths may be left open."""
    either = {StoreName.PRISMA: frozenset({"text", "character varying(20)"})}
    assert Column(name="it", type=ColumnType.TEXT, sql_types=either).type is ColumnType.TEXT
    zones = {StoreName.PRISMA: frozenset({"timestamp with time zone", "timestamp without time zone"})}
    with pytest.raises(ConfigurationError, match="several types on prisma"):
        Column(name="it", type=ColumnType.TIMESTAMP_US, sql_types=zones)


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        (ColumnType.INTEGER, {"ignore_case": True}),
        (ColumnType.TEXT, {"ignore_case": True, "array": True}),
        (ColumnType.TEXT, {"tolerance": Decimal(1)}),
        (ColumnType.NUMERIC, {"tolerance": timedelta(1)}),
        (ColumnType.TIMESTAMP_MS, {"tolerance": Decimal(1)}),
    ],
)
def test_a_rule_that_does_not_fit_the_type_is_refused(kind: ColumnType, rule: dict[str, Any]) -> None:
    """A rule that would never apply is a mistake, not a rule."""
    with pytest.raises(ConfigurationError, match="which is a rule for"):
        column(kind, **rule)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"key": ()}, "has no key"),
        ({"key": ("id", "id")}, "has no key"),
        ({"key": ("other",)}, "names a column `other`"),
        ({"created": "title"}, "which is no instant"),
        ({"key": ("content",)}, "do not identify rows"),
        ({"key": ("created_at",)}, "rounds its key column"),
        ({"key": ("user_id",)}, "though a store holds UUIDs"),
        ({"columns": (*PLANNING.columns, PLANNING.column("title"))}, "names a column twice"),
        ({"columns": (replace(PLANNING.column("id"), compared=False),), "created": None, "updated": None}, "identify"),
    ],
)
def test_a_dataset_whose_key_cannot_identify_rows_is_refused(changes: dict[str, Any], why: str) -> None:
    """What could make two rows share one key text is found when the contract is loaded."""
    with pytest.raises(ConfigurationError, match=why):
        replace(PLANNING, **changes)


def test_a_pending_column_is_compared_from_its_day_on() -> None:
    """Until the day before, the column is pending; as the contract stands, it is not."""
    columns = tuple(replace(c, pending_until=DAY) if c.name == "source" else c for c in PLANNING.columns)
    dataset: Dataset = replace(PLANNING, columns=columns)
    assert not dataset.column("source").pending
    assert dataset.as_of(DAY - timedelta(1)).column("source").pending
    assert not dataset.as_of(DAY).column("source").pending
    assert dataset.as_of(DAY) == dataset


def test_a_column_has_a_name_per_store() -> None:
    """What is not named otherwise is called as in every finding."""
    named = column(ColumnType.TEXT, names={StoreName.PRISMA: "It"})
    assert [named.name_in(store) for store in StoreName] == ["It", "it"]
