"""A run in a terminal."""

from __future__ import annotations

import io
import re
from dataclasses import replace

from rich.console import Console

from contracts.verdicts import RangeAccount, RunReport
from contracts.vocabulary import CheckStatus
from reports.terminal import LINES_MAX, print_report
from tests.support.factories import make_check, make_counts, make_dataset, make_report, with_texts
from tests.support.troubled_report import make_failed_report


def printed(report: RunReport, *, colours: bool = False) -> str:
    """Return what a terminal gets."""
    out = io.StringIO()
    print_report(
        report, Console(file=out, width=140, force_terminal=colours, color_system="truecolor" if colours else None)
    )
    return out.getvalue()


def test_the_verdict_comes_first() -> None:
    """The first line is the verdict with its reason."""
    assert printed(make_report()).splitlines()[0] == "✓ passed All 5,000 rows agree and 8 of 8 checks passed."


def test_everything_that_did_not_pass_is_listed() -> None:
    """Clusters, checks and the account of rows are there, with words for every status."""
    text = printed(make_failed_report())
    for words in ("JSON encoded twice", "✕ failed", "! errored", "◇ waived", "○ skipped", "adds up", "unexplained"):
        assert words in text
    assert "planning.content_id_matches" not in text


def test_nothing_from_the_stores_acts_on_the_terminal() -> None:
    """Escape sequences and markup of Rich in any text are shown as text."""
    hostile = "\x1b]8;;http://x\x07\x1b[2J[bold red]x[/] \u202e"
    text = printed(with_texts(make_failed_report(), lambda _: hostile))
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)
    assert "[bold red]x[/]" in text
    coloured = printed(with_texts(make_failed_report(), lambda _: hostile), colours=True)
    assert set(re.findall(r"\x1b(.)", coloured)) == {"["}
    assert "\x1b[2J" not in coloured


def test_long_lists_are_cut() -> None:
    """A terminal gets a screen, and the number of what is left out."""
    checks = tuple(make_check(f"d.rule_{n}", CheckStatus.FAILED) for n in range(LINES_MAX + 7))
    assert "and 7 more checks in the report" in printed(make_report(datasets=(make_dataset(checks=checks),)))


def test_absent_and_wrong_accounts_are_told() -> None:
    """Rows that do not add up are shown; a run that read nothing shows no table; unknown history is unknown."""
    wrong = RangeAccount(low=None, high=None, primary=make_counts(matched=1, read=3), secondary=make_counts(matched=1))
    cluster = replace(make_failed_report().datasets[0].clusters[0], new=None)
    text = printed(make_report(datasets=(make_dataset(ranges=(wrong,), clusters=(cluster,)),)))
    assert "2 off" in text
    assert "unknown" in text
    assert "Rows read" not in printed(make_report(datasets=(make_dataset(ranges=(), checks=()),)))
