"""Who may see a value, and what is shown instead: type, length, a keyed hash and where the two sides part."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from contracts.verdicts import MISSING, FieldDifference
from contracts.vocabulary import Classification
from reports.text import count

DIGEST_LENGTH = 12  # hexadecimal digits of the keyed hash that are shown

_SHAPES = (
    ("JSON object", re.compile(r"\s*\{")),
    ("JSON array", re.compile(r"\s*\[")),
    ("JSON string", re.compile(r'\s*"')),
    ("boolean", re.compile(r"(true|false)\Z")),
    ("number", re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?\Z")),
    ("id", re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")),
    ("instant", re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")),
)


class State(StrEnum):
    """What a side of a difference holds, as far as a reader may know."""

    VALUE = "value"
    NULL = "null"
    MISSING = "missing"
    MASKED = "masked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side of a field difference, as a reader may see it.

    Attributes:
        state: Whether there is a value, and whether it is shown.
        text: The value where it is shown; what stands for it where it is not.
    """

    state: State
    text: str

    @property
    def value(self) -> str | None:
        """The text for machines: None where the store holds nothing."""
        return self.text if self.state in {State.VALUE, State.MASKED} else None


class Discretion(Protocol):
    """What says who may see values: a report, or whatever else is shown to somebody."""

    @property
    def masked(self) -> bool:
        """True when personal values are masked."""
        ...

    @property
    def share(self) -> bool:
        """True when internal values are masked too."""
        ...


def is_masked(classification: Classification, report: Discretion) -> bool:
    """Say whether values of this classification are masked in this report."""
    if classification is Classification.PUBLIC:
        return False
    if report.share:
        return True
    return classification is Classification.PERSONAL and report.masked


def sides(difference: FieldDifference, report: Discretion, mask_key: bytes) -> tuple[Side, Side]:
    """Return both sides of a difference, primary first, masked where the report asks for it."""
    masked = is_masked(difference.classification, report)
    return _side(difference.primary, mask_key if masked else None), _side(
        difference.secondary, mask_key if masked else None
    )


def _side(value: str | None, mask_key: bytes | None) -> Side:
    if value is None:
        return Side(state=State.NULL, text="NULL")
    if value == MISSING:
        return Side(state=State.MISSING, text="not there")
    if mask_key is None:
        return Side(state=State.VALUE, text=value)
    return Side(state=State.MASKED, text=masked_text(value, mask_key))


def masked_text(value: str, mask_key: bytes) -> str:
    """Return what stands for a value: its shape, its length in characters and the start of its keyed hash.

    Equal values have equal hashes under one key, on both stores and in every file of a run.
    """
    digest = hmac.digest(mask_key, value.encode("utf-8", "surrogatepass"), "sha256").hex()
    return f"{shape(value)}, {count(len(value), 'character')}, hash {digest[:DIGEST_LENGTH]}"


def shape(value: str) -> str:
    """Return what a value looks like: a JSON object, a number, an id, an instant, else text."""
    if not value:
        return "empty text"
    return next((name for name, pattern in _SHAPES if pattern.match(value)), "text")


def first_difference(difference: FieldDifference) -> int | None:
    """Return the position, counted from 1, of the first character that differs; None unless both sides hold text."""
    primary, secondary = difference.primary, difference.secondary
    if primary is None or secondary is None or MISSING in {primary, secondary}:
        return None
    return common_prefix(primary, secondary) + 1


def common_prefix(one: str, other: str) -> int:
    """Return how many characters two texts share at their start."""
    low, high = 0, min(len(one), len(other))
    while low < high:  # comparing slices is far faster than characters, for texts of megabytes
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
