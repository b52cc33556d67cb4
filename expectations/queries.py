"""Named queries of a `.sql` file, with their limits filled in."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from string import Template

_HEADING = re.compile(r"^-- (\w+) --$", re.MULTILINE)


def query(file: str, name: str, **limits: float) -> str:
    """Return the query called `name` of a file in this package, its `$limits` replaced by numbers.

    Raises:
        KeyError: The file has no such query, or a limit was not given.
    """
    numbers = {key: repr(value) for key, value in limits.items() if isinstance(value, int | float)}
    return Template(_queries(file)[name]).substitute(numbers)


@cache
def _queries(file: str) -> dict[str, str]:
    _, *parts = _HEADING.split((files(__package__) / file).read_text(encoding="utf-8"))
    return {name: text.strip() for name, text in zip(parts[::2], parts[1::2], strict=True)}
