"""The door for applications."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

import twinstore
from tests.support.servers import Pair


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, seeded_pair: Pair) -> Path:
    """An environment that names two stores; returns its home folder."""
    for dsn in (seeded_pair.primary, seeded_pair.secondary):
        with psycopg.connect(dsn) as connection:
            connection.execute(
                "ANALYZE public.planning"
            )  # what a check costs is estimated from the server's statistics
    monkeypatch.setenv("DATABASE_URL", seeded_pair.primary)
    monkeypatch.setenv("SUPABASE_DB_URL", seeded_pair.secondary)
    monkeypatch.setenv("TWINSTORE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_an_application_checks_and_finds_the_report(configured: Path) -> None:
    """One call gives the verdict and the folder of the published run."""
    finished = twinstore.check()
    assert isinstance(finished, twinstore.Finished)
    assert finished.report.datasets[0].rows.matched == 300
    assert (finished.folder / "report.html").is_file()
    assert finished.folder.parent == configured / "runs"
    assert finished.report.cost.estimated_seconds is not None


def test_an_unknown_dataset_is_refused(configured: Path) -> None:
    """Nothing is checked, and no run is made."""
    with pytest.raises(twinstore.TwinstoreError, match="no dataset 'plannings'"):
        twinstore.check(["plannings"])
    assert not (configured / "runs").exists()
