"""Content, metadata and storage that say the same in another JSON, or nearly the same."""

from __future__ import annotations

from contracts.vocabulary import Cause
from storage.local.faults.model import Fault
from storage.local.faults.words import (
    METADATA_IN_BODY,
    PRISMA,
    SUPABASE,
    TITLE_IN_BODY,
    alike,
    differs,
    in_body,
    update,
)

_STRINGIFIED = "a writer turned the body into text before it handed it to a JSON column"
_NUMBERS = "a client read a JSON number as a double"
_BODY_RULES = "content_valid content_id_matches content_type_matches"
_HAS_DURATION = "content ? 'durationSec'"
_HAS_STORAGE = "storage IS NOT NULL"
_STRIPPED = "content = content - '{id,type,title,metadata}'::text[]"
_STRIPPED_FIELDS = "content.id content.type content.title content.metadata"

ENCODINGS = (
    Fault(
        id="content_double_encoded_prisma",
        title="The content on prisma is a JSON string that holds the body.",
        origin=_STRINGIFIED,
        inject=(update(PRISMA, "content = to_jsonb(content::text)"),),
        expects=differs(Cause.DOUBLE_ENCODED_JSON, fields="content", at=PRISMA, breaks="content_is_object"),
    ),
    Fault(
        id="content_double_encoded_supabase",
        title="The content on supabase is a JSON string that holds the body, with other white space.",
        origin=_STRINGIFIED,
        inject=(update(SUPABASE, "content = to_jsonb(jsonb_pretty(content))"),),
        expects=differs(Cause.DOUBLE_ENCODED_JSON, fields="content", at=SUPABASE, breaks="content_is_object"),
    ),
    Fault(
        id="metadata_double_encoded_prisma",
        title="The metadata on prisma are a JSON string that holds the object.",
        origin=_STRINGIFIED,
        where="metadata IS NOT NULL",
        inject=(update(PRISMA, "metadata = to_jsonb(metadata::text)"),),
        expects=differs(Cause.DOUBLE_ENCODED_JSON, fields="metadata", at=PRISMA, breaks="metadata_valid"),
    ),
    Fault(
        id="storage_double_encoded_supabase",
        title="The storage notes on supabase are a JSON string that holds the object.",
        origin=_STRINGIFIED,
        where=_HAS_STORAGE,
        inject=(update(SUPABASE, "storage = to_jsonb(storage::text)"),),
        expects=differs(Cause.DOUBLE_ENCODED_JSON, fields="storage", at=SUPABASE),
    ),
    Fault(
        id="content_stripped_prisma",
        title="The content on prisma has only the fields of its type: no id, type, title and metadata.",
        origin="two writers store two shapes of the body",
        where=f"{TITLE_IN_BODY} AND {METADATA_IN_BODY}",
        inject=(update(PRISMA, _STRIPPED),),
        expects=differs(Cause.JSON_STRIPPED, fields=_STRIPPED_FIELDS, at=PRISMA, breaks=_BODY_RULES),
    ),
    Fault(
        id="content_stripped_supabase",
        title="The content on supabase has only the fields of its type: no id, type, title and metadata.",
        origin="two writers store two shapes of the body",
        where=f"{TITLE_IN_BODY} AND {METADATA_IN_BODY}",
        inject=(update(SUPABASE, _STRIPPED),),
        expects=differs(Cause.JSON_STRIPPED, fields=_STRIPPED_FIELDS, at=SUPABASE, breaks=_BODY_RULES),
    ),
    Fault(
        id="content_metadata_stripped_prisma",
        title="The content on prisma lacks its copy of the metadata.",
        origin="two writers store two shapes of the body",
        where=METADATA_IN_BODY,
        inject=(update(PRISMA, "content = content - 'metadata'"),),
        expects=differs(Cause.JSON_STRIPPED, fields="content.metadata", at=PRISMA),
    ),
    Fault(
        id="content_key_case_supabase",
        title="A key of the content is written `final_prompt` on supabase.",
        origin="columns are snake_case, bodies camelCase",
        where="type = 'prompt'",
        inject=(
            update(
                SUPABASE,
                "content = content - 'finalPrompt' || jsonb_build_object('final_prompt', content->'finalPrompt')",
            ),
        ),
        expects=differs(
            Cause.JSON_KEY_CASE, fields="content.finalPrompt content.final_prompt", breaks="content_valid", on=SUPABASE
        ),
    ),
    Fault(
        id="metadata_key_case_prisma",
        title="Two keys of the metadata are written `created_at` and `updated_at` on prisma.",
        origin="columns are snake_case, bodies camelCase",
        where="metadata IS NOT NULL",
        inject=(
            update(
                PRISMA,
                "metadata = metadata - '{createdAt,updatedAt}'::text[] || jsonb_build_object("
                "'created_at', metadata->'createdAt', 'updated_at', metadata->'updatedAt')",
            ),
        ),
        expects=differs(
            Cause.JSON_KEY_CASE,
            fields="metadata.createdAt metadata.created_at metadata.updatedAt metadata.updated_at",
            breaks="metadata_valid",
            on=PRISMA,
        ),
    ),
    Fault(
        id="duration_as_text_prisma",
        title="The duration in the content is a text on prisma.",
        origin="a form field that was never turned into a number",
        where=_HAS_DURATION,
        inject=(update(PRISMA, in_body("durationSec", "to_jsonb(content->>'durationSec')")),),
        expects=differs(Cause.JSON_SCALAR_AS_TEXT, fields="content.durationSec", at=PRISMA, breaks="content_valid"),
    ),
    Fault(
        id="flag_as_text_supabase",
        title="A flag of the storage notes is the text `true` on supabase.",
        origin="a writer that turns every value into text",
        where=_HAS_STORAGE,
        inject=(update(SUPABASE, "storage = jsonb_set(storage, '{prisma,saved}', '\"true\"')"),),
        expects=differs(Cause.JSON_SCALAR_AS_TEXT, fields="storage.prisma.saved", at=SUPABASE),
    ),
    Fault(
        id="version_as_text_supabase",
        title="The version in the metadata is a text on supabase.",
        origin="a writer that turns every value into text",
        where="metadata ? 'version'",
        inject=(update(SUPABASE, "metadata = jsonb_set(metadata, '{version}', to_jsonb(metadata->>'version'))"),),
        expects=differs(Cause.JSON_SCALAR_AS_TEXT, fields="metadata.version", at=SUPABASE, breaks="metadata_valid"),
    ),
    Fault(
        id="number_beyond_double_supabase",
        title="A whole number beyond 2^53 lost its last digit on supabase.",
        origin=_NUMBERS,
        where=_HAS_DURATION,
        inject=(
            update(PRISMA, in_body("durationSec", "'9007199254740993'")),
            update(SUPABASE, in_body("durationSec", "'9007199254740992'")),
        ),
        expects=differs(Cause.NUMBER_ROUNDED, fields="content.durationSec", at=SUPABASE),
    ),
    Fault(
        id="number_rounded_supabase",
        title="A decimal number lost its last digits on supabase.",
        origin=_NUMBERS,
        where=_HAS_STORAGE,
        inject=(
            update(PRISMA, "storage = jsonb_set(storage, '{share}', '0.12345678901234567891')"),
            update(SUPABASE, "storage = jsonb_set(storage, '{share}', '0.12345678901234568')"),
        ),
        expects=differs(Cause.NUMBER_ROUNDED, fields="storage.share", at=SUPABASE),
    ),
    Fault(
        id="number_two_digits_prisma",
        title="A decimal number was rounded to two digits on prisma.",
        origin="a writer that formats numbers for people",
        where=_HAS_STORAGE,
        inject=(
            update(PRISMA, "storage = jsonb_set(storage, '{seconds}', '12.35')"),
            update(SUPABASE, "storage = jsonb_set(storage, '{seconds}', '12.3456')"),
        ),
        expects=differs(Cause.NUMBER_ROUNDED, fields="storage.seconds", at=PRISMA),
    ),
    Fault(
        id="number_written_otherwise",
        title="The same number is written 1.0 on prisma and 1.00 on supabase.",
        origin="JSONB keeps the digits of a number as they were written",
        where=_HAS_STORAGE,
        inject=(
            update(PRISMA, "storage = jsonb_set(storage, '{ratio}', '1.0')"),
            update(SUPABASE, "storage = jsonb_set(storage, '{ratio}', '1.00')"),
        ),
        expects=alike(),
    ),
    Fault(
        id="duration_written_otherwise",
        title="The same duration is written 90 on prisma and 90.0 on supabase.",
        origin="JSONB keeps the digits of a number as they were written",
        where=_HAS_DURATION,
        inject=(update(PRISMA, in_body("durationSec", "'90'")), update(SUPABASE, in_body("durationSec", "'90.0'"))),
        expects=alike(),
    ),
)
"""Faults of JSON."""
