"""The files of SQL of this package, as text."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def text(path: str) -> str:
    """Return the text of a file of this package, with line endings of one character."""
    return (files(__package__) / path).read_text(encoding="utf-8").replace("\r\n", "\n")
