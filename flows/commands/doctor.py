"""`twinstore doctor`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from flows.commands.check import progress_line
from flows.commands.common import EXIT_UNKNOWN, out
from flows.doctor import State, Symptom, examine
from flows.settings import load_settings

SYMBOLS = {State.GOOD: "✓", State.NOTE: "·", State.BAD: "✗"}
STYLES = {State.GOOD: "green", State.NOTE: "", State.BAD: "red"}


def doctor_command(*, as_json: bool) -> None:
    """Print what was found; exit code 2 when something keeps a check, or an adopted replication, from being made."""
    settings = load_settings()
    with progress_line() as progress:
        progress("look at settings and stores")
        symptoms = examine(settings)
    if as_json:
        sys.stdout.write(json.dumps([asdict(s) for s in symptoms], indent=2, ensure_ascii=False) + "\n")
    else:
        _show(symptoms)
    sys.exit(EXIT_UNKNOWN if any(s.state is State.BAD for s in symptoms) else 0)


def _show(symptoms: list[Symptom]) -> None:
    console = out()
    for symptom in symptoms:
        console.print(
            f"{SYMBOLS[symptom.state]} {symptom.about:9} {symptom.text}", style=STYLES[symptom.state], soft_wrap=True
        )
        if symptom.todo:
            console.print(f"            {symptom.todo}", soft_wrap=True)
