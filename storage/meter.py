"""What a run costs a store, counted as it goes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Meter:
    """Statements sent, and rows and bytes received; bytes only of what is streamed."""

    statements: int = 0
    rows: int = 0
    bytes: int = 0
