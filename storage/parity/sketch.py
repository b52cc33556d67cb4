"""Find scattered differences from two small summaries instead of from all rows.

Each row is added to three cells of a table that its hash chooses. The cells of both sides are subtracted: equal rows
cancel, and a cell that holds a single row can be read off; taking that row out of its other two cells frees further
rows. With a few more cells than differences this ends with an empty table (an invertible Bloom lookup table; Goodrich
and Mitzenmacher, 2011). If it does not, nothing is concluded and the caller reads all pairs instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from storage.ports import Cell

TABLES = 3
MASK31 = 0x7FFFFFFF
SHIFTS = (0, 21, 42)  # which bits of the first hash choose the cell in each of the three tables
BITS = 21
MAX_CELLS = 1 << BITS


class Found(NamedTuple):
    """One row that only one side holds in this form."""

    on_primary: bool
    key_hash: int
    hash1: int
    hash2: int


def size_for(differences: int) -> int:
    """Return the number of cells per table for about this many differing keys, as a power of two.

    A key that differs puts a row of each side into each table. Three cells in all per key would be read almost surely,
    were the number exact; a tenth more, rounded up, bears an estimate that is too low by a quarter.
    """
    return min(MAX_CELLS, 1 << max(8, (11 * differences // 10).bit_length()))


def subtract(primary: Mapping[int, Cell], secondary: Mapping[int, Cell]) -> dict[int, Cell]:
    """Return the cells of the primary minus those of the secondary, without the empty ones."""
    cells = dict(primary)
    for number, cell in secondary.items():
        cells[number] = _add(cells.get(number, _EMPTY), cell, -1)
    return {n: c for n, c in cells.items() if c != _EMPTY}


def peel(cells: dict[int, Cell], per_table: int) -> list[Found] | None:
    """Read all rows off a difference of two sketches; None when it holds too many to be read."""
    table = dict(cells)
    found: list[Found] = []
    ready = [n for n, c in table.items() if _is_single(n, c, per_table)]
    while ready:
        number = ready.pop()
        cell = table.get(number, _EMPTY)
        if not _is_single(number, cell, per_table):
            continue
        sign = cell.rows
        row = Cell(1, sign * cell.key, sign * cell.hash1, sign * cell.hash2, sign * cell.check)
        found.append(Found(sign > 0, row.key, row.hash1, row.hash2))
        for other in _cells_of(row.hash1, per_table):
            rest = _add(table.get(other, _EMPTY), row, -sign)
            if rest == _EMPTY:
                table.pop(other, None)
            else:
                table[other] = rest
                ready.append(other)
        if len(found) > len(cells):
            return None
    return None if table else found


_EMPTY = Cell(0, 0, 0, 0, 0)


def _add(a: Cell, b: Cell, sign: int) -> Cell:
    return Cell(
        a.rows + sign * b.rows,
        a.key + sign * b.key,
        a.hash1 + sign * b.hash1,
        a.hash2 + sign * b.hash2,
        a.check + sign * b.check,
    )


def _cells_of(hash1: int, per_table: int) -> Iterator[int]:
    return (t * per_table + ((hash1 >> SHIFTS[t]) & (per_table - 1)) for t in range(TABLES))


def _is_single(number: int, cell: Cell, per_table: int) -> bool:
    if cell.rows not in (1, -1):
        return False
    hash1, hash2, check = cell.rows * cell.hash1, cell.rows * cell.hash2, cell.rows * cell.check
    return check == (hash1 & MASK31) * (hash2 & MASK31) and number in _cells_of(hash1, per_table)
