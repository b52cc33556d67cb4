"""summary.md."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.verdicts import History
from contracts.vocabulary import CheckStatus
from reports.summary import plain, sentence, to_summary
from tests.support.factories import make_check, make_dataset, make_report, with_texts
from tests.support.troubled_report import make_failed_report


def test_the_verdict_and_its_reason_come_first() -> None:
    """The first lines of a summary say what happened."""
    lines = to_summary(make_failed_report()).splitlines()
    assert lines[0] == "## ✕ twinstore: failed"
    assert lines[2].startswith("467 of 5,008 rows differ, most of them because `content`")


def test_a_summary_is_short() -> None:
    """Whatever a run found, the summary stays a screen or two, and says how much it leaves out."""
    checks = tuple(make_check(f"planning.rule_{n}", CheckStatus.FAILED) for n in range(400))
    text = to_summary(make_report(datasets=(make_dataset(checks=checks),)))
    assert len(text.splitlines()) < 60
    assert "… and 385 more checks, see report.html" in text


def test_a_passed_run_says_what_was_looked_at() -> None:
    """Rows, checks and history are named even when all is well."""
    text = to_summary(make_report())
    assert "| rows that agree | 100 %, 5,000 of 5,000 |" in text
    assert "| checks | 8 passed |" in text
    assert "| since the last run | 0 new, 0 of them came back, 0 gone |" in text


def test_unknown_things_are_called_unknown() -> None:
    """Without history or checks the summary says so; unmasked values are announced."""
    bare = make_dataset(
        history=History(), checks=(), clusters=(replace(make_failed_report().datasets[0].clusters[0], new=None),)
    )
    text = to_summary(make_report(datasets=(bare,), masked=False))
    assert "history is unknown" in text
    assert "none evaluated" in text
    assert "| unknown |" in text
    assert "This report shows personal values." in text


@pytest.mark.parametrize(
    ("raw", "written"),
    [
        ("a|b", "a&#124;b"),
        ("`x`", "&#96;x&#96;"),
        ("[x](http://y)", "&#91;x&#93;(http&#58;//y)"),
        ("<b>&amp;", "&#60;b&#62;&#38;amp;"),
        ("@all www.x.com", "&#64;all www&#46;x.com"),
        ("*a* _b_ ~c~", "\\*a\\* \\_b\\_ \\~c\\~"),
        ("# head", "\\# head"),
        ("1. item", "&#49;. item"),
        ("two\nlines\x1b[0m", "two↵lines␛&#91;0m"),
        ("plain, 5.2 - text.", "plain, 5.2 - text."),
    ],
)
def test_markdown_is_inert(raw: str, written: str) -> None:
    """No cell, code, link, mention, element or list comes out of a text."""
    assert plain(raw) == written


def test_names_in_sentences_stay_code() -> None:
    """A plain name in backticks is code; anything else in backticks is text."""
    assert sentence("`title` is `<b>`") == "`title` is &#96;&#60;b&#62;&#96;"
    assert sentence("`twinstore sync run --follow` or `rm -rf`") == "`twinstore sync run --follow` or &#96;rm -rf&#96;"


@cache
def _harmless_shape() -> list[int]:
    harmless = to_summary(with_texts(make_failed_report(), lambda _: "harmless"))
    return [line.count("|") for line in harmless.splitlines()]


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(exclude_characters="`"), min_size=1, max_size=30))
def test_any_text_keeps_the_shape(text: str) -> None:
    """Whatever the texts, there are as many lines, cells and no elements or links."""
    hostile = to_summary(with_texts(make_failed_report(), lambda _: text))
    assert [line.count("|") for line in hostile.splitlines()] == _harmless_shape()
    assert not re.search(r"[<>\[\]]", hostile)
