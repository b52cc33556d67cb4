"""Plans of repair as renderers get them, made without a store."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.planning import PLANNING
from contracts.repair import (
    Act,
    Done,
    Ended,
    Header,
    Left,
    Mended,
    Mode,
    Plan,
    Repair,
    Step,
    Unconverged,
    Verified,
    Why,
    Winner,
)
from contracts.vocabulary import Cause, Channel, StoreName
from reports.repair import PlanView

MADE = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
HASH = "0123456789abcdef" * 4
KEY = "11111111-1111-4111-8111-{:012d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who reads a page."""

    masked: bool = True
    share: bool = False


def texts(**values: str | None) -> dict[str, str | None]:
    """Return a row of the planning dataset as texts; columns that are not named are NULL."""
    return {column.name: values.get(column.name) for column in PLANNING.columns}


def make_step(number: int = 1, **rest: Any) -> Step:
    """Return a step that changes a title on the secondary."""
    key = KEY.format(number)
    before = texts(id=key, title="old title", content='{"title": "old title", "type": "x"}')
    after = texts(id=key, title="new title", content='{"title": "new title", "type": "x"}')
    values: dict[str, Any] = {
        "number": number,
        "store": StoreName.SUPABASE,
        "key": key,
        "act": Act.UPDATE,
        "before": before,
        "after": after,
        "other": "ab" * 32,
        "winner": Winner.SOURCE,
        "causes": (str(Cause.TEXT_CASE),),
        "fields": ("title", "content"),
        "reason": "`title` of prisma counts, since prisma is the source.",
    }
    return Step(**{**values, **rest})


def make_header(**rest: Any) -> Header:
    """Return what a plan is about."""
    values: dict[str, Any] = {
        "id": "20260304T050607000Z-aaaa",
        "dataset": "planning",
        "environment": "production",
        "made_at": MADE,
        "expires_at": MADE + timedelta(hours=24),
        "mode": Mode.UPSERT_ONLY,
        "source": StoreName.PRISMA,
        "run_id": "20260304T050000000Z-bbbb",
        "identities": {StoreName.PRISMA: "p", StoreName.SUPABASE: "s"},
        "channels": {StoreName.PRISMA: Channel.SQL, StoreName.SUPABASE: Channel.SQL},
        "rows": {StoreName.PRISMA: 100, StoreName.SUPABASE: 100},
        "columns": tuple(column.name for column in PLANNING.columns),
        "version": "1.0",
    }
    return Header(**{**values, **rest})


def make_left(**rest: Any) -> Left:
    """Return a finding that is left."""
    values: dict[str, Any] = {"key": KEY.format(99), "why": Why.NO_WINNER, "sentence": "Nothing tells which is right."}
    return Left(**{**values, **rest})


def make_repair(plan: Plan, **rest: Any) -> Repair:
    """Return what is remembered of a plan."""
    header = plan.header
    values: dict[str, Any] = {
        "id": header.id,
        "dataset": header.dataset,
        "environment": header.environment,
        "mode": header.mode,
        "plan_hash": HASH,
        "made_at": header.made_at,
        "run_id": header.run_id,
        "steps": len(plan.steps),
        "left": len(plan.left),
        "ended": Ended.PLANNED,
    }
    return Repair(**{**values, **rest})


def make_view(*steps: Step, left: tuple[Left, ...] = (), **rest: Any) -> PlanView:
    """Return a plan with these steps, as it is drawn."""
    plan = Plan(header=make_header(), steps=steps, left=left)
    values: dict[str, Any] = {
        "plan": plan,
        "plan_hash": HASH,
        "dataset": PLANNING,
        "repair": make_repair(plan),
        "discretion": Reader(),
    }
    return PlanView(**{**values, **rest})


def make_outcome() -> PlanView:
    """Return a plan of three steps of which one was written, one moved and one was rewritten by a trigger."""
    steps = tuple(make_step(number) for number in (1, 2, 3))
    done = {
        1: Done(number=1, outcome=Mended.WRITTEN),
        2: Done(number=2, outcome=Mended.MOVED),
        3: Done(number=3, outcome=Mended.WRITTEN),
    }
    lost = Unconverged(
        number=3, store=StoreName.SUPABASE, key=steps[2].key, fields=("title",), why="A trigger writes `title`."
    )
    view = make_view(*steps, done=done, verified=Verified(agree=1, unconverged=(lost,)))
    outcomes = {Mended.WRITTEN: 2, Mended.MOVED: 1}
    return replace(view, repair=replace(view.repair, ended=Ended.PARTLY, ended_at=MADE, outcomes=outcomes))
