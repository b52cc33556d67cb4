"""Putting right what is wrong inside a JSON column, path by path, on the one side that is at fault."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from contracts.dataset import Column, Dataset
from contracts.vocabulary import Cause, StoreName
from storage.canonical import canonical_row
from storage.canonical_json import Value
from storage.parity.causes.bodies import Judged, explain_body, snake_case
from storage.parity.causes.pair import RowPair, decoded
from storage.parity.fields import ABSENT, Absent, Path
from storage.ports import Row
from storage.repair.forms import json_text, read_json

HasFix = Callable[[Cause], bool]


@dataclass(frozen=True, slots=True)
class Mended:
    """What becomes of a JSON column.

    Attributes:
        texts: Per store that changes, its new text.
        causes: The causes that were put right.
    """

    texts: Mapping[StoreName, str]
    causes: frozenset[Cause]


def mend_json(dataset: Dataset, rows: Mapping[StoreName, Row], column: Column, has_fix: HasFix) -> Mended | None:
    """Put a JSON column right that holds a value on both sides.

    Strings that hold JSON are read first, and alone: that needs no other side, and shows what else differs.

    Args:
        dataset: The dataset.
        rows: Per store, the row.
        column: The column.
        has_fix: Tells whether a cause is to be put right.

    Returns:
        What changes; None where both sides are at fault, so that nobody wins.

    Raises:
        ValueError: A number cannot be written out.
    """
    canonical = {store: canonical_row(dataset, row, store=store) for store, row in rows.items()}
    pair = RowPair(dataset=dataset, facts=dataset.facts, raw=rows, canonical=canonical)
    found = [one for one in explain_body(pair, column) if not one.inner and one.finding and has_fix(one.finding.cause)]
    trees = {store: read_json(rows[store][column.name] or "null") for store in StoreName}
    if encoded := [one for one in found if _cause(one) is Cause.DOUBLE_ENCODED_JSON]:
        return _decode(encoded, trees)
    at_fault = {store: [one for one in found if _fault(pair, one) is store] for store in StoreName}
    wrong = [store for store, judged in at_fault.items() if judged]
    if len(wrong) > 1:
        return None
    texts = {store: json_text(_mend(trees, store, at_fault[store], found)) for store in wrong}
    causes = {cause for store in wrong for one in at_fault[store] if (cause := _cause(one))}
    return Mended(texts, frozenset(causes))


def _cause(one: Judged) -> Cause | None:
    return one.finding.cause if one.finding else None


def _decode(encoded: Sequence[Judged], trees: dict[StoreName, Value]) -> Mended:
    changed = set()
    for one in encoded:
        if one.finding and one.finding.store:
            store, path = one.finding.store, one.gap.path[1:]
            value, other = _values(one, store)
            times = 1 if isinstance(other, str) or isinstance(value, Absent) else decoded(value)[1]
            trees[store] = with_value(trees[store], path, _read(value_at(trees[store], path), times))
            changed.add(store)
    return Mended({store: json_text(trees[store]) for store in sorted(changed)}, frozenset({Cause.DOUBLE_ENCODED_JSON}))


def _read(value: Value | Absent, times: int) -> Value:
    """Read a JSON string so many times."""
    for _ in range(times):
        if isinstance(value, str):
            value = read_json(value)
    return None if isinstance(value, Absent) else value


def _values(one: Judged, store: StoreName) -> tuple[Value | Absent, Value | Absent]:
    """Return the value of a store and that of the other one."""
    gap = one.gap
    return (gap.primary, gap.secondary) if store is StoreName.PRISMA else (gap.secondary, gap.primary)


def _fault(pair: RowPair, one: Judged) -> StoreName | None:
    """Return the store that is wrong at one place; None where nobody can tell."""
    path = one.gap.path
    match _cause(one):
        case Cause.JSON_KEY_CASE:
            if path[0] not in pair.facts.camel_case:
                return None
            here = StoreName.PRISMA if one.gap.secondary is ABSENT else StoreName.SUPABASE
            return here if snake_case(str(path[-1])) == path[-1] else here.other
        case Cause.TEXT_CASE:
            return _misspelt(pair, one)
        case _:
            return one.finding.store if one.finding else None


def _misspelt(pair: RowPair, one: Judged) -> StoreName | None:
    """Return the store whose body spells the key of its row otherwise than the row does."""
    facts, key = pair.facts, pair.dataset.key[0]
    if one.gap.path != (facts.body, key) or key not in facts.envelope:
        return None
    wrong = [store for store in StoreName if _values(one, store)[0] != pair.raw[store][key]]
    return wrong[0] if len(wrong) == 1 else None


def _mend(
    trees: Mapping[StoreName, Value], store: StoreName, judged: Sequence[Judged], found: Sequence[Judged]
) -> Value:
    tree = trees[store]
    for one in judged:
        path = one.gap.path[1:]
        if _cause(one) is not Cause.JSON_KEY_CASE:
            value = value_at(trees[store.other], path)
            tree = tree if isinstance(value, Absent) else with_value(tree, path, value)
        elif _values(one, store)[0] is not ABSENT:
            tree = renamed(tree, path, _camel(one.gap.path, found))
    return tree


def _camel(path: Path, found: Sequence[Judged]) -> str:
    """Return the spelling of a key on the other side."""
    keys = [str(one.gap.path[-1]) for one in found if one.gap.path[:-1] == path[:-1] and one.gap.path != path]
    return next(key for key in keys if snake_case(key) == path[-1])


def value_at(tree: Value, path: Path) -> Value | Absent:
    """Return what stands at a path of a JSON value; ABSENT where nothing does."""
    for step in path:
        if isinstance(tree, dict) and isinstance(step, str):
            if step not in tree:
                return ABSENT
            tree = tree[step]
        elif isinstance(tree, list) and isinstance(step, int) and step < len(tree):
            tree = tree[step]
        else:
            return ABSENT
    return tree


def with_value(tree: Value, path: Path, value: Value) -> Value:
    """Return a JSON value with another value at a path; what is not on the path stays the very same."""
    above: list[tuple[Value, str | int]] = []
    for step in path:
        above.append((tree, step))
        found = value_at(tree, (step,))
        tree = None if isinstance(found, Absent) else found
    for container, step in reversed(above):
        if isinstance(container, dict) and isinstance(step, str):
            value = {**container, step: value}
        elif isinstance(container, list) and isinstance(step, int):
            value = [*container[:step], value, *container[step + 1 :]]
    return value


def renamed(tree: Value, path: Path, key: str) -> Value:
    """Return a JSON value in which the last key of a path is another one."""
    container = value_at(tree, path[:-1])
    if not isinstance(container, dict) or path[-1] not in container:
        return tree
    return with_value(tree, path[:-1], {key if name == path[-1] else name: v for name, v in container.items()})
