"""Deep merge: a patch over JSON values, by which nothing is lost that the patch does not name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def merged(base: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with the values of `patch` in it.

    Objects are merged key by key, at any depth; everything else, lists and null included, replaces what was there. No
    key is ever taken away. Neither argument is changed.
    """
    result = dict(base)
    for key, value in patch.items():
        below = result.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        result[key] = merged(below, value) if both else value  # type: ignore[arg-type]  # both says so
    return result
