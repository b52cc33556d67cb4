"""Words for readers: untrusted text made visible, numbers, times and sizes."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from datetime import datetime

TEXT_MAX = 2_000  # characters of any one text on a page; a longer one is cut and says how long it is
KEY_MAX = 200
LINE_FEED = "\u21b5"
NONE = "\u2013"  # stands where there is nothing to say

NAME = re.compile(r"`([A-Za-z_][A-Za-z0-9_.*-]{0,80}|twinstore(?: [a-z-]{1,20}){1,5})`")
"""A column, path, check or command inside a sentence: what renderers may set as code."""

_PLAIN = re.compile(r"[ -~\n]*")
_SLUG = re.compile(r"[^A-Za-z0-9_.]+")
_ZERO_WIDTH_JOINER = "\u200d"
_IDEOGRAPHIC_SPACE = "\u3000"
_CONTROL_PICTURES = 0x2400
_SYMBOL_FOR_DELETE = "\u2421"
_JOINABLE = {"So", "Sk", "Mn"}  # what stands before a joiner inside one emoji


def visible(text: str) -> str:
    """Return the text with every character that acts instead of showing replaced by one that shows.

    Control characters become their pictures (escape is `␛`), line feeds stay. Marks of direction, invisible and
    unassigned characters and lone surrogates become their code point, such as `⟨U+202E⟩`.
    """
    if _PLAIN.fullmatch(text):
        return text
    shown: list[str] = []
    before = ""
    for char in text:
        shown.append(_show(char, before))
        before = char
    return "".join(shown)


def _show(char: str, before: str) -> str:
    if char == "\n" or " " <= char <= "~":
        return char
    if char < " ":
        return chr(_CONTROL_PICTURES + ord(char))
    if char == "\x7f":
        return _SYMBOL_FOR_DELETE
    category = unicodedata.category(char)
    if char == _ZERO_WIDTH_JOINER and before and unicodedata.category(before) in _JOINABLE:
        return char
    if category in {"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"} or (category == "Zs" and char != _IDEOGRAPHIC_SPACE):
        return code_point(char)
    return char


def code_point(char: str) -> str:
    """Return the code point of a character, such as `⟨U+00A0⟩`."""
    return f"\u27e8U+{ord(char):04X}\u27e9"


def cut(text: str, limit: int = TEXT_MAX) -> str:
    """Return the visible form of the text, cut to `limit` characters; what is cut says how long the whole was."""
    if len(text) <= limit:
        return visible(text)
    return f"{visible(text[:limit])}… ({number(len(text))} characters)"


def one_line(text: str, limit: int = TEXT_MAX) -> str:
    """Return the visible form of the text on one line."""
    return cut(text, limit).replace("\n", LINE_FEED)


def slug(*parts: str) -> str:
    """Return an anchor made of the parts, the same for the same parts and safe in an id and a fragment.

    Parts that had to be changed or cut get a short hash, so that two of them never share an anchor.
    """
    plain = _SLUG.sub("-", "-".join(parts))[:80].strip("-")
    if plain and plain == "-".join(parts) and not any("-" in part for part in parts):
        return plain
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{plain}-{digest}" if plain else digest


def number(value: int) -> str:
    """Return a whole number with its thousands apart."""
    return f"{value:,}"


def count(value: int, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun, such as `1 row` and `2 rows`."""
    return f"{number(value)} {noun if value == 1 else plural or noun + 's'}"


def more(value: int, noun: str) -> str:
    """Return how many of something are left out, such as `1 more row` and `2 more rows`."""
    return count(value, f"more {noun}")


def percent(part: int, whole: int) -> str:
    """Return a share in percent that is never rounded to 100 or 0 when it is neither."""
    if whole <= 0:
        return NONE
    if part >= whole:
        return "100 %"
    tenths = part * 1_000 // whole
    if tenths == 0:
        return "0 %" if part == 0 else "< 0.1 %"
    return f"{tenths // 10}.{tenths % 10} %"


def moment(at: datetime | None) -> str:
    """Return an instant to the second, in the zone it is given in; a dash for none."""
    return NONE if at is None else f"{at:%Y-%m-%d %H:%M:%S} {at.tzname() or 'UTC'}"


def duration(seconds: float) -> str:
    """Return a time span in the two units that matter, such as `4 min 07 s`."""
    if seconds < 1:
        return f"{round(seconds * 1000)} ms"
    if seconds < 60:  # noqa: PLR2004 - seconds in a minute
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours < 24:  # noqa: PLR2004 - hours in a day
        return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h"


def age(since: datetime | None, now: datetime) -> str:
    """Return how long ago `since` was at `now`, coarsely; `unknown` for none."""
    if since is None:
        return "unknown"
    seconds = (now - since).total_seconds()
    if seconds < 60:  # noqa: PLR2004 - seconds in a minute
        return "this run" if seconds <= 0 else "under a minute"
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            return count(int(seconds // length), unit)
    raise AssertionError  # pragma: no cover - a minute or more is at least one minute


def size(octets: int) -> str:
    """Return a number of bytes in the largest unit that leaves a number above one."""
    value = float(octets)
    for unit in ("B", "kB", "MB"):
        if value < 1000:  # noqa: PLR2004 - decimal units
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"
