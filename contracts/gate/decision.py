"""All rules of the gate together: what they say of a run, and what follows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

from contracts.baseline import Baseline
from contracts.gate import checks, rows
from contracts.gate.case import CANNOT_TELL, Case, clause
from contracts.gate.rulings import Decision, Ground, Ruling
from contracts.policy import Policy, PolicyPlace
from contracts.verdicts import CheckResult, DatasetReport, RunReport, worst
from contracts.vocabulary import CheckStatus, Verdict
from contracts.waivers import Waiver

RULES: tuple[Callable[[Case], Iterator[Ruling]], ...] = (
    rows.judge_looking,
    rows.judge_number,
    rows.judge_differences,
    rows.judge_deferred,
    rows.judge_carrying,
    rows.judge_excluded,
    checks.judge_checks,
    checks.judge_waivers,
    checks.judge_baseline,
)
"""Each looks at one thing in one dataset, and says nothing where there is nothing to say."""


def decide(
    report: RunReport,
    policy: Policy,
    *,
    today: date,
    baselines: Mapping[str, Baseline],
    waivers: Sequence[Waiver] = (),
) -> Decision:
    """Judge a run by a policy.

    Args:
        report: The run.
        policy: What is let through.
        today: The day against which the expiry of waivers is held.
        baselines: Per dataset, what was accepted; a dataset of which nothing was is absent.
        waivers: Waivers that are kept elsewhere than in the policy.
    """
    places: dict[Waiver, PolicyPlace] = dict.fromkeys(waivers, ())
    places |= {entry.waiver: ("waivers", number) for number, entry in enumerate(policy.waivers)}
    rulings: list[Ruling] = []
    for dataset in report.datasets:
        mine = {waiver: place for waiver, place in places.items() if waiver.dataset == dataset.name}
        baseline = baselines.get(dataset.name)
        case = Case(dataset=dataset, policy=policy, today=today, waivers=mine, baseline=baseline)
        rulings += (ruling for rule in RULES for ruling in rule(case))
    rulings += _waivers_of_others(report, places)
    rulings += _whole_run(report, rulings)
    rulings.sort(key=lambda ruling: -ruling.verdict.rank)
    return Decision(
        verdict=worst([ruling.verdict for ruling in rulings]),
        reason=_reason(report, rulings),
        rulings=tuple(rulings),
        report=_marked(report, rulings),
    )


def _waivers_of_others(report: RunReport, places: Mapping[Waiver, PolicyPlace]) -> Iterator[Ruling]:
    """Warn of waivers for datasets that were not checked: perhaps a name is misspelt."""
    checked = {dataset.name for dataset in report.datasets}
    for waiver, place in places.items():
        if waiver.dataset not in checked:
            text = f"the waiver of {waiver.owner} for {waiver.target} is about {waiver.dataset}, which was not checked"
            yield Ruling(ground=Ground.WAIVERS, verdict=Verdict.WARNED, text=text, place=place)


def _whole_run(report: RunReport, rulings: Sequence[Ruling]) -> Iterator[Ruling]:
    """Object to what stands against the run as a whole and comes from none of its datasets."""
    if not report.datasets:
        yield Ruling(ground=Ground.LOOKED, verdict=Verdict.ERRORED, text="no dataset was checked")
    elif report.verdict in CANNOT_TELL and not any(ruling.verdict in CANNOT_TELL for ruling in rulings):
        yield Ruling(ground=Ground.LOOKED, verdict=report.verdict, text=clause(report.reason))
    elif report.verdict is Verdict.FAILED and worst([d.verdict for d in report.datasets]) is not Verdict.FAILED:
        yield Ruling(ground=Ground.LOOKED, verdict=Verdict.FAILED, text=clause(report.reason))


def _reason(report: RunReport, rulings: Sequence[Ruling]) -> str:
    objections = [ruling.text for ruling in rulings if ruling.verdict is not Verdict.PASSED]
    if not objections:
        return "The policy lets through all that was found." if rulings else report.reason
    more = len(objections) - 1
    others = f", and {more} more {'objection' if more == 1 else 'objections'}" if more else ""
    return f"{objections[0][:1].upper()}{objections[0][1:]}{others}."


def _marked(report: RunReport, rulings: Sequence[Ruling]) -> RunReport:
    """Return the run with the accepted failures among its checks as waived, so that every renderer shows them so."""
    accepted = {
        (ruling.dataset, ruling.check.id, ruling.check.store): ruling.text
        for ruling in rulings
        if ruling.check is not None and ruling.verdict is Verdict.PASSED
    }

    def marked(dataset: DatasetReport) -> DatasetReport:
        results = (_waived(check, accepted.get((dataset.name, check.id, check.store))) for check in dataset.checks)
        return replace(dataset, checks=tuple(results))

    return replace(report, datasets=tuple(marked(dataset) for dataset in report.datasets))


def _waived(check: CheckResult, why: str | None) -> CheckResult:
    if why is None or check.status is not CheckStatus.FAILED:
        return check
    return replace(check, status=CheckStatus.WAIVED, waiver=f"{why[:1].upper()}{why[1:]}.")
