"""The difference sketch: what it gives away, and that it never pretends."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from storage.parity import sketch
from storage.parity.sketch import MASK31, SHIFTS, Found
from storage.ports import Cell

CELLS = 64


def row(seed: int) -> tuple[int, int, int]:
    """Return key hash and both row hashes of a row, as signed 64-bit numbers."""
    rng = Random(seed)
    return (rng.getrandbits(64) - 2**63, rng.getrandbits(64) - 2**63, rng.getrandbits(64) - 2**63)


def named(seed: int) -> dict[str, int]:
    """Return the same by name."""
    return dict(zip(("key_hash", "hash1", "hash2"), row(seed), strict=True))


def sketch_of(rows: list[tuple[int, int, int]], cells: int = CELLS) -> dict[int, Cell]:
    """Sum rows into cells, as a server does."""
    table: dict[int, Cell] = {}
    for key, hash1, hash2 in rows:
        for number, shift in enumerate(SHIFTS):
            at = number * cells + ((hash1 >> shift) & (cells - 1))
            added = (1, key, hash1, hash2, (hash1 & MASK31) * (hash2 & MASK31))
            table[at] = Cell(*(a + b for a, b in zip(table.get(at, (0,) * 5), added, strict=True)))
    return table


@given(st.sets(st.integers(0, 10**9), max_size=40), st.sets(st.integers(0, 10**9), max_size=40))
def test_what_is_peeled_is_what_differs(primary: set[int], secondary: set[int]) -> None:
    """Rows of one side only come out, each once and on its side; rows of both cancel."""
    difference = sketch.subtract(sketch_of([row(s) for s in primary]), sketch_of([row(s) for s in secondary]))
    found = sketch.peel(difference, CELLS)
    if found is not None:
        expected = [Found(on_primary=True, **named(s)) for s in primary - secondary]
        expected += [Found(on_primary=False, **named(s)) for s in secondary - primary]
        assert sorted(found) == sorted(expected)


@given(st.sets(st.integers(0, 10**9), min_size=1, max_size=30))
def test_few_differences_are_always_peeled(rows: set[int]) -> None:
    """A table twice as large as its rows is peeled in practice: it is no lucky case that the callers rely on."""
    cells = sketch.size_for(len(rows))
    assert sketch.peel(sketch_of([row(s) for s in rows], cells), cells) is not None


def test_too_many_differences_give_none() -> None:
    """A table that holds far more rows than cells is given up, not guessed at."""
    assert sketch.peel(sketch_of([row(s) for s in range(1000)]), CELLS) is None


def test_equal_sides_leave_nothing() -> None:
    """The difference of equal sketches is empty, and nothing is found in it."""
    side = sketch_of([row(s) for s in range(50)])
    assert sketch.subtract(side, side) == {}
    assert sketch.peel({}, CELLS) == []


def test_a_damaged_cell_is_noticed() -> None:
    """A sum that is off by one leaves a rest, so that nothing is concluded."""
    table = sketch_of([row(1), row(2)])
    at, cell = next(iter(table.items()))
    assert sketch.peel({**table, at: cell._replace(hash2=cell.hash2 + 1)}, CELLS) is None


def test_the_size_grows_with_the_differences_and_has_an_end() -> None:
    """Cells are a power of two above the number and a tenth, between 256 and what the bits can choose."""
    assert sketch.size_for(0) == 256
    assert sketch.size_for(930) == 1024
    assert sketch.size_for(1000) == 2048
    assert sketch.size_for(10**9) == sketch.MAX_CELLS
