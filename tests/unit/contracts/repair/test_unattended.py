"""What a policy lets a repair do with nobody looking."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from contracts.repair import Act, Mode, Plan
from contracts.repair.unattended import Beyond, Unattended, why_beyond
from contracts.vocabulary import Cause, StoreName
from tests.support.repair_views import make_header, make_step

ALLOWED: dict[str, Any] = {
    "version": 1,
    "modes": ["upsert-only"],
    "causes": ["text_case"],
    "max_steps": 2,
}


def policy(**rest: Any) -> Unattended:
    """Return a policy as a file would give it."""
    return Unattended.model_validate_json(json.dumps(ALLOWED | rest))


def plan(*steps: Any, **header: Any) -> Plan:
    """Return a plan of these steps."""
    return Plan(header=make_header(**header), steps=steps)


def test_what_the_policy_names_is_allowed() -> None:
    """Mode, causes, stores and numbers within the policy need nobody."""
    assert why_beyond(plan(make_step(1), make_step(2)), policy()) == ()
    assert policy().beyond is Beyond.LEAVE


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        (plan(make_step(), mode=Mode.SOURCE_OF_TRUTH), "does not allow the mode source-of-truth"),
        (plan(make_step(), mode=Mode.UNDO), "does not allow the mode undo"),
        (plan(make_step(causes=(str(Cause.TEXT_CASE), str(Cause.UNEXPLAINED)))), "the causes unexplained"),
        (plan(make_step(causes=())), "some steps have none"),
        (plan(*(make_step(number) for number in (1, 2, 3))), "allows 2 steps, and there are 3"),
        (plan(make_step(act=Act.DELETE, after=None)), "allows 0 deletes, and there are 1"),
    ],
    ids=["mode", "undo", "cause", "no cause", "steps", "deletes"],
)
def test_everything_else_is_beyond_it(changed: Plan, why: str) -> None:
    """Each reason is said in a sentence."""
    (sentence,) = why_beyond(changed, policy())
    assert why in sentence


def test_a_store_that_is_not_named_is_not_written() -> None:
    """A policy for the secondary alone keeps the primary as it is."""
    only = policy(stores=["supabase"])
    assert why_beyond(plan(make_step()), only) == ()
    (sentence,) = why_beyond(plan(make_step(store=StoreName.PRISMA)), only)
    assert "does not allow to write prisma" in sentence


@pytest.mark.parametrize(
    "wrong",
    [
        {"modes": ["undo"]},
        {"modes": []},
        {"causes": ["no_such_cause"]},
        {"max_steps": 0},
        {"max_deletes": -1},
        {"version": 2},
        {"more": True},
        {"beyond": "do"},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_what_is_not_understood_is_refused(wrong: dict[str, Any]) -> None:
    """A policy that says too much, too little or something else is none."""
    with pytest.raises(ValidationError):
        policy(**wrong)
