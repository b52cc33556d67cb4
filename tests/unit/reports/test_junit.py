"""junit.xml: nothing that was not judged looks green."""

from __future__ import annotations

from dataclasses import replace
from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.verdicts import RangeAccount, Reason, RunReport
from contracts.vocabulary import CheckStatus, Severity, Verdict
from reports.junit import to_junit
from tests.support.factories import make_check, make_counts, make_dataset, make_report, with_texts
from tests.support.troubled_report import make_failed_report


def parsed(report: RunReport) -> Element:
    """Return the parsed document of a report."""
    return fromstring(to_junit(report))  # noqa: S314 - written by us a moment ago


def outcome_of(root: Element, suite: str, case: str) -> list[str]:
    """Return the tags below a case."""
    (found,) = root.findall(f"testsuite[@name='{suite}']/testcase[@name='{case}']")
    return [child.tag for child in found]


@pytest.mark.parametrize(
    ("status", "tags"),
    [
        (CheckStatus.PASSED, []),
        (CheckStatus.FAILED, ["failure"]),
        (CheckStatus.ERRORED, ["error"]),
        (CheckStatus.SKIPPED, ["skipped"]),
        (CheckStatus.WAIVED, ["skipped"]),
    ],
)
def test_each_status_has_its_tag(status: CheckStatus, tags: list[str]) -> None:
    """Failed is a failure whatever its severity, errored an error; only waived and skipped are skipped."""
    for severity in Severity:
        check = make_check("planning.rule", status, severity=severity, waiver="Kim, until May.")
        root = parsed(make_report(datasets=(make_dataset(checks=(check,)),)))
        assert outcome_of(root, "planning.prisma", "planning.rule") == tags


def test_a_green_run_is_green_and_not_empty() -> None:
    """A run that passed has cases, and none of them complains."""
    root = parsed(make_report())
    assert [root.get(n) for n in ("tests", "failures", "errors", "skipped")] == ["11", "0", "0", "0"]
    assert [s.get("name") for s in root] == ["twinstore.run", "planning.parity", "planning.prisma", "planning.supabase"]


def test_clusters_are_failures_with_their_keys() -> None:
    """Each cluster fails the parity suite, names some keys and counts the rest."""
    root = parsed(make_failed_report())
    suite = root.find("testsuite[@name='planning.parity']")
    assert suite is not None
    failures = suite.findall("testcase/failure")
    assert len(failures) == 9
    assert failures[1].get("message") == "380 rows: `content` is a JSON string on prisma"
    assert (failures[1].text or "").endswith("and 360 more rows")


@pytest.mark.parametrize("verdict", [Verdict.ERRORED, Verdict.INCOMPLETE])
def test_a_run_that_could_not_tell_is_an_error(verdict: Verdict) -> None:
    """Errored and incomplete runs are red even where no check failed."""
    reasons = (Reason(verdict=verdict, text="The server went away."),)
    dataset = make_dataset(verdict=verdict, reasons=reasons, checks=())
    root = parsed(make_report(verdict=verdict, reasons=reasons, datasets=(dataset,)))
    assert outcome_of(root, "twinstore.run", "verdict") == ["error"]
    assert outcome_of(root, "planning.parity", "stores agree") == ["error"]
    assert [c.tag for c in parsed(make_report(datasets=())).findall("testsuite/testcase/*")] == ["error"]


def test_rows_that_are_not_accounted_for_are_an_error() -> None:
    """No account, or one that does not add up, is an error; the ranges are named."""
    none = parsed(make_report(datasets=(make_dataset(ranges=()),)))
    assert outcome_of(none, "planning.parity", "every row is accounted for") == ["error"]
    wrong = RangeAccount(low=None, high="8", primary=make_counts(matched=1, read=2), secondary=make_counts(matched=1))
    root = parsed(make_report(datasets=(make_dataset(ranges=(wrong,)),)))
    error = root.find("testsuite/testcase/error")
    assert error is not None
    assert (error.get("message"), error.text) == ("1 range of keys does not add up.", "start to 8")


def test_numbers_of_a_suite_are_those_of_its_cases() -> None:
    """Every suite, and the whole, counts what is in it."""
    root = parsed(make_failed_report())
    for suite in (*root, root):
        assert suite.get("tests") == str(len(list(suite.iter("testcase"))))
        for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert suite.get(name) == str(len(list(suite.iter(tag))))


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(), min_size=1, max_size=30))
def test_any_text_gives_valid_xml(text: str) -> None:
    """Control characters, surrogates and markup never break the document, nor change its shape."""
    report = make_failed_report()
    small = replace(report, datasets=tuple(replace(d, differences=()) for d in report.datasets))
    hostile, harmless = (parsed(with_texts(small, lambda _, t=t: t)) for t in (text, "harmless"))  # type: ignore[misc]  # bound now
    assert [e.tag for e in hostile.iter()] == [e.tag for e in harmless.iter()]
