"""The page: what it says, that it is inert, and that it stays small."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.verdicts import RangeAccount, Reason, RunReport
from contracts.vocabulary import CheckStatus, Classification, Verdict
from reports.budget import CHECKS_MAX
from reports.html import to_html
from tests.support.factories import (
    MASK_KEY,
    make_check,
    make_counts,
    make_dataset,
    make_difference,
    make_field,
    make_large_report,
    make_report,
    make_stores,
    with_texts,
)
from tests.support.troubled_report import make_failed_report

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</style></script><!--",
    "--><svg onload=alert(1)>",
    "]]><![CDATA[",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert(1)//",
    "&lt;script&gt;&#60;b&#62;",
    "\x1b[31m\x1b]8;;http://x\x07",
    "\u202eevil\u2066\u200b",
    "=cmd|' /C calc'!A0",
    "\ud800\x00\ufffe",
    "a\nb\r\nc\td",
    "x" * 100_000,
)


class Outline(HTMLParser):
    """The structure of a page: elements and names of attributes, without texts and without values from the data."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[Any, ...]] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember an element, the names of its attributes and its classes."""
        self.found.append((tag, tuple(name for name, _ in attrs), dict(attrs).get("class")))

    def handle_endtag(self, tag: str) -> None:
        """Remember the end of an element."""
        self.found.append(("/", tag))

    def handle_comment(self, data: str) -> None:
        """Remember a comment."""
        self.found.append(("comment", data))

    def handle_data(self, data: str) -> None:
        """Remember what a reader can read."""
        self.text.append(data)


def outline(report: RunReport) -> list[tuple[Any, ...]]:
    """Return the structure of the page of a report."""
    return Outline(to_html(report, mask_key=MASK_KEY)).found


def readable(report: RunReport) -> str:
    """Return what a reader can read on the page of a report."""
    return " ".join(" ".join(Outline(to_html(report, mask_key=MASK_KEY)).text).split())


def full() -> RunReport:
    """Return a report that fills every part of the page, with every value shown."""
    report = make_failed_report(masked=False)
    dataset = report.datasets[0]
    stores = tuple(replace(facts, note="A note.") for facts in dataset.stores)
    dataset = replace(dataset, stores=stores, clusters=dataset.clusters[3:], differences=dataset.differences[::9])
    return replace(report, datasets=(dataset, replace(dataset, name="second")))


@pytest.mark.parametrize("text", HOSTILE, ids=[t[:20].encode("unicode_escape").decode() for t in HOSTILE])
def test_hostile_text_in_every_field_changes_no_structure(text: str) -> None:
    """Whatever stands in the texts of a run, the page has the elements and attributes of a harmless one."""
    assert outline(with_texts(full(), lambda _: text)) == outline(with_texts(full(), lambda _: "harmless"))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(st.characters(exclude_characters="`\0"), min_size=1, max_size=40))
def test_no_text_changes_the_structure(text: str) -> None:
    """For any text: backticks set a plain name as code, and NUL, which no store holds, marks a missing path."""
    report = make_failed_report()
    small = replace(report, datasets=tuple(replace(d, differences=d.differences[:9]) for d in report.datasets))
    assert outline(with_texts(small, lambda _: text)) == outline(with_texts(small, lambda _: "harmless"))


def test_only_plain_names_become_code() -> None:
    """Backticks set a name as code; around anything else they are just backticks."""
    page = to_html(make_report(reason="`title` and `<b>x</b>` and `a b`"), mask_key=MASK_KEY)
    assert "<code>title</code> and `&lt;b&gt;x&lt;/b&gt;` and `a b`" in page


def test_the_page_may_load_and_run_nothing_but_itself() -> None:
    """The policy allows our style and script by hash and nothing else, and nothing in the page points outside."""
    page = to_html(make_failed_report(), mask_key=MASK_KEY)
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', page)
    for tag, rule in (("style", "style-src"), ("script", "script-src")):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{rule} &#39;sha256-{digest}&#39;" in policy
    assert policy.startswith("default-src &#39;none&#39;")
    links = re.findall(r'(?:href|src|action|data|poster)="([^"]*)"', page)
    assert all(link.startswith(("#", "data:image/svg+xml,")) for link in links)
    assert " style=" not in page
    assert not re.search(r"\son\w+=", re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL))


def test_ids_are_unique_and_links_lead_somewhere() -> None:
    """Every anchor exists once, and every link inside the page has its target."""
    page = to_html(full(), mask_key=MASK_KEY)
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert {link[1:] for link in re.findall(r'href="(#[^"]+)"', page)} <= set(ids)


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_has_its_own_first_screen(verdict: Verdict) -> None:
    """The verdict is said in a word and a sentence, never by colour alone."""
    text = readable(make_report(verdict=verdict, reason="Because of this."))
    assert verdict.capitalize() in text
    assert "Because of this." in text


def test_masked_values_are_not_in_the_page() -> None:
    """A personal value appears nowhere, and the page says that it is masked."""
    field = make_field(
        "title", "Grandmother's birthday", "Grandmother's funeral", classification=Classification.PERSONAL
    )
    internal = make_field("source", "importer-7", None, classification=Classification.INTERNAL)
    dataset = make_dataset(differences=(make_difference(1, field, internal),), differences_total=1)
    report = make_report(datasets=(dataset,))
    masked, open_page, shared = (
        readable(r) for r in (report, replace(report, masked=False), replace(report, share=True, masked=False))
    )
    assert "Grandmother" not in masked
    assert "importer-7" in masked
    assert "Personal values are masked." in masked
    assert "birthday" in open_page
    assert "This page shows personal values." in open_page
    assert "importer-7" not in shared
    assert "Personal and internal values are masked." in shared


def test_unknown_history_is_said() -> None:
    """Without an earlier run nothing is called new or old."""
    dataset = make_dataset(history=type(make_dataset().history)())
    assert "History is unknown" in readable(make_report(datasets=(dataset,)))


def test_long_lists_of_changed_checks_are_cut() -> None:
    """More than twenty checks that began or ceased to fail are counted."""
    history = replace(
        make_dataset().history,
        checks_new=tuple(f"a.{n}" for n in range(23)),
        checks_gone=tuple(f"b.{n}" for n in range(24)),
        new=None,
    )
    text = readable(make_report(datasets=(make_dataset(history=history),)))
    assert "and 3 more" in text
    assert "and 4 more" in text


def test_a_run_that_judged_nothing_says_so() -> None:
    """No dataset, no row, no check: each absence is named, and nothing looks passed."""
    bare = make_dataset(
        verdict=Verdict.ERRORED,
        rows=type(make_dataset().rows)(),
        ranges=(),
        checks=(),
        stores=make_stores(reachable=False, channel=None, sees_all_rows=False),
    )
    assert "No dataset was judged" in readable(make_report(verdict=Verdict.ERRORED, datasets=()))
    text = readable(make_report(verdict=Verdict.ERRORED, datasets=(bare,)))
    for words in (
        "No rows were compared.",
        "No check was evaluated.",
        "No rows were accounted for",
        "not proven",
        "no channel",
    ):
        assert words in text
    assert "✓ passed" not in text.replace("✓ passed ▲ warned", "")


def test_counted_but_unlisted_differences_are_said() -> None:
    """Differences without clusters, and more differences than the run kept, are both named."""
    text = readable(make_report(datasets=(make_dataset(differences_total=7),)))
    assert "counted but not explained" in text
    assert "kept 0 of 7 differences" in text


def test_an_account_that_does_not_add_up_is_loud() -> None:
    """A lost row shows in its range, which stands first, and the run is said to be unbelievable."""
    good = [
        RangeAccount(
            low=f"{n:03d}", high=f"{n + 1:03d}", primary=make_counts(matched=1), secondary=make_counts(matched=1)
        )
        for n in range(80)
    ]
    wrong = RangeAccount(low="900", high=None, primary=make_counts(matched=1, read=2), secondary=make_counts(matched=1))
    text = readable(make_report(datasets=(make_dataset(ranges=(*good, wrong)),)))
    assert "1 range of 81 does not add up" in text
    assert "1 off" in text
    assert "17 more ranges" in text
    two = readable(make_report(datasets=(make_dataset(ranges=(wrong, replace(wrong, low="800"))),)))
    assert "2 ranges of 2 do not add up" in two


def test_skipped_and_waived_never_look_passed() -> None:
    """Each status has its own word and symbol, on both stores."""
    checks = (make_check("a.b", CheckStatus.SKIPPED), make_check("a.c", CheckStatus.WAIVED, waiver="Kim, until May."))
    text = readable(make_report(datasets=(make_dataset(checks=checks),)))
    assert "0 of 2 checks passed" in text
    assert "Waived: Kim, until May." in text
    assert "passed wherever evaluated" not in text


def test_many_checks_and_reasons_are_cut() -> None:
    """A page holds a bounded number of checks and reasons, and says how many more there are."""
    failing = tuple(make_check(f"d.f{n}", CheckStatus.FAILED) for n in range(CHECKS_MAX + 3))
    passing = tuple(make_check(f"d.p{n}") for n in range(5))
    reasons = tuple(Reason(verdict=Verdict.FAILED, text=f"Reason {n}.") for n in range(210))
    datasets = (make_dataset(checks=failing + passing, reasons=reasons), make_dataset(name="second"))
    text = readable(make_report(datasets=datasets, reasons=reasons))
    assert "3 more checks that did not pass" in text
    assert "5 more checks in" in text
    assert "and 10 more reasons in report.json" in text


def test_a_hundred_thousand_failing_rows_make_a_small_page() -> None:
    """The page stays under 5 MB whatever the run found, and says what it does not list."""
    report = make_large_report(100_000)
    page = to_html(report, mask_key=MASK_KEY)
    assert len(page.encode()) < 5_000_000
    assert "99,975 of 100,000 rows are not listed here" in page
    long = with_texts(make_failed_report(masked=False), lambda text: text + "<é" * 50_000)
    assert len(to_html(long, mask_key=MASK_KEY).encode()) < 5_000_000


def test_the_same_report_gives_the_same_page() -> None:
    """Rendering uses no clock and no chance."""
    assert to_html(make_failed_report(), mask_key=MASK_KEY) == to_html(make_failed_report(), mask_key=MASK_KEY)
