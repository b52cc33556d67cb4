"""A plan of repair, ready to be drawn: its steps by what they do and why, what is left, what became of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from contracts.dataset import Dataset
from contracts.repair import (
    Act,
    Braked,
    Done,
    Ended,
    Left,
    Mended,
    Plan,
    Repair,
    Step,
    Unconverged,
    Verified,
    Why,
    Winner,
    rows_of,
)
from contracts.vocabulary import Cause, Classification, Exclusion, StoreName
from reports.budget import FIELDS_MAX, KEYS_MAX, LISTED_BYTES, LISTED_PER_CLUSTER, Budget, Shown, first
from reports.diff import FieldDiff, field_diff
from reports.masking import Discretion, is_masked, masked_text
from reports.repair.fields import changes
from reports.repair.words import FILTERS, OUTCOME_STATUSES, OUTCOMES
from reports.text import KEY_MAX, count, one_line, slug
from reports.words import CAUSES, EXCLUSIONS

DIGITS = 12  # of a hash, as a command names it
_NOTHING = "There is nothing to repair."


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """One step as it is listed.

    Attributes:
        number: Its place in the plan.
        key: Key of the row.
        store: The store that is written.
        act: What is done.
        reason: Why, in a sentence.
        outcome: What became of it, in words; empty where it was not taken.
        status: The status whose colour that has.
        fields: What it changes: before on the left, after on the right.
    """

    number: int
    key: str
    store: StoreName
    act: Act
    reason: str
    outcome: str
    status: str
    fields: Shown[FieldDiff]

    @property
    def weight(self) -> int:
        """Upper bound of the bytes that the step needs on a page."""
        return 700 + len(self.key.encode()) + len(self.reason.encode()) + sum(f.weight for f in self.fields.items)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupView:
    """Steps that do the same to the same store for the same reason.

    Attributes:
        anchor: Id of the group on the page.
        act: What they do.
        store: The store that they write.
        winner: Why what they write is right.
        causes: Why the rows differ, in words.
        listed: Some of them.
        total: How many they are.
    """

    anchor: str
    act: Act
    store: StoreName
    winner: Winner
    causes: tuple[str, ...]
    listed: Shown[StepView]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftView:
    """Findings that are left for the same reason.

    Attributes:
        why: The reason.
        rows: How many rows they are about.
        sentence: What a person can do.
        keys: Some of their keys.
    """

    why: Why
    rows: int
    sentence: str
    keys: Shown[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanView:
    """A plan with all that is known of it, and who reads it.

    Attributes:
        plan: The plan.
        plan_hash: SHA-256 of its file.
        dataset: The dataset, whose columns say who may see what.
        repair: What is remembered of it.
        held: The brakes that hold it back as things are.
        done: What became of its steps, by number.
        verified: What was read of both stores afterwards; None before.
        discretion: Who may see values.
        notes: Sentences that a reader must know.
    """

    plan: Plan
    plan_hash: str
    dataset: Dataset
    repair: Repair
    discretion: Discretion
    held: tuple[Braked, ...] = ()
    done: Mapping[int, Done] = field(default_factory=dict)
    verified: Verified | None = None
    notes: tuple[str, ...] = ()

    @property
    def ended(self) -> Ended:
        """How it ended."""
        return self.repair.ended

    @property
    def command(self) -> str:
        """The command that carries it out, with every brake released that can be."""
        allowed = "".join(f" --allow {name}" for name in released(self.held))
        return f"twinstore repair apply {self.plan.header.id} --approve {self.plan_hash[:DIGITS]}{allowed}"

    @property
    def stuck(self) -> bool:
        """True when a brake holds it that nobody can release."""
        return any(not braked.brake.releasable for braked in self.held)

    @property
    def summary(self) -> str:
        """What it does, in one sentence."""
        if not self.plan.steps:
            if any(name in FILTERS for name in self.plan.header.filters):
                return "Nothing that was asked for is to be repaired."
            left = self.plan.rows_left
            return f"This plan repairs nothing; left to people: {count(left, 'row')}." if left else _NOTHING
        per_store = []
        for store in StoreName:
            acts = [(self.plan.count(act, store), act) for act in Act]
            parts = [count(number, str(act)) for number, act in acts if number]
            if parts:
                per_store.append(f"{_listed(parts)} on {store}")
        return f"{count(len(self.plan.steps), 'step')}: {', '.join(per_store)}."

    def asked_for(self, mask_key: bytes) -> dict[str, tuple[str, ...]]:
        """Return what was asked for, by the name of the filter; whose records only to those who may see that."""
        found = {name: tuple(values) for name, values in sorted(self.plan.header.filters.items())}
        if "user" in found and is_masked(Classification.PERSONAL, self.discretion):
            found["user"] = tuple(masked_text(one, mask_key) for one in found["user"])
        return found

    def asked_words(self, mask_key: bytes) -> str:
        """Return what was asked for in words; empty where nothing was."""
        found = self.asked_for(mask_key).items()
        told = [
            f"{FILTERS[name]} {', '.join(one_line(value, KEY_MAX) for value in values)}"
            for name, values in found
            if name in FILTERS
        ]
        off = self.plan.header.filters.get("no_fix", ())
        told += [f"no fix of {', '.join(off)}"] if off else []
        return "; ".join([*told, *(["new keys"] if "rename_keys" in self.plan.header.filters else [])])

    @property
    def outcomes(self) -> tuple[tuple[Mended, int], ...]:
        """What became of its steps, in numbers."""
        found = Counter(one.outcome for one in self.done.values())
        return tuple((outcome, found[outcome]) for outcome in Mended if found[outcome])

    @property
    def moved(self) -> tuple[str, ...]:
        """Keys that somebody changed since they were written."""
        return self.verified.moved if self.verified else ()

    @property
    def open(self) -> bool:
        """True while it can be carried out, or finished."""
        return self.ended in (Ended.PLANNED, Ended.BEGUN)

    @property
    def unconverged(self) -> tuple[Unconverged, ...]:
        """Steps whose rows did not stay as they were written."""
        return self.verified.unconverged if self.verified else ()

    @property
    def open_steps(self) -> tuple[tuple[Step, Done], ...]:
        """Steps that were not written, with what became of them."""
        wanted = (Mended.WRITTEN, Mended.ALREADY)
        found = ((step, self.done.get(step.number)) for step in self.plan.steps)
        return tuple((step, one) for step, one in found if one is not None and one.outcome not in wanted)


def plan_view(view: PlanView, mask_key: bytes) -> Shown[GroupView]:
    """Return the steps of a plan by what they do and why, each group with as many as a page has room for."""
    groups: dict[tuple[object, ...], list[Step]] = defaultdict(list)
    for step in view.plan.steps:
        groups[step.store, step.act, step.winner, step.causes].append(step)
    ordered = sorted(groups.values(), key=lambda steps: (-len(steps), steps[0].number))
    budget = Budget(LISTED_BYTES)
    drawn = []
    for steps in ordered:
        listed = []
        for step in steps[:LISTED_PER_CLUSTER]:
            one = step_view(view, step, mask_key)
            if budget.take(one.weight):
                listed.append(one)
        drawn.append(_group(view.plan.header.dataset, steps, listed))
    return first(drawn, len(drawn))


def _group(dataset: str, steps: Sequence[Step], listed: Sequence[StepView]) -> GroupView:
    one = steps[0]
    return GroupView(
        anchor=slug(dataset, "steps", str(one.store), str(one.act), str(one.winner), *one.causes),
        act=one.act,
        store=one.store,
        winner=one.winner,
        causes=tuple(cause_words(cause) for cause in one.causes),
        listed=first(listed, LISTED_PER_CLUSTER, len(steps)),
        total=len(steps),
    )


def step_view(view: PlanView, step: Step, mask_key: bytes) -> StepView:
    """Return one step ready to be listed, its values masked where its reader may not see them."""
    found = changes(view.dataset, step)
    done = view.done.get(step.number)
    outcome = "" if done is None else OUTCOMES[done.outcome]
    if done is not None and done.code:
        outcome += f" (SQLSTATE {done.code}{', ' + one_line(done.rule) if done.rule else ''})"
    fields = [field_diff(one, view.discretion, mask_key) for one in found[:FIELDS_MAX]]
    return StepView(
        number=step.number,
        key=one_line(step.key, KEY_MAX),
        store=step.store,
        act=step.act,
        reason=step.reason,
        outcome=outcome,
        status="" if done is None else OUTCOME_STATUSES[done.outcome],
        fields=first(fields, FIELDS_MAX, len(found)),
    )


def left_views(found: Iterable[Left]) -> tuple[LeftView, ...]:
    """Return what is left by its reason and sentence, the most rows first."""
    groups: dict[tuple[Why, str], list[Left]] = defaultdict(list)
    for one in found:
        groups[one.why, one.sentence].append(one)
    views = [
        LeftView(
            why=why,
            rows=rows_of(some),
            sentence=sentence,
            keys=first(list(dict.fromkeys(one.key for one in some if one.key is not None)), KEYS_MAX),
        )
        for (why, sentence), some in groups.items()
    ]
    return tuple(sorted(views, key=lambda v: (-v.rows, v.why, v.sentence)))


def released(held: Iterable[Braked]) -> tuple[str, ...]:
    """Return what `--allow` names to release these brakes; those that cannot be released are left out."""
    return tuple(braked.allow for braked in held if braked.allow is not None)


def cause_words(cause: str) -> str:
    """Return a cause in two or three words."""
    if cause in set(Exclusion):
        return EXCLUSIONS[Exclusion(cause)]
    return CAUSES[Cause(cause)] if cause in set(Cause) else cause


def _listed(parts: Sequence[str]) -> str:
    return " and ".join((", ".join(parts[:-1]), parts[-1])) if len(parts) > 1 else parts[0]
