"""Texts that were cut, re-encoded or tidied up on one store."""

from __future__ import annotations

from contracts.vocabulary import Cause
from storage.local.faults.model import Fault
from storage.local.faults.words import (
    LATIN,
    NO_TITLE_IN_BODY,
    PRISMA,
    SUPABASE,
    TITLE_IN_BODY,
    differs,
    text_in_body,
    update,
    update_both,
)

_LIMITS = "writers with different limits for the same text"
_TIDY = "a form or an import that tidies up texts"
_UNICODE = "a client that normalises texts before it sends them"
_CHARSET = "a connection that took UTF-8 for another character set"
_FILL = "repeat('장면 scene ', 700)"  # 9 characters each, 6300 in all

TEXTS = (
    Fault(
        id="title_cut_200_supabase",
        title="A title of 300 characters was cut to 200 on supabase.",
        origin=_LIMITS,
        where=NO_TITLE_IN_BODY,
        inject=(*update_both(f"title = left(title || {_FILL}, 300)"), update(SUPABASE, "title = left(title, 200)")),
        expects=differs(Cause.TEXT_TRUNCATED, fields="title", at=SUPABASE),
    ),
    Fault(
        id="title_cut_255_prisma",
        title="A title of 300 characters was cut to 255 on prisma.",
        origin=_LIMITS,
        where=NO_TITLE_IN_BODY,
        inject=(*update_both(f"title = left(title || {_FILL}, 300)"), update(PRISMA, "title = left(title, 255)")),
        expects=differs(Cause.TEXT_TRUNCATED, fields="title", at=PRISMA),
    ),
    Fault(
        id="title_cut_500_supabase",
        title="A title of 600 characters, which is too long, was cut to 500 on supabase.",
        origin=_LIMITS,
        where=NO_TITLE_IN_BODY,
        inject=(*update_both(f"title = left(title || {_FILL}, 600)"), update(SUPABASE, "title = left(title, 500)")),
        expects=differs(Cause.TEXT_TRUNCATED, fields="title", at=SUPABASE, breaks="title_length", on=PRISMA),
    ),
    Fault(
        id="story_cut_5000_supabase",
        title="A story of 6000 characters was cut to 5000 on supabase.",
        origin=_LIMITS,
        where="type = 'scenario'",
        rows=2,
        inject=(
            update(PRISMA, text_in_body("story", f"left({_FILL}, 6000)")),
            update(SUPABASE, text_in_body("story", f"left({_FILL}, 5000)")),
        ),
        expects=differs(Cause.TEXT_TRUNCATED, fields="content.story", at=SUPABASE),
    ),
    Fault(
        id="line_cut_with_dots_prisma",
        title="The one-line story was cut to 200 characters and three dots on prisma.",
        origin=_LIMITS,
        where="type = 'story'",
        inject=(
            update(PRISMA, text_in_body("oneLineStory", f"left({_FILL}, 200) || '...'")),
            update(SUPABASE, text_in_body("oneLineStory", f"left({_FILL}, 400)")),
        ),
        expects=differs(Cause.TEXT_TRUNCATED, fields="content.oneLineStory", at=PRISMA),
    ),
    Fault(
        id="description_cut_191_supabase",
        title="The description of an image was cut to 191 characters on supabase.",
        origin=_LIMITS,
        where="type = 'image'",
        inject=(
            update(PRISMA, text_in_body("description", f"left({_FILL}, 320)")),
            update(SUPABASE, text_in_body("description", f"left({_FILL}, 191)")),
        ),
        expects=differs(Cause.TEXT_TRUNCATED, fields="content.description", at=SUPABASE),
    ),
    Fault(
        id="title_case_supabase",
        title="A title is in upper case on supabase.",
        origin=_TIDY,
        where=LATIN,
        inject=(update(SUPABASE, "title = upper(title)"),),
        expects=differs(Cause.TEXT_CASE, fields="title"),
    ),
    Fault(
        id="body_title_case_prisma",
        title="The title inside the content is in lower case on prisma.",
        origin=_TIDY,
        where=f"{TITLE_IN_BODY} AND title ~ '[A-Z]'",
        inject=(update(PRISMA, text_in_body("title", "lower(content->>'title')")),),
        expects=differs(Cause.TEXT_CASE, fields="content.title"),
    ),
    Fault(
        id="title_whitespace_supabase",
        title="A title has blanks at its end on supabase.",
        origin=_TIDY,
        inject=(update(SUPABASE, "title = title || '  '"),),
        expects=differs(Cause.TEXT_WHITESPACE, fields="title"),
    ),
    Fault(
        id="line_endings_prisma",
        title="A text has the line endings of Windows on prisma.",
        origin=_TIDY,
        where="type = 'story' AND content->>'content' ~ E'\\n'",
        inject=(update(PRISMA, text_in_body("content", r"replace(content->>'content', E'\n', E'\r\n')")),),
        expects=differs(Cause.TEXT_WHITESPACE, fields="content.content"),
    ),
    Fault(
        id="title_decomposed_supabase",
        title="A title is written with decomposed letters (NFD) on supabase.",
        origin=_UNICODE,
        where="title <> normalize(title, NFD)",
        inject=(update(SUPABASE, "title = normalize(title, NFD)"),),
        expects=differs(Cause.TEXT_NORMALIZATION, fields="title"),
    ),
    Fault(
        id="body_decomposed_prisma",
        title="A text inside the content is written with decomposed letters (NFD) on prisma.",
        origin=_UNICODE,
        where="type = 'prompt' AND content->>'finalPrompt' <> normalize(content->>'finalPrompt', NFD)",
        inject=(update(PRISMA, text_in_body("finalPrompt", "normalize(content->>'finalPrompt', NFD)")),),
        expects=differs(Cause.TEXT_NORMALIZATION, fields="content.finalPrompt"),
    ),
    Fault(
        id="title_mojibake_latin1_supabase",
        title="The UTF-8 of a title was read as Latin-1 on supabase.",
        origin=_CHARSET,
        where="title ~ '[가-힣]'",
        inject=(update(SUPABASE, "title = convert_from(convert_to(title, 'UTF8'), 'LATIN1')"),),
        expects=differs(Cause.TEXT_MOJIBAKE, fields="title", at=SUPABASE),
    ),
    Fault(
        id="body_mojibake_windows_prisma",
        title="The UTF-8 of a text inside the content was read as Windows-1252 on prisma.",
        origin=_CHARSET,
        where="type = 'story'",
        inject=(
            update(PRISMA, text_in_body("oneLineStory", "'CafÃ© crÃ¨me â€“ Ã©tÃ©'")),
            update(SUPABASE, text_in_body("oneLineStory", "'Café crème \u2013 été'")),
        ),
        expects=differs(Cause.TEXT_MOJIBAKE, fields="content.oneLineStory", at=PRISMA),
    ),
)
"""Faults of texts."""
