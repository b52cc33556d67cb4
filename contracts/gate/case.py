"""What the rules of the gate look at, and the words that they share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from contracts.baseline import Baseline
from contracts.gate.rulings import Ground, Ruling
from contracts.policy import Limits, Policy, PolicyPlace
from contracts.verdicts import CheckResult, DatasetReport
from contracts.vocabulary import Verdict
from contracts.waivers import Waiver

CANNOT_TELL = frozenset({Verdict.ERRORED, Verdict.INCOMPLETE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One dataset before the gate.

    Attributes:
        dataset: What the run found about it.
        policy: What is let through.
        today: The day against which the expiry of waivers is held.
        waivers: The waivers of the dataset, each with its place in the policy.
        baseline: What was accepted of the dataset; None when nothing was, or nobody knows.
    """

    dataset: DatasetReport
    policy: Policy
    today: date
    waivers: Mapping[Waiver, PolicyPlace]
    baseline: Baseline | None

    @property
    def limits(self) -> Limits:
        """The limits of the dataset."""
        return self.policy.limits_of(self.dataset.name)

    @property
    def old(self) -> Baseline | None:
        """The baseline, where the policy goes by it."""
        return self.baseline if self.policy.nothing_new else None

    @property
    def objection(self) -> Verdict:
        """What a finding makes of the run: where only new ones count, nobody can tell without a baseline."""
        return Verdict.INCOMPLETE if self.policy.nothing_new and self.baseline is None else Verdict.FAILED

    @property
    def differences(self) -> int:
        """How many keys differ: the highest of what the run says, should it contradict itself."""
        found, total = self.dataset, self.dataset.rows
        one_by_one = total.differing + total.only_primary + total.only_secondary
        return max(found.differences_total, len(found.differences), one_by_one)

    @property
    def told(self) -> bool:
        """True unless the run could not tell something about the dataset."""
        verdicts = {self.dataset.verdict, *(reason.verdict for reason in self.dataset.reasons)}
        return CANNOT_TELL.isdisjoint(verdicts)

    def ruling(
        self, ground: Ground, verdict: Verdict, text: str, *, check: CheckResult | None = None, place: PolicyPlace = ()
    ) -> Ruling:
        """Return a ruling about this dataset."""
        return Ruling(ground=ground, verdict=verdict, text=text, dataset=self.dataset.name, check=check, place=place)

    def place_of(self, limit: str) -> PolicyPlace:
        """Return where a limit of the dataset stands in the policy; nowhere when it is the one that always holds."""
        own = self.policy.datasets.get(self.dataset.name)
        if own is not None and getattr(own, limit) is not None:
            return ("datasets", self.dataset.name, limit)
        return ("limits", limit) if getattr(self.policy.limits, limit) is not None else ()


def rows(number: int) -> str:
    """Return a number of rows in words."""
    return "1 row" if number == 1 else f"{number:,} rows"


def rows_differ(number: int) -> str:
    """Return in words that so many rows differ."""
    return "1 row differs" if number == 1 else f"{number:,} rows differ"


def fails(check: CheckResult) -> str:
    """Return in words that a check fails, where and for how many rows."""
    counted = f" for {rows(check.failing_rows)}" if check.failing_rows else ""
    return f"`{check.id}` fails on {check.store}{counted}"


def expired(waiver: Waiver) -> str:
    """Return in words that a waiver holds no longer."""
    return f"the waiver of {waiver.owner} for {waiver.target} expired after {waiver.expires:%Y-%m-%d}"


def clause(sentence: str | None) -> str:
    """Return a sentence without its full stop."""
    return (sentence or "").rstrip(".")
