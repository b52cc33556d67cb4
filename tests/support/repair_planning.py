"""Plans of repair for a few keys of two stores in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from contracts.planning import PLANNING
from contracts.repair import Act, Left, Mode, Plan, Step, Why
from contracts.vocabulary import DifferenceKind, StoreName
from storage.repair.agreeing import Agreed
from storage.repair.planning import Found, Wanted, make_plan
from tests.support.factories import make_key
from tests.support.memory_side import NOTED, MemorySide
from tests.support.repair_cases import kind_of, wanted
from tests.support.repair_plans import make_header
from tests.support.row_pairs import TextRow, body, make_row

Rows = Mapping[str, tuple[Mapping[str, str | None] | None, Mapping[str, str | None] | None]]
"""Per key what is changed on prisma and on supabase; None where a store holds no row."""
A, B, C = (make_key(number) for number in (1, 2, 3))
PROVEN = Agreed(
    captured=NOTED - timedelta(hours=2),
    looked=((NOTED - timedelta(hours=1), NOTED - timedelta(minutes=59)),),
    differed={},
    ahead=dict.fromkeys(StoreName, timedelta(0)),
)
"""A check looked everywhere under capture, before the changes were noted that wait, and no key differed."""


def valid(key: str, **changes: Any) -> str:
    """Return a body that breaks no rule, unless it is changed."""
    return body(id=key, durationSec=..., **changes)


def row_of(key: str, store: StoreName, **changes: str | None) -> TextRow:
    """Return a sound row of a store with a key of its own."""
    return make_row(store, id=key, **{"content": valid(key)} | changes)


def planned(rows: Rows, asked: Wanted | None = None, **rest: Any) -> tuple[Plan, dict[StoreName, MemorySide]]:
    """Plan for these keys, all of which a check found twice; return the stores, too."""
    sides = {
        store: MemorySide(
            store,
            {key: row_of(key, store, **changes) for key, both in rows.items() if (changes := both[n]) is not None},
            rest.pop(f"lines_{store}", {}),
        )
        for n, store in enumerate(StoreName)
    }
    kinds = {key: kind_of(*both) for key, both in rows.items() if key in {A, B, C}}
    found = rest.pop("found", None) or [found_of(key, kind=kind) for key, kind in kinds.items()]
    header = rest.pop("header", None) or make_header(fixes=("nonsense",), filters={})
    plan = make_plan(PLANNING, asked or wanted(Mode.SOURCE_OF_TRUTH), found, sides, header=header, **rest)
    return plan, sides


def found_of(key: str, **rest: Any) -> Found:
    """Return a difference that two runs saw."""
    values: dict[str, Any] = {"key": key, "kind": DifferenceKind.DIFFERING, "runs_seen": 2}
    return Found(**values | rest)


def told(plan: Plan) -> list[tuple[Act, StoreName, str]]:
    """Return the steps of a plan in short."""
    return [(step.act, step.store, step.key) for step in plan.steps]


def reasons(left: Sequence[Left]) -> list[tuple[str | None, Why]]:
    """Return what is left in short."""
    return [(one.key, one.why) for one in left]


def applied(plan: Plan, sides: Mapping[StoreName, MemorySide]) -> list[Step]:
    """Take all steps; return those that were not taken."""
    done = {one.number: one for step in plan.steps for one in sides[step.store].mend([step])}
    return [step for step in plan.steps if done[step.number].outcome.value != "written"]
