"""Ending a repair that was begun and that nobody goes on with: what it wrote stays, the rest is not done any more."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from contracts.errors import ConfigurationError
from contracts.repair import Ended, Repair
from flows.repair.applying import PATIENCE_S
from flows.repair.files import chosen
from flows.repair.known import Known, known
from flows.settings import Settings

if TYPE_CHECKING:
    from storage.state import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """A repair that was ended as it was.

    Attributes:
        repair: What is remembered of it now.
        found: The plan; None where its files are gone or damaged.
        told: Whether they tell what it wrote.
    """

    repair: Repair
    found: Known | None
    told: bool


def close(settings: Settings, memory: State, beginning: str) -> Closed:
    """End a repair that was begun, whether or not its journal tells what it wrote. No store is needed.

    Args:
        settings: The settings.
        memory: The tool's memory.
        beginning: Id of its plan, or its beginning.

    Raises:
        ConfigurationError: There is no such plan, or it is not under way.
        Conflict: Somebody is carrying it out, or something else holds its dataset.
    """
    repair = chosen(memory, beginning)
    owner = f"twinstore repair close {repair.id}"
    with memory.lease(repair.dataset, "repair", owner=owner, now=_now, patience_s=PATIENCE_S):
        repair = chosen(memory, repair.id)  # as it is now that nobody else has it
        if repair.ended is not Ended.BEGUN:
            raise ConfigurationError(
                f"Plan {repair.id} is not under way, so that there is nothing to close.",
                "`twinstore repair list` says what became of each plan.",
            )
        try:
            found = known(settings, memory, repair.id)
        except ConfigurationError:
            found = None
        told = found is not None and found.unknown is None and not found.changed
        repair = replace(repair, ended=Ended.CLOSED, ended_at=_now())
        if found is not None and told:
            repair = replace(repair, outcomes=dict(Counter(one.outcome for one in found.done.values())))
        memory.repairs.end(repair, wrote=found is None or not told or found.unanswered > 0)
    return Closed(repair=repair, found=found and replace(found, repair=repair), told=told)


def _now() -> datetime:
    return datetime.now(UTC)
