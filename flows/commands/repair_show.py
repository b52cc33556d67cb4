"""What the commands of repair print: plans and their steps, what holds one, what comes next."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from contracts.errors import ConfigurationError
from contracts.registry import contract_for
from contracts.repair import Ended
from flows.commands.common import err, out
from flows.deciding import canonical
from flows.repair.drawing import view_of, write_page
from flows.repair.known import Known, known
from flows.repair.work import remembering
from flows.settings import Settings, load_settings
from flows.wiring import mask_key

if TYPE_CHECKING:
    from reports.repair import PlanView

STEPS_SHOWN = 20


def show_command(plan: str, *, keys: Sequence[str], everything: bool, html: bool, reveal: bool) -> None:
    """Print a plan step by step; its values are masked unless they are to be shown."""
    from reports.repair import print_verified

    settings = load_settings()
    settings = settings.model_copy(update={"reveal": settings.reveal or reveal})
    with remembering(settings) as memory:
        found = known(settings, memory, plan)
        view = view_of(settings, found)
        meant = _meant(found, keys)
        if html:
            out().print(str(write_page(settings, memory, found, view)), soft_wrap=True)
            return
    console = out()
    print_short(settings, view)
    console.print(f"Hash: {found.plan_hash}", soft_wrap=True)
    if found.changed:
        console.print("The file is not the one that was made: it cannot be carried out.", style="red")
    if found.unknown is not None:
        console.print(found.unknown, style="red", soft_wrap=True)
    if found.repair.ended is Ended.CLOSED:
        console.print(f"It was closed {found.repair.ended_at:%Y-%m-%d %H:%M} before it ended.", soft_wrap=True)
    if found.unasked is not None:
        console.print(found.unasked, soft_wrap=True)
    if found.done:
        print_verified(view, console)
    _print_steps(view, meant, mask_key(settings), everything=everything)


def list_command(dataset: str | None, *, as_json: bool) -> None:
    """Print plans and what became of them, the newest first.

    Raises:
        ConfigurationError: There is no such dataset.
    """
    name = None if dataset is None else contract_for(dataset).dataset.name
    with remembering(load_settings()) as memory:
        found = memory.repairs.list(name)
    if as_json:
        from reports.repair import repair_document

        write_json([repair_document(one) for one in found])
        return
    from rich.table import Table

    from reports.repair.words import ending

    table = Table("Plan", "Dataset", "Mode", "Made", "Steps", "Left", "Ended", "Approved by", box=None)
    for one in found:
        made = f"{one.made_at:%Y-%m-%d %H:%M}"
        cells = (one.id, one.dataset, str(one.mode), made, f"{one.steps:,}", f"{one.left:,}", ending(one))
        table.add_row(*cells, one.approved_by or "")
    out().print(table if found else "There is no plan yet. `twinstore repair plan` makes one.")


def print_held(view: PlanView) -> None:
    """Say which brakes held a plan, and how each is released."""
    console = err()
    console.print("Nothing was done.")
    for braked in view.held:
        console.print(f"twinstore: {braked.what}", style="red", soft_wrap=True)
        console.print(braked.todo, soft_wrap=True)


def print_short(settings: Settings, view: PlanView) -> None:
    """Print a plan in short."""
    from reports.repair import print_plan

    print_plan(view, out(), mask_key=mask_key(settings))


def print_next(view: PlanView, page: object) -> None:
    """Say where the plan is, what approves it, and how it is carried out."""
    console = out()
    print_where(view, page)
    if not view.plan.steps:
        return
    if view.stuck:
        console.print("It cannot be carried out as things are.", style="yellow")
        return
    console.print(f"Carry it out: {view.command}", soft_wrap=True)


def print_where(view: PlanView, page: object) -> None:
    """Say where the plan is, and what approves it."""
    console = out()
    console.print(f"Page: {page}", soft_wrap=True)
    console.print(f"Hash: {view.plan_hash}", soft_wrap=True)
    if view.plan.steps:
        console.print(f"Look at it: twinstore repair show {view.plan.header.id}", soft_wrap=True)


def write_json(document: object) -> None:
    """Print what machines read."""
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def _meant(found: Known, keys: Sequence[str]) -> frozenset[str]:
    """Return keys as the plan spells them.

    Raises:
        ConfigurationError: It says nothing of one of them.
    """
    dataset = contract_for(found.plan.header.dataset).dataset
    told = {step.key for step in found.plan.steps} | {one.key for one in found.plan.left}
    meant = set[str]()
    for key in keys:
        spelt = told & {key, canonical(dataset, key)}
        if not spelt:
            raise ConfigurationError(
                f"Plan {found.repair.id} says nothing of the key {key!r}.",
                f"`twinstore repair show {found.repair.id} --all` prints every step, its page what is left.",
            )
        meant |= {str(one) for one in spelt}
    return frozenset(meant)


def _print_steps(view: PlanView, meant: frozenset[str], secret: bytes, *, everything: bool) -> None:
    """Print steps one by one; of keys that are meant, also why they are left."""
    from reports.repair import print_left, print_step

    console = out()
    steps = [step for step in view.plan.steps if not meant or step.key in meant]
    shown = steps if everything or meant else steps[:STEPS_SHOWN]
    for step in shown:
        console.print()
        print_step(view, step, console, mask_key=secret)
    for one in view.plan.left:
        if one.key in meant:
            console.print()
            print_left(one, console)
    if len(shown) < len(steps):
        console.print()
        console.print(f"{len(steps) - len(shown):,} more steps: say --all, or open the page (--html).")
