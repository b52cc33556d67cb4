"""A starting suite on a table with a composite key and odd names, on a server and spooled to a file."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from contracts.dataset import Column, ColumnType, Dataset
from contracts.verdicts import CheckResult
from contracts.vocabulary import CheckStatus, StoreName
from expectations.runner import Target, evaluate
from expectations.starting import StartingThresholds, starting_suite
from tests.support.servers import SEEDED_AT, Pair
from tests.support.spooled import spool

STORE = StoreName.PRISMA
ROWS = 200


def column(name: str, kind: ColumnType, sql_type: str, actual: str | None = None) -> Column:
    """Return a column that may be called differently in the store."""
    return Column(
        name=name,
        type=kind,
        sql_types=dict.fromkeys(StoreName, frozenset({sql_type})),
        names={STORE: actual} if actual else {},
    )


ORDERS = Dataset(
    name="orders",
    key=("tenant", "number"),
    columns=(
        column("tenant", ColumnType.UUID, "uuid", "tenantId"),
        column("number", ColumnType.NUMERIC, "numeric"),
        column("note", ColumnType.TEXT, "text", 'a "note": {1}'),
        column("placed", ColumnType.DATE, "date", "order"),
    ),
    tables=dict.fromkeys(StoreName, ("public", "Order: {all}")),
)
SUITE = starting_suite(ORDERS, StartingThresholds(null_shares={"note": 0.5}), fresh="placed")
MAKE = f"""
CREATE TABLE public."Order: {{all}}" ("tenantId" text, number numeric, "a ""note"": {{1}}" text, "order" date);
INSERT INTO public."Order: {{all}}"
SELECT md5(n::text)::uuid, n + 0.50, CASE WHEN n % 4 > 0 THEN 'x' END, date '2026-03-01' - n
FROM generate_series(1, {ROWS}) AS n;
"""


@pytest.fixture
def orders(empty_pair: Pair) -> str:
    """The DSN of a database with 200 orders."""
    change(empty_pair.primary_superuser, MAKE)
    return empty_pair.primary_superuser


def change(dsn: str, statement: str) -> None:
    """Run some statements."""
    with psycopg.connect(dsn) as connection:
        connection.execute(statement.encode())


def results(dsn: str, folder: Path, *, later: timedelta = timedelta()) -> dict[str, CheckResult]:
    """Evaluate the suite on the server and in a file; return the results, which are the same, by short id."""
    needed = tuple(c.name for c in ORDERS.columns)
    schema, table = ORDERS.tables[STORE]
    names = {c.name: c.name_in(STORE) for c in ORDERS.columns}
    server = Target(store=STORE, url=dsn, schema=schema, table=table, columns=names)
    file = replace(server, url=spool(ORDERS, STORE, dsn, folder / "spool", needed), schema=None, table="orders")
    found, in_file = (
        evaluate(SUITE, target, now=SEEDED_AT + later, trend=(ROWS, ROWS, ROWS)) for target in (server, file)
    )
    assert found == in_file
    return {result.id.removeprefix("orders."): result for result in found}


def failed(found: dict[str, CheckResult]) -> dict[str, str | None]:
    """Return what was observed by the checks that did not pass."""
    return {key: result.observed for key, result in found.items() if result.status is not CheckStatus.PASSED}


def test_a_good_table_passes(orders: str, tmp_path: Path) -> None:
    """Names with quotes, braces, colons and capitals are no obstacle."""
    found = results(orders, tmp_path)
    assert {key: result.observed for key, result in found.items()} == {
        "volume_trend": "200 rows; usual: 200",
        "not_shrunk": "200 rows; run before: 200",
        "freshness": "newest change: 2026-02-28",
        "null_rate.note": "25.0% NULL",
        "key_unique": "no violation",
    }
    assert failed(found) == {}


def test_a_key_in_two_spellings_is_found(orders: str, tmp_path: Path) -> None:
    """Keys are compared part by part by value: a UUID in capitals and a number with another scale are the same key."""
    change(
        orders,
        'INSERT INTO public."Order: {all}" SELECT upper("tenantId"), number::numeric(9,1), NULL, "order"'
        ' FROM public."Order: {all}" WHERE number IN (3.5, 4.5)',
    )
    found = results(orders, tmp_path)
    assert failed(found) == {"key_unique": "2 keys occur more than once"}
    assert found["key_unique"].failing_rows == 4
    assert len(found["key_unique"].sample_keys) == 2
    assert all("|" in key for key in found["key_unique"].sample_keys)


@pytest.mark.parametrize(
    ("later", "observed"),
    [(timedelta(days=6), None), (timedelta(days=7), "newest change: 2026-02-28"), (timedelta(days=-1), None)],
)
def test_a_date_is_as_fresh_as_its_day(orders: str, tmp_path: Path, later: timedelta, observed: str | None) -> None:
    """A table whose changes have a date only is judged by the day."""
    assert failed(results(orders, tmp_path, later=later)) == ({"freshness": observed} if observed else {})


@pytest.mark.parametrize(
    ("day", "observed"),
    [("'10000-01-01'", "newest change: 10000-01-01"), ("'infinity'", "newest change: infinity"), ("NULL", None)],
)
def test_a_newest_date_that_cannot_be_fails(orders: str, tmp_path: Path, day: str, observed: str | None) -> None:
    """A date far in the future is the newest one, and a table without any date is not fresh."""
    where = "" if day == "NULL" else "WHERE number < 2"
    change(orders, f'UPDATE public."Order: {{all}}" SET "order" = {day} {where}')
    assert failed(results(orders, tmp_path)) == {"freshness": observed or "no change has a date"}
