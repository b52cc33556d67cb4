"""What a person asks of a repair in words, read strictly: modes, stores, causes, ages, brakes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta

from contracts.errors import ConfigurationError
from contracts.repair import Brake, Mode, Override
from contracts.vocabulary import Cause, StoreName

SOURCES = {"primary": StoreName.PRISMA, "secondary": StoreName.SUPABASE}
MODES = tuple(mode for mode in Mode if mode is not Mode.UNDO)
_CAPS = frozenset({Brake.ROWS, Brake.DELETES})
_AGE = re.compile(r"([0-9]{1,6})\s*([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def mode_of(word: str) -> Mode:
    """Return a mode by its name.

    Raises:
        ConfigurationError: There is no such mode, or it is not one to be asked for.
    """
    if word not in MODES:
        raise ConfigurationError(f"There is no mode {word!r}.", f"Use one of {', '.join(MODES)}.")
    return Mode(word)


def source_of(word: str | None, mode: Mode) -> StoreName | None:
    """Return the store whose rows count, the primary unless one is named; None for the mode that has no source.

    Raises:
        ConfigurationError: It is neither of the two, or the mode has none.
    """
    if word is not None and word not in SOURCES:
        raise ConfigurationError(f"There is no store {word!r}.", "Say primary or secondary.")
    if mode is Mode.THREE_WAY:
        if word is not None:
            raise ConfigurationError(
                "In the mode three-way the side that changed wins, so that there is no source.",
                "Leave --source out, or name another mode.",
            )
        return None
    return SOURCES[word or "primary"]


def causes_of(words: Iterable[str]) -> frozenset[Cause]:
    """Return causes by their names.

    Raises:
        ConfigurationError: One of them is none.
    """
    found = frozenset(words)
    if unknown := found - set(Cause):
        raise ConfigurationError(f"There is no cause {min(unknown)!r}.", "docs/faults.md lists them.")
    return frozenset(map(Cause, found))


def fixes_without(words: Iterable[str]) -> frozenset[Cause]:
    """Return the causes whose values are put right, those aside that are named.

    Raises:
        ConfigurationError: One of them is no cause, or one of which nothing is put right anyway.
    """
    from storage.repair.courses import FIXES

    found = causes_of(words)
    if useless := found - FIXES:
        raise ConfigurationError(
            f"There is no fix for the cause {str(min(useless))!r}.", f"Name some of: {', '.join(sorted(FIXES))}."
        )
    return FIXES - found


def age_of(word: str | None) -> timedelta | None:
    """Return an age such as `90m`, `12h` or `3d`; None for none.

    Raises:
        ConfigurationError: It is no age.
    """
    if word is None:
        return None
    found = _AGE.fullmatch(word.strip())
    if found is None:
        raise ConfigurationError(f"{word!r} is no age.", "Write a number and s, m, h, d or w, such as 12h or 3d.")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def override(word: str, *, by: str) -> Override:
    """Return a brake that is released, such as `rows=500` or `empty-side`.

    Args:
        word: Its name; for a cap, followed by the number up to which it is released.
        by: Who releases it.

    Raises:
        ConfigurationError: There is no such brake, nobody can release it, or a number is missing or too much.
    """
    name, given, number = word.partition("=")
    names = ", ".join(f"{one}=N" if one in _CAPS else str(one) for one in Brake if one.releasable)
    if name not in set(Brake):
        raise ConfigurationError(f"There is no brake {name!r}.", f"These can be released: {names}.")
    brake = Brake(name)
    if not brake.releasable:
        raise ConfigurationError(f"Nobody can release the brake {brake}.", f"These can be released: {names}.")
    if brake in _CAPS:
        if not number.isascii() or not number.isdigit():
            raise ConfigurationError(f"The brake {brake} is released up to a number.", f"Write {brake}=N.")
        return Override(brake=str(brake), value=int(number), by=by)
    if given:
        raise ConfigurationError(f"The brake {brake} has no number.", f"Write {brake}.")
    return Override(brake=str(brake), value=None, by=by)
