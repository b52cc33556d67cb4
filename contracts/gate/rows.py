"""The rules of the gate about the rows of a dataset: how many there are, where they went, which of them differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from contracts.gate.case import CANNOT_TELL, Case, clause, expired, rows, rows_differ
from contracts.gate.rulings import Ground, Ruling
from contracts.judgement import judge_replication
from contracts.verdicts import Difference
from contracts.vocabulary import Cause, CheckStatus, Severity, Verdict
from contracts.waivers import Waiver, waiver_for


def judge_looking(case: Case) -> Iterator[Ruling]:
    """Object to what could not be told, to accounts that do not add up, and to failures that no other rule knows."""
    dataset = case.dataset
    for reason in dataset.reasons:
        if reason.verdict in CANNOT_TELL:
            yield case.ruling(Ground.LOOKED, reason.verdict, clause(reason.text))
    if dataset.verdict in CANNOT_TELL and not any(reason.verdict in CANNOT_TELL for reason in dataset.reasons):
        yield case.ruling(Ground.LOOKED, dataset.verdict, f"{dataset.name} is {dataset.verdict} for no given reason")
    errored = [check for check in dataset.checks if check.status is CheckStatus.ERRORED]
    if errored and all(reason.verdict is not Verdict.ERRORED for reason in dataset.reasons):
        yield case.ruling(Ground.LOOKED, Verdict.ERRORED, f"`{errored[0].id}` could not be judged", check=errored[0])
    if any(account.primary.balance or account.secondary.balance for account in dataset.ranges):
        yield case.ruling(Ground.LOOKED, Verdict.ERRORED, f"the rows of {dataset.name} do not add up")
    if case.told and not dataset.ranges and max(dataset.rows.primary, dataset.rows.secondary):
        yield case.ruling(Ground.LOOKED, Verdict.ERRORED, f"no row of {dataset.name} is accounted for")
    critical = any(c.status is CheckStatus.FAILED and c.severity is Severity.CRITICAL for c in dataset.checks)
    if dataset.verdict is Verdict.FAILED and not critical and not case.differences:
        text = next((r.text for r in dataset.reasons if r.verdict is Verdict.FAILED), f"{dataset.name} failed")
        yield case.ruling(Ground.LOOKED, Verdict.FAILED, clause(text))


def judge_number(case: Case) -> Iterator[Ruling]:
    """Object to stores that hold too few rows for a comparison to prove anything."""
    least = case.limits.min_rows or 0
    fewest = min(case.dataset.rows.primary, case.dataset.rows.secondary)
    if case.told and fewest < least:
        text = f"{case.dataset.name} holds {rows(fewest)}, and at least {least:,} must be there"
        yield case.ruling(Ground.ROWS, Verdict.INCOMPLETE, text, place=case.place_of("min_rows"))


def judge_differences(case: Case) -> Iterator[Ruling]:
    """Judge the keys on which the stores disagree: those waived, those accepted before, and the rest by its limit."""
    dataset = case.dataset
    empty = next((cluster for cluster in dataset.clusters if cluster.cause is Cause.SIDE_EMPTY), None)
    if empty is not None:
        yield case.ruling(Ground.DIFFERENCES, Verdict.FAILED, clause(empty.sentence))
        return
    answers = [(difference, _answer(case, difference)) for difference in dataset.differences]
    answered = Counter(waiver for _, waiver in answers if waiver is not None)
    for waiver, count in answered.items():
        yield _answered_for(case, waiver, count)
    old = 0
    if case.old is not None:
        old = sum(case.old.holds(difference) for difference, waiver in answers if waiver is None)
    if case.old is not None and old:
        text = f"{rows_differ(old)} as before. {clause(case.old.sentence)}"
        yield case.ruling(Ground.DIFFERENCES, Verdict.PASSED, text, place=("nothing_new",))
    yield from _others(case, case.differences - answered.total() - old)


def _answer(case: Case, difference: Difference) -> Waiver | None:
    """Return the waiver that answers for a difference: that of its place, or the first to end of all its causes'."""
    found = [waiver_for(str(e.cause), e.store, case.waivers) for e in difference.explanations]
    known = [waiver for waiver in found if waiver is not None]
    by_cause = min(known, key=lambda w: w.expires) if known and len(known) == len(found) else None
    by_place = waiver_for(difference.place, None, case.waivers) if difference.place is not None else None
    answers = [waiver for waiver in (by_cause, by_place) if waiver is not None]
    return max(answers, key=lambda w: w.expires, default=None)


def _answered_for(case: Case, waiver: Waiver, count: int) -> Ruling:
    place = case.waivers[waiver]
    if waiver.active(case.today):
        text = f"{rows_differ(count)} by {waiver.target}. {clause(waiver.sentence)}"
        return case.ruling(Ground.DIFFERENCES, Verdict.PASSED, text, place=place)
    text = f"{expired(waiver)}, and {rows_differ(count)} by it"
    return case.ruling(Ground.WAIVERS, Verdict.FAILED, text, place=place)


def _others(case: Case, count: int) -> Iterator[Ruling]:
    """Judge the differences for which nobody answers; those that the run counted and did not list are among them."""
    limit, total, place = case.limits.differences, case.dataset.rows, case.place_of("differences")
    if not count or limit is None:
        return
    text = f"{rows_differ(count)} between the stores{' and not in the baseline' if case.old else ''}"
    if place:
        text += f"; the limit is {limit.sentence}"
    compared = total.matched + total.differing + total.only_primary + total.only_secondary
    verdict = Verdict.PASSED if limit.allows(count, compared) else case.objection
    yield case.ruling(Ground.DIFFERENCES, verdict, text, place=place)


def judge_deferred(case: Case) -> Iterator[Ruling]:
    """Object to more moving rows than the policy bears: nothing is known of those."""
    total, limit = case.dataset.rows, case.limits.deferred
    if limit is not None and not limit.allows(total.deferred, max(total.primary, total.secondary)):
        text = f"{rows(total.deferred)} of {case.dataset.name} kept changing; the limit is {limit.sentence}"
        yield case.ruling(Ground.DEFERRED, Verdict.INCOMPLETE, text, place=case.place_of("deferred"))


def judge_carrying(case: Case) -> Iterator[Ruling]:
    """Object to more rows under way than the policy bears; warn where it says nothing, and of what waits for people."""
    total, limit = case.dataset.rows, case.limits.pending
    if total.pending:
        text = f"{rows(total.pending)} of {case.dataset.name} differ and are under way"
        verdict = Verdict.WARNED
        if limit is not None:
            held = limit.allows(total.pending, max(total.primary, total.secondary))
            verdict = Verdict.PASSED if held else Verdict.FAILED
            text += f"; the limit is {limit.sentence}"
        yield case.ruling(Ground.CARRYING, verdict, text, place=case.place_of("pending"))
    for reason in judge_replication(case.dataset.replication):
        if reason.verdict is Verdict.WARNED:
            yield case.ruling(Ground.CARRYING, Verdict.WARNED, clause(reason.text))


def judge_excluded(case: Case) -> Iterator[Ruling]:
    """Object to more rows that are left out of the comparison than the policy bears; warn where it says nothing."""
    total, limit = case.dataset.rows, case.limits.excluded
    if not total.excluded:
        return
    text = f"{rows(total.excluded)} of {case.dataset.name} cannot be compared"
    if limit is None:
        yield case.ruling(Ground.EXCLUDED, Verdict.WARNED, text)
        return
    held = limit.allows(total.excluded, max(total.primary, total.secondary))
    verdict = Verdict.PASSED if held else Verdict.FAILED
    text += f"; the limit is {limit.sentence}"
    yield case.ruling(Ground.EXCLUDED, verdict, text, place=case.place_of("excluded"))
