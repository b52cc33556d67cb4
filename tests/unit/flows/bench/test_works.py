"""From measurements to the table: every target has its line, and nothing missing or wrong looks met."""

from __future__ import annotations

import json

from flows.bench import works
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
        works.COPY: _series(2.0),
        works.PULL: _series(2.5, rows=ROWS),
        works.RELADIFF: _series(6.0, found=0),
        works.DATACOMPY: _series(13.0, equal=1),
        works.SCATTERED: _series(5.0, found=PLANTED, rows=17_000),
        works.SCATTERED_RELADIFF: _series(31.0, found=PLANTED),
        works.CHECK: _series(20.0),
        works.MEMORY: _series(20.0, baseline_mb=300, peak_mb=400),
    }
    return {**measured, **changed}


def _lines(**changed: Series) -> tuple[Line, ...]:
    return works.lines(_measured(**changed), PLANTED, ROWS)


def test_every_target_has_a_line() -> None:
    """What this version has is measured against its target, and what it has not is named."""
    lines = _lines()
    assert [line.met for line in lines] == [Met.YES] * 9 + [Met.NOT_HERE] * 4
    assert lines[0].ratio == 1.2
    assert lines[5].measured == 17
    assert lines[8].measured == 100


def test_without_the_alternatives_their_lines_say_so() -> None:
    """What is not installed is no comparison, and everything else is measured all the same."""
    rivals = (works.RELADIFF, works.DATACOMPY, works.SCATTERED_RELADIFF)
    kept = {name: series for name, series in _measured().items() if name not in rivals}
    lines = works.lines(kept, PLANTED, ROWS)
    assert [line.met for line in lines if line.absent is Met.NOT_INSTALLED] == [Met.NOT_INSTALLED] * 3
    assert lines[0].met is Met.YES


def test_a_wrong_answer_of_ours_is_shown_and_misses_the_target() -> None:
    """Differences between equal stores, one difference too few, a row too few: none of them is fast enough."""
    assert _lines(**{works.PARITY: _series(0.1, found=3)})[0].wrong == "found: 3 instead of 0"
    missed = _lines(**{works.SCATTERED: _series(0.1, found=999, rows=9)})
    assert [line.met for line in (missed[3], missed[5])] == [Met.NO, Met.NO]
    assert _lines(**{works.PULL: _series(0.1, rows=ROWS - 1)})[6].met is Met.NO


def test_a_wrong_answer_of_an_alternative_is_told_beside_its_name() -> None:
    """Its time counts, and the reader learns that the answer was wrong."""
    line = _lines(**{works.SCATTERED_RELADIFF: _series(31.0, found=990)})[4]
    assert line.reference is not None
    assert line.reference.name == "reladiff (found: 990 instead of 1000)"


def test_a_check_that_could_not_tell_is_no_measurement() -> None:
    """The lines of time and memory say why nothing counts."""
    lines = _lines(
        **{
            works.CHECK: Series((Sample(trouble="the verdict was errored"),)),
            works.MEMORY: Series((Sample(trouble="ended with exit code 1"),)),
        }
    )
    assert [line.met for line in (lines[7], lines[8])] == [Met.NO, Met.NO]
    assert lines[7].wrong == "the verdict was errored"


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
