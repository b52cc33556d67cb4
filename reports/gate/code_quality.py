"""A Code Quality report for GitLab: the objections of the gate, shown in merge requests beside the code."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

from contracts.gate import Decision, Ruling, SourceLine
from contracts.vocabulary import Verdict
from reports.gate.annotations import Places
from reports.text import one_line

SEVERITIES: Final = {
    Verdict.FAILED: "blocker",
    Verdict.ERRORED: "critical",
    Verdict.INCOMPLETE: "critical",
    Verdict.WARNED: "minor",
}
_NOWHERE: Final = SourceLine(path="twinstore")  # GitLab leaves out what has no path


def to_code_quality(decision: Decision, place_of: Places) -> str:
    """Render the objections of a gate as GitLab reads them; an empty list when there are none."""
    return json.dumps([_issue(ruling, place_of(ruling)) for ruling in decision.objections], indent=1) + "\n"


def _issue(ruling: Ruling, place: SourceLine | None) -> dict[str, Any]:
    where = place or _NOWHERE
    return {
        "description": one_line(ruling.text),
        "check_name": ruling.check.id if ruling.check else f"gate: {ruling.ground}",
        "fingerprint": _fingerprint(ruling),
        "severity": SEVERITIES[ruling.verdict],
        "location": {"path": where.path, "lines": {"begin": where.line or 1}},
    }


def _fingerprint(ruling: Ruling) -> str:
    """Return what tells an objection from others, whatever its numbers: GitLab compares it with that of other runs."""
    check = (ruling.check.id, ruling.check.store) if ruling.check else ()
    about = "\0".join([ruling.ground, ruling.dataset, *check, *map(str, ruling.place)])
    counted = "" if check or ruling.place else f"\0{ruling.text}"
    return hashlib.sha256(f"{about}{counted}".encode("utf-8", "surrogatepass")).hexdigest()
