"""Plans of repair as values: every part has a default, and every part can be replaced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.planning import PLANNING
from contracts.repair import Act, Header, Left, Mode, Plan, Step, Why, Winner
from contracts.repair.plan import Texts
from contracts.vocabulary import Channel, StoreName
from storage.repair.ports import RepairSide, hash_of
from tests.support.row_pairs import KEY, make_row

MADE = datetime(2026, 3, 14, 2, 30, 0, 250_000, tzinfo=UTC)
COLUMNS = tuple(column.name for column in PLANNING.columns)


def make_header(**rest: Any) -> Header:
    """Return the header of a plan by which prisma is the source of truth, unless said otherwise."""
    values: dict[str, Any] = {
        "id": "20260314T023000250Z-9f3c",
        "dataset": "planning",
        "environment": "test",
        "made_at": MADE,
        "expires_at": MADE + timedelta(hours=24),
        "mode": Mode.SOURCE_OF_TRUTH,
        "source": StoreName.PRISMA,
        "run_id": "20260314T020000000Z-1b2c",
        "identities": {StoreName.PRISMA: "6e1f2c0a", StoreName.SUPABASE: "b07d91e4"},
        "channels": dict.fromkeys(StoreName, Channel.SQL),
        "rows": dict.fromkeys(StoreName, 5_000),
        "columns": COLUMNS,
        "version": "0.1.0",
    }
    return Header(**values | rest)


def make_step(number: int, act: Act, **rest: Any) -> Step:
    """Return a step on supabase: the row is inserted, deleted, or gets another title."""
    row = make_row(StoreName.SUPABASE)
    values: dict[str, Any] = {
        "store": StoreName.SUPABASE,
        "key": KEY,
        "before": None if act is Act.INSERT else row,
        "after": None if act is Act.DELETE else row | ({"title": "Another"} if act is Act.UPDATE else {}),
        "other": None,
        "winner": Winner.SOURCE,
        "fields": ("title",) if act is Act.UPDATE else COLUMNS,
        "reason": "prisma is the source of truth.",
    }
    return Step(number=number, act=act, **values | rest)


def make_left(**rest: Any) -> Left:
    """Return a key that is in conflict, unless said otherwise."""
    values: dict[str, Any] = {"key": KEY, "why": Why.IN_CONFLICT, "sentence": "Both sides changed it."}
    return Left(**values | rest)


def make_plan(*steps: Step, left: tuple[Left, ...] = (), **header: Any) -> Plan:
    """Return a plan with these steps."""
    return Plan(header=make_header(**header), steps=steps, left=left)


def older(plan: Plan, sides: Mapping[StoreName, RepairSide], later: str) -> Plan:
    """Return a plan as it was before its dataset got a column.

    Args:
        plan: The plan.
        sides: Both stores.
        later: Name of the column.
    """
    columns = tuple(name for name in plan.header.columns if name != later)

    def cut(row: Texts | None) -> Texts | None:
        return None if row is None else {name: row[name] for name in columns}

    steps = tuple(
        replace(
            step,
            before=cut(step.before),
            after=cut(step.after),
            other=hash_of(columns, sides[step.store.other].see([step.key])[step.key].row),
            fields=tuple(name for name in step.fields if name != later),
        )
        for step in plan.steps
    )
    return replace(plan, header=replace(plan.header, columns=columns), steps=steps)
