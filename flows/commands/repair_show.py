"""What the commands of repair print: a plan in short, what holds it, what comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.commands.common import err, out
from flows.settings import Settings
from flows.wiring import mask_key

if TYPE_CHECKING:
    from reports.repair import PlanView


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
    console.print(f"Page: {page}", soft_wrap=True)
    console.print(f"Hash: {view.plan_hash}", soft_wrap=True)
    if not view.plan.steps:
        return
    if view.stuck:
        console.print("It cannot be carried out as things are.", style="yellow")
        return
    console.print(f"Look at it: twinstore repair show {view.plan.header.id}", soft_wrap=True)
    console.print(f"Carry it out: {view.command}", soft_wrap=True)
