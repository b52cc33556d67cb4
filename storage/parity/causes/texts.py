"""Texts of which one was made from the other: case, white space, normal form, encoding, length.

Each rule is an exact relation: the whole of one text is computed from the other. A text with two of these faults at
once is therefore explained by none of them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from contracts.vocabulary import Cause, StoreName
from storage.parity.causes.finding import Finding, damaged

CUTS = (100, 191, 200, 255, 500, 1000, 5000)
"""Lengths at which texts are cut: column limits and the limits of the applications beside us."""

_DOTS = "..."
_LINE_END = re.compile(r"\r\n?")


def _windows_1252() -> dict[int, str]:
    """Map the characters of Latin-1 to those of Windows-1252; five bytes that mean nothing there stay."""
    table = {}
    for byte in range(0x80, 0xA0):
        table[byte] = bytes([byte]).decode("cp1252", errors="ignore") or chr(byte)
    return table


_WINDOWS_1252 = _windows_1252()


def text_case(primary: str, secondary: str) -> Finding | None:
    """Recognise texts that differ only in letter case."""
    return Finding(Cause.TEXT_CASE) if primary.casefold() == secondary.casefold() else None


def text_whitespace(primary: str, secondary: str) -> Finding | None:
    """Recognise texts that are equal once white space at both ends and line endings are read alike."""
    one, other = (_LINE_END.sub("\n", text.strip()) for text in (primary, secondary))
    return Finding(Cause.TEXT_WHITESPACE) if one == other else None


def text_normalization(primary: str, secondary: str) -> Finding | None:
    """Recognise texts that are equal in Unicode normal form C."""
    if unicodedata.normalize("NFC", primary) != unicodedata.normalize("NFC", secondary):
        return None
    loose = [
        store
        for store, text in ((StoreName.PRISMA, primary), (StoreName.SUPABASE, secondary))
        if not unicodedata.is_normalized("NFC", text)
    ]
    if len(loose) == 1:
        return Finding(Cause.TEXT_NORMALIZATION, None, f"not in normal form C on {loose[0]}")
    return Finding(Cause.TEXT_NORMALIZATION)


def text_mojibake(primary: str, secondary: str) -> Finding | None:
    """Recognise UTF-8 that was read as Latin-1 or Windows-1252 once."""
    return damaged(Cause.TEXT_MOJIBAKE, _misread, primary, secondary)


def _misread(sound: str, broken: str) -> str | None:
    if sound.isascii() or len(sound.encode()) != len(broken):
        return None
    latin = sound.encode().decode("latin-1")
    return "misread as Latin-1 or Windows-1252" if broken in {latin, latin.translate(_WINDOWS_1252)} else None


def text_truncated(primary: str, secondary: str) -> Finding | None:
    """Recognise a text that is the beginning of the other, cut at a usual length, `...` aside."""
    return damaged(Cause.TEXT_TRUNCATED, _cut, primary, secondary)


def _cut(sound: str, broken: str) -> str | None:
    for beginning in (broken, broken.removesuffix(_DOTS)):
        if len(beginning) < len(sound) and sound.startswith(beginning):
            for length in _lengths(beginning):
                if length in CUTS:
                    return f"cut to {length} characters"
    return None


def _lengths(text: str) -> tuple[int, int]:
    """Count characters as PostgreSQL does, and as JavaScript does, for which an emoji is two."""
    return len(text), len(text) + sum(character > "\uffff" for character in text)


TEXT_RULES: tuple[Callable[[str, str], Finding | None], ...] = (
    text_case,
    text_whitespace,
    text_normalization,
    text_mojibake,
    text_truncated,
)
"""From the narrowest relation to the widest; the first that holds names the cause."""


def compare_texts(primary: str, secondary: str) -> Finding | None:
    """Return how one text was made from the other; None when it was not."""
    for rule in TEXT_RULES:
        finding = rule(primary, secondary)
        if finding is not None:
            return finding
    return None
