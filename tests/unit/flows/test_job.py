"""What a job of a check knows of its dataset."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contracts import found_files
from contracts.vocabulary import StoreName
from flows.job import Job
from flows.settings import Settings
from flows.wiring import Stores
from storage.urls import parse_url

CONTRACT = """
from dataclasses import replace
from datetime import date
from contracts.planning import CONTRACT as OTHER

waiting = tuple(replace(c, pending_until=date(2026, 3, 2)) if c.name == "source" else c for c in OTHER.dataset.columns)
CONTRACT = replace(OTHER, dataset=replace(OTHER.dataset, name="plans", columns=waiting))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder with a dataset of which one column is compared from a day on."""
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts" / "plans.py").write_text(CONTRACT)
    found_files.use_folder(tmp_path)
    yield tmp_path
    found_files.use_folder(None)


@pytest.mark.parametrize(("day", "pending"), [(1, True), (2, False), (3, False)])
def test_a_column_waits_for_its_day(folder: Path, day: int, pending: bool) -> None:  # noqa: FBT001 - a case
    """The day of the run decides, in UTC; the primary's table lies in the schema of its URL."""
    url = parse_url("postgresql://u:p@h/db?schema=app", "DATABASE_URL")
    stores = Stores(urls=dict.fromkeys(StoreName, url), environment="test", embedded=False)
    now = datetime(2026, 3, day, 23, 59, tzinfo=UTC)
    dataset = Job(settings=Settings(), stores=stores, name="plans", run_id="test", now=now).dataset
    assert dataset.column("source").pending is pending
    assert dataset.tables[StoreName.PRISMA] == ("app", "planning")
