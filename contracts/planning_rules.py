"""The rules of the planning contract: what must hold for every row, and what breaks when it does not."""

from __future__ import annotations

from contracts.planning_words import TITLE_MAX
from contracts.rules import Rule
from contracts.vocabulary import Severity

_BROKEN_BY = {
    "id_replicable": (
        "id_composite",
        "id_probe",
        "id_hostile",
        "id_upper_case",
        "id_without_hyphens",
    ),
    "required_present": (
        "created_at_null_supabase",
        "updated_at_null_supabase",
    ),
    "type_known": (
        "type_unknown_both",
        "refused_type",
    ),
    "status_known": (
        "status_unknown_both",
        "refused_status",
    ),
    "title_length": (
        "title_empty_both",
        "title_too_long_both",
    ),
    "content_is_object": (
        "content_string_both",
        "content_list_both",
        "content_null_both",
        "content_number_both",
        "content_double_encoded_prisma",
        "content_double_encoded_supabase",
    ),
    "content_valid": (
        "content_unknown_key_both",
        "content_title_missing_both",
        "content_duration_negative_both",
        "content_url_bad_both",
        "content_stripped_prisma",
    ),
    "content_id_matches": (
        "content_id_other_both",
        "content_id_upper_case_both",
    ),
    "content_type_matches": ("content_type_other_both",),
    "created_before_updated": (
        "created_after_updated_both",
        "created_at_rewritten_prisma",
    ),
    "user_id_valid": (
        "user_guest",
        "user_legacy",
        "user_upper_case",
    ),
    "version_positive": (
        "version_zero_both",
        "version_negative_both",
        "version_null_supabase",
    ),
    "title_not_blank": (
        "title_blank_both",
        "title_fallback_blank",
    ),
    "metadata_valid": (
        "metadata_unknown_key_both",
        "metadata_list_both",
        "metadata_double_encoded_prisma",
    ),
    "project_id_valid": (
        "project_legacy",
        "project_upper_case",
    ),
    "storage_status_known": ("storage_status_unknown_both",),
    "status_canonical": (
        "status_alias_both",
        "status_alias_prisma",
        "status_alias_supabase",
    ),
}
"""Faults of the catalogue that break a rule: the ones that show it best, not all."""


def _rule(name: str, severity: Severity, sentence: str, *columns: str) -> Rule:
    return Rule(
        id=f"planning.{name}", severity=severity, sentence=sentence, columns=columns, broken_by=_BROKEN_BY.get(name, ())
    )


REQUIRED = ("type", "title", "content", "status", "created_at", "updated_at")
"""The columns of a planning row that are never NULL; `version` has a rule of its own."""

PLANNING_RULES = (
    _rule(
        "id_replicable",
        Severity.CRITICAL,
        "The id is a UUID in lower case with hyphens; supabase cannot hold another id, so the row stays on one side.",
        "id",
    ),
    _rule(
        "required_present",
        Severity.CRITICAL,
        "Type, title, content, status and both times are there; a reader of the row fails on NULL.",
        *REQUIRED,
    ),
    _rule(
        "type_known",
        Severity.CRITICAL,
        "The type is one of the five content types; a row of another type is shown by no page and refused by supabase.",
        "type",
    ),
    _rule(
        "status_known",
        Severity.CRITICAL,
        "The status is in the vocabulary or an alias of it; any other is in no list and refused by supabase.",
        "status",
    ),
    _rule(
        "title_length",
        Severity.CRITICAL,
        f"The title has 1 to {TITLE_MAX} characters; a longer or empty one is refused on the next save.",
        "title",
    ),
    _rule(
        "content_is_object",
        Severity.CRITICAL,
        "The content is a JSON object; a body encoded twice is a string, in which no field can be found.",
        "content",
    ),
    _rule(
        "content_valid",
        Severity.CRITICAL,
        "The content has the fields of its type, within their limits, and no others; else applications cannot read it.",
        "type",
        "content",
    ),
    _rule(
        "content_id_matches",
        Severity.CRITICAL,
        "The id inside the content is the id of the row; else an edit of this record is saved to another one.",
        "content",
    ),
    _rule(
        "content_type_matches",
        Severity.CRITICAL,
        "The type inside the content is the type of the row; else it is listed as one thing and opened as another.",
        "type",
        "content",
    ),
    _rule(
        "created_before_updated",
        Severity.CRITICAL,
        "A row is not created after its last change, to the millisecond; else lists by age and age limits are wrong.",
        "created_at",
        "updated_at",
    ),
    _rule(
        "user_id_valid",
        Severity.CRITICAL,
        "The owner is NULL (a guest) or a UUID in lower case; any other owner is lost on supabase.",
        "user_id",
    ),
    _rule(
        "version_positive",
        Severity.CRITICAL,
        "The version is a whole number from 1; without it an application cannot tell which copy it edits.",
        "version",
    ),
    _rule(
        "title_not_blank",
        Severity.WARNING,
        "The title is more than white space; a blank one cannot be clicked, and supabase may replace it by another.",
        "title",
    ),
    _rule(
        "metadata_valid",
        Severity.WARNING,
        "The metadata are NULL or an object with the agreed keys; else owner and version shown to users are wrong.",
        "metadata",
    ),
    _rule(
        "project_id_valid",
        Severity.WARNING,
        "The project is NULL or a UUID in lower case; any other project is lost on supabase.",
        "project_id",
    ),
    _rule(
        "storage_status_known",
        Severity.WARNING,
        "The storage status is NULL, pending, saving, saved, failed or partial; any other is shown as no state at all.",
        "storage_status",
    ),
    _rule(
        "status_canonical",
        Severity.INFO,
        "The status is written in its canonical spelling; an alias such as in-progress is understood here only.",
        "status",
    ),
)
