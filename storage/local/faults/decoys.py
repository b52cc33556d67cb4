"""Decoys: what looks like a cause and is none. One that is explained shows a rule that guesses."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.vocabulary import Cause, DifferenceKind
from storage.local.faults.model import Expected, Fault, Statement
from storage.local.faults.rows import created_from
from storage.local.faults.words import (
    EDITED,
    LATIN,
    METADATA_IN_BODY,
    NO_TITLE_IN_BODY,
    PRISMA,
    SUPABASE,
    TITLE_IN_BODY,
    delete,
    differs,
    excluded,
    in_body,
    one_sided,
    text_in_body,
    update,
    update_both,
)

_ONLY_PRIMARY, _ONLY_SECONDARY = DifferenceKind.ONLY_PRIMARY, DifferenceKind.ONLY_SECONDARY
_HAS_STORAGE = "storage IS NOT NULL"
_HAS_DURATION = "content ? 'durationSec'"
_FILL = "repeat('장면 scene ', 700)"
_APART = """
    UPDATE public.planning p SET created_at = timestamp '1990-01-01' + interval '7 minutes' * n.place
    FROM (SELECT id, row_number() OVER (ORDER BY id::text COLLATE "C") AS place FROM public.planning) n
    WHERE n.id = p.id
"""  # seven minutes apart, nowhere ten rows are created within an hour

WITHOUT_DECOY: Mapping[Cause, str] = {
    Cause.MISSING_ROW: "It is what remains of a one-sided row, so nothing can be mistaken for it.",
    Cause.UNEXPLAINED: "It is what every decoy must come out as.",
}
"""The causes that have no decoy, with the reason."""


def _decoy(
    cause: Cause,
    title: str,
    *inject: Statement,
    expects: Expected,
    variant: str = "",
    where: str = "true",
    rows: int = 2,
    spared: int = 0,
) -> Fault:
    return Fault(
        id=f"decoy_{cause}" + (f"_{variant}" if variant else ""),
        title=title,
        origin=f"looks like {cause}",
        rows=rows,
        where=where,
        inject=inject,
        expects=expects,
        spared=spared,
        decoy=True,
    )


def _unexplained(fields: str, *, breaks: str = "", on: Statement | None = None) -> Expected:
    return differs(Cause.UNEXPLAINED, fields=fields, breaks=breaks, on=on.store if on else None)


def _plain(
    cause: Cause,
    title: str,
    fields: str,
    *inject: Statement,
    breaks: str = "",
    where: str = "true",
    variant: str = "",
) -> Fault:
    """Return a decoy whose last statement is the fault; the rules that it breaks are broken there."""
    expects = _unexplained(fields, breaks=breaks, on=inject[-1])
    return _decoy(cause, title, *inject, expects=expects, where=where, variant=variant)


_JSON = (
    _plain(
        Cause.DOUBLE_ENCODED_JSON,
        "The content on prisma is a JSON string that holds the body without its last character.",
        "content",
        update(PRISMA, "content = to_jsonb(left(content::text, -1))"),
        breaks="content_is_object",
    ),
    _plain(
        Cause.DOUBLE_ENCODED_JSON,
        "The content on supabase is a JSON string that holds another body.",
        "content",
        update(SUPABASE, "content = to_jsonb('{\"id\": 1}'::text)"),
        breaks="content_is_object",
        variant="other",
    ),
    _plain(
        Cause.DOUBLE_ENCODED_JSON,
        "The content on supabase is a JSON string that holds no JSON.",
        "content",
        update(SUPABASE, "content = to_jsonb('see the attachment'::text)"),
        breaks="content_is_object",
        variant="prose",
    ),
    _plain(
        Cause.JSON_STRIPPED,
        "The content on supabase lacks its genre.",
        "content.genre",
        update(SUPABASE, "content = content - 'genre'"),
        where="type = 'scenario'",
    ),
    _plain(
        Cause.JSON_STRIPPED,
        "The content on prisma lacks its metadata and its genre.",
        "content.metadata content.genre",
        update(PRISMA, "content = content - 'metadata' - 'genre'"),
        where=f"type = 'scenario' AND {METADATA_IN_BODY}",
        variant="and_more",
    ),
    _plain(
        Cause.JSON_KEY_CASE,
        "A key of the content is written `final_text` instead of `finalPrompt` on supabase.",
        "content.finalPrompt content.final_text",
        update(
            SUPABASE, "content = content - 'finalPrompt' || jsonb_build_object('final_text', content->'finalPrompt')"
        ),
        breaks="content_valid",
        where="type = 'prompt'",
    ),
    _plain(
        Cause.JSON_SCALAR_AS_TEXT,
        "The duration is 90 on supabase and the text `90 s` on prisma.",
        "content.durationSec",
        update(SUPABASE, in_body("durationSec", "'90'")),
        update(PRISMA, in_body("durationSec", "'\"90 s\"'")),
        breaks="content_valid",
        where=_HAS_DURATION,
    ),
    _plain(
        Cause.JSON_SCALAR_AS_TEXT,
        "A flag is true on prisma and the text `yes` on supabase.",
        "storage.prisma.saved",
        update(SUPABASE, "storage = jsonb_set(storage, '{prisma,saved}', '\"yes\"')"),
        where=_HAS_STORAGE,
        variant="yes",
    ),
    _plain(
        Cause.NUMBER_ROUNDED,
        "Two whole numbers beyond 2^53 of which neither is the other after a trip through a double.",
        "content.durationSec",
        update(PRISMA, in_body("durationSec", "'9007199254740993'")),
        update(SUPABASE, in_body("durationSec", "'9007199254740994'")),
        where=_HAS_DURATION,
    ),
    _plain(
        Cause.NUMBER_ROUNDED,
        "A number with two digits that the one with four does not round to.",
        "storage.seconds",
        update(PRISMA, "storage = jsonb_set(storage, '{seconds}', '12.37')"),
        update(SUPABASE, "storage = jsonb_set(storage, '{seconds}', '12.3456')"),
        where=_HAS_STORAGE,
        variant="digits",
    ),
)

_INSTANTS = (
    _plain(
        Cause.TIME_ZONE_SHIFT,
        "The time of creation is 37 minutes earlier on supabase.",
        "created_at",
        update(SUPABASE, "created_at = created_at - interval '37 minutes'"),
        where=EDITED,
    ),
    _plain(
        Cause.TIME_ZONE_SHIFT,
        "The time of creation is fifteen hours earlier on prisma, farther than any two zones.",
        "created_at",
        update(PRISMA, "created_at = created_at - interval '15 hours'"),
        where=EDITED,
        variant="too_far",
    ),
    _plain(
        Cause.TIME_ZONE_SHIFT,
        "The time of creation is nine hours and one second earlier on supabase.",
        "created_at",
        update(SUPABASE, "created_at = created_at - interval '9 hours 1 second'"),
        where=EDITED,
        variant="nearly",
    ),
    _plain(
        Cause.TIMESTAMP_TRUNCATED,
        "The times of creation are two milliseconds apart; neither cutting nor rounding makes one of the other.",
        "created_at",
        update(SUPABASE, "created_at = created_at + interval '1600 microseconds'"),
        where=EDITED,
    ),
    _plain(
        Cause.CREATED_AT_REWRITTEN,
        "The time of creation is 37 seconds later on supabase and still older than the last change.",
        "created_at",
        update(SUPABASE, "created_at = created_at + interval '37 seconds'"),
        where=EDITED,
    ),
    _plain(
        Cause.UPDATED_AT_REWRITTEN,
        "The time of the last change is two milliseconds later on prisma, not on supabase.",
        "updated_at",
        update(PRISMA, "updated_at = updated_at + interval '2 milliseconds'"),
    ),
    _plain(
        Cause.UPDATED_AT_REWRITTEN,
        "The time of the last change is later on supabase, and so is the text.",
        "updated_at content.finalPrompt",
        update(
            SUPABASE,
            "updated_at = updated_at + interval '61 seconds', " + text_in_body("finalPrompt", "'Another prompt'"),
        ),
        where="type = 'prompt'",
        variant="with_text",
    ),
)

_TEXTS = (
    _plain(
        Cause.TEXT_TRUNCATED,
        "A title of 300 characters was cut to 200 on supabase, and its last letter is another one.",
        "title",
        *update_both(f"title = left(title || {_FILL}, 300)"),
        update(SUPABASE, "title = left(title, 199) || '#'"),
        where=NO_TITLE_IN_BODY,
    ),
    _plain(
        Cause.TEXT_TRUNCATED,
        "A title of 300 characters was cut to 123 on prisma, a length that no column has.",
        "title",
        *update_both(f"title = left(title || {_FILL}, 300)"),
        update(PRISMA, "title = left(title, 123)"),
        where=NO_TITLE_IN_BODY,
        variant="odd_length",
    ),
    _plain(
        Cause.TEXT_CASE,
        "A title is in upper case on supabase and has one letter more.",
        "title",
        update(SUPABASE, "title = upper(title) || 'X'"),
        where=LATIN,
    ),
    _plain(
        Cause.TEXT_WHITESPACE,
        "The blanks between the words of a title are doubled on supabase.",
        "title",
        update(SUPABASE, "title = replace(title, ' ', '  ')"),
    ),
    _plain(
        Cause.TEXT_NORMALIZATION,
        "The vowels of a title are full-width letters on supabase, which are equal in no canonical form.",
        "title",
        update(SUPABASE, "title = translate(title, 'aeiou', '\uff41\uff45\uff49\uff4f\uff55')"),
        where=LATIN,
    ),
    _plain(
        Cause.TEXT_MOJIBAKE,
        "The UTF-8 of a title was read as Latin-1 on supabase, and one letter was lost.",
        "title",
        update(SUPABASE, "title = overlay(convert_from(convert_to(title, 'UTF8'), 'LATIN1') placing '?' from 2 for 1)"),
        where="title ~ '^[가-힣]'",
    ),
    _plain(
        Cause.TITLE_FALLBACK,
        "A title on supabase is type and time where prisma has a proper one.",
        "title",
        update(SUPABASE, "title = type || ' - 2026-01-15T04:05:06.789Z'"),
    ),
    _decoy(
        Cause.TITLE_FALLBACK,
        "A blank title of prisma was replaced by time and another record's type on supabase.",
        update(PRISMA, "title = '   '"),
        update(SUPABASE, "title = 'scenario - 2026-01-15T04:05:06.789Z'"),
        expects=differs(Cause.UNEXPLAINED, fields="title", breaks="title_not_blank", on=PRISMA),
        where=f"type = 'image' AND {NO_TITLE_IN_BODY}",
        variant="other_type",
    ),
)

_COLUMNS = (
    _plain(
        Cause.COLUMN_STALE,
        "The title column of prisma disagrees with its own content, but so does supabase.",
        "title",
        update(PRISMA, "title = 'One title ' || left(id, 4)"),
        update(SUPABASE, "title = 'Quite another ' || left(id::text, 4)"),
        where=TITLE_IN_BODY,
    ),
    _plain(
        Cause.COLUMN_NOT_WRITTEN,
        "The source on supabase is an empty text: neither NULL nor a default.",
        "source",
        update(SUPABASE, "source = ''"),
        where="source IS NOT NULL",
    ),
    _plain(
        Cause.COLUMN_NOT_WRITTEN,
        "The storage status is `saved` on prisma and `failed` on supabase, both of them written.",
        "storage_status",
        update(SUPABASE, "storage_status = 'failed'"),
        where="storage_status = 'saved'",
        variant="both_written",
    ),
    _plain(
        Cause.STATUS_VOCABULARY,
        "The status is `completed` on prisma and `archived` on supabase, both of them valid.",
        "status",
        update(SUPABASE, "status = 'archived'"),
        where="status = 'completed'",
    ),
    _plain(
        Cause.REFERENCE_NOT_UUID,
        "The owner is no UUID on prisma, but supabase has an owner.",
        "user_id",
        update(PRISMA, "user_id = 'user_' || left(user_id, 6)"),
        breaks="user_id_valid",
        where="user_id IS NOT NULL",
    ),
    _plain(
        Cause.VERSION_DRIFT,
        "The version on supabase is one ahead, and the title is another one.",
        "version title",
        update(SUPABASE, "version = version + 1, title = 'Renamed in version ' || version"),
        where="version >= 2",
    ),
)

_OTHER_KEY = "upper(overlay(id placing translate(right(id, 1), '0123456789abcdef', '123456789abcdef0') from 36))"

_ROWS = (
    _decoy(
        Cause.KEY_CASE,
        "A record's id is in upper case on prisma, and its last digit is not the one on supabase.",
        update(PRISMA, f"id = {_OTHER_KEY}, {text_in_body('id', _OTHER_KEY)}"),
        expects=excluded(one_sided(_ONLY_SECONDARY, Cause.MISSING_ROW), 2),
        where="left(id, 35) ~ '[a-f]'",
    ),
    _decoy(
        Cause.REFUSED_BY_STORE,
        "A record that goes to the limits of every constraint, and not beyond, is missing on supabase.",
        update(PRISMA, "title = repeat('제', 500), status = 'archived', version = 2147483647, user_id = NULL"),
        delete(SUPABASE),
        expects=one_sided(_ONLY_PRIMARY, Cause.MISSING_ROW),
    ),
    _decoy(
        Cause.REFUSED_BY_STORE,
        "A record that breaks rules of the contract, but no constraint, is missing on supabase.",
        update(PRISMA, "storage_status = 'lost', metadata = '[]', project_id = upper(project_id)"),
        delete(SUPABASE),
        expects=one_sided(
            _ONLY_PRIMARY, Cause.MISSING_ROW, breaks="storage_status_known metadata_valid project_id_valid"
        ),
        where="project_id ~ '[a-f]'",
        variant="no_constraint",
    ),
    _decoy(
        Cause.WRITE_WINDOW,
        "Nine records in a row are missing on supabase, one fewer than make a window.",
        *created_from("2021-09-10 11:00", 4),
        delete(SUPABASE),
        expects=one_sided(_ONLY_PRIMARY, Cause.MISSING_ROW),
        rows=9,
    ),
    _decoy(
        Cause.WRITE_WINDOW,
        "Twelve records of one hour are missing on supabase, but one in their midst is there.",
        *update_both(
            "created_at = timestamp '2021-10-11 12:00' + interval '4 minutes' * "
            "CASE array_position(%(keys)s::text[], id::text) WHEN 13 THEN 6.5 "
            "ELSE array_position(%(keys)s::text[], id::text) END"
        ),
        delete(SUPABASE, spared=1),
        expects=one_sided(_ONLY_PRIMARY, Cause.MISSING_ROW),
        variant="with_survivor",
        rows=13,
        spared=1,
    ),
    _decoy(
        Cause.WRITE_WINDOW,
        "Ten records in a row are missing on prisma, but they were created over more than an hour.",
        *created_from("2021-11-12 13:00", 7),
        delete(PRISMA),
        expects=one_sided(_ONLY_SECONDARY, Cause.MISSING_ROW),
        variant="too_long",
        rows=10,
    ),
    Fault(
        id="decoy_side_empty",
        title="Supabase holds a single record, which is on prisma as well.",
        origin="looks like side_empty",
        inject=(
            Statement(store=PRISMA, sql=_APART),
            Statement(store=SUPABASE, sql=_APART),
            delete(SUPABASE, spared=1),
        ),
        expects=one_sided(_ONLY_PRIMARY, Cause.MISSING_ROW),
        spared=1,
        decoy=True,
        exclusive=True,
    ),
)

DECOYS = (*_JSON, *_INSTANTS, *_TEXTS, *_COLUMNS, *_ROWS)
"""All decoys; a cause may have several."""
