"""What a run costs a store, counted as it goes, and how much of it is allowed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Meter:
    """Statements or requests sent, and rows and bytes received; by SQL, bytes only of what is streamed.

    Attributes:
        statements: Statements sent by SQL.
        requests: Requests sent over REST, those that were tried again included.
        rows: Rows received.
        bytes: Bytes received.
        max_requests: Number of requests after which a reader gives up; None for no such limit.
        max_bytes: Number of received bytes after which a reader over REST gives up; None for no such limit.
    """

    statements: int = 0
    rows: int = 0
    bytes: int = 0
    requests: int = 0
    max_requests: int | None = None
    max_bytes: int | None = None
