"""The parts of the benchmark, which can be measured apart."""

from __future__ import annotations

from enum import StrEnum


class Part(StrEnum):
    """What belongs together, on one pair of stores."""

    PARITY = "parity"  # comparisons and pulls, beside the alternatives
    CHECK = "check"  # full checks and gates, as processes
    BACKUP = "backup"  # backups, beside bare dumps
    REPAIR = "repair"  # a plan that is carried out
    REPLICATION = "replication"  # the repository, its circuit breaker, the relay


EVERYTHING = tuple(Part)
