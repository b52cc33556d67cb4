"""A plan with all that is known of it: what is remembered, what its file says now, what became of its steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.errors import ConfigurationError
from contracts.repair import Done, Plan, Repair
from flows.repair.files import PLAN, chosen, folder_of
from flows.settings import Settings

if TYPE_CHECKING:
    from storage.state import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A plan with all that is known of it.

    Attributes:
        repair: What is remembered of it.
        plan: The plan, as its file has it now.
        plan_hash: SHA-256 of that file.
        folder: Where its files are.
        done: What became of its steps, by number; empty for a plan that nobody applied.
    """

    repair: Repair
    plan: Plan
    plan_hash: str
    folder: Path
    done: Mapping[int, Done]

    @property
    def changed(self) -> bool:
        """True when the file is not the one that was made."""
        return self.plan_hash != self.repair.plan_hash


def known(settings: Settings, memory: State, beginning: str) -> Known:
    """Return a plan by its id or the beginning of it.

    Raises:
        ConfigurationError: There is no such plan, or its files are gone or damaged.
    """
    from storage.repair.journal import Journal
    from storage.repair.plan_file import read_plan

    repair = chosen(memory, beginning)
    folder = folder_of(settings, repair.id)
    if not folder.is_dir():
        raise ConfigurationError(
            f"The files of plan {repair.id} are not there any more.",
            "Make a new plan with `twinstore repair plan`; what was removed cannot be undone.",
        )
    plan, plan_hash = read_plan(folder / PLAN)
    if plan.header.id != repair.id:
        raise ConfigurationError(
            f"The folder of plan {repair.id} holds another plan.", "Make a new one with `twinstore repair plan`."
        )
    return Known(repair=repair, plan=plan, plan_hash=plan_hash, folder=folder, done=Journal.open(folder).done)
