"""What can be set about a gateway."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Settings of a gateway, by default those of a hosted project.

    Attributes:
        cap: At most so many rows are returned by a read or a function (`db-max-rows`); None for any number.
        latency_s: Time in seconds that every answer is held back, as a far network would.
        schemas: The exposed ones; the first is used where a request names none.
        search_path: Further schemas in which unqualified names are looked up.
        audience: Whom tokens must be meant for, if they name anybody; None accepts all.
        connections: How many requests may be in the database at a time.
        max_body_bytes: A longer body is refused.
    """

    cap: int | None = 1000
    latency_s: float = 0.0
    schemas: tuple[str, ...] = ("public",)
    search_path: tuple[str, ...] = ("public", "extensions")
    audience: str | None = None
    connections: int = 10
    max_body_bytes: int = 64 * 1024 * 1024
