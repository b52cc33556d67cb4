"""What a gate decides, piece by piece: each ruling is about one thing, and says why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from contracts.policy import PolicyPlace
from contracts.verdicts import CheckResult, RunReport
from contracts.vocabulary import Verdict


class Ground(StrEnum):
    """What a ruling is about; each is a test case of its own in junit.xml."""

    LOOKED = "everything was looked at"
    ROWS = "there are rows to compare"
    DIFFERENCES = "stores agree"
    DEFERRED = "rows stand still"
    CARRYING = "changes are carried over"
    EXCLUDED = "rows are compared"
    CHECKS = "checks hold"
    WAIVERS = "waivers hold"
    BASELINE = "there is a baseline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """One thing that the gate decided.

    Attributes:
        ground: What it is about.
        verdict: What it makes of the run; passed where the policy lets something through that would count without it.
        text: Why, in one clause without full stop.
        dataset: The dataset; empty for the whole run.
        check: The check that it is about, if it is about one.
        place: Where in the policy the deciding words stand; empty where no words of the policy decided.
    """

    ground: Ground
    verdict: Verdict
    text: str
    dataset: str = ""
    check: CheckResult | None = None
    place: PolicyPlace = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLine:
    """A line of a file that a ruling goes back to: of a contract, a suite or the policy.

    Attributes:
        path: Relative to the folder of the project, with slashes.
        line: Counted from 1; None for the file as a whole.
    """

    path: str
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the gate says of a run.

    Attributes:
        verdict: The worst of its rulings; its exit code is the gate's.
        reason: One sentence.
        rulings: All of them, worst first.
        report: The run, in which checks whose failure the policy accepts are waived.
    """

    verdict: Verdict
    reason: str
    rulings: tuple[Ruling, ...]
    report: RunReport

    @property
    def objections(self) -> tuple[Ruling, ...]:
        """What keeps the gate from being passed, warnings included, worst first."""
        return tuple(ruling for ruling in self.rulings if ruling.verdict is not Verdict.PASSED)

    @property
    def accepted(self) -> tuple[Ruling, ...]:
        """What the policy lets through."""
        return tuple(ruling for ruling in self.rulings if ruling.verdict is Verdict.PASSED)
