"""The benchmark on a small pair of its own: every row of the table comes out, and its records are used again."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest

from contracts.vocabulary import StoreName
from flows.bench.lines import Met
from flows.bench.ours import reach_verdict
from flows.bench.pair import running
from flows.bench.result import print_result, to_json
from flows.commands.bench import run_bench
from flows.commands.common import out
from flows.settings import Settings
from storage.local import LocalPair
from storage.local.yardsticks import scattered_differences

ROWS = 2000


def _settings(home: Path) -> Settings:
    return Settings().model_copy(update={"home": home})


@pytest.mark.slow
def test_every_line_is_measured(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All works run, ours answer rightly, the table and the JSON hold every line, and the pair is stopped."""
    result = run_bench(_settings(home), ROWS, rounds=0)
    here = [line for line in result.lines if line.absent is not Met.NOT_HERE]
    assert [line.wrong for line in here] == [""] * 9
    assert all(line.measured is not None for line in here)
    assert all(line.reference is None or line.reference.value for line in here if line.absent is None)
    document = json.loads(to_json(result))
    assert len(document["lines"]) == len(result.lines)
    assert document["machine"]["rows"] == ROWS
    print_result(result, out())
    assert "PostgreSQL 16" in capsys.readouterr().out
    assert not LocalPair(home / "bench").status().running


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
