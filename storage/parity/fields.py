"""Which fields of two rows differ: columns, and inside JSON columns the paths.

A path names the column, then keys and list positions: `content.title`, `content.keywords.2`. A key that holds a dot, a
quote or white space, or that looks like a position, stands in quotes. Values below a JSON column are JSON texts, so
that `1` and `"1"` are told apart.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import Enum

from contracts.dataset import Column, ColumnType, Dataset
from contracts.verdicts import MISSING, FieldDifference
from contracts.vocabulary import Classification, StoreName
from storage.canonical import canonical_row
from storage.canonical_json import Value, parse, quoted, to_text
from storage.parity.agreement import agrees
from storage.ports import Row

MAX_PATHS = 500  # a JSON column with more differing paths is reported as one difference
MAX_DEPTH = 64  # what lies deeper is reported as one difference at this depth
MAX_KEY = 80  # characters of a key that a path shows

_PLAIN_KEY = re.compile(r'(?![0-9]+\Z)[^\s."\x00-\x1f]+')
_STRICTNESS = (Classification.PUBLIC, Classification.INTERNAL, Classification.PERSONAL)


class Absent(Enum):
    """The value of a path that does not exist, as opposed to one that holds null."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """A path below a JSON column where the two values differ.

    Attributes:
        path: Column, then keys and list positions.
        primary: Value of the primary, or ABSENT.
        secondary: Value of the secondary, or ABSENT.
    """

    path: Path
    primary: Value | Absent
    secondary: Value | Absent


def diff_fields(dataset: Dataset, primary: Row, secondary: Row) -> tuple[FieldDifference, ...]:
    """Return the fields in which two rows disagree, by column in the dataset's order, then by path.

    Args:
        dataset: The dataset of both rows.
        primary: Row of the primary, as read or in canonical form.
        secondary: Row of the secondary, likewise.

    Raises:
        ProtocolError: A value of a row is none of its column's type.
    """
    ours = canonical_row(dataset, primary, store=StoreName.PRISMA)
    theirs = canonical_row(dataset, secondary, store=StoreName.SUPABASE)
    found: list[FieldDifference] = []
    for column in dataset.compared:
        one, other = ours[column.name], theirs[column.name]
        if agrees(column, one, other):
            continue
        if column.type is ColumnType.JSON and not column.array and one is not None and other is not None:
            found += (difference(column, gap) for gap in gaps((column.name,), parse(one), parse(other)))
        else:
            found.append(whole(column, one, other))
    return tuple(found)


def whole(column: Column, primary: str | None, secondary: str | None) -> FieldDifference:
    """Return the difference of a whole column."""
    return FieldDifference(
        field=column.name,
        primary=primary,
        secondary=secondary,
        classification=_classification(column, (column.name,)),
    )


def difference(column: Column, gap: Gap) -> FieldDifference:
    """Return a gap as a field difference, its values as JSON texts."""
    return FieldDifference(
        field=label(gap.path),
        primary=_text(gap.primary),
        secondary=_text(gap.secondary),
        classification=_classification(column, gap.path),
    )


def gaps(path: Path, primary: Value | Absent, secondary: Value | Absent) -> list[Gap]:
    """Return where two JSON values differ, in the order of keys and positions; the whole if that is too many."""
    found: list[Gap] = []
    stack = [Gap(path, primary, secondary)]
    while stack:
        gap = stack.pop()
        below = _below(gap)
        if below is not None:
            stack += below
        elif not same(gap.primary, gap.secondary):
            found.append(gap)
            if len(found) > MAX_PATHS:
                return [Gap(path, primary, secondary)]
    return found


def _below(gap: Gap) -> list[Gap] | None:
    """Return what two containers of one kind hold, last first; None where there is nothing to descend into."""
    path, one, other = gap.path, gap.primary, gap.secondary
    if len(path) > MAX_DEPTH:
        return None
    if isinstance(one, dict) and isinstance(other, dict):
        keys = sorted(one.keys() | other.keys(), reverse=True)
        return [Gap((*path, key), one.get(key, ABSENT), other.get(key, ABSENT)) for key in keys]
    if isinstance(one, list) and isinstance(other, list):
        return [
            Gap((*path, at), one[at] if at < len(one) else ABSENT, other[at] if at < len(other) else ABSENT)
            for at in reversed(range(max(len(one), len(other))))
        ]
    return None


def same(one: Value | Absent, other: Value | Absent) -> bool:
    """Tell whether two JSON values are equal; however deep they are."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict | list) and isinstance(other, dict | list):
        return to_text(one) == to_text(other)
    return one == other


def label(path: Path) -> str:
    """Return the name of a path, such as `content.keywords.2`."""
    column, *below = path
    return ".".join((str(column), *map(_segment, below)))


def pattern(path: Path) -> str:
    """Return the name of a path with `*` for every list position, so that equal causes share it."""
    return label(tuple("*" if isinstance(segment, int) else segment for segment in path))


def _segment(segment: str | int) -> str:
    if isinstance(segment, int):
        return str(segment)
    if len(segment) > MAX_KEY:
        mark = hashlib.sha256(segment.encode()).hexdigest()[:8]
        return quoted(f"{segment[:MAX_KEY]}… {mark}")
    return segment if _PLAIN_KEY.fullmatch(segment) else quoted(segment)


def _text(value: Value | Absent) -> str:
    return MISSING if isinstance(value, Absent) else to_text(value)


def _classification(column: Column, path: Path) -> Classification:
    """Classify a path by its top-level key; a whole JSON column is as secret as the most secret part of it."""
    if len(path) > 1:
        return column.paths.get(str(path[1]), column.classification)
    return max((column.classification, *column.paths.values()), key=_STRICTNESS.index)
