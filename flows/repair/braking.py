"""What holds a plan back as things are: asked of both stores and the memory, decided in `contracts.repair.brakes`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from contracts.repair import Braked, Mode, Plan, Situation, brakes
from flows.repair.files import PLAN, folder_of
from flows.repair.sides import Standing, standing
from flows.repair.work import Work

if TYPE_CHECKING:
    from storage.state import State

WITHIN = timedelta(hours=23)
"""What was done for so long counts for the caps of the next repair: a day, but not last night's for this night's."""


def held_by(
    work: Work,
    plan: Plan,
    *,
    begun: bool = False,
    approved: bool | None = None,
    now: Standing | None = None,
) -> tuple[Braked, ...]:
    """Return the brakes that hold a plan back, as things are now, whatever anybody released.

    Args:
        work: What the repair works with.
        plan: The plan.
        begun: Whether it was begun before and is gone on with.
        approved: Whether it is the one that was approved; None where nobody approved one yet.
        now: How the stores stand, where that was asked just now.

    Raises:
        TwinstoreError: A store cannot be asked.
    """
    stand = now or standing(work.settings, work.stores, plan.header.dataset)
    time = datetime.now(UTC)
    spent = work.memory.repairs.spent(plan.header.dataset, since=time - WITHIN, but=plan.header.id)
    situation = Situation(
        now=time,
        rows=stand.rows,
        identities=stand.identities,
        environment=work.stores.environment,
        durable=work.memory.durable,
        begun=begun,
        approved=approved,
        incomplete=_incomplete(work.memory, plan),
        spent_rows=spent.rows,
        spent_deletes=spent.deletes,
        done_rows=spent.all_rows,
        done_deletes=spent.all_deletes,
        unfinished=spent.unfinished,
        outrun=_outrun(work, plan),
    )
    return tuple(brakes(plan, situation, caps=work.caps))


def _outrun(work: Work, plan: Plan) -> bool:
    """Tell whether the repair that a plan takes back has gone on since; one whose files are gone cannot."""
    from storage.repair.journal import Journal
    from storage.repair.plan_file import read_plan
    from storage.repair.undoing import rests_on_all

    if plan.header.undoes is None:
        return False
    folder = folder_of(work.settings, plan.header.undoes)
    if not (folder / PLAN).is_file():
        return False
    journal, (undone, _) = Journal.open(folder), read_plan(folder / PLAN)
    return bool(journal.unanswered) or not rests_on_all(plan, undone, journal.done)


def _incomplete(memory: State, plan: Plan) -> str | None:
    """Return why the check that a plan rests on does not carry it; None where it does. An undo rests on a journal."""
    if plan.header.mode is Mode.UNDO:
        return None
    run_id = plan.header.run_id
    looked = None if run_id is None else memory.repairs.looked_everywhere(plan.header.dataset, run_id)
    if looked is None:
        return f"the run {run_id} that the plan rests on is not remembered"
    return None if looked else f"the run {run_id} errored, or left something out"
