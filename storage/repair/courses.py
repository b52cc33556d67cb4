"""What is done about each cause, and what each mode may do: the tables that planning goes by and the manual prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from contracts.repair import Mode
from contracts.vocabulary import Cause


class Fix(StrEnum):
    """How a value is put right where the two rows, or the cause, tell what it should be."""

    OTHER = "other"  # the store at fault gets what the other one holds
    DECODED = "decoded"  # a JSON string becomes the JSON that it holds
    CAMEL = "camel"  # keys of bodies get their camelCase
    SPELLED = "spelled"  # a UUID gets its canonical spelling
    NOBODY = "nobody"  # a word that stands for no value becomes none; any other value is kept
    REPEATED = "repeated"  # the instant counts that the record repeats elsewhere
    NAMED = "named"  # a title that was made up replaces a blank one
    INSERTED = "inserted"  # the row is inserted where it is missing


@dataclass(frozen=True, slots=True)
class Course:
    """What is done about a cause.

    Attributes:
        fix: How values are put right, whatever the source is; None where the source decides, or a person.
        words: The same in a sentence.
    """

    fix: Fix | None
    words: str


_SOURCE = "The source's value counts."

COURSES: Mapping[Cause, Course] = {
    Cause.DOUBLE_ENCODED_JSON: Course(
        Fix.DECODED,
        "The string becomes the JSON that it holds. What still differs inside is settled like any other difference.",
    ),
    Cause.JSON_STRIPPED: Course(Fix.OTHER, "The keys that are gone are taken from the other store."),
    Cause.JSON_KEY_CASE: Course(
        Fix.CAMEL, "Keys of bodies and metadata get their camelCase; of other columns the source's count."
    ),
    Cause.JSON_SCALAR_AS_TEXT: Course(Fix.OTHER, "The number or boolean replaces its text."),
    Cause.NUMBER_ROUNDED: Course(Fix.OTHER, "The exact number replaces the rounded one."),
    Cause.TIME_ZONE_SHIFT: Course(
        Fix.REPEATED, "The instant counts that the metadata repeat; where they do not tell, the source's."
    ),
    Cause.TIMESTAMP_TRUNCATED: Course(
        Fix.OTHER, "The exact instant replaces the one that was cut, rounded as the column rounds."
    ),
    Cause.CREATED_AT_REWRITTEN: Course(Fix.OTHER, "The earlier time of creation counts."),
    Cause.UPDATED_AT_REWRITTEN: Course(Fix.OTHER, "The time of prisma counts, before it was stamped again."),
    Cause.TEXT_TRUNCATED: Course(Fix.OTHER, "The whole text replaces the one that was cut."),
    Cause.TEXT_CASE: Course(
        Fix.SPELLED,
        "UUIDs of owners, projects and bodies are written in lower case; of other texts the source's counts.",
    ),
    Cause.TEXT_WHITESPACE: Course(None, _SOURCE),
    Cause.TEXT_NORMALIZATION: Course(None, _SOURCE),
    Cause.TEXT_MOJIBAKE: Course(Fix.OTHER, "The text replaces the one that was misread."),
    Cause.TITLE_FALLBACK: Course(
        Fix.NAMED,
        "A made-up title replaces a blank one, which supabase cannot hold; of two made-up ones the source's counts.",
    ),
    Cause.COLUMN_STALE: Course(Fix.OTHER, "The value of supabase counts, which the body of prisma confirms."),
    Cause.COLUMN_NOT_WRITTEN: Course(
        Fix.OTHER, "The value replaces NULL or the default: a value never gives way to none."
    ),
    Cause.STATUS_VOCABULARY: Course(
        Fix.OTHER,
        "A word that spells one of the vocabulary becomes that one; any other gives way to the other store's.",
    ),
    Cause.REFERENCE_NOT_UUID: Course(
        Fix.NOBODY,
        "The word `guest` becomes NULL. Anything else is left: supabase cannot hold it, and no other copy exists.",
    ),
    Cause.KEY_CASE: Course(
        None, "Left, unless `--rename-keys` is given: then the record gets its canonical key on both stores."
    ),
    Cause.VERSION_DRIFT: Course(None, _SOURCE),
    Cause.REFUSED_BY_STORE: Course(
        None, "Left: the row has to be corrected first. It is never deleted, since the other store could not hold it."
    ),
    Cause.WRITE_WINDOW: Course(
        Fix.INSERTED,
        "Inserted where the source holds them. Where the source lacks them they are left, since an outage and a "
        "clean-up look the same: naming the cause inserts them there, too. What one check saw lost so, or could not "
        "search, stays so for as long as it is missing, whatever later checks see.",
    ),
    Cause.SIDE_EMPTY: Course(None, "Refused by the brake `empty-side`: restore the store, or adopt the pair anew."),
    Cause.MISSING_ROW: Course(
        None, "Inserted where the source holds it. Where the source lacks it, it is deleted once two runs saw it."
    ),
    Cause.UNEXPLAINED: Course(None, _SOURCE),
}
"""What is done about each cause; every cause is here."""

FIXES = frozenset(cause for cause, course in COURSES.items() if course.fix is not None)
"""The causes whose values are put right, whatever the source is, unless somebody says otherwise."""


class Doing(StrEnum):
    """What a plan may do, finer than an act: the store that follows the source is the target."""

    INSERT = "insert a row that the target lacks"
    UPDATE = "change a row of the target"
    FILL = "fill a value that the target lacks"
    DELETE = "delete a row of the target, seen by two runs"
    RESTORE = "insert a row that the source lost in an outage, when asked"
    CORRECT = "change a row of the source that is at fault"
    RENAME = "give a record a new key, when asked"


_WRITES = frozenset({Doing.INSERT, Doing.UPDATE, Doing.FILL, Doing.RESTORE, Doing.CORRECT})

MAY: Mapping[Mode, frozenset[Doing]] = {
    Mode.SOURCE_OF_TRUTH: frozenset(Doing),
    Mode.UPSERT_ONLY: _WRITES,
    Mode.INSERT_ONLY: frozenset({Doing.INSERT}),
    Mode.FILL_NULLS: frozenset({Doing.FILL}),
    Mode.THREE_WAY: _WRITES | {Doing.RENAME},
}
"""What each mode may do; undoing does what an earlier repair did."""
