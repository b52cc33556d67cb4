"""The rules of the gate about checks, and about what excuses their failures: waivers, baseline, tolerated numbers."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.gate.case import Case, clause, expired, fails, rows
from contracts.gate.rulings import Ground, Ruling
from contracts.policy import CheckPolicy, dataset_of, is_stricter
from contracts.verdicts import CheckResult
from contracts.vocabulary import CheckStatus, Severity, Verdict
from contracts.waivers import Waiver, waiver_for

FAILING = frozenset({CheckStatus.FAILED, CheckStatus.WAIVED})  # a waived check still fails; it is only accepted


def judge_checks(case: Case) -> Iterator[Ruling]:
    """Judge the checks that failed, those that somebody accepted, and required ones that gave no answer."""
    for check in case.dataset.checks:
        if check.status is CheckStatus.FAILED:
            yield from _failed(case, check)
        elif check.status is CheckStatus.WAIVED:
            text = f"{fails(check)}. {clause(check.waiver)}"
            yield case.ruling(Ground.CHECKS, Verdict.PASSED, text, check=check)
    for name, rule in case.policy.checks.items():
        if rule.required and dataset_of(name) == case.dataset.name:
            yield from _required(case, name)


def _failed(case: Case, check: CheckResult) -> Iterator[Ruling]:
    """Judge a failed check: by who answers for it, else by what was there before, by how few, by how bad."""
    waiver = waiver_for(check.id, check.store, case.waivers)
    if waiver is not None:
        yield _answered_for(case, check, waiver)
        return
    accepted = case.old.rows_of(check) if case.old is not None else None
    if case.old is not None and accepted is not None and check.failing_rows <= accepted:
        text = f"{fails(check)}, as before. {clause(case.old.sentence)}"
        yield case.ruling(Ground.CHECKS, Verdict.PASSED, text, check=check, place=("nothing_new",))
        return
    before = f", {rows(accepted)} of them accepted before" if accepted else ""
    yield from _unanswered(case, check, case.policy.checks.get(check.id), fails(check) + before)


def _answered_for(case: Case, check: CheckResult, waiver: Waiver) -> Ruling:
    place = case.waivers[waiver]
    if waiver.active(case.today):
        text = f"{fails(check)}. {clause(waiver.sentence)}"
        return case.ruling(Ground.CHECKS, Verdict.PASSED, text, check=check, place=place)
    return case.ruling(
        Ground.WAIVERS, Verdict.FAILED, f"{expired(waiver)}, and {fails(check)}", check=check, place=place
    )


def _unanswered(case: Case, check: CheckResult, rule: CheckPolicy | None, text: str) -> Iterator[Ruling]:
    """Judge a failure that nobody answers for; one that is not about rows is never few."""
    severity = check.severity
    if rule is not None and rule.severity is not None and is_stricter(rule.severity, severity):
        severity = rule.severity
    if rule is not None and rule.tolerate is not None:
        text += f"; the limit is {rule.tolerate.sentence}"
        if check.failing_rows and rule.tolerate.allows(check.failing_rows, check.checked_rows):
            place = ("checks", check.id, "tolerate")
            yield case.ruling(Ground.CHECKS, Verdict.PASSED, text, check=check, place=place)
            return
    if not is_stricter(case.policy.fail_on, severity):
        yield case.ruling(Ground.CHECKS, case.objection, text, check=check)
    elif severity is not Severity.INFO:
        yield case.ruling(Ground.CHECKS, Verdict.WARNED, text, check=check)


def _required(case: Case, name: str) -> Iterator[Ruling]:
    """Object to a check that must be judged and was not, on whichever store."""
    found = [check for check in case.dataset.checks if check.id == name]
    skipped = [check for check in found if check.status is CheckStatus.SKIPPED]
    if found and not skipped:
        return
    where = f" on {' and '.join(check.store for check in skipped)}" if skipped else ""
    text = f"`{name}` is required and was not judged{where}"
    check, place = next(iter(skipped), None), ("checks", name, "required")
    yield case.ruling(Ground.CHECKS, Verdict.INCOMPLETE, text, check=check, place=place)


def judge_waivers(case: Case) -> Iterator[Ruling]:
    """Warn of waivers that match nothing: what they accepted is mended, or they never named what they meant."""
    for waiver, place in case.waivers.items():
        checks = any(c.status in FAILING and waiver.covers(c.id, c.store) for c in case.dataset.checks)
        causes = any(waiver.covers(str(c.cause), c.store) for c in case.dataset.clusters)
        if not checks and not causes and all(waiver.target != d.place for d in case.dataset.differences):
            text = f"the waiver of {waiver.owner} for {waiver.target} matches nothing: remove it"
            yield case.ruling(Ground.WAIVERS, Verdict.WARNED, text, place=place)


def judge_baseline(case: Case) -> Iterator[Ruling]:
    """Warn where the policy goes by a baseline and none is known; what is found then makes the run incomplete."""
    if case.policy.nothing_new and case.baseline is None:
        text = f"no baseline of {case.dataset.name} is known, so that nothing found can be called old"
        yield case.ruling(Ground.BASELINE, Verdict.WARNED, text, place=("nothing_new",))
