"""The end of `twinstore demo`: a repair, its undo, and a second repair, each read again from both stores."""

from __future__ import annotations

from contracts.repair import Mended, Mode, Override, Verified
from contracts.vocabulary import StoreName
from flows.check import Progress
from flows.commands.common import out
from flows.repair.applying import Approval, Outcome, apply_plan
from flows.repair.braking import held_by
from flows.repair.drawing import view_of, write_page
from flows.repair.known import known
from flows.repair.planning import Made, plan_from_run
from flows.repair.undoing import planned_undo
from flows.repair.work import Work
from flows.settings import Settings
from flows.wiring import Stores, open_memory

BY = "the demo"


def repair_twice(settings: Settings, stores: Stores, run_id: str, progress: Progress) -> bool:
    """Repair what a run found, take that back, and repair it again; say whether all of it came out as planned."""
    with open_memory(settings, stores.environment) as memory:
        work = Work(settings=settings, stores=stores, memory=memory, progress=progress)
        made, first = _repair(work, run_id)
        _tell("4. Repaired", made, first)
        undo = planned_undo(work, known(settings, memory, made.known.repair.id))
        taken_back = _apply(work, undo)
        _tell("5. Taken back", undo, taken_back)
        again, second = _repair(work, run_id)
        _tell("6. Repaired again", again, second)
        for one, outcome in ((made, first), (undo, taken_back), (again, second)):
            page = write_page(settings, memory, one.known, view_of(settings, one.known, outcome=outcome))
        out().print(f"   Plan and outcome: {page}", soft_wrap=True)
    return all(_whole(outcome) for outcome in (first, taken_back, second))


def _repair(work: Work, run_id: str) -> tuple[Made, Outcome]:
    """Plan with the primary as source of truth, and carry out all of it."""
    from storage.repair.planning import Wanted

    wanted = Wanted(mode=Mode.SOURCE_OF_TRUTH, source=StoreName.PRISMA, rename=True)
    made = plan_from_run(work, "planning", run_id, wanted)
    return made, _apply(work, made)


def _apply(work: Work, made: Made) -> Outcome:
    """Carry a plan out, with every brake released that holds it: the records are made up."""
    held = held_by(work, made.known.plan, now=made.standing)
    released = tuple(Override(brake=str(one.brake), value=one.number, by=BY) for one in held)
    return apply_plan(work, made.known, Approval(digits=made.known.plan_hash, by=BY, overrides=released))


def _tell(title: str, made: Made, outcome: Outcome) -> None:
    plan, number = made.known.plan, outcome.repair.outcomes
    found = outcome.verified or Verified()
    taken = number.get(Mended.WRITTEN, 0) + number.get(Mended.ALREADY, 0)
    told = [f"{taken} of {len(plan.steps)} steps taken; read again, {found.agree} keys agree"]
    if found.differ:
        told.append(f"{found.differ} differ as planned")
    if refused := number.get(Mended.REJECTED, 0):
        told.append(f"{refused} stay as they are, since a constraint refuses what they were")
    if plan.rows_left:
        told.append(f"{plan.rows_left} rows are left to people")
    out().print(f"{title}: {', '.join(told)}", soft_wrap=True)
    for braked in outcome.held:
        out().print(f"   held: {braked.what}", soft_wrap=True)


def _whole(outcome: Outcome) -> bool:
    """Say whether all came out as planned; constraints may refuse to take a fault back that was planted around them."""
    allowed = {Mended.WRITTEN, Mended.ALREADY}
    if outcome.repair.mode is Mode.UNDO:
        allowed.add(Mended.REJECTED)
    lost = outcome.verified is None or outcome.verified.moved
    return not outcome.held and not lost and set(outcome.repair.outcomes) <= allowed
