r"""Keys as one text each: what orders the rows of a dataset, names them in findings, and finds them again.

The key text of a row is the text of its only key column as it is. Where several columns make up the key it is their
texts, joined by `|`; inside a part, `\` is written `\\` and `|` is written `\|`, so that no two keys share a text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from contracts.dataset import Dataset

SEPARATOR = "|"
ESCAPE = "\\"

_PART = re.compile(r"(?:[^\\|]|\\[\\|])*")


def join_key(parts: Sequence[str]) -> str:
    """Return the key text of a row whose key columns have these texts."""
    return parts[0] if len(parts) == 1 else SEPARATOR.join(map(_escaped, parts))


def split_key(dataset: Dataset, text: str) -> tuple[str, ...]:
    """Return the texts of the key columns that a key text was joined from.

    Raises:
        ValueError: It is no key text of this dataset.
    """
    if len(dataset.key) == 1:
        return (text,)
    parts: list[str] = []
    at = 0
    while (match := _PART.match(text, at)) is not None:
        parts.append(_unescaped(match[0]))
        at = match.end() + 1
        if at > len(text) or text[match.end()] != SEPARATOR:
            break
    if at != len(text) + 1 or len(parts) != len(dataset.key):
        raise ValueError("not a key")
    return tuple(parts)


def _escaped(part: str) -> str:
    return part.replace(ESCAPE, ESCAPE * 2).replace(SEPARATOR, ESCAPE + SEPARATOR)


def _unescaped(part: str) -> str:
    return re.sub(r"\\(.)", r"\1", part)
