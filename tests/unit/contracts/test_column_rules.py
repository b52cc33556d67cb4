"""The rules that any table can have, judged on texts as a store writes them."""

from __future__ import annotations

import pyarrow as pa
import pytest

from contracts.column_rules import (
    ColumnRule,
    at_least,
    at_most,
    columns_contract,
    less_than,
    longest,
    more_than,
    not_after,
    one_of,
    required,
)
from contracts.dataset import Column, ColumnType, Dataset
from contracts.errors import ConfigurationError
from contracts.judge import ContractJudge
from contracts.vocabulary import CheckStatus, StoreName

NAMES = ("region", "number", "amount", "status", "made", "changed")
DATASET = Dataset(
    name="orders",
    key=("region", "number"),
    columns=tuple(Column(name=name, type=ColumnType.TEXT, sql_types={}) for name in NAMES),
    tables={},
)
GOOD = {"region": "eu", "number": "1", "amount": "10.50", "status": "new", "made": None, "changed": None}


def broken(rule: ColumnRule, *rows: dict[str, str | None]) -> tuple[str, ...]:
    """Return the keys of the rows that break a rule, each row given by its changes to a good one."""
    judge = ContractJudge(columns_contract(DATASET, rule), StoreName.PRISMA)
    held = [{**GOOD, "number": str(at), **row} for at, row in enumerate(rows)]
    judge.judge(pa.RecordBatch.from_pylist(held, schema=pa.schema([(name, pa.string()) for name in NAMES])))
    (result,) = judge.results(len(rows))
    assert result.status is (CheckStatus.FAILED if result.sample_keys else CheckStatus.PASSED)
    assert result.id == f"orders.{rule.name}"
    return result.sample_keys


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        (one_of("status", "new", "paid"), ["new", "paid", None], ["New", ""]),
        (longest("status", 3), ["abc", "äöü", "", None], ["abcd"]),
        (at_least("amount", "0.5"), ["0.5", "0.50", "1e3", "Infinity", None], ["0.4999999999999999999999", "NaN"]),
        (at_most("amount", "9007199254740992"), ["9007199254740992", "-1", None], ["9007199254740993", "NaN"]),
        (more_than("amount", "0"), ["0.00000000000000000001", None], ["0", "-0", "NaN"]),
        (less_than("amount", "0"), ["-1", "-Infinity", None], ["0", "Infinity"]),
    ],
    ids=lambda value: value.name if isinstance(value, ColumnRule) else "",
)
def test_values_are_judged_exactly(rule: ColumnRule, good: list[str | None], bad: list[str | None]) -> None:
    """At the limit a rule holds, one step beyond it does not; NULL breaks none of these rules."""
    (column,) = rule.columns
    rows: list[dict[str, str | None]] = [{column: value} for value in (*good, *bad)]
    assert broken(rule, *rows) == tuple(f"eu|{at}" for at in range(len(good), len(rows)))


def test_required_columns_are_never_null() -> None:
    """Each of the columns counts; the sentence names them."""
    rule = required("amount", "status")
    assert broken(rule, {}, {"amount": None}, {"status": None}, {"made": None}) == ("eu|1", "eu|2")
    assert rule.sentence == "`amount` and `status` are there; a reader of the row fails on NULL."


def test_instants_are_in_order() -> None:
    """Instants with and without a zone are compared to the millisecond; rows without one of them pass."""
    rule = not_after("made", "changed")
    rows: list[dict[str, str | None]] = [
        {"made": "2026-01-01 00:00:00.0001", "changed": "2026-01-01 00:00:00"},
        {"made": "2026-01-01 00:00:01", "changed": "2026-01-01 00:00:00"},
        {"made": "infinity", "changed": None},
        {"made": "-infinity", "changed": "0044-03-15 00:00:00 BC"},
    ]
    assert broken(rule, *rows) == ("eu|1",)


def test_a_long_vocabulary_is_not_listed_whole() -> None:
    """A sentence names some words and how many more there are."""
    assert one_of("status", *"abcdefgh").sentence.startswith("`status` is one of a, b, c, d, e, f or 2 more;")


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        ((), "has no rule"),
        ((longest("status", 1), longest("status", 2)), "names a rule twice"),
        ((required("nothing"),), "does not have: nothing"),
    ],
)
def test_a_contract_that_cannot_be_judged_is_refused(rules: tuple[ColumnRule, ...], why: str) -> None:
    """An empty contract would pass everything; a rule about an unknown column would never be answered."""
    with pytest.raises(ConfigurationError, match=why):
        columns_contract(DATASET, *rules)
