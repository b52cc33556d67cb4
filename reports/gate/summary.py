"""The gate in Markdown: what stops the deploy, what the policy let through, and the run below it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from contracts.gate import Decision, Ruling
from reports.summary import plain, sentence, to_summary
from reports.text import more
from reports.words import SYMBOLS

LINES_MAX: Final = 15


def to_gate_summary(decision: Decision, *, policy: str | None) -> str:
    """Render a decision as Markdown for the summary of a CI job.

    Args:
        decision: What the gate says.
        policy: The policy file as the user named it; None for none.
    """
    verdict = decision.verdict
    by = f"policy {plain(policy)}" if policy else "no policy file: nothing is let through"
    parts = [
        f"## {SYMBOLS[verdict]} twinstore gate: {verdict}",
        sentence(decision.reason),
        f"exit code {verdict.exit_code} · {by}",
    ]
    if decision.objections:
        parts += ["### Objections", _list(decision.objections, "objection")]
    if decision.accepted:
        parts += ["### Let through by the policy", _list(decision.accepted, "finding")]
    return "\n\n".join([*parts, "---", to_summary(decision.report)])


def _list(rulings: Sequence[Ruling], noun: str) -> str:
    lines = [
        f"- {SYMBOLS[r.verdict]} **{r.verdict}** {f'{plain(r.dataset)}: ' if r.dataset else ''}{sentence(r.text)}"
        for r in rulings[:LINES_MAX]
    ]
    rest = len(rulings) - LINES_MAX
    return "\n".join([*lines, *([f"- … and {more(rest, noun)}, see gate.json"] if rest > 0 else [])])
