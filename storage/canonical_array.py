r"""Arrays as PostgreSQL writes them: `{1,NULL,"a, b"}`, nested as `{{1,2},{3,4}}`, with other bounds `[0:1]={1,2}`.

An array is read into its bounds, which belong to the value, and its elements; elements are texts that the reader of
their type takes from there. Both ways go without recursion only as deep as PostgreSQL does: six dimensions.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

Elements = list["str | Elements | None"]

MAX_DEPTH = 6

_BOUNDS = re.compile(r"((?:\[[+-]?\d+:[+-]?\d+\]){1,6})=")
_TOKEN = re.compile(r'(?P<mark>[{},])|"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^{},"\\ \t\n\r\v\f]+)', re.DOTALL)
_SPECIAL = re.compile(r'[{},"\\ \t\n\r\v\f]')
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Array:
    """An array.

    Attributes:
        bounds: As PostgreSQL writes them where a dimension does not begin at 1, such as `[0:1]`; else empty.
        elements: The elements of the first dimension: texts, None for NULL, or lists of those.
    """

    bounds: str
    elements: Elements


def parse(text: str) -> Array:
    """Read an array.

    Raises:
        ValueError: It is no array as PostgreSQL writes it.
    """
    bounds = _BOUNDS.match(text)
    at = bounds.end() if bounds else 0
    root: Elements = []
    open_lists: list[Elements] = [root]
    wants_value = True
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or (len(open_lists) == 1 and root):
            raise ValueError("not an array")
        at = match.end()
        mark = match["mark"]
        if mark == "{" and wants_value and len(open_lists) <= MAX_DEPTH:
            inner: Elements = []
            open_lists[-1].append(inner)
            open_lists.append(inner)
        elif mark == "}" and len(open_lists) > 1 and (not wants_value or not open_lists[-1]):
            open_lists.pop()
            wants_value = False
        elif mark == "," and not wants_value:
            wants_value = True
        elif mark is None and wants_value and len(open_lists) > 1:
            open_lists[-1].append(_element(match))
            wants_value = False
        else:
            raise ValueError("not an array")
    if len(open_lists) != 1 or not root or not isinstance(root[0], list):
        raise ValueError("not an array")
    return Array(bounds[1] if bounds else "", root[0])


def _element(match: re.Match[str]) -> str | None:
    if match["quoted"] is not None:
        return _ESCAPED.sub(r"\1", match["quoted"])
    return None if match["plain"] == "NULL" else match["plain"]


def to_text(array: Array, write: Callable[[str], str] = str) -> str:
    """Write an array as PostgreSQL does, each element as `write` gives it."""
    return (f"{array.bounds}=" if array.bounds else "") + _list(array.elements, write)


def _list(elements: Elements, write: Callable[[str], str]) -> str:
    return "{" + ",".join(_list(e, write) if isinstance(e, list) else _written(e, write) for e in elements) + "}"


def _written(element: str | None, write: Callable[[str], str]) -> str:
    if element is None:
        return "NULL"
    text = write(element)
    if text and text.upper() != "NULL" and not _SPECIAL.search(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
