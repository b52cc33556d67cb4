"""Why JSON bodies differ: encoded twice, stripped, keys in another case, or single values that were changed.

A rule about a container looks through it: what still differs below is judged again, so that a body that was encoded
twice and lost the end of its title names both. Such differences exist on no side as they stand; they are added to those
that the fields show, marked `inner`. A path through a key with two spellings shows both:
`content.durationSec|duration_sec`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from contracts.dataset import Column
from contracts.vocabulary import Cause, StoreName
from storage.canonical_json import Number, Value, kind, parse
from storage.parity.causes.columns import compare_titles
from storage.parity.causes.finding import Finding
from storage.parity.causes.pair import RowPair, decoded
from storage.parity.causes.scalars import json_scalar_as_text, number_rounded
from storage.parity.causes.texts import compare_texts
from storage.parity.fields import ABSENT, Absent, Gap, Path, gaps, pattern, same

_HUMP = re.compile(r"([a-z0-9])([A-Z])|([A-Z]+)(?=[A-Z][a-z])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One difference inside a JSON column, and why it is there.

    Attributes:
        gap: The difference.
        finding: Why; None when no rule tells.
        about: What the finding is about, for clusters: the path with `*` for positions, or the container.
        inner: True for a difference that only shows once another cause is taken away.
    """

    gap: Gap
    finding: Finding | None
    about: str
    inner: bool


def explain_body(pair: RowPair, column: Column) -> list[Judged]:
    """Judge every difference of a JSON column that holds a value on both sides."""
    primary, secondary = (parse(value or "null") for value in pair.values(column.name))
    return list(_judge(pair, gaps((column.name,), primary, secondary), inner=False))


def _judge(pair: RowPair, found: Sequence[Gap], *, inner: bool) -> Iterator[Judged]:
    renamed = _renamed(found)
    stripped = _stripped(pair, found, renamed)
    for gap in found:
        if gap.path in renamed:
            yield from _judge_renamed(pair, gap, renamed[gap.path], inner=inner)
        elif stripped is not None and gap.path in stripped.paths:
            yield Judged(gap=gap, finding=stripped.finding, about=pattern(gap.path[:-1]), inner=inner)
        else:
            yield from _judge_value(pair, gap, inner=inner)


def _judge_value(pair: RowPair, gap: Gap, *, inner: bool) -> Iterator[Judged]:
    """Judge two values at one path, and what still differs below when one was encoded again."""
    primary, secondary = gap.primary, gap.secondary
    about = pattern(gap.path)
    if isinstance(primary, Absent) or isinstance(secondary, Absent):
        yield Judged(gap=gap, finding=None, about=about, inner=inner)
        return
    encoded = double_encoded_json(primary, secondary)
    below: list[Judged] = []
    if encoded and (isinstance(primary, dict | list) or isinstance(secondary, dict | list)):
        one, other = decoded(primary)[0], decoded(secondary)[0]
        below = list(_judge(pair, gaps(gap.path, one, other), inner=True))
        if below and not _akin(one, other) and not any(judged.finding for judged in below):
            encoded, below = None, []  # a JSON text, but of something else
    finding = encoded or _compare(pair, gap.path, primary, secondary)
    yield Judged(gap=gap, finding=finding, about=about, inner=inner)
    yield from below


def _akin(one: Value, other: Value) -> bool:
    """Tell whether two containers have at least one entry in common."""
    if isinstance(one, dict) and isinstance(other, dict):
        return any(same(value, other.get(key, ABSENT)) for key, value in one.items())
    return isinstance(one, list) and isinstance(other, list) and any(map(same, one, other))


def _compare(pair: RowPair, path: Path, primary: Value, secondary: Value) -> Finding | None:
    """Compare two values that stand for themselves."""
    if isinstance(primary, str) and isinstance(secondary, str):
        title = compare_titles(pair, primary, secondary) if _is_title(pair, path) else None
        return title or compare_texts(primary, secondary)
    if isinstance(primary, Number) and isinstance(secondary, Number):
        return number_rounded(primary, secondary)
    return json_scalar_as_text(primary, secondary)


def _is_title(pair: RowPair, path: Path) -> bool:
    title = pair.facts.in_body.get(pair.facts.title or "")
    return title is not None and path == (pair.facts.body, *title)


def double_encoded_json(primary: Value, secondary: Value) -> Finding | None:
    """Recognise a JSON string on one side whose text, parsed, is the other side's value, or differs from it inside."""
    for store, value, other in ((StoreName.PRISMA, primary, secondary), (StoreName.SUPABASE, secondary, primary)):
        if isinstance(value, str):
            times = _encodings(value, other)
            if times:
                words = "a JSON string" if times == 1 else f"a JSON string, encoded {times} times over,"
                return Finding(Cause.DOUBLE_ENCODED_JSON, store, f"{words} on {store}")
    return None


def _encodings(text: str, other: Value) -> int:
    """Return how often `text` must be parsed to become a value like `other`; 0 when it never does."""
    value, times = decoded(text)
    if isinstance(other, dict | list):
        return times if kind(value) == kind(other) else 0
    if isinstance(other, str):
        return int(times > 0 and same(parse(text), other))
    return int(other is None and value is None)


@dataclass(frozen=True, slots=True)
class _Stripped:
    """The gaps of a body that lacks keys of its envelope."""

    paths: frozenset[Path]
    finding: Finding


def _stripped(pair: RowPair, found: Sequence[Gap], renamed: Mapping[Path, Gap]) -> _Stripped | None:
    """Recognise a body that lacks keys of its envelope, and no other keys: the other side lacks none of them."""
    lacking: dict[StoreName, list[Gap]] = {store: [] for store in StoreName}
    for gap in found:
        if len(gap.path) == 2 and gap.path[0] == pair.facts.body:  # noqa: PLR2004 - a key of the body itself
            for store, value in ((StoreName.PRISMA, gap.primary), (StoreName.SUPABASE, gap.secondary)):
                if value is ABSENT and gap.path not in renamed:
                    lacking[store].append(gap)
    for store, lost in lacking.items():
        if lost and not lacking[store.other] and all(gap.path[1] in pair.facts.envelope for gap in lost):
            keys = ", ".join(f"`{gap.path[1]}`" for gap in lost)
            finding = Finding(Cause.JSON_STRIPPED, store, f"without {keys} on {store}")
            return _Stripped(frozenset(gap.path for gap in lost), finding)
    return None


def _judge_renamed(pair: RowPair, gap: Gap, twin: Gap, *, inner: bool) -> Iterator[Judged]:
    """Judge a key that stands on the other side in another case, and once per pair the two values."""
    key, other_key = str(gap.path[-1]), str(twin.path[-1])
    on_primary = gap.secondary is ABSENT
    snake = StoreName.PRISMA if on_primary == (snake_case(key) == key) else StoreName.SUPABASE
    finding = Finding(Cause.JSON_KEY_CASE, None, f"written with snake_case keys on {snake}")
    yield Judged(gap=gap, finding=finding, about=pattern(gap.path[:-1]), inner=inner)
    if on_primary:
        path = (*gap.path[:-1], f"{key}|{other_key}")
        yield from _judge(pair, gaps(path, gap.primary, twin.secondary), inner=True)


def _renamed(found: Sequence[Gap]) -> Mapping[Path, Gap]:
    """Pair the keys that only one side has with the same key in camelCase or snake_case on the other."""
    waiting: dict[Path, list[Gap]] = {}
    for gap in found:
        if isinstance(gap.path[-1], str) and (gap.primary is ABSENT or gap.secondary is ABSENT):
            waiting.setdefault((*gap.path[:-1], snake_case(gap.path[-1])), []).append(gap)
    pairs: dict[Path, Gap] = {}
    for group in waiting.values():
        if len(group) == 2 and _one_on_each_side(*group) and _camel_and_snake(*group):  # noqa: PLR2004 - a pair
            one, other = group
            pairs[one.path], pairs[other.path] = other, one
    return pairs


def _one_on_each_side(one: Gap, other: Gap) -> bool:
    return (one.primary is ABSENT) != (other.primary is ABSENT)


def _camel_and_snake(one: Gap, other: Gap) -> bool:
    """Tell whether one key is in snake_case and the other in camelCase."""
    keys = str(one.path[-1]), str(other.path[-1])
    return sum(snake_case(key) == key for key in keys) == 1 and all("_" not in k for k in keys if snake_case(k) != k)


def snake_case(key: str) -> str:
    """Return a camelCase key in snake_case; `userID` is `user_id`. A capital at the start stays one."""
    split = _HUMP.sub(lambda match: f"{match[1] or match[3]}_{match[2] or ''}", key)
    return split[:1] + split[1:].lower()
