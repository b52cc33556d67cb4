"""The gate in a terminal: the verdict, what stops the deploy, what the policy let through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from contracts.gate import Decision, Ruling
from reports.terminal import mark, shown
from reports.text import more

if TYPE_CHECKING:
    from rich.console import Console

LINES_MAX: Final = 20


def print_decision(decision: Decision, console: Console) -> None:
    """Print a decision. Text from the stores cannot act on the terminal."""
    console.print(shown("Gate:", "bold"), mark(decision.verdict), shown(decision.reason))
    if len(decision.objections) > 1:
        _print(decision.objections, "objection", console)
    if decision.accepted:
        console.print(shown("Let through by the policy:", "dim"))
        _print(decision.accepted, "finding", console)


def _print(rulings: Sequence[Ruling], noun: str, console: Console) -> None:
    for ruling in rulings[:LINES_MAX]:
        console.print(mark(ruling.verdict), shown(ruling.dataset or "run", "dim"), shown(ruling.text))
    if len(rulings) > LINES_MAX:
        console.print(shown(f"and {more(len(rulings) - LINES_MAX, noun)} in gate.json", "dim"))
