"""Renderers of what the gate decided: for people, for machines, for the pages of CI services."""

from reports.gate.annotations import Places, to_annotations
from reports.gate.code_quality import to_code_quality
from reports.gate.document import to_gate_json
from reports.gate.summary import to_gate_summary
from reports.gate.terminal import print_decision

__all__ = ["Places", "print_decision", "to_annotations", "to_code_quality", "to_gate_json", "to_gate_summary"]
