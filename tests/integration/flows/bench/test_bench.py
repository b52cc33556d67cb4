"""The benchmark on a small pair of its own: every row of the table comes out, and its records are used again."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest

from contracts.vocabulary import StoreName
from flows.bench.lines import Met
from flows.bench.ours import reach_verdict, take_pages
from flows.bench.pair import CAP, LATENCY_S, far, running
from flows.bench.result import print_result, to_json
from flows.commands.bench import run_bench
from flows.commands.common import out
from flows.settings import Settings
from storage.local import GatewayOptions, LocalPair
from storage.local.gateway.settings import load_settings
from storage.local.yardsticks import scattered_differences
from storage.rest.client import CONNECTIONS

ROWS = 2000


def _settings(home: Path) -> Settings:
    return Settings().model_copy(update={"home": home})


@pytest.mark.soak
def test_every_line_is_measured(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All works run, ours answer rightly, the table and the JSON hold every line, and the pair is stopped."""
    result = run_bench(_settings(home), ROWS, rounds=0)
    here = [line for line in result.lines if line.absent is not Met.NOT_HERE]
    assert {line.wrong for line in here} == {""}
    assert len(here) > 20
    assert all(line.measured is not None for line in here)
    assert all(line.reference is None or line.reference.value for line in here if line.absent is None)
    document = json.loads(to_json(result))
    assert len(document["lines"]) == len(result.lines)
    assert document["machine"]["rows"] == ROWS
    print_result(result, out())
    assert "PostgreSQL 16" in capsys.readouterr().out
    assert not LocalPair(home / "bench").status().running
    assert not LocalPair(home / "bench" / "gate").status().running


@pytest.mark.soak
def test_records_are_used_again_only_as_they_were_loaded(home: Path) -> None:
    """A second start keeps them; a changed row or another number of rows has them made anew."""
    mark = home / "records.json"
    with running(home, _settings(home), 100) as bench:
        first = mark.read_text(encoding="utf-8")
        assert [table.rows for table in bench.tables] == [100, 100]
    with running(home, _settings(home), 100) as bench:
        assert mark.read_text(encoding="utf-8") == first
        with psycopg.connect(bench.dsns[0]) as connection:
            connection.execute("UPDATE public.planning SET version = 99 WHERE id = (SELECT min(id) FROM planning)")
    with running(home, _settings(home), 100) as bench, psycopg.connect(bench.dsns[0]) as connection:
        assert connection.execute("SELECT count(*) FROM public.planning WHERE version = 99").fetchone() == (0,)
    with running(home, _settings(home), 120) as bench:
        assert [table.rows for table in bench.tables] == [120, 120]


def test_planted_differences_are_all_found_and_undone(home: Path) -> None:
    """As many keys differ as is said, and afterwards none does, even when what was measured failed."""

    def fail_among_differences(secondary: str) -> None:
        with scattered_differences(secondary, 42):
            raise RuntimeError("the measurement failed")

    with running(home, _settings(home), 400) as bench:
        secondary = bench.stores.urls[StoreName.SUPABASE].dsn
        with scattered_differences(secondary, 42) as planted:
            assert planted == 42
            assert reach_verdict(bench).facts["found"] == planted
        with pytest.raises(RuntimeError):
            fail_among_differences(secondary)
        assert reach_verdict(bench).facts["found"] == 0


@pytest.mark.soak
def test_a_project_far_away_answers_late_and_is_near_again_afterwards(home: Path) -> None:
    """Pages hold every row once, and both ways over REST find what there is to find."""
    with running(home, _settings(home), 2345) as bench:
        with far(bench) as away:
            assert _gateway_of(home) == GatewayOptions(cap=CAP, latency_s=LATENCY_S)
            assert take_pages(away).facts["rows"] == 2345
            for over_rest in (away.by_functions, away.by_rows):
                sample = reach_verdict(over_rest)
                assert sample.facts["found"] == 0
                assert (sample.seconds or 0) > LATENCY_S * sample.facts["requests"] / CONNECTIONS
            with scattered_differences(bench.dsns[1], 42):
                assert reach_verdict(away.by_functions).facts["found"] == 42
                assert reach_verdict(away.by_rows).facts["found"] == 42
        assert _gateway_of(home) == GatewayOptions()


def _gateway_of(home: Path) -> GatewayOptions | None:
    """Return the settings with which the pair is served; None when it is not."""
    rest = LocalPair(home).status().rest
    settings = load_settings(rest.folder) if rest is not None and rest.running else None
    return None if settings is None else settings.options()
