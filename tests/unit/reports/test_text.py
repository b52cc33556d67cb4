"""Untrusted text is made visible; numbers, times and anchors read well."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import text

NOW = datetime(2026, 3, 14, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain\nlines", "plain\nlines"),
        ("\x1b[31mred", "␛[31mred"),
        ("a\x00b\x7f\t\r", "a␀b␡␉␍"),
        ("\x9b31m", "⟨U+009B⟩31m"),
        ("abc\u202etxt", "abc⟨U+202E⟩txt"),
        ("zero\u200bwidth\ufeff", "zero⟨U+200B⟩width⟨U+FEFF⟩"),
        ("no\u00a0break", "no⟨U+00A0⟩break"),
        ("\ud800", "⟨U+D800⟩"),
        ("봄 캠페인\u3000日本", "봄 캠페인\u3000日本"),
        ("👩\u200d💻", "👩\u200d💻"),
        ("a\u200db", "a⟨U+200D⟩b"),
        ("\u200d", "⟨U+200D⟩"),
    ],
)
def test_characters_that_act_are_shown(raw: str, shown: str) -> None:
    """Control characters, marks of direction and invisible characters show; letters and emoji stay as they are."""
    assert text.visible(raw) == shown


@given(st.text(st.characters(), max_size=60))
def test_nothing_that_acts_is_left(raw: str) -> None:
    """Whatever the text, nothing in the visible form controls, hides or turns around what follows, and it is UTF-8."""
    shown = text.visible(raw)
    shown.encode()
    left = {unicodedata.category(char) for char in shown.replace("\n", "").replace("\u200d", "")}
    assert not left & {"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"}


def test_long_text_is_cut_and_says_how_long_it_was() -> None:
    """A text of a megabyte takes a line, and the line says that it is not the whole text."""
    assert text.cut("x" * 1_000_000, 10) == "xxxxxxxxxx… (1,000,000 characters)"
    assert text.cut("short", 10) == "short"
    assert text.one_line("a\nb") == "a↵b"


def test_anchors_are_stable_safe_and_distinct() -> None:
    """Plain parts stay readable; anything else is replaced and told apart by a hash."""
    assert text.slug("dataset", "planning") == "dataset-planning"
    assert text.slug("a-b", "c") != text.slug("a", "b-c")
    assert text.slug("a b") == text.slug("a b") != text.slug("a?b")
    assert text.slug('"><script>').replace("-", "").isalnum()
    assert text.slug("<>").isalnum()
    assert len(text.slug("x" * 500)) < 100


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [(0, 0, text.NONE), (5, 5, "100 %"), (0, 5, "0 %"), (4_999_999, 5_000_000, "99.9 %"), (1, 5_000_000, "< 0.1 %")],
)
def test_a_share_is_never_rounded_to_all_or_nothing(part: int, whole: int, shown: str) -> None:
    """One missing row in five million is not 100 %, and one row is not 0 %."""
    assert text.percent(part, whole) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.25, "250 ms"),
        (41.3, "41.3 s"),
        (247, "4 min 07 s"),
        (7_500, "2 h 05 min"),
        (200_000, "2 d 7 h"),
    ],
)
def test_durations_name_the_two_units_that_matter(seconds: float, shown: str) -> None:
    """From milliseconds to days."""
    assert text.duration(seconds) == shown


@pytest.mark.parametrize(
    ("ago", "shown"),
    [
        (timedelta(seconds=-5), "this run"),
        (timedelta(seconds=5), "under a minute"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(hours=30), "1 day"),
        (timedelta(hours=5), "5 hours"),
    ],
)
def test_ages_are_coarse(ago: timedelta, shown: str) -> None:
    """An age names one unit; what was first seen by this run says so."""
    assert text.age(NOW - ago, NOW) == shown
    assert text.age(None, NOW) == "unknown"


def test_counts_sizes_and_moments() -> None:
    """Nouns agree with their number, sizes use decimal units, an unknown moment is a dash."""
    assert (text.count(1, "row"), text.count(2_000, "row"), text.count(2, "key", "keys")) == (
        "1 row",
        "2,000 rows",
        "2 keys",
    )
    assert [text.size(n) for n in (12, 8_412_330, 3_000_000_000)] == ["12 B", "8.4 MB", "3.0 GB"]
    assert text.moment(NOW) == "2026-03-14 02:00:00 UTC"
    assert text.moment(NOW.replace(tzinfo=None)) == "2026-03-14 02:00:00 UTC"
    assert text.moment(None) == text.NONE
