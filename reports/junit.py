"""junit.xml: a run, or what a gate makes of it, for CI servers.

What could not be evaluated is an error; nothing that was not judged passes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from contracts.gate import Decision, Ground, Ruling
from contracts.replication import ReplicationState
from contracts.verdicts import CheckResult, DatasetReport, Reason, ReplicationReport, RunReport
from contracts.vocabulary import CheckStatus, StoreName, Verdict
from reports.accounting import unbalanced
from reports.checks import outcome
from reports.replication import replication_sentence, replication_view
from reports.text import count, cut, more

KEYS_MAX: Final = 20
_NOT_XML: Final = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ALWAYS: Final = (Ground.LOOKED, Ground.DIFFERENCES, Ground.CHECKS)  # judged under every policy
_UNSURE: Final = {Verdict.ERRORED, Verdict.INCOMPLETE}


def to_junit(report: RunReport) -> str:
    """Render a run as JUnit XML: a suite per dataset and store, one per dataset for the rows, one for the run.

    Failed checks of any severity are failures, typed by their severity. Errored checks, and reasons why the run could
    not tell, are errors. Waived and skipped checks are skipped, with the reason.
    """
    return _document(report, [_suite("twinstore.run", [_run_case(report)])], accepted={})


def to_gate_junit(decision: Decision) -> str:
    """Render what a gate decided as JUnit XML: a case per dataset and ground, then the run as the policy sees it.

    There is a case for what every policy judges, and for whatever else there was something to say about.
    What the policy lets through is skipped, with the reason; a failed check that only warns remains a failure, typed
    by its severity.
    """
    accepted = {
        dataset.name: "; ".join(r.text for r in decision.accepted if _about_differences(r, dataset))
        for dataset in decision.report.datasets
        if not any(r.verdict.exit_code and _about_differences(r, dataset) for r in decision.objections)
    }
    said = {(ruling.dataset, ruling.ground) for ruling in decision.rulings}
    always = {("", Ground.LOOKED), *((d.name, ground) for d in decision.report.datasets for ground in _ALWAYS)}
    names = ["", *(dataset.name for dataset in decision.report.datasets)]
    judged = [(name, ground) for name in names for ground in Ground if (name, ground) in said | always]
    cases = [_gate_case(name, ground, decision) for name, ground in judged]
    return _document(decision.report, [_suite("twinstore.gate", cases)], accepted)


def _document(report: RunReport, first: Sequence[Element], accepted: Mapping[str, str]) -> str:
    root = Element("testsuites", name=_text(f"twinstore {report.environment}"))
    root.extend(first)
    for dataset in report.datasets:
        root.append(_parity_suite(dataset, accepted.get(dataset.name, "")))
        for store in StoreName:
            checks = [c for c in dataset.checks if c.store is store]
            if checks:
                root.append(_suite(f"{dataset.name}.{store}", [_check_case(c) for c in checks]))
    for number in ("tests", "failures", "errors", "skipped"):
        root.set(number, str(sum(int(suite.get(number, "0")) for suite in root)))
    root.set("time", f"{(report.finished_at - report.started_at).total_seconds():.3f}")
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _gate_case(dataset: str, ground: Ground, decision: Decision) -> Element:
    case = _case("twinstore.gate", f"{dataset}: {ground}" if dataset else str(ground))
    rulings = [r for r in decision.rulings if (r.dataset, r.ground) == (dataset, ground)]
    body = "\n".join(f"{r.verdict}: {r.text}" for r in rulings)
    stopping = [r for r in rulings if r.verdict.exit_code]
    if stopping:
        _add(
            case, "error" if stopping[0].verdict in _UNSURE else "failure", stopping[0].verdict, stopping[0].text, body
        )
    elif rulings:
        SubElement(case, "system-out").text = _text(body)
    return case


def _about_differences(ruling: Ruling, dataset: DatasetReport) -> bool:
    """Say whether a ruling is about rows on which the stores of a dataset disagree."""
    grounds = {Ground.DIFFERENCES, Ground.WAIVERS}
    return ruling.dataset == dataset.name and ruling.ground in grounds and ruling.check is None


def _run_case(report: RunReport) -> Element:
    case = _case("twinstore.run", "verdict")
    if report.verdict in _UNSURE or not report.datasets:
        _add(case, "error", str(report.verdict), report.reason, _lines(report.reasons))
    elif report.verdict is Verdict.FAILED:
        _add(case, "failure", str(report.verdict), report.reason, _lines(report.reasons))
    return case


def _parity_suite(dataset: DatasetReport, accepted: str) -> Element:
    """Make the suite about the rows; where all differences are accepted, `accepted` says why."""
    name = f"{dataset.name}.parity"
    cases = [_agree_case(name, dataset, accepted), _account_case(name, dataset)]
    if dataset.replication is not None and dataset.replication.state is ReplicationState.ON:
        cases.append(_replication_case(name, dataset.replication))
    for cluster in dataset.clusters:
        case = _case(name, f"{cluster.cause}: {cluster.sentence}")
        message = f"{count(cluster.count, 'row')}: {cluster.sentence}"
        if accepted:
            _skip(case, f"let through: {message}")
        else:
            _add(case, "failure", str(cluster.cause), message, _keys(cluster.sample_keys, cluster.count))
        cases.append(case)
    return _suite(name, cases)


def _agree_case(name: str, dataset: DatasetReport, accepted: str) -> Element:
    case = _case(name, "stores agree")
    if dataset.differences_total and accepted:
        _skip(case, f"let through: {accepted}")
    elif dataset.differences_total:
        _add(case, "failure", "difference", count(dataset.differences_total, "difference"), _lines(dataset.reasons))
    elif dataset.verdict in _UNSURE:
        _add(
            case,
            "error",
            str(dataset.verdict),
            "The run could not tell whether the stores agree.",
            _lines(dataset.reasons),
        )
    return case


def _replication_case(name: str, replication: ReplicationReport) -> Element:
    """Make the case about what is between the stores; writes that passed by capture fail a check of their own."""
    case = _case(name, "changes are carried over")
    said = replication_sentence(replication)
    todo = "\n".join(replication_view(replication).todo)
    if replication.dead_letters:
        _add(case, "failure", "dead_letter", f"{count(replication.dead_letters, 'change')} given up: {said}", todo)
    else:
        SubElement(case, "system-out").text = _text("\n".join(filter(None, (said, todo))))
    return case


def _account_case(name: str, dataset: DatasetReport) -> Element:
    case = _case(name, "every row is accounted for")
    if not dataset.ranges:
        _add(case, "error", "account", "No rows were accounted for.", "")
    elif wrong := unbalanced(dataset):
        where = "\n".join(f"{r.low or 'start'} to {r.high or 'end'}" for r in wrong[:KEYS_MAX])
        _add(
            case,
            "error",
            "account",
            f"{count(len(wrong), 'range')} of keys {'does' if len(wrong) == 1 else 'do'} not add up.",
            where,
        )
    return case


def _check_case(check: CheckResult) -> Element:
    case = _case(f"{check.source}.{check.store}", check.id, check.seconds)
    message = f"{outcome(check)}: {check.message}"
    if check.status is CheckStatus.FAILED:
        _add(case, "failure", str(check.severity), message, _keys(check.sample_keys, check.failing_rows))
    elif check.status is CheckStatus.ERRORED:
        _add(case, "error", "errored", check.message, check.observed or "")
    elif check.status is CheckStatus.WAIVED:
        _skip(case, f"waived: {check.waiver or check.message}")
    elif check.status is CheckStatus.SKIPPED:
        _skip(case, f"skipped: {check.message}")
    return case


def _suite(name: str, cases: Iterable[Element]) -> Element:
    suite = Element("testsuite", name=_text(name))
    suite.extend(cases)
    for number, tag in (("tests", "."), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(number, str(sum(tag == "." or case.find(tag) is not None for case in suite)))
    suite.set("time", f"{sum(float(case.get('time', '0')) for case in suite):.3f}")
    return suite


def _case(suite: str, name: str, seconds: float | None = None) -> Element:
    return Element("testcase", classname=_text(suite), name=_text(name), time=f"{seconds or 0:.3f}")


def _add(case: Element, tag: str, kind: str, message: str, body: str) -> None:
    SubElement(case, tag, type=kind, message=_text(message)).text = _text(body)


def _skip(case: Element, message: str) -> None:
    SubElement(case, "skipped", message=_text(message))


def _lines(reasons: Iterable[Reason]) -> str:
    return "\n".join(f"{reason.verdict}: {reason.text}" for reason in reasons)


def _keys(keys: tuple[str, ...], total: int) -> str:
    shown = keys[:KEYS_MAX]
    rest = total - len(shown)
    return "\n".join((*shown, *((f"and {more(rest, 'row')}",) if rest > 0 else ())))


def _text(text: str) -> str:
    """Return the text without characters that XML cannot hold; what acts in a terminal is made visible."""
    return _NOT_XML.sub("\ufffd", cut(text))
