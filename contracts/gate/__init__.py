"""The gate: a run and a policy give one decision. No I/O and no clock; what could not be told cannot be excused."""

from contracts.gate.decision import decide
from contracts.gate.rulings import Decision, Ground, Ruling, SourceLine

__all__ = ["Decision", "Ground", "Ruling", "SourceLine", "decide"]
