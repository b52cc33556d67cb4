"""CHECK constraints, as the server writes them, in the words of our rules."""

from __future__ import annotations

import pytest

from contracts.column_types import ColumnType
from contracts.dataset import Column
from flows.new_dataset.constraints import RuleCall, rules_of

KINDS = {
    "qty": ColumnType.INTEGER,
    "amount": ColumnType.NUMERIC,
    "status": ColumnType.TEXT,
    "made": ColumnType.TIMESTAMP_US,
    "changed": ColumnType.TIMESTAMP_US,
}
COLUMNS = {name: Column(name=name, type=kind, sql_types={}) for name, kind in KINDS.items()}
COLUMNS["takenAt"] = Column(name="taken_at", type=ColumnType.TIMESTAMP_US, sql_types={})


@pytest.mark.parametrize(
    ("check", "rules"),
    [
        ("CHECK ((qty > 0))", [("more_than", "qty", "0")]),
        ("CHECK ((amount >= (0)::numeric))", [("at_least", "amount", "0")]),
        ("CHECK ((amount <= 99.50))", [("at_most", "amount", "99.50")]),
        ("CHECK ((amount < '-1.5'::numeric(10,2)))", [("less_than", "amount", "-1.5")]),
        ("CHECK (((qty >= 1) AND (qty <= 5)))", [("at_least", "qty", "1"), ("at_most", "qty", "5")]),
        ("CHECK ((char_length(status) <= 20))", [("longest", "status", 20)]),
        ("CHECK ((length((status)::text) < 20))", [("longest", "status", 19)]),
        ("CHECK ((status = ANY (ARRAY['new'::text, 'it''s'::text])))", [("one_of", "status", "new", "it's")]),
        (
            "CHECK (((status)::text = ANY ((ARRAY['a'::character varying, 'b, c'::character varying(9)])::text[])))",
            [("one_of", "status", "a", "b, c")],
        ),
        ("CHECK ((made <= changed))", [("not_after", "made", "changed")]),
        ('CHECK ((changed >= "takenAt"))', [("not_after", "taken_at", "changed")]),
    ],
)
def test_what_our_rules_can_say_is_said(check: str, rules: list[tuple[str | int, ...]]) -> None:
    """Bounds, lengths, vocabularies and orders of instants, alone and joined by AND."""
    assert rules_of(check, COLUMNS) == tuple(RuleCall(str(function), tuple(rest)) for function, *rest in rules)


@pytest.mark.parametrize(
    "check",
    [
        "CHECK (((qty > 0) OR (amount > (0)::numeric)))",
        "CHECK ((NOT (qty > 0)))",
        "CHECK ((status IS NOT NULL))",
        "CHECK ((status <> ''::text))",
        "CHECK ((status ~ '^a'::text))",
        "CHECK (((qty + 1) > 0))",
        "CHECK ((other > 0))",
        "CHECK ((status > 'a'::text))",
        "CHECK ((qty > amount))",
        "CHECK ((made < changed))",
        "CHECK ((lower(status) = ANY (ARRAY['a'::text])))",
        "CHECK ((qty = ANY (ARRAY[1, 2])))",
        "CHECK ((status = ANY (ARRAY[]::text[])))",
        "CHECK (((qty > 0) AND is_good(status)))",
        "CHECK ((0 < qty))",
        "CHECK ((jsonb_typeof(status) = 'object'::text))",
        "CHECK ((length(status) <= '-1'::integer))",
        "EXCLUDE USING gist (made WITH =)",
        "",
    ],
)
def test_anything_else_is_left_to_a_person(check: str) -> None:
    """What is not wholly understood gives no rule at all: half a constraint would be another one."""
    assert rules_of(check, COLUMNS) is None
