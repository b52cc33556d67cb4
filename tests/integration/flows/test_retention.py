"""For how long files with values are kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contracts.repair import Ended, Plan
from flows.repair.files import repairs_folder
from flows.retention import tidy
from flows.settings import Settings
from flows.wiring import open_memory, runs_folder
from tests.support.repair_views import make_header, make_repair

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a home of their own, whose reports are kept for 30 days and repairs for 10."""
    return Settings().model_copy(update={"home": tmp_path, "keep_reports_days": 30, "keep_repairs_days": 10})


def test_reports_go_when_they_are_old_and_nothing_else_does(settings: Settings) -> None:
    """A run's folder is known by its id; what is named otherwise, or is a link, is not ours to remove."""
    runs = runs_folder(settings)
    names = ("20260501T000000000Z-aaaa", "20260503T000000000Z-bbbb", "kept-by-hand", "20250101T000000000Z-notes")
    for name in names:
        (runs / name).mkdir(parents=True)
    (runs / "20240101T000000000Z-cccc").symlink_to(runs / names[1])
    with open_memory(settings, "default") as memory:
        assert tidy(settings, memory, now=NOW) == 1
        assert tidy(settings, memory, now=NOW) == 0
    assert not (runs / names[0]).exists()
    assert all((runs / name).exists() for name in names[1:])


def test_repairs_go_when_they_are_old_unless_they_are_under_way(settings: Settings) -> None:
    """Plan and journal go together with what is remembered; one that was begun stays, so that it can be finished."""
    old, new = NOW - timedelta(days=11), NOW - timedelta(days=9)
    cases = {"old": (old, Ended.REPAIRED), "begun": (old, Ended.BEGUN), "new": (new, Ended.PLANNED)}
    with open_memory(settings, "default") as memory:
        for name, (made, ended) in cases.items():
            repair = make_repair(Plan(header=make_header(id=name, made_at=made), steps=()), ended=ended)
            memory.repairs.plan(replace(repair, environment="default"))
            (repairs_folder(settings) / name).mkdir()
        assert tidy(settings, memory, now=NOW) == 1
        assert {one.id for one in memory.repairs.list()} == {"begun", "new"}
    assert {folder.name for folder in repairs_folder(settings).iterdir()} == {"begun", "new"}


def test_plans_that_no_memory_knows_go_later(settings: Settings) -> None:
    """A folder may be another environment's: it goes after twice the time; one that is named otherwise stays."""
    folder = repairs_folder(settings)
    for name in ("20260501T000000000Z-aaaa", "20260520T000000000Z-bbbb", "notes"):
        (folder / name).mkdir()
    with open_memory(settings, "default") as memory:
        assert tidy(settings, memory, now=NOW) == 1
    assert {one.name for one in folder.iterdir()} == {"20260520T000000000Z-bbbb", "notes"}
