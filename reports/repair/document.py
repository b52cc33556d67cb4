"""A plan of repair, and what became of it, for machines: names, counts and sentences, never a value of a record."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from contracts.repair import Act, Repair
from contracts.vocabulary import StoreName
from reports.repair.views import PlanView, left_views


def plan_document(view: PlanView, *, mask_key: bytes) -> dict[str, Any]:
    """Return a plan with all that is known of it.

    Args:
        view: The plan.
        mask_key: Secret key of the hashes that stand for masked values.
    """
    header = view.plan.header
    return {
        **repair_document(view.repair),
        "source": header.source,
        "expires_at": header.expires_at.isoformat(),
        "filters": {name: list(found) for name, found in view.asked_for(mask_key).items()},
        "acts": {store: {act: number for act in Act if (number := view.plan.count(act, store))} for store in StoreName},
        "left_to_people": [
            {"why": one.why, "rows": one.rows, "sentence": one.sentence, "sample_keys": list(one.keys.items)}
            for one in left_views(view.plan.left)
        ],
        "brakes": [{"brake": one.brake, "what": one.what, "todo": one.todo, "allow": one.allow} for one in view.held],
        "not_written": [
            {"step": step.number, "key": step.key, "store": step.store, "outcome": done.outcome}
            for step, done in view.open_steps
        ],
        "not_converged": [
            {"step": one.number, "key": one.key, "store": one.store, "fields": list(one.fields), "why": one.why}
            for one in view.unconverged
        ],
        "changed_since": list(view.moved),
        "differ_as_planned": view.verified and view.verified.differ,
        "taken_back": view.verified and view.verified.undone,
        "notes": list(view.notes),
        "command": view.command if view.plan.steps and not view.stuck and view.open else None,
    }


def repair_document(repair: Repair) -> dict[str, Any]:
    """Return what is remembered of a repair."""
    times = {name: getattr(repair, name) for name in ("made_at", "begun_at", "ended_at")}
    return {
        "id": repair.id,
        "dataset": repair.dataset,
        "environment": repair.environment,
        "mode": repair.mode,
        "plan_hash": repair.plan_hash,
        "run_id": repair.run_id,
        "steps": repair.steps,
        "left": repair.left,
        "ended": repair.ended,
        **{name: at and at.isoformat() for name, at in times.items()},
        "approved_by": repair.approved_by,
        "overrides": [asdict(one) for one in repair.overrides],
        "outcomes": {str(outcome): number for outcome, number in repair.outcomes.items()},
        "agree": repair.agree,
        "unconverged": repair.unconverged,
        "undoes": repair.undoes,
    }
