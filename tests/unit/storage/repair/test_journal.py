"""The journal of a repair: what it says after whatever was written of it, and what it refuses to be."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contracts.errors import ConfigurationError, Conflict
from contracts.repair import Done, Mended, Override
from storage.repair.journal import JOURNAL_FILE, Journal

NOW = datetime(2026, 3, 14, 2, 30, tzinfo=UTC)
HASH = "9" * 64
WRITTEN = Done(number=1, outcome=Mended.WRITTEN, row={"id": "a", "title": None})
REFUSED = Done(number=2, outcome=Mended.REJECTED, code="23514", rule="not_blank")


def begun(folder: Path) -> Journal:
    """Return a journal that was begun."""
    journal = Journal.open(folder)
    journal.begin(plan_hash=HASH, by="Kim", overrides=[Override(brake="rows", value=7, by="Kim")], now=NOW)
    return journal


def test_a_journal_says_what_was_noted(tmp_path: Path) -> None:
    """Before it is written there is none; afterwards another process reads the same, and only its owner may."""
    assert Journal.open(tmp_path).done == {}
    journal = begun(tmp_path)
    journal.intend([1, 2, 3], batch="b1", now=NOW)
    journal.note([WRITTEN, REFUSED])
    journal.note([])
    for found in (journal, Journal.open(tmp_path)):
        assert found.done == {1: WRITTEN, 2: REFUSED}
        assert (found.intended, found.unanswered, found.intended_at) == ({3}, {"b1": (3,)}, {"b1": NOW})
    assert stat.S_IMODE((tmp_path / JOURNAL_FILE).stat().st_mode) == 0o600
    assert len((tmp_path / JOURNAL_FILE).read_text().splitlines()) == 3


def test_what_is_told_later_counts(tmp_path: Path) -> None:
    """A step that was locked and then written is written; a call that never was carried out is forgotten."""
    journal = begun(tmp_path)
    journal.intend([1], batch="b1", now=NOW)
    journal.note([Done(number=1, outcome=Mended.LOCKED)])
    journal.intend([1], batch="b2", now=NOW)
    journal.intend([2], batch="b3", now=NOW)
    journal.note([WRITTEN])
    journal.forget("b3")
    for found in (journal, Journal.open(tmp_path)):
        assert (found.done, found.intended) == ({1: WRITTEN}, set())


@pytest.mark.parametrize("cut", [1, 7, -1])
def test_a_line_that_is_not_whole_counts_as_not_written(tmp_path: Path, cut: int) -> None:
    """And the next line takes its place."""
    journal = begun(tmp_path)
    journal.intend([1], batch="b1", now=NOW)
    whole = (tmp_path / JOURNAL_FILE).read_bytes()
    journal.note([WRITTEN])
    line = (tmp_path / JOURNAL_FILE).read_bytes()[len(whole) :]
    (tmp_path / JOURNAL_FILE).write_bytes(whole + line[:cut])
    again = Journal.open(tmp_path)
    assert (again.done, again.intended) == ({}, {1})
    again.begin(plan_hash=HASH, by="Kim", overrides=(), now=NOW)
    again.note([REFUSED])
    assert Journal.open(tmp_path).done == {2: REFUSED}
    assert (tmp_path / JOURNAL_FILE).read_bytes().count(b"\n") == 4


def test_whoever_lost_the_lease_adds_nothing_and_cuts_nothing_off(tmp_path: Path) -> None:
    """One that slept while another one went on notes nothing; its batch is found again by its name."""
    asleep = begun(tmp_path)
    asleep.intend([1], batch="b1", now=NOW)
    awake = begun(tmp_path)
    assert awake.unanswered == {"b1": (1,)}
    awake.note([WRITTEN])
    awake.intend([2], batch="b2", now=NOW)
    awake.note([REFUSED])
    kept = (tmp_path / JOURNAL_FILE).read_bytes()
    writes: tuple[Callable[[], None], ...] = (
        lambda: asleep.note([Done(number=1, outcome=Mended.MOVED)]),
        lambda: asleep.intend([3], batch="b3", now=NOW),
        lambda: asleep.forget("b1"),
        lambda: asleep.begin(plan_hash=HASH, by="Kim", overrides=(), now=NOW),
    )
    for write in writes:
        with pytest.raises(Conflict, match="Somebody else goes on with this repair"):
            write()
    assert (tmp_path / JOURNAL_FILE).read_bytes() == kept
    assert Journal.open(tmp_path).done == {1: WRITTEN, 2: REFUSED}


def test_a_line_that_is_not_whole_is_taken_away_only_as_long_as_nobody_else_wrote(tmp_path: Path) -> None:
    """Two that found the same torn line: the one that comes second leaves the file as the first one wrote it."""
    begun(tmp_path)
    with (tmp_path / JOURNAL_FILE).open("ab") as file:
        file.write(b'{"done": [{"num')
    first, second = Journal.open(tmp_path), Journal.open(tmp_path)
    first.trim()
    first.note([WRITTEN])
    with pytest.raises(Conflict):
        second.trim()
    assert Journal.open(tmp_path).done == {1: WRITTEN}


def test_a_journal_of_another_plan_is_refused(tmp_path: Path) -> None:
    """What was shown is what is done: a plan's file that was exchanged does not go on where another one stopped."""
    begun(tmp_path)
    with pytest.raises(ConfigurationError, match="another plan"):
        Journal.open(tmp_path).begin(plan_hash="8" * 64, by="Kim", overrides=(), now=NOW)


@pytest.mark.parametrize("line", ["{", "[]", '{"done": [{}]}', '{"done": [{"number": 1, "outcome": "eaten"}]}', "{}"])
def test_a_damaged_journal_is_refused(tmp_path: Path, line: str) -> None:
    """Nothing is guessed of a line in the middle that says nothing."""
    begun(tmp_path).note([WRITTEN])
    file = tmp_path / JOURNAL_FILE
    file.write_text(line + "\n" + file.read_text())
    with pytest.raises(ConfigurationError, match="damaged"):
        Journal.open(tmp_path)


def test_a_journal_that_cannot_be_kept_is_said(tmp_path: Path) -> None:
    """Neither written nor read: a repair does not go on without it."""
    journal = Journal.open(tmp_path / "nowhere")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        journal.begin(plan_hash=HASH, by="Kim", overrides=(), now=NOW)
    (tmp_path / JOURNAL_FILE).mkdir()
    with pytest.raises(ConfigurationError, match="cannot be read"):
        Journal.open(tmp_path)


def test_no_line_says_more_than_it_must(tmp_path: Path) -> None:
    """Who applied it and what was released stand in the first line; what is nothing is left out."""
    begun(tmp_path).note([Done(number=1, outcome=Mended.MOVED)])
    first, second = (json.loads(line) for line in (tmp_path / JOURNAL_FILE).read_text().splitlines())
    assert first["overrides"] == [{"brake": "rows", "value": 7, "by": "Kim"}]
    assert (first["by"], first["at"]) == ("Kim", "2026-03-14T02:30:00+00:00")
    assert second == {"done": [{"number": 1, "outcome": "moved"}]}
