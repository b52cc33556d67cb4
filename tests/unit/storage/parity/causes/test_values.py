"""Causes that compute one value from the other: texts, instants, scalars; each with what only looks like it."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest

from contracts.vocabulary import Cause, StoreName
from tests.support.row_pairs import PRISMA, SUPABASE, body, on, told, why

both_stores = pytest.mark.parametrize("store", list(StoreName))
LONG = "장면 scene 🎬 " * 700
COMBINED = "Café 거리의 아침"


@both_stores
@pytest.mark.parametrize(
    ("cause", "damaged", "sound"),
    [
        (Cause.TEXT_CASE, "A LONG DAY", "A long Day"),
        (Cause.TEXT_CASE, "STRASSE", "Straße"),
        (Cause.TEXT_WHITESPACE, "A long day  ", "A long day"),
        (Cause.TEXT_WHITESPACE, "\tA\r\nlong\rday\n", "A\nlong\nday"),
        (Cause.TEXT_WHITESPACE, "   ", ""),
        (Cause.TEXT_NORMALIZATION, unicodedata.normalize("NFD", COMBINED), COMBINED),
        (Cause.TEXT_NORMALIZATION, "\u212b \u0041\u030a", "\u00c5 \u212b"),
        (Cause.TEXT_MOJIBAKE, COMBINED.encode().decode("latin-1"), COMBINED),
        (Cause.TEXT_MOJIBAKE, "CafÃ© â€“ Ã©tÃ©", "Café \u2013 été"),
        (Cause.TEXT_MOJIBAKE, "Ã\x81", "Á"),
        (Cause.TEXT_TRUNCATED, "가" * 100, "가" * 101),
        (Cause.TEXT_TRUNCATED, LONG[:200], LONG),
        (Cause.TEXT_TRUNCATED, LONG[:200] + "...", LONG),
        (Cause.TEXT_TRUNCATED, LONG[:5000], LONG),
        (Cause.TEXT_TRUNCATED, "🎬" * 50, "🎬" * 60),
        (Cause.TEXT_TRUNCATED, "x" * 255, "x" * 256),
    ],
)
def test_texts(store: StoreName, cause: Cause, damaged: str, sound: str) -> None:
    """A text that was made from the other names how, in a column and inside a body, whichever side it is on."""
    assert why(*on(store, {"source": damaged}, {"source": sound})) == {"source": cause}
    inside = on(store, {"content": body(finalPrompt=damaged)}, {"content": body(finalPrompt=sound)})
    assert why(*inside) == {"content.finalPrompt": cause}


@both_stores
@pytest.mark.parametrize(
    ("damaged", "sound"),
    [
        ("A LONG DAYX", "A long day"),
        ("A  long  day", "A long day"),
        ("\uff21 long day", "A long day"),
        (COMBINED.encode().decode("latin-1").replace("Ã", "?"), COMBINED),
        (COMBINED.encode().decode("latin-1").encode().decode("latin-1"), COMBINED),
        (LONG[:199] + "#", LONG),
        (LONG[:123], LONG),
        (LONG[:197] + "...", LONG),
        (LONG[:200] + "…", LONG),
        ("", "A long day"),
        (" A LONG DAY", "A long day"),
        ("Another day", "A long day"),
    ],
)
def test_text_decoys(store: StoreName, damaged: str, sound: str) -> None:
    """A text that is nearly the other, or was changed in two ways, is unexplained."""
    assert why(*on(store, {"source": damaged}, {"source": sound})) == {"source": Cause.UNEXPLAINED}


@both_stores
def test_a_damaged_side_is_named(store: StoreName) -> None:
    """The damaged side is at fault, and equal damage has equal words."""
    (cut,) = told(*on(store, {"title": LONG[:200], "source": LONG[:200] + "..."}, {"title": LONG, "source": LONG}))
    assert (cut.store, cut.fields) == (store, ("source", "title"))
    assert cut.detail == f"cut to 200 characters on {store}"
    (loose,) = told(*on(store, {"source": "Cafe\u0301"}, {"source": "Café"}))
    assert (loose.store, loose.detail) == (None, f"not in normal form C on {store}")
    (neither,) = told({"source": "\u212b \u0041\u030a"}, {"source": "\u00c5 \u212b"})
    assert neither.detail == ""


@both_stores
@pytest.mark.parametrize(
    ("column", "damaged", "sound", "words"),
    [
        ("created_at", "2026-03-01 09:59:59.999", "2026-03-01 09:59:59.9995", "cut to whole milliseconds"),
        ("created_at", "2026-03-01 09:59:59.123", "2026-03-01 09:59:59.123999", "cut to whole milliseconds"),
        ("created_at", "2026-03-01 09:59:59", "2026-03-01 09:59:59.812345", "cut to whole seconds"),
        ("updated_at", "2026-03-05 17:31:00", "2026-03-05 17:31:12.000456", "cut to whole minutes"),
        ("updated_at", "2026-03-05 17:00:00", "2026-03-05 17:31:12.000456", "cut to whole hours"),
        ("updated_at", "2026-03-05 00:00:00", "2026-03-05 17:31:12.000456", "cut to whole days"),
        ("created_at", "1970-01-01 00:00:00.001", "1970-01-01 00:00:00.001501", "cut to whole milliseconds"),
    ],
)
def test_truncated_instants(store: StoreName, column: str, damaged: str, sound: str, words: str) -> None:
    """Microseconds that were cut off are told from those that were rounded."""
    changes = on(store, {column: damaged}, {column: sound})
    assert why(*changes) == {column: Cause.TIMESTAMP_TRUNCATED}
    (explanation,) = told(*changes)
    assert (explanation.store, explanation.detail) == (store, f"{words} on {store}")


@pytest.mark.parametrize("microseconds", ["123400", "122501", "123499"])
def test_rounded_instants_are_equal(microseconds: str) -> None:
    """Microseconds that round to the milliseconds of the other side are no difference."""
    assert why({}, {"created_at": f"2026-03-01 10:00:00.{microseconds}+00"}) == {}


@both_stores
@pytest.mark.parametrize(
    ("column", "later", "shift"),
    [
        ("created_at", "2026-03-01 19:00:00.123", "9 h"),
        ("created_at", "2026-03-01 15:30:00.123", "5 h 30 min"),
        ("updated_at", "2026-03-05 17:46:12.456", "15 min"),
        ("updated_at", "2026-03-06 07:31:12.456", "14 h"),
        ("updated_at", "2026-03-05 18:31:12.456", "1 h"),
    ],
)
def test_time_zones(store: StoreName, column: str, later: str, shift: str) -> None:
    """Instants as far apart as two zones name the shift, and no store: either clock may be wrong."""
    changes = on(store, {column: later})
    assert why(*changes) == {column: Cause.TIME_ZONE_SHIFT}
    (explanation,) = told(*changes)
    assert (explanation.store, explanation.detail) == (None, f"{shift} later on {store}")


def test_a_shift_of_both_times_is_one_explanation() -> None:
    """Equal causes of two columns are told once."""
    shifted = {"created_at": "2026-03-01 19:00:00.123", "updated_at": "2026-03-06 02:31:12.456"}
    (explanation,) = told({}, shifted)
    assert explanation.fields == ("created_at", "updated_at")


@both_stores
@pytest.mark.parametrize(
    "other",
    [
        "2026-03-01 10:37:00.123",  # 37 minutes
        "2026-03-01 10:00:00.125",  # two milliseconds
        "2026-03-01 09:45:00.124",  # a quarter of an hour and a millisecond
        "2026-03-01 19:00:01.123",  # nine hours and a second
        "2026-03-02 00:15:00.123",  # farther than any two zones
        "infinity",
    ],
)
def test_instant_decoys(store: StoreName, other: str) -> None:
    """Instants that are apart by anything else are unexplained."""
    assert why(*on(store, {"created_at": other})) == {"created_at": Cause.UNEXPLAINED}


@both_stores
@pytest.mark.parametrize(
    ("damaged", "sound", "words"),
    [
        ("9007199254740992", "9007199254740993", "reduced to a double"),
        ("12345678901234567000", "12345678901234567890", "reduced to a double"),
        ("0.12345678901234568", "0.12345678901234567891", "reduced to a double"),
        ("12345678901234567168", "12345678901234567890", "reduced to a double"),
        ("12.35", "12.3456", "rounded to 2 decimals"),
        ("12", "12.5", "rounded to 0 decimals"),
        ("13", "12.5", "rounded to 0 decimals"),
        ("-0.3", "-0.25", "rounded to 1 decimals"),
        ("0", "0.4", "rounded to 0 decimals"),
        ("1234570", "1234567", "rounded to 6 digits"),
    ],
)
def test_rounded_numbers(store: StoreName, damaged: str, sound: str, words: str) -> None:
    """A number that lost digits is told from another number."""
    changes = on(store, {"storage": f'{{"n": {damaged}}}'}, {"storage": f'{{"n": {sound}}}'})
    assert why(*changes) == {"storage.n": Cause.NUMBER_ROUNDED}
    (explanation,) = told(*changes)
    assert (explanation.store, explanation.detail) == (store, f"{words} on {store}")


def test_two_texts_of_one_double() -> None:
    """When each of two numbers is the other after a trip through a double, neither side is named."""
    exact = "0.1000000000000000055511151231257827021181583404541015625"
    (explanation,) = told({"storage": f'{{"n": {exact}}}'}, {"storage": '{"n": 0.1}'})
    assert (explanation.cause, explanation.store) == (Cause.NUMBER_ROUNDED, None)
    assert explanation.detail == "reduced to a double on one side"


@both_stores
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("9007199254740993", "9007199254740994"),
        ("12.37", "12.3456"),
        ("12.34", "12.349"),  # cut, not rounded
        ("90", "91"),
        ("15", "20"),
        ("1230", "1234"),
        ("0", "1"),
        ("1e999999999", "1e999999998"),
        ("1e2500", "1e2501"),
        ("1" * 2100, "1" * 2099 + "0"),
        ("1.5e400", "2e400"),
    ],
)
def test_number_decoys(store: StoreName, one: str, other: str) -> None:
    """A number that is not the other with fewer digits is unexplained, at once however large it is."""
    outer = {"storage": f'"{one}"'}  # a text in a JSON column, so that no double is in the way of the parser
    changes = on(store, {"storage": f'{{"n": {one}}}'}, {"storage": f'{{"n": {other}}}'})
    assert why(*changes) == {"storage.n": Cause.UNEXPLAINED}
    assert why(*on(store, outer, {"storage": f'"{other}"'})) == {"storage": Cause.UNEXPLAINED}


@both_stores
@pytest.mark.parametrize(
    ("text", "value"), [('"90"', "90"), ('"90.0"', "90"), ('"true"', "true"), ('"false"', "false"), ('"-1e2"', "-100")]
)
def test_scalars_as_text(store: StoreName, text: str, value: str) -> None:
    """A number or boolean that became its own text names that, below a body and as a whole column."""
    inside: tuple[Any, Any] = on(store, {"storage": f'{{"n": [{text}]}}'}, {"storage": f'{{"n": [{value}]}}'})
    assert why(*inside) == {"storage.n.0": Cause.JSON_SCALAR_AS_TEXT}
    (explanation,) = told(*inside)
    assert (explanation.store, explanation.fields) == (store, ("storage.n.*",))
    assert why(*on(store, {"storage": text}, {"storage": value})) == {"storage": Cause.JSON_SCALAR_AS_TEXT}


@both_stores
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"90 s"', "90"),
        ('"yes"', "true"),
        ('"91"', "90"),
        ('"1"', "true"),
        ('"' + "9" * 5000 + '"', "9"),
        ("1", "true"),
    ],
)
def test_scalar_decoys(store: StoreName, text: str, value: str) -> None:
    """A text that is not the text of the value is unexplained."""
    assert why(*on(store, {"storage": text}, {"storage": value})) == {"storage": Cause.UNEXPLAINED}


def test_words_name_stores_as_results_do() -> None:
    """The words of a detail name the stores as every result does."""
    (explanation,) = told({"created_at": "2026-03-01 19:00:00.123"}, {})
    assert explanation.detail == "9 h later on prisma"
    assert str(PRISMA) == "prisma"
    assert str(SUPABASE) == "supabase"
