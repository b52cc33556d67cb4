"""`twinstore repair`: plan, apply, verify, undo."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from contracts.errors import ConfigurationError, TwinstoreError
from contracts.repair import Done, Ended, Mended, Override
from contracts.vocabulary import Cause
from flows.check import threads
from flows.commands.check import progress_line
from flows.commands.common import EXIT_UNKNOWN, out
from flows.commands.repair_show import print_held, print_next, print_short, print_where, write_json
from flows.quiet import quiet_libraries
from flows.repair.applying import Approval, apply_plan, verify_plan
from flows.repair.asking import age_of, fixes_without, mode_of, override, source_of
from flows.repair.braking import held_by
from flows.repair.closing import close
from flows.repair.drawing import view_of, write_page
from flows.repair.known import Known, known
from flows.repair.planning import Made, plan_from_check, plan_from_run, the_dataset
from flows.repair.undoing import planned_undo, undo_of
from flows.repair.work import Work, at_work, remembering
from flows.settings import Settings, load_settings
from flows.wiring import home, mask_key
from reports.text import count

if TYPE_CHECKING:
    from flows.repair.applying import Outcome
    from reports.repair import PlanView
    from storage.repair.planning import Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What `twinstore repair plan` was asked for, in the words of its options."""

    run: str | None
    dataset: str | None
    mode: str
    source: str | None
    causes: tuple[str, ...]
    fields: tuple[str, ...]
    keys: tuple[str, ...]
    users: tuple[str, ...]
    older_than: str | None
    newer_than: str | None
    no_fix: tuple[str, ...]
    rename_keys: bool
    again: bool


def plan_command(asked: Asked, *, as_json: bool) -> None:
    """Make a plan and print it in short."""
    settings = load_settings()
    if asked.run is not None and not asked.run.strip():
        raise ConfigurationError("A blank id names no run.", "Name one, or leave --run out to check now.")
    dataset = the_dataset(asked.dataset)
    wanted = _wanted(asked)
    with _at_work(settings) as work:
        with _busy(work) as busy:
            made = _planned(busy, asked, dataset, wanted)
            held = held_by(busy, made.known.plan, now=made.standing)
        view = view_of(settings, made.known, held=held, notes=made.notes)
        page = write_page(settings, work.memory, made.known, view)
    if as_json:
        write_json({**_document(settings, view), "page": str(page)})
        return
    print_short(settings, view)
    print_next(view, page)


def apply_command(plan: str, *, approve: str | None, allow: Sequence[str], as_json: bool) -> None:
    """Carry a plan out; exits with 1 when something is not as planned, 2 when a brake holds it."""
    settings = load_settings()
    overrides = _overrides(allow)
    with _at_work(settings) as work:
        found = known(settings, work.memory, plan)
        _apply(work, found, approve=approve, overrides=overrides, as_json=as_json)


def verify_command(plan: str, *, as_json: bool) -> None:
    """Read both stores again and say what is there; exits with 1 when something is not as it was left."""
    settings = load_settings()
    with _at_work(settings) as work:
        found = known(settings, work.memory, plan)
        with _busy(work) as busy:
            outcome = verify_plan(busy, found)
        _tell(work, found, outcome, as_json=as_json)


def close_command(plan: str) -> None:
    """End a repair that was begun as it is, and say what that means."""
    settings = load_settings()
    with remembering(settings) as memory:
        closed = close(settings, memory, plan)
        if closed.found is not None:
            write_page(settings, memory, closed.found, view_of(settings, closed.found))
    name = closed.repair.id
    out().print(f"Closed: {name}. What it wrote stays; the rest is not done any more.", soft_wrap=True)
    todo = f"`twinstore repair undo {name}` takes that back."
    lost = "Its files do not tell, so that nobody knows what it wrote: `twinstore check` says what differs."
    out().print(todo if closed.told else lost, soft_wrap=True)


def undo_command(plan: str, *, approve: str | None, allow: Sequence[str], as_json: bool) -> None:
    """Make the plan that takes a repair back, or carry the one out that was made before and is approved now."""
    settings = load_settings()
    overrides = _overrides(allow)
    with _at_work(settings) as work:
        if approve is not None:
            found = undo_of(work, plan, approve)
            _apply(work, found, approve=approve, overrides=overrides, as_json=as_json)
            return
        with _busy(work) as busy:
            made = planned_undo(busy, known(settings, busy.memory, plan))
            held = held_by(busy, made.known.plan, now=made.standing)
        view = view_of(settings, made.known, held=held, notes=made.notes)
        page = write_page(settings, work.memory, made.known, view)
        if as_json:
            write_json({**_document(settings, view), "page": str(page)})
            return
        print_short(settings, view)
        if not sys.stdin.isatty() or not made.known.plan.steps:
            print_next(view, page)
            return
        _apply(work, made.known, approve=None, overrides=overrides, as_json=False, shown=True)


def _apply(
    work: Work,
    found: Known,
    *,
    approve: str | None,
    overrides: tuple[Override, ...],
    as_json: bool,
    shown: bool = False,
) -> None:
    """Carry a plan out that was approved by its hash, or that somebody at the terminal approves now."""
    digits = approve if approve is not None else _asked(work, found, shown=shown)
    approval = Approval(digits=digits, by=who(), overrides=overrides)
    with _busy(work) as busy:
        outcome = apply_plan(busy, found, approval)
    _tell(work, found, outcome, as_json=as_json)


def _asked(work: Work, found: Known, *, shown: bool) -> str:
    """Show a plan to whoever sits at the terminal, and return its hash when they approve it; else exit with code 2.

    Raises:
        ConfigurationError: There is nobody to ask, or nothing to carry out.
    """
    found.require_open()
    if not sys.stdin.isatty():
        raise ConfigurationError(
            "A plan needs to be approved before it is carried out, and there is no terminal to ask on.",
            f"Look at it with `twinstore repair show {found.repair.id}`, then say --approve with its hash.",
        )
    import typer

    view = view_of(work.settings, found)
    if not shown:
        print_short(work.settings, view)
    print_where(view, write_page(work.settings, work.memory, found, view))
    if not typer.confirm(f"Carry out {count(len(found.plan.steps), 'step')}?", err=True):
        out().print("Nothing was done.")
        sys.exit(EXIT_UNKNOWN)
    return found.plan_hash


def _tell(work: Work, found: Known, outcome: Outcome, *, as_json: bool) -> None:
    """Write the page anew, say what became of a plan, and exit with its code."""
    from reports.repair import print_verified

    view = view_of(work.settings, found, held=outcome.held, outcome=outcome)
    if outcome.repair.undoes is not None and not outcome.held:
        _draw_anew(work, outcome.repair.undoes)
    page = write_page(work.settings, work.memory, found, view)
    if as_json:
        write_json({**_document(work.settings, view), "page": str(page), "exit_code": outcome.exit_code})
    elif outcome.held:
        print_held(view)
    else:
        print_verified(view, out())
        out().print(f"Page: {page}", soft_wrap=True)
        if outcome.repair.ended is not Ended.BEGUN and _stands(found, outcome):
            out().print(f"Take it back: twinstore repair undo {outcome.repair.id}", soft_wrap=True)
    sys.exit(outcome.exit_code)


def _stands(found: Known, outcome: Outcome) -> bool:
    """Tell whether anything that was written is there still, so that it can be taken back."""
    written = {step.key for step in found.plan.steps if _is_written(outcome.done.get(step.number))}
    gone = outcome.verified.undone if outcome.verified else 0
    return len(written.difference(outcome.verified.moved if outcome.verified else ())) > gone


def _is_written(done: Done | None) -> bool:
    return done is not None and done.outcome is Mended.WRITTEN


def _draw_anew(work: Work, repair_id: str) -> None:
    """Let the page of a repair say that it was taken back; one whose files are gone has none."""
    with suppress(TwinstoreError):
        undone = known(work.settings, work.memory, repair_id)
        write_page(work.settings, work.memory, undone, view_of(work.settings, undone))


def _planned(work: Work, asked: Asked, dataset: str, wanted: Wanted) -> Made:
    if asked.run is not None:
        return plan_from_run(work, dataset, asked.run, wanted, again=asked.again)
    with threads() as conductor:
        return plan_from_check(work, dataset, conductor, wanted, again=asked.again)


def _wanted(asked: Asked) -> Wanted:
    from storage.repair.planning import Wanted

    mode = mode_of(asked.mode)
    return Wanted(
        mode=mode,
        source=source_of(asked.source, mode),
        fixes=fixes_without(asked.no_fix),
        rename=asked.rename_keys,
        restore=Cause.WRITE_WINDOW in asked.causes,
        causes=frozenset(asked.causes),
        fields=frozenset(asked.fields),
        keys=frozenset(asked.keys),
        users=frozenset(asked.users),
        older_than=age_of(asked.older_than),
        younger_than=age_of(asked.newer_than),
    )


@contextmanager
def _at_work(settings: Settings) -> Iterator[Work]:
    quiet_libraries(home(settings))
    with at_work(settings) as work:
        yield work


@contextmanager
def _busy(work: Work) -> Iterator[Work]:
    """Show what happens while the block runs."""
    with progress_line() as progress:
        yield replace(work, progress=progress)


def who() -> str:
    """Return who runs this, as the system knows them."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def _overrides(allow: Sequence[str]) -> tuple[Override, ...]:
    return tuple(override(one, by=who()) for one in allow)


def _document(settings: Settings, view: PlanView) -> dict[str, Any]:
    from reports.repair import plan_document

    return plan_document(view, mask_key=mask_key(settings))
