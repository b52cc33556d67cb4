"""Annotations for GitHub Actions: each objection of the gate beside the line of code that it goes back to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from contracts.gate import Decision, Ruling, SourceLine
from contracts.vocabulary import Verdict
from reports.text import more, one_line

SHOWN_MAX: Final = 10  # of each level; GitHub drops what a step prints beyond that

Places = Callable[[Ruling], SourceLine | None]
"""Finds the line that a ruling goes back to."""


def to_annotations(decision: Decision, place_of: Places) -> str:
    """Render the objections of a gate as workflow commands, one a line; empty when there are none.

    What stops a deploy is an error, what does not is a warning. Text cannot end its line or begin another command.
    """
    stopping = [ruling for ruling in decision.objections if ruling.verdict.exit_code]
    warning = [ruling for ruling in decision.objections if not ruling.verdict.exit_code]
    lines = [*_lines("error", stopping, place_of), *_lines("warning", warning, place_of)]
    return "".join(f"{line}\n" for line in lines)


def _lines(level: str, rulings: Sequence[Ruling], place_of: Places) -> list[str]:
    if len(rulings) <= SHOWN_MAX:
        return [_line(level, ruling.verdict, ruling.text, place_of(ruling)) for ruling in rulings]
    rest = rulings[SHOWN_MAX - 1 :]
    shown = _lines(level, rulings[: SHOWN_MAX - 1], place_of)
    return [*shown, _line(level, rest[0].verdict, f"{more(len(rest), 'objection')}, see the job summary", None)]


def _line(level: str, verdict: Verdict, text: str, place: SourceLine | None) -> str:
    properties = {"title": f"twinstore gate: {verdict}"}
    if place is not None:
        properties = {"file": place.path, **({"line": str(place.line)} if place.line else {}), **properties}
    said = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{level} {said}::{_data(text)}"


def _data(text: str) -> str:
    return one_line(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
