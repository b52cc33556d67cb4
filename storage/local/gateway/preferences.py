"""The header `Prefer`: how the client wants its request handled."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from storage.local.gateway.refusals import Refusal

_VALUES = {
    "resolution": ("merge-duplicates", "ignore-duplicates"),
    "missing": ("default", "null"),
    "return": ("representation", "minimal", "headers-only"),
    "count": ("exact", "planned", "estimated"),
    "handling": ("strict", "lenient"),
}
_KNOWN = {f"{name}={value}" for name, values in _VALUES.items() for value in values}
_KNOWN_BUT_OFF = {"tx=commit", "tx=rollback"}
_FREE = ("timezone", "max-affected")
_ORDER = ("resolution", "missing", "return", "count", "handling", *_FREE)

Kind = Literal["read", "insert", "update", "delete", "call"]
_APPLIES: dict[Kind, frozenset[str]] = {
    "read": frozenset({"count", "handling", "timezone"}),
    "insert": frozenset({"resolution", "missing", "return", "count", "handling", "timezone"}),
    "update": frozenset({"missing", "return", "count", "handling", "timezone", "max-affected"}),
    "delete": frozenset({"return", "count", "handling", "timezone", "max-affected"}),
    "call": frozenset({"count", "handling", "timezone", "max-affected"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """What the client prefers; what it did not mention is None.

    Attributes:
        resolution: What an insert does with duplicates.
        missing: What stands for a column that a row of the body lacks.
        returns: What of the changed rows is returned.
        count: How the total is counted.
        handling: Whether an unknown preference is an error.
        timezone: The time zone of the session.
        max_affected: At most so many rows may change; counts with strict handling only.
    """

    resolution: str | None = None
    missing: str | None = None
    returns: str | None = None
    count: str | None = None
    handling: str | None = None
    timezone: str | None = None
    max_affected: int | None = None

    def applied(self, kind: Kind, *, without: Collection[str] = ()) -> tuple[tuple[str, str], ...]:
        """Return the header `Preference-Applied` for a kind of request; nothing where none was applied.

        Args:
            kind: What was done.
            without: Names of preferences that had no effect all the same.
        """
        values: dict[str, object] = {
            "resolution": self.resolution,
            "missing": self.missing,
            "return": self.returns,
            "count": self.count,
            "handling": self.handling,
            "timezone": self.timezone,
            "max-affected": self.limit_of_changes,
        }
        named = [
            f"{name}={values[name]}"
            for name in _ORDER
            if name in _APPLIES[kind] and name not in without and values[name] is not None
        ]
        return (("Preference-Applied", ", ".join(named)),) if named else ()

    @property
    def limit_of_changes(self) -> int | None:
        """How many rows may change; None for any number."""
        return self.max_affected if self.handling == "strict" else None


def read_preferences(header: str) -> Preferences:
    """Read the header; the first mention of a preference counts.

    Raises:
        Refusal: Handling is strict, and a preference is unknown.
    """
    found: dict[str, str] = {}
    unknown = []
    for item in filter(None, (item.strip() for item in header.split(","))):
        name, _, value = item.partition("=")
        if item in _KNOWN or name in _FREE:
            found.setdefault(name, value)
        elif item not in _KNOWN_BUT_OFF:
            unknown.append(item)
    if unknown and found.get("handling") == "strict":
        raise Refusal(
            status=400,
            code="PGRST122",
            message="Invalid preferences given with handling=strict",
            details=f"Invalid preferences: {', '.join(unknown)}",
        )
    most = found.get("max-affected", "")
    return Preferences(
        resolution=found.get("resolution"),
        missing=found.get("missing"),
        returns=found.get("return"),
        count=found.get("count"),
        handling=found.get("handling"),
        timezone=found.get("timezone"),
        max_affected=int(most) if most.isdecimal() else None,
    )
