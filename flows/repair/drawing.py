"""Showing a plan, and what became of it: on its page, and to whoever asks at a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.registry import contract_for
from contracts.repair import Braked, Repair, Verified
from flows.deciding import discretion
from flows.repair.applying import Outcome
from flows.repair.files import PAGE
from flows.repair.known import Known
from flows.settings import Settings
from flows.showing import refresh
from flows.wiring import mask_key

if TYPE_CHECKING:
    from reports.repair import PlanView
    from storage.state import State


def view_of(
    settings: Settings,
    known: Known,
    *,
    held: Sequence[Braked] = (),
    outcome: Outcome | None = None,
    notes: Sequence[str] = (),
) -> PlanView:
    """Return a plan with all that is known of it, for whoever the settings say.

    Args:
        settings: The settings; they say who may see values.
        known: The plan.
        held: The brakes that hold it back.
        outcome: What became of it just now; what was remembered counts unless given.
        notes: What its reader must know.
    """
    from reports.repair import PlanView

    repair: Repair = known.repair if outcome is None else outcome.repair
    verified: Verified | None = None if outcome is None else outcome.verified
    return PlanView(
        plan=known.plan,
        plan_hash=known.plan_hash,
        dataset=contract_for(known.plan.header.dataset).dataset,
        repair=repair,
        held=tuple(held),
        done=known.done if outcome is None else outcome.done,
        verified=verified,
        discretion=discretion(settings),
        notes=tuple(notes),
    )


def write_page(settings: Settings, memory: State, known: Known, view: PlanView) -> Path:
    """Write the page of a plan beside it, readable by its owner only, and list it in the index; return its path.

    Raises:
        OSError: The disk refuses.
    """
    from reports import write_whole
    from reports.repair import repair_html

    page = known.folder / PAGE
    write_whole(page, [repair_html(view, mask_key=mask_key(settings))])
    refresh(settings, memory)
    return page
