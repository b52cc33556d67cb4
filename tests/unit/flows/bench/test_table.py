"""From measurements to the table: every target has its line, and nothing missing or wrong looks met."""

from __future__ import annotations

import json

from flows.bench import table, works
from flows.bench.lines import Line, Met
from flows.bench.result import Machine, Result, cells, to_json
from flows.bench.rounds import Sample, Series

ROWS, PLANTED = 10_000, 1000


def _series(seconds: float, **facts: float) -> Series:
    return Series((Sample(seconds=seconds, facts=facts),))


def _measured(**changed: Series) -> dict[str, Series]:
    measured = {
        works.DIGESTS: _series(1.0, equal=1),
        works.PARITY: _series(1.2, found=0, rows=1024),
        works.BY_FUNCTIONS: _series(1.4, found=0, requests=12),
        works.PAGES: _series(20.0, rows=ROWS),
        works.BY_ROWS: _series(25.0, found=0),
        works.COPY: _series(2.0),
        works.PULL: _series(2.5, rows=ROWS),
        works.RELADIFF: _series(6.0, found=0),
        works.DATACOMPY: _series(13.0, equal=1),
        works.SCATTERED: _series(5.0, found=PLANTED, rows=17_000),
        works.SCATTERED_RELADIFF: _series(31.0, found=PLANTED),
        works.CHECK: _series(20.0),
        works.MEMORY: _series(20.0, baseline_mb=300, peak_mb=400),
        works.GATE: _series(8.0),
    }
    return {**measured, **changed}


def _table(measured: dict[str, Series]) -> tuple[Line, ...]:
    return (*table.lines_of_parity(measured, PLANTED, ROWS), *table.lines_of_checks(measured))


def _lines(**changed: Series) -> tuple[Line, ...]:
    return _table(_measured(**changed))


def _of(work: str, lines: tuple[Line, ...]) -> Line:
    """Return the first line of a work."""
    return next(line for line in lines if line.work == work)


def test_every_target_has_a_line() -> None:
    """What this version has is measured against its target, and what it has not is named."""
    lines = _lines()
    assert [line.met for line in lines] == [Met.YES] * 13 + [Met.NOT_HERE]
    assert lines[0].ratio == 1.2
    assert _of("rows transferred per difference", lines).measured == 17
    assert _of("memory of a full check over its idle baseline", lines).measured == 100


def test_rest_is_held_against_what_was_measured_beside_it() -> None:
    """Functions against SQL in the same rounds, by their requests, too; rows only against the bare pages."""
    by_functions, requests, by_rows = _lines()[3:6]
    assert by_functions.reference is not None
    assert (by_functions.reference.name, by_functions.reference.value) == (works.PARITY, 1.2)
    assert (requests.measured, cells(requests)[1]) == (12, "12 requests")
    assert by_rows.ratio == 1.25
    assert "one round" in by_rows.work


def test_without_the_alternatives_their_lines_say_so() -> None:
    """What is not installed is no comparison, and everything else is measured all the same."""
    rivals = (works.RELADIFF, works.DATACOMPY, works.SCATTERED_RELADIFF)
    kept = {name: series for name, series in _measured().items() if name not in rivals}
    lines = _table(kept)
    assert [line.met for line in lines if line.absent is Met.NOT_INSTALLED] == [Met.NOT_INSTALLED] * 3
    assert lines[0].met is Met.YES


def test_a_wrong_answer_of_ours_is_shown_and_misses_the_target() -> None:
    """Differences between equal stores, one difference too few, a row too few: none of them is fast enough."""
    assert _lines(**{works.PARITY: _series(0.1, found=3)})[0].wrong == "found: 3 instead of 0"
    missed = _lines(**{works.SCATTERED: _series(0.1, found=999, rows=9)})
    assert _of("1,000 scattered differences", missed).met is Met.NO
    assert _of("rows transferred per difference", missed).met is Met.NO
    assert _of(works.PULL, _lines(**{works.PULL: _series(0.1, rows=ROWS - 1)})).met is Met.NO
    over_rest = _lines(**{works.BY_FUNCTIONS: _series(0.1, found=1, requests=1), works.BY_ROWS: _series(1, found=1)})
    assert [line.met for line in over_rest[3:6]] == [Met.NO] * 3


def test_pages_that_hold_another_number_of_rows_prove_nothing() -> None:
    """What rows alone are compared with must be all rows."""
    line = _of(works.BY_ROWS, _lines(**{works.PAGES: _series(30.0, rows=ROWS + 1)}))
    assert (line.met, line.wrong) == (Met.NO, "rows: 10001 instead of 10000")


def test_a_wrong_answer_of_an_alternative_is_told_beside_its_name() -> None:
    """Its time counts, and the reader learns that the answer was wrong."""
    rivals = [line.reference for line in _lines(**{works.SCATTERED_RELADIFF: _series(31.0, found=990)})]
    assert "reladiff (found: 990 instead of 1000)" in [rival.name for rival in rivals if rival is not None]


def test_a_check_that_could_not_tell_is_no_measurement() -> None:
    """The lines of time and memory say why nothing counts."""
    lines = _lines(
        **{
            works.CHECK: Series((Sample(trouble="the verdict was errored"),)),
            works.MEMORY: Series((Sample(trouble="ended with exit code 1"),)),
        }
    )
    check, memory = _of("full check, both stores", lines), _of("memory of a full check over its idle baseline", lines)
    assert (check.met, check.wrong) == (Met.NO, "the verdict was errored")
    assert memory.met is Met.NO


def test_the_result_is_json_and_a_table() -> None:
    """Machines get every number, people get rounded ones; both get the machine."""
    machine = Machine(cores=2, load=0.5, versions=("16.1", "18.1"), rows=ROWS, megabytes=(12.0, 11.0))
    lines = _lines()
    document = json.loads(to_json(Result(machine=machine, lines=lines)))
    assert document["machine"]["postgresql"] == {"prisma": "16.1", "supabase": "18.1"}
    assert [line["met"] for line in document["lines"]] == [str(line.met) for line in lines]
    assert document["lines"][0]["ratio"] == 1.2
    assert machine.sentence == "2 cores, load 0.5 before; PostgreSQL 16.1 and 18.1; 10,000 rows, 12 MB and 11 MB"
    assert cells(lines[0])[1:] == (
        "1.20 s",
        works.DIGESTS,
        "1.00 s",
        "1.20 \N{MULTIPLICATION SIGN}",
        "≤ 1.3 \N{MULTIPLICATION SIGN}",
        "yes",
    )


def test_what_was_given_up_is_shown_as_more() -> None:
    """The table says that an alternative would have taken longer than the limit."""
    line = _lines(**{works.RELADIFF: Series((Sample(gave_up_s=600, trouble="not done"),))})[1]
    assert cells(line)[3] == "> 600.00 s"
    assert line.met is Met.YES
