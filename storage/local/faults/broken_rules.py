"""Contract rules that are broken on both stores alike: the stores agree, and what they agree on is wrong."""

from __future__ import annotations

from storage.local.faults.model import Fault
from storage.local.faults.words import (
    NO_METADATA_IN_BODY,
    NO_TITLE_IN_BODY,
    in_body,
    text_in_body,
    update_both,
    violates,
)

_UUID = "'0d9b2c64-3f5e-4a17-8c2b-7e1f9a6d5c3b'"
_VIDEO = "type = 'video'"
_PROMPT = "type = 'prompt'"


def _both(name: str, title: str, assignments: str, breaks: str, where: str = "true") -> Fault:
    return Fault(
        id=f"{name}_both",
        title=f"{title}, on both stores alike.",
        origin=f"contract: {breaks.replace(' ', ', ')}",
        rows=2,
        where=where,
        inject=update_both(assignments),
        expects=violates(breaks),
    )


BROKEN_RULES = (
    _both(
        "type_unknown", "The type is `podcast`", "type = 'podcast', " + text_in_body("type", "'podcast'"), "type_known"
    ),
    _both("status_unknown", "The status is `queued`", "status = 'queued'", "status_known"),
    _both("status_alias", "The status is spelled `in-progress`", "status = 'in-progress'", "status_canonical"),
    _both("title_empty", "The title is empty", "title = ''", "title_length"),
    _both("title_blank", "The title is nothing but blanks", "title = '   '", "title_not_blank"),
    _both("title_too_long", "The title has 501 characters", "title = repeat('제', 501)", "title_length"),
    _both("content_string", "The content is a JSON string", "content = to_jsonb(content::text)", "content_is_object"),
    _both("content_list", "The content is a list", "content = jsonb_build_array(content)", "content_is_object"),
    _both("content_null", "The content is the JSON null", "content = 'null'", "content_is_object"),
    _both("content_number", "The content is a number", "content = '42'", "content_is_object"),
    _both(
        "content_empty",
        "The content is an empty object",
        "content = '{}'",
        "content_valid content_id_matches content_type_matches",
    ),
    _both(
        "content_unknown_key",
        "The content has a field that no type knows",
        in_body("projectId", "'\"p-1\"'"),
        "content_valid",
    ),
    _both(
        "content_other_types_key",
        "The content of a video has a field of a prompt",
        in_body("finalPrompt", "'\"a rainy street\"'"),
        "content_valid",
        _VIDEO,
    ),
    _both(
        "content_title_missing",
        "The content of a scenario has no title",
        "content = content - 'title'",
        "content_valid",
        "type = 'scenario'",
    ),
    _both(
        "content_title_too_long",
        "The title inside the content has 501 characters",
        text_in_body("title", "repeat('t', 501)"),
        "content_valid",
    ),
    _both(
        "content_prompt_missing", "A prompt has no text", "content = content - 'finalPrompt'", "content_valid", _PROMPT
    ),
    _both(
        "content_prompt_empty", "A prompt's text is empty", in_body("finalPrompt", "'\"\"'"), "content_valid", _PROMPT
    ),
    _both(
        "content_story_empty",
        "A story's text is empty",
        in_body("content", "'\"\"'"),
        "content_valid",
        "type = 'story'",
    ),
    _both(
        "content_keywords_text",
        "The keywords of a prompt are one text",
        in_body("keywords", "'\"rain, neon\"'"),
        "content_valid",
        _PROMPT,
    ),
    _both(
        "content_tag_number",
        "A tag of an image is a number",
        in_body("tags", "'[1]'"),
        "content_valid",
        "type = 'image'",
    ),
    _both(
        "content_duration_negative",
        "The duration of a scenario is negative",
        in_body("durationSec", "'-1'"),
        "content_valid",
        "type = 'scenario'",
    ),
    _both(
        "content_duration_fraction",
        "The duration of a scenario is no whole number",
        in_body("durationSec", "'1.5'"),
        "content_valid",
        "type = 'scenario'",
    ),
    _both(
        "content_url_bad", "The URL of a video is none", in_body("videoUrl", "'\"not a url\"'"), "content_valid", _VIDEO
    ),
    _both("content_url_null", "The URL of a video is null", in_body("videoUrl", "'null'"), "content_valid", _VIDEO),
    _both(
        "content_version_text",
        "The version in the content's metadata is the text `1.0`",
        in_body("metadata", '\'{"version": "1.0"}\''),
        "content_valid",
        NO_METADATA_IN_BODY,
    ),
    _both(
        "content_id_other",
        "The id inside the content is that of another record",
        text_in_body("id", _UUID),
        "content_id_matches",
    ),
    _both(
        "content_id_upper_case",
        "The id inside the content is in upper case",
        text_in_body("id", "upper(id::text)"),
        "content_id_matches",
        "id ~ '[a-f]'",
    ),
    _both(
        "content_type_other",
        "The type inside the content of a video is `image`",
        text_in_body("type", "'image'"),
        "content_type_matches",
        f"{_VIDEO} AND NOT content ?| '{{videoUrl,processingJobId}}'",
    ),
    _both(
        "created_after_updated",
        "A record was created a minute after its last change",
        "created_at = updated_at + interval '61.007 seconds'",
        "created_before_updated",
    ),
    _both("version_zero", "The version is 0", "version = 0", "version_positive"),
    _both("version_negative", "The version is negative", "version = -3", "version_positive"),
    _both(
        "metadata_unknown_key",
        "The metadata have a key that nobody agreed on",
        """metadata = '{"createdBy": "guest", "version": 1}'""",
        "metadata_valid",
    ),
    _both("metadata_list", "The metadata are a list", "metadata = '[]'", "metadata_valid"),
    _both(
        "metadata_version_zero", "The version in the metadata is 0", "metadata = '{\"version\": 0}'", "metadata_valid"
    ),
    _both(
        "metadata_time_text",
        "A time in the metadata is a text",
        """metadata = '{"createdAt": "2026-01-01T00:00:00Z"}'""",
        "metadata_valid",
    ),
    _both("storage_status_unknown", "The storage status is `lost`", "storage_status = 'lost'", "storage_status_known"),
    _both(
        "title_blank_version_zero",
        "The title is a tab and the version is 0",
        r"title = E'\t ', version = 0",
        "title_not_blank version_positive",
        NO_TITLE_IN_BODY,
    ),
)
"""Broken rules without any difference."""
