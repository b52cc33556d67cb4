"""The line of the benchmark about repair, on few rows: that it measures what it says, not how fast it is."""

from __future__ import annotations

from contracts.planning import PLANNING
from flows.bench.pair import Bench
from flows.bench.repairs import BY_FUNCTIONS, BY_SQL, lines_of_repair, measure_repair
from storage.local.yardsticks import TableFacts
from storage.rest.client import RestAccess
from tests.support.checking import job_of, stores_of
from tests.support.gateway import serve
from tests.support.servers import SEEDED, Pair


def test_repair_is_measured_over_both_channels(seeded_pair: Pair) -> None:
    """Every row of the secondary is written, and both stores hold the same afterwards."""
    facts = TableFacts(version="0", rows=SEEDED, megabytes=0.0)
    settings = job_of(seeded_pair).settings
    bench = Bench(
        settings=settings, stores=stores_of(seeded_pair), dataset=PLANNING, rows=SEEDED, tables=(facts, facts)
    )
    with serve(seeded_pair.secondary_gate) as rest:
        access = RestAccess(url=rest.url, key=rest.secret_key)
        measured = measure_repair(bench, rounds=0, progress=lambda _: None, rest=access)
    assert set(measured) == {BY_SQL, BY_FUNCTIONS}
    (line,) = lines_of_repair(measured, SEEDED)
    assert line.wrong == ""
    assert line.measured is not None
    assert line.reference is not None
    assert line.reference.value is not None
    (wrong,) = lines_of_repair(measured, SEEDED + 1)
    assert "not every row was written" in wrong.wrong
