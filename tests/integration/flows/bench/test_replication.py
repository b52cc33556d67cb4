"""The lines of the benchmark about replication, on few rows: that they measure what they say, not how fast it is."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import psycopg
import pytest

from contracts.planning import PLANNING
from flows.bench.lines import Met
from flows.bench.pair import Bench
from flows.bench.parts import Part
from flows.bench.replicated import black_hole, replicated
from flows.bench.replication import lines_of_replication, measure_replication
from flows.commands.bench import run_bench
from flows.settings import Settings
from storage.local import LocalPair
from storage.local.yardsticks import TableFacts
from storage.rest.client import RestAccess
from tests.support.checking import job_of, stores_of
from tests.support.gateway import serve
from tests.support.servers import SEEDED, Pair


def _bench(pair: Pair) -> Bench:
    facts = TableFacts(version="0", rows=SEEDED, megabytes=0.0)
    settings = job_of(pair).settings
    return Bench(settings=settings, stores=stores_of(pair), dataset=PLANNING, rows=SEEDED, tables=(facts, facts))


def test_every_line_about_replication_is_measured(seeded_pair: Pair) -> None:
    """A circuit opens and saves go on; all rows are carried over both ways; every call is answered; capture ends."""
    with (
        serve(seeded_pair.secondary_gate) as rest,
        replicated(_bench(seeded_pair), RestAccess(url=rest.url, key=rest.secret_key)) as stage,
    ):
        measured = measure_replication(stage, rounds=0, progress=lambda _: None, saves=6, records=3)
        lines = lines_of_replication(measured, SEEDED)
        assert stage.even()
    assert [line.measured is not None and line.reference is None for line in lines] == [True] + [False] * 7
    assert lines[0].measured == 3
    assert [line.wrong for line in lines[:3]] == [""] * 3
    for dsn in (seeded_pair.primary, seeded_pair.secondary):
        with psycopg.connect(dsn) as connection:
            assert connection.execute("SELECT count(*) FROM twinstore.capture").fetchone() == (0,)


def test_a_black_hole_takes_connections_and_never_answers() -> None:
    """A client waits for as long as it wants to."""
    with black_hole() as url:
        began = time.monotonic()
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(url, timeout=0.1, trust_env=False)
        assert time.monotonic() - began >= 0.1


@pytest.mark.soak
def test_a_part_is_measured_alone(home: Path) -> None:
    """Only its lines come out, on a pair of its own that is used again and stopped."""
    settings = Settings().model_copy(update={"home": home})
    for _ in range(2):
        result = run_bench(settings, 1000, parts=[Part.REPLICATION], rounds=0)
        assert len(result.lines) == 8
        assert Met.UNKNOWN not in {line.met for line in result.lines}
        assert result.machine.rows == 1000
    assert not (home / "bench" / "records.json").exists()
    assert not LocalPair(home / "bench" / "replication").status().running
