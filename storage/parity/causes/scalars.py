"""JSON scalars of which one was made from the other: numbers rounded, numbers and booleans written as text."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal

from contracts.vocabulary import Cause
from storage.canonical_json import Number, Value, kind, parse
from storage.parity.causes.finding import Finding, damaged
from storage.parity.fields import same

_MAX_DIGITS = 2000  # longer numbers are not rounded but read as texts that differ
_MAX_SCALAR = 4000  # characters of a text that may be a number or boolean
_KEPT = 6  # significant digits that a rounded whole number keeps at least: those of a 32-bit float
_EXACT = Context(prec=2 * _MAX_DIGITS)
_ROUNDINGS = (ROUND_HALF_UP, ROUND_HALF_EVEN)


def number_rounded(primary: Number, secondary: Number) -> Finding | None:
    """Recognise a number that is the other after a trip through a double, or rounded to fewer digits."""
    if max(_digits(primary), _digits(secondary)) > _MAX_DIGITS:
        return None
    return damaged(Cause.NUMBER_ROUNDED, _rounded, primary.decimal, secondary.decimal)


def _digits(number: Number) -> int:
    """Return about how many digits a number takes when it is written out."""
    value = number.decimal
    return len(number.text) + abs(value.adjusted())


def _rounded(sound: Decimal, broken: Decimal) -> str | None:
    double = float(sound)
    if math.isfinite(double) and broken in {Decimal(repr(double)), Decimal(double)}:
        return "reduced to a double"
    kept, power = _last_digit(broken)
    if power <= _last_digit(sound)[1] or (power > 0 and kept < _KEPT):
        return None
    unit = Decimal((0, (1,), power))
    if all(sound.quantize(unit, rounding, _EXACT) != broken for rounding in _ROUNDINGS):
        return None
    return f"rounded to {kept} digits" if power > 0 else f"rounded to {-power} decimals"


def _last_digit(number: Decimal) -> tuple[int, int]:
    """Return how many significant digits a number has, and the power of ten of the last of them; 0 for zero."""
    _, digits, power = number.normalize(_EXACT).as_tuple()
    return len(digits), int(power)


def json_scalar_as_text(primary: Value, secondary: Value) -> Finding | None:
    """Recognise a JSON number or boolean on one side and the text of it on the other."""
    return damaged(Cause.JSON_SCALAR_AS_TEXT, _as_text, primary, secondary)


def _as_text(sound: Value, broken: Value) -> str | None:
    if not isinstance(sound, bool | Number) or not isinstance(broken, str) or len(broken) > _MAX_SCALAR:
        return None
    try:
        return f"a text in place of a {kind(sound)}" if same(parse(broken), sound) else None
    except ValueError:
        return None
