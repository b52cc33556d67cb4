"""The whole result of a benchmark: lines and machine, as a table for people and as JSON for machines."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contracts.vocabulary import StoreName
from flows.bench.lines import TIMES, Line, Met

if TYPE_CHECKING:
    from rich.console import Console

    from flows.bench.pair import Bench

_WHOLE = frozenset({"MB", "requests", "rows/s", "failures"})  # units of which fractions tell nothing
STYLES = {Met.YES: "green", Met.NO: "red", Met.UNKNOWN: "yellow"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where it was measured.

    Attributes:
        cores: Processor cores that this process may use.
        load: Processes that wanted a core on average in the minute before; None where the system does not tell.
        versions: Versions of PostgreSQL, primary first.
        rows: Records in each store.
        megabytes: Size of the table, primary first.
    """

    cores: int
    load: float | None
    versions: tuple[str, str]
    rows: int
    megabytes: tuple[float, float]

    @property
    def sentence(self) -> str:
        """All of it in one sentence."""
        sizes = " and ".join(f"{size:,.0f} MB" for size in self.megabytes)
        load = "" if self.load is None else f", load {self.load:.1f} before"
        return f"{self.cores} cores{load}; PostgreSQL {' and '.join(self.versions)}; {self.rows:,} rows, {sizes}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a benchmark found."""

    machine: Machine
    lines: tuple[Line, ...]


def machine_of(bench: Bench, load: float | None) -> Machine:
    """Describe the machine and the two tables."""
    primary, secondary = bench.tables
    return Machine(
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        load=load,
        versions=(primary.version, secondary.version),
        rows=bench.rows,
        megabytes=(primary.megabytes, secondary.megabytes),
    )


def load_now() -> float | None:
    """Return the load average of the last minute; None where the system has none."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def print_result(result: Result, console: Console) -> None:
    """Print the table and the machine."""
    from rich.table import Table
    from rich.text import Text

    table = Table("Work", "Measured", "Compared with", "", "Ratio", "Target", "Met?", box=None, padding=(0, 2, 0, 0))
    for line in result.lines:
        table.add_row(
            *(Text(cell) for cell in cells(line)[:-1]), Text(str(line.met), style=STYLES.get(line.met, "dim"))
        )
    console.print(table)
    for line in result.lines:
        if line.wrong:
            console.print(f"{line.work}: {line.wrong}", soft_wrap=True)
    console.print(result.machine.sentence, soft_wrap=True)


def cells(line: Line) -> tuple[str, ...]:
    """Return what the table shows of one line."""
    reference = line.reference
    return (
        line.work,
        _amount(line.measured, line.unit),
        reference.name if reference else "",
        ("> " if reference.more else "") + _amount(reference.value, line.unit) if reference else "",
        "" if line.ratio is None else f"{line.ratio:.2f} {TIMES}",
        line.target.words(line.unit),
        str(line.met),
    )


def to_json(result: Result) -> str:
    """Return everything as JSON."""
    machine = result.machine
    document = {
        "machine": {
            "cores": machine.cores,
            "load": machine.load,
            "postgresql": {str(s): v for s, v in zip(StoreName, machine.versions, strict=True)},
            "rows": machine.rows,
            "megabytes": {str(s): round(m, 1) for s, m in zip(StoreName, machine.megabytes, strict=True)},
        },
        "lines": [_facts(line) for line in result.lines],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _facts(line: Line) -> dict[str, object]:
    return {
        "work": line.work,
        "unit": line.unit,
        "measured": line.measured,
        "compared_with": line.reference.name if line.reference else None,
        "reference": line.reference.value if line.reference else None,
        "reference_given_up": bool(line.reference and line.reference.more),
        "ratio": line.ratio,
        "target": {"bound": str(line.target.bound), "limit": line.target.limit},
        "met": str(line.met),
        "wrong": line.wrong or None,
    }


def _amount(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    return f"{value:.0f} {unit}" if unit in _WHOLE else f"{value:.2f} {unit}"
