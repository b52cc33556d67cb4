"""differences.csv: every listed difference, one line per key and field, inert when a spreadsheet opens it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Final

from contracts.verdicts import Difference, RunReport
from contracts.vocabulary import StoreName
from reports.masking import first_difference, sides
from reports.text import visible

HEADER: Final = (
    "dataset",
    "key",
    "kind",
    "cause",
    "field",
    StoreName.PRISMA,
    f"{StoreName.PRISMA}_state",
    StoreName.SUPABASE,
    f"{StoreName.SUPABASE}_state",
    "first_difference",
    "first_seen",
    "runs_seen",
    "returned",
    "place",
    "waiting_s",
)
_FORMULA: Final = frozenset("=+-@\t\r\n\0\uff1d\uff0b\uff0d\uff20")  # the last four are full-width


def to_csv(report: RunReport, *, mask_key: bytes) -> Iterator[str]:
    """Yield the lines of the file, the header first; RFC 4180, lines end in CRLF.

    A cell that a spreadsheet would take for a formula begins with an apostrophe.
    """
    yield _line(HEADER)
    for dataset in report.datasets:
        for difference in dataset.differences:
            for cells in _cells(difference, report, mask_key):
                yield _line((dataset.name, difference.key, difference.kind, *cells))


def _cells(difference: Difference, report: RunReport, mask_key: bytes) -> Iterator[tuple[str, ...]]:
    """Yield what follows the key and kind of each line: one per field, or one for a row without fields."""
    seen = difference.first_seen.isoformat() if difference.first_seen else ""
    waited = "" if difference.waiting_s is None else f"{difference.waiting_s:.0f}"
    returned = "yes" if difference.returned else "no"
    age = (seen, str(difference.runs_seen), returned, difference.place or "", waited)
    if not difference.fields:
        yield (difference.cause, "", "", "", "", "", "", *age)
    for field in difference.fields:
        primary, secondary = sides(field, report, mask_key)
        position = first_difference(field)
        yield (
            field.cause,
            field.field,
            primary.value or "",
            primary.state,
            secondary.value or "",
            secondary.state,
            "" if position is None else str(position),
            *age,
        )


def _line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow([inert(cell) for cell in cells])
    return line.getvalue()


def inert(cell: str) -> str:
    """Return the cell so that no spreadsheet computes it and no terminal obeys it."""
    text = visible(cell)
    return f"'{text}" if cell and cell[0] in _FORMULA else text
