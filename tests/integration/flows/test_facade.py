"""The door for applications."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest

import twinstore
from tests.support.dual import scenario
from tests.support.replicating import replicating
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


def test_an_application_writes_and_reads_through_the_repository(configured: Path, seeded_pair: Pair) -> None:
    """Opened from the environment: what is saved is in both stores, and a list shows it first."""
    with replicating(seeded_pair), twinstore.open_repository() as planning:
        result = planning.save(scenario(title="The newest"))
        assert isinstance(result, twinstore.DualStorageResult)
        assert (result.success, result.outcome) == (True, twinstore.Outcome.CREATED)
        found = planning.get(result.id)
        assert isinstance(found, twinstore.Record)
        assert found.title == "The newest"
        page = planning.list(limit=5)
        assert page.records[0].id == result.id
        assert len(page.records) == 5
        assert planning.health().healthy


def test_a_repository_needs_stores_that_were_adopted(configured: Path) -> None:
    """Until then a write would never reach the other store: it is refused with what to do, and nothing is written."""
    with twinstore.open_repository() as planning:
        result = planning.save(scenario())
    assert (result.success, result.outcome) == (False, twinstore.Outcome.FAILED)
    assert "twinstore adopt" in str(result.error)


def test_the_door_offers_what_it_names() -> None:
    """Also what is loaded only when it is asked for."""
    assert [name for name in twinstore.__all__ if not hasattr(twinstore, name)] == []
    assert list(twinstore.__all__) == sorted(twinstore.__all__, key=lambda name: (name[0].islower(), name))
    with pytest.raises(AttributeError):
        _ = twinstore.nothing


def test_the_page_for_applications_runs(
    configured: Path, seeded_pair: Pair, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it shows works as it stands, on stores that were adopted."""
    page = Path(__file__).parents[3] / "docs" / "from-python.md"
    (code,) = re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    with replicating(seeded_pair):
        exec(compile(code, str(page), "exec"), {})  # noqa: S102 - it is our own page
    assert capsys.readouterr().out.splitlines()[1] == "The lighthouse 1 prisma"
