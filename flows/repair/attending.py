"""A repair that is scheduled: what a policy allows is carried out with nobody looking, what is beyond it is asked for.

Who is asked is the caller's to say: Prefect pauses a flow run for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.repair import Act, Braked, Mode
from contracts.repair.unattended import Beyond, Unattended, why_beyond
from contracts.vocabulary import StoreName
from flows.check import Conductor
from flows.policy_file import read_strictly
from flows.repair.applying import Approval, Outcome, apply_plan
from flows.repair.asking import mode_of, source_of
from flows.repair.braking import held_by
from flows.repair.drawing import view_of, write_page
from flows.repair.planning import Made, plan_from_check, plan_from_run
from flows.repair.work import Work

if TYPE_CHECKING:
    from storage.repair.planning import Wanted

DIGITS = 12
_TODO = "docs/scheduling.md says what a policy of repair may say."


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A policy of unattended repair, and the file that it comes from.

    Attributes:
        rules: What it allows.
        name: The file's name with the start of its hash, as it is put on record.
    """

    rules: Unattended
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What somebody is asked to approve.

    Attributes:
        made: The plan.
        held: The brakes that hold it; they would have to be released.
        page: Its page.
        why: Why it is not carried out unattended, in sentences; none where there is no policy.
    """

    made: Made
    held: tuple[Braked, ...]
    page: Path
    why: tuple[str, ...] = ()


Ask = Callable[[Question], Approval | None]
"""Asks somebody; None when nobody approves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attended:
    """What became of a scheduled repair.

    Attributes:
        sentences: What was done and what was not.
        exit_code: 0 when all that was to be done is done, 1 when something is left that was to be done, 2 when a brake
            held it.
    """

    sentences: tuple[str, ...]
    exit_code: int


def read_unattended(path: Path) -> Policy:
    """Read a policy of unattended repair.

    Args:
        path: The file, named `*.yaml`, `*.yml` or `*.toml`.

    Raises:
        ConfigurationError: It cannot be read, or says something that is not understood; the place is named.
    """
    rules, _ = read_strictly(path, Unattended, _TODO)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Policy(rules=rules, name=f"policy {path.name} ({digest[:DIGITS]})")


def wanted_of(mode: str, source: str) -> Wanted:
    """Return what is asked for by the names of a mode and a store, with every fix on and no filter.

    A deployment names a store whatever the mode is: three-way has none.

    Raises:
        ConfigurationError: There is no such mode, or no such store.
    """
    from storage.repair.planning import Wanted

    found = mode_of(mode)
    return Wanted(mode=found, source=source_of(None if found is Mode.THREE_WAY else source, found))


def attend(
    work: Work,
    conductor: Conductor,
    dataset: str,
    wanted: Wanted,
    *,
    ask: Ask,
    run_id: str | None = None,
    policy: Policy | None = None,
) -> Attended:
    """Repair what a policy allows, and ask for the rest, or for all of it where there is no policy.

    Args:
        work: What the repair works with.
        conductor: Runs the stages of a check, where one is made.
        dataset: The dataset.
        wanted: Mode and source.
        ask: Asks somebody.
        run_id: The run to rest on; a check is made unless given.
        policy: What may be done with nobody looking.

    Raises:
        TwinstoreError: The check could not look everywhere, or a store cannot be used. What was written stays.
    """
    sentences, codes, why = list[str](), [0], tuple[str, ...]()
    if policy is not None:
        part = replace(wanted, causes=frozenset(map(str, policy.rules.causes)))
        made = _made(work, conductor, dataset, part, run_id)
        run_id = made.known.plan.header.run_id
        why = why_beyond(made.known.plan, policy.rules)
        if made.known.plan.steps and not why:
            outcome = apply_plan(work, made.known, Approval(digits=made.known.plan_hash, by=policy.name))
            _drawn(work, made, outcome)
            sentences.append(_told(made, outcome))
            codes.append(outcome.exit_code)
        elif why and policy.rules.beyond is Beyond.LEAVE:
            return Attended(sentences=(*why, f"Plan {made.known.repair.id} waits for somebody."), exit_code=1)
    made = _made(work, conductor, dataset, wanted, run_id)
    if not made.known.plan.steps:
        return _attended([*sentences, _nothing(made, more=bool(sentences))], codes)
    if policy is not None and policy.rules.beyond is Beyond.LEAVE:
        return _attended([*sentences, _beyond(made)], codes)
    held = held_by(work, made.known.plan, now=made.standing)
    page = write_page(
        work.settings, work.memory, made.known, view_of(work.settings, made.known, held=held, notes=made.notes)
    )
    approval = ask(Question(made=made, held=held, page=page, why=why))
    if approval is None:
        return _attended([*sentences, f"Plan {made.known.repair.id} was not approved."], [*codes, 1])
    outcome = apply_plan(work, made.known, approval)
    _drawn(work, made, outcome)
    return _attended([*sentences, _told(made, outcome)], [*codes, outcome.exit_code])


def summary(question: Question) -> str:
    """Return what somebody has to know before they approve a plan, as Markdown; no value of a record is in it."""
    from reports.text import count

    plan = question.made.known.plan
    acts = [(act, store, plan.count(act, store)) for store in StoreName for act in Act]
    lines = [
        f"Plan `{plan.header.id}` of {plan.header.dataset} in {plan.header.environment}, mode {plan.header.mode}:\n",
        *(f"- {act} on {store}: {count(number, 'row')}" for act, store, number in acts if number),
        f"- left to people: {count(plan.rows_left, 'row')}",
        *(f"- {sentence}" for sentence in question.why),
        *(f"- **held**: {braked.what} {braked.todo}" for braked in question.held),
        f"\nHash: `{question.made.known.plan_hash}`\n",
        f"Page: {question.page.as_uri()}",
    ]
    return "\n".join(lines)


def _made(work: Work, conductor: Conductor, dataset: str, wanted: Wanted, run_id: str | None) -> Made:
    if run_id is not None:
        return plan_from_run(work, dataset, run_id, wanted)
    return plan_from_check(work, dataset, conductor, wanted)


def _drawn(work: Work, made: Made, outcome: Outcome) -> None:
    write_page(
        work.settings, work.memory, made.known, view_of(work.settings, made.known, held=outcome.held, outcome=outcome)
    )


def _told(made: Made, outcome: Outcome) -> str:
    if outcome.held:
        return f"Plan {made.known.repair.id} was held: {' '.join(braked.what for braked in outcome.held)}"
    parts = ", ".join(f"{number:,} {name}" for name, number in sorted(outcome.repair.outcomes.items()))
    agree = outcome.verified.agree if outcome.verified else 0
    return f"Plan {made.known.repair.id} {outcome.repair.ended}: {parts}; the stores agree on {agree:,} of its keys."


def _nothing(made: Made, *, more: bool) -> str:
    from reports.text import count

    what = "nothing more" if more else "nothing"
    return f"There is {what} to repair; left to people: {count(made.known.plan.rows_left, 'row')}."


def _beyond(made: Made) -> str:
    """Say what a policy leaves, by a plan of all that still differs."""
    from reports.text import count

    plan = made.known.plan
    causes = sorted({cause for step in plan.steps for cause in step.causes})
    return (
        f"Not done by the policy: {count(len(plan.steps), 'step')} ({', '.join(causes)}), as plan {plan.header.id} has "
        f"it. Left to people besides: {count(plan.rows_left, 'row')}."
    )


def _attended(sentences: list[str], codes: list[int]) -> Attended:
    return Attended(sentences=tuple(sentences), exit_code=max(codes))
