"""What may be repaired with nobody looking, as a file says it: strict, so that what is not understood is refused."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from contracts.repair.plan import Act, Mode, Plan
from contracts.vocabulary import Cause, StoreName


class Beyond(StrEnum):
    """What becomes of what a policy does not allow."""

    ASK = "ask"  # somebody is asked to approve it
    LEAVE = "leave"  # it is left, and told


class Unattended(BaseModel):
    """A policy of unattended repair.

    Attributes:
        version: Version of this form: 1.
        modes: The modes that are allowed.
        causes: The causes that may be repaired; a row with any other one is beyond.
        stores: The stores that may be written.
        max_steps: Largest number of steps.
        max_deletes: Largest number of deletes; none unless given.
        beyond: What becomes of what is not allowed.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)

    version: Annotated[int, Field(ge=1, le=1)]
    modes: Annotated[tuple[Mode, ...], Field(min_length=1)]
    causes: Annotated[tuple[Cause, ...], Field(min_length=1)]
    stores: Annotated[tuple[StoreName, ...], Field(min_length=1)] = tuple(StoreName)
    max_steps: Annotated[int, Field(ge=1)]
    max_deletes: Annotated[int, Field(ge=0)] = 0
    beyond: Beyond = Beyond.LEAVE

    @field_validator("modes")
    @classmethod
    def _no_undo(cls, modes: tuple[Mode, ...]) -> tuple[Mode, ...]:
        if Mode.UNDO in modes:
            raise ValueError("a repair is taken back by somebody, never unattended")
        return modes


def why_beyond(plan: Plan, policy: Unattended) -> tuple[str, ...]:
    """Return why a plan may not be carried out unattended, in sentences; none where it may."""
    mode = plan.header.mode
    deletes = plan.count(Act.DELETE)
    written = {step.store for step in plan.steps}
    causes = {cause for step in plan.steps for cause in step.causes}
    uncaused = any(not step.causes for step in plan.steps)
    found = []
    if mode not in policy.modes:
        found.append(f"The policy does not allow the mode {mode}.")
    if others := sorted(written - set(policy.stores)):
        found.append(f"The policy does not allow to write {' and '.join(others)}.")
    if unknown := sorted(causes - {str(cause) for cause in policy.causes}):
        found.append(f"The policy does not allow the causes {', '.join(unknown)}.")
    if uncaused:
        found.append("The policy allows causes only, and some steps have none.")
    if len(plan.steps) > policy.max_steps:
        found.append(f"The policy allows {policy.max_steps:,} steps, and there are {len(plan.steps):,}.")
    if deletes > policy.max_deletes:
        found.append(f"The policy allows {policy.max_deletes:,} deletes, and there are {deletes:,}.")
    return tuple(found)
