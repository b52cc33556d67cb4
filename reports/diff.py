"""One field of one row, side by side: what the texts share and where they part."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.verdicts import FieldDifference
from reports.masking import Discretion, Side, State, common_prefix, first_difference, sides
from reports.text import KEY_MAX, LINE_FEED, count, number, one_line, visible
from reports.words import CAUSES

CONTEXT = 48  # characters shown before and after the part that differs
MARKED_MAX = 320  # characters shown of the part that differs
_SHORT = 3  # a part this short is also spelt in code points


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One side of a field as it is drawn: the part that differs stands between what both sides share.

    Attributes:
        state: Value, null, missing or masked.
        before: Shared text before the part that differs, cut from the left.
        marked: The part that differs, cut from the right.
        after: Shared text after it, cut from the right.
        note: Length of the whole value, where it is shown.
    """

    state: State
    before: str
    marked: str
    after: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDiff:
    """A field with both its sides.

    Attributes:
        name: Name of the field.
        primary: The side of the primary store.
        secondary: The side of the secondary store.
        why: The cause in two or three words.
        where: Where the sides part, in words; empty where one of them holds no text.
        spelt: The parts that differ in code points, where characters may look alike; else empty.
    """

    name: str
    primary: Piece
    secondary: Piece
    why: str
    where: str
    spelt: str

    @property
    def weight(self) -> int:
        """Upper bound of the bytes that the field needs on a page."""
        texts = (self.name, self.why, self.where, self.spelt, *_texts(self.primary), *_texts(self.secondary))
        return 420 + sum(_weight(text) for text in texts)


def _texts(piece: Piece) -> tuple[str, ...]:
    return piece.before, piece.marked, piece.after, piece.note


def _weight(text: str) -> int:
    return len(text.encode()) + 5 * sum(text.count(char) for char in "<>&\"'")


def field_diff(difference: FieldDifference, report: Discretion, mask_key: bytes) -> FieldDiff:
    """Return a field difference ready to be drawn, masked where the report asks for it."""
    primary, secondary = sides(difference, report, mask_key)
    position = first_difference(difference)
    where = "" if position is None else f"differs from character {number(position)}"
    if primary.state is secondary.state is State.VALUE:
        start, end = _shared(primary.text, secondary.text)
        pieces = _piece(primary.text, start, end), _piece(secondary.text, start, end)
        spelt = _spelt(primary.text, secondary.text, start, end)
    else:
        pieces, spelt = (_whole(primary), _whole(secondary)), ""
    return FieldDiff(
        name=one_line(difference.field, KEY_MAX),
        primary=pieces[0],
        secondary=pieces[1],
        why=CAUSES[difference.cause],
        where=where,
        spelt=spelt,
    )


def _shared(one: str, other: str) -> tuple[int, int]:
    """Return how many characters both texts share at their start and, beyond that, at their end."""
    start = common_prefix(one, other)
    rest = min(len(one), len(other)) - start
    low, high = 0, rest
    while low < high:
        middle = (low + high + 1) // 2
        if one[len(one) - middle : len(one) - low] == other[len(other) - middle : len(other) - low]:
            low = middle
        else:
            high = middle - 1
    return start, low


def _piece(text: str, start: int, end: int) -> Piece:
    stop = len(text) - end
    before, marked, after = text[:start], text[start:stop], text[stop:]
    return Piece(
        state=State.VALUE,
        before=("…" if len(before) > CONTEXT else "") + _drawn(before[-CONTEXT:]),
        marked=_drawn(marked[:MARKED_MAX])
        + (f"… {number(len(marked))} characters differ" if len(marked) > MARKED_MAX else ""),
        after=_drawn(after[:CONTEXT]) + ("…" if len(after) > CONTEXT else ""),
        note=count(len(text), "character"),
    )


def _whole(side: Side) -> Piece:
    marked = _drawn(side.text[:MARKED_MAX]) + ("…" if len(side.text) > MARKED_MAX else "")
    note = count(len(side.text), "character") if side.state is State.VALUE else ""
    return Piece(state=side.state, before="", marked=marked, after="", note=note)


def _drawn(text: str) -> str:
    return visible(text).replace("\n", LINE_FEED + "\n")


def _spelt(one: str, other: str, start: int, end: int) -> str:
    """Spell two short differing parts in code points: some characters look alike."""
    parts = one[start : len(one) - end], other[start : len(other) - end]
    if max(map(len, parts)) > _SHORT or all(part.isascii() for part in parts):
        return ""
    return " against ".join(" ".join(f"U+{ord(char):04X}" for char in part) or "nothing" for part in parts)
