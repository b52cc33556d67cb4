"""gate.json: a decision for other tools, and for whoever asks later why a deploy was let through."""

from __future__ import annotations

import json
from typing import Any, Final

from contracts.gate import Decision, Ruling, SourceLine
from reports.gate.annotations import Places

SCHEMA_VERSION: Final = "1.0"


def to_gate_json(decision: Decision, place_of: Places, *, policy: str | None) -> str:
    """Render a decision as JSON, in ASCII.

    Args:
        decision: What the gate says.
        place_of: Finds the line that a ruling goes back to.
        policy: The policy file as the user named it; None for none.
    """
    report = decision.report
    document = {
        "schema_version": SCHEMA_VERSION,
        "run_id": report.run_id,
        "environment": report.environment,
        "twinstore_version": report.version,
        "policy": policy,
        "verdict": decision.verdict,
        "exit_code": decision.verdict.exit_code,
        "reason": decision.reason,
        "run_verdict": report.verdict,
        "rulings": [_ruling(ruling, place_of(ruling)) for ruling in decision.rulings],
    }
    return json.dumps(document, indent=1, ensure_ascii=True) + "\n"


def _ruling(ruling: Ruling, place: SourceLine | None) -> dict[str, Any]:
    return {
        "ground": ruling.ground,
        "verdict": ruling.verdict,
        "text": ruling.text,
        "dataset": ruling.dataset or None,
        "check": ruling.check.id if ruling.check else None,
        "store": ruling.check.store if ruling.check else None,
        "file": place.path if place else None,
        "line": place.line if place else None,
    }
