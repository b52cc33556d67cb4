"""A plan of repair in a terminal: what it does, what holds it back, what is left, its steps field by field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from contracts.repair import Left, Step
from reports.repair.views import PlanView, cause_words, left_views, plan_view, step_view
from reports.repair.words import ACTS, OUTCOMES, WHYS, WINNERS, ending
from reports.terminal import shown
from reports.text import count, moment, number, one_line

if TYPE_CHECKING:
    from rich.console import Console

LINES_MAX: Final = 12
KEYS_NAMED: Final = 3  # of those that are left for one reason


def print_plan(view: PlanView, console: Console, *, mask_key: bytes) -> None:
    """Print a plan in short: what it does, what is left, what holds it back."""
    header = view.plan.header
    source = f" from {header.source}" if header.source else ""
    console.print(shown(f"{header.dataset} · {header.environment}", "bold"), shown(f"{header.mode}{source}", "dim"))
    if header.run_id:
        console.print(shown(f"rests on run {header.run_id}", "dim"))
    if header.undoes:
        console.print(shown(f"takes back {header.undoes}", "dim"))
    if asked := view.asked_words(mask_key):
        console.print(shown(f"Asked for: {asked}"), soft_wrap=True)
    console.print(shown(view.summary))
    groups = plan_view(view, mask_key)
    for group in groups.items[:LINES_MAX]:
        causes = f" ({', '.join(group.causes)})" if group.causes else ""
        line = f"  {number(group.total):>7}  {ACTS[group.act]} on {group.store}: {WINNERS[group.winner]}{causes}"
        console.print(shown(line), soft_wrap=True)
    if groups.total > LINES_MAX:
        console.print(shown(f"           and {count(groups.total - LINES_MAX, 'more kind')} of steps", "dim"))
    _print_left(view, console)
    for note in view.notes:
        console.print(shown(note, "dim"), soft_wrap=True)
    for braked in view.held:
        console.print(shown(f"Held by {braked.brake}: {braked.what}", "yellow"), soft_wrap=True)
        console.print(shown(f"  {braked.todo}"), soft_wrap=True)


def _print_left(view: PlanView, console: Console) -> None:
    left = left_views(view.plan.left)
    if not left:
        return
    console.print(shown(f"Left to people: {count(view.plan.rows_left, 'row')}."))
    for one in left[:LINES_MAX]:
        console.print(shown(f"  {number(one.rows):>7}  {WHYS[one.why]}: {one.sentence}"), soft_wrap=True)
        if some := one.keys.items[:KEYS_NAMED]:
            more = f" and {number(one.keys.total - len(some))} more" if one.keys.total > len(some) else ""
            console.print(shown(f"           {', '.join(map(one_line, some))}{more}", "dim"), soft_wrap=True)
    if len(left) > LINES_MAX:
        console.print(shown(f"           and {count(len(left) - LINES_MAX, 'more reason')}", "dim"))


def print_step(view: PlanView, step: Step, console: Console, *, mask_key: bytes) -> None:
    """Print one step: what it does and why, in words and field by field."""
    from rich.table import Table
    from rich.text import Text

    one = step_view(view, step, mask_key)
    causes = f" ({', '.join(cause_words(cause) for cause in step.causes)})" if step.causes else ""
    outcome = f" · {one.outcome}" if one.outcome else ""
    console.print(
        shown(f"{number(one.number)}. {ACTS[one.act]} on {one.store}", "bold"),
        shown(f"{one.key}{outcome}"),
        soft_wrap=True,
    )
    console.print(shown(f"   {one.reason}{causes}"), soft_wrap=True)
    table = Table("field", "before", "after", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for field in one.fields.items:
        pieces = (field.primary, field.secondary)
        table.add_row(
            Text(field.name),
            *(Text(f"{p.before}{p.marked}{p.after}".replace("\n", ""), overflow="fold") for p in pieces),
        )
    if one.fields.items:
        console.print(table)
    if one.fields.hidden:
        console.print(shown(f"   and {count(one.fields.hidden, 'more field')}", "dim"))


def print_left(one: Left, console: Console) -> None:
    """Print why something is left to people."""
    console.print(shown(f"Left: {WHYS[one.why]}", "bold"), shown(one_line(one.key or "")), soft_wrap=True)
    console.print(shown(f"   {one.sentence}"), soft_wrap=True)


def print_verified(view: PlanView, console: Console) -> None:
    """Print what became of a plan: how its steps came out, and what both stores say now."""
    style = {"repaired": "green", "undone": "green"}.get(str(view.ended), "yellow")
    ended = f" {moment(view.repair.ended_at)}" if view.repair.ended_at else ""
    parts = ", ".join(f"{number(n)} {OUTCOMES[outcome]}" for outcome, n in view.outcomes) or "no step was taken"
    console.print(shown(f"{ending(view.repair).capitalize()}{ended}:", style), shown(f"{parts}."), soft_wrap=True)
    found = view.verified
    if found is not None:
        facts = (
            (found.agree, "agrees", "agree"),
            (found.differ, "differs as planned", "differ as planned"),
            (len(found.moved), "was changed since", "were changed since"),
            (found.undone, "was taken back", "were taken back"),
            (len(found.unconverged), "did not stay as written", "did not stay as written"),
        )
        told = ", ".join(f"{count(n, 'key')} {one if n == 1 else many}" for n, one, many in facts if n)
        told = told or "no key was written"
        console.print(shown(f"Read again from both stores: {told}."), soft_wrap=True)
    for key in view.moved[:LINES_MAX]:
        console.print(shown(f"  {one_line(key)}: changed since"), soft_wrap=True)
    for one in view.unconverged[:LINES_MAX]:
        fields = ", ".join(one.fields)
        console.print(shown(f"  {one.store} {one.key} ({fields}): {one.why}", "yellow"), soft_wrap=True)
    for step, done in view.open_steps[:LINES_MAX]:
        console.print(shown(f"  {step.store} {step.key}: {OUTCOMES[done.outcome]}"), soft_wrap=True)
    hidden = sum(max(0, len(told) - LINES_MAX) for told in (view.moved, view.unconverged, view.open_steps))
    if hidden:
        console.print(shown(f"  and {count(hidden, 'more key')} on the page", "dim"))
