"""JSON values in which something stands that was not meant."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

WRONG = [None, True, 1.5, -1, 10**6, "", "1e3", "NaN", "\ud800", [], {}, [None], {"total": -1}]


def places(value: object) -> Iterator[tuple[object, ...]]:
    """Yield the path of every value in a JSON value, the whole first."""
    yield ()
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for at, inner in items:
        yield from ((at, *path) for path in places(inner))


def spoilt(value: Any, path: tuple[Any, ...], wrong: object) -> Any:
    """Return a copy of a JSON value with another one at a place."""
    if not path:
        return wrong
    changed = copy.deepcopy(value)
    at = changed
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = wrong
    return changed
