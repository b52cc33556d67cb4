"""Two faults on one row: both causes must be named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from contracts.vocabulary import StoreName
from storage.local.faults.model import Expected, Fault, outermost

_BODY_RULES = frozenset({"planning.content_valid", "planning.content_id_matches", "planning.content_type_matches"})

COMBINATIONS = (
    ("content_double_encoded_prisma", "title_case_supabase"),
    ("content_double_encoded_prisma", "time_zone_delhi_prisma"),
    ("content_double_encoded_prisma", "owner_lost_supabase"),
    ("content_double_encoded_supabase", "rogue_owner_prisma"),
    ("body_title_case_prisma", "content_double_encoded_prisma"),
    ("rogue_story_prisma", "content_double_encoded_prisma"),
    ("duration_as_text_prisma", "content_double_encoded_supabase"),
    ("content_stripped_prisma", "content_double_encoded_prisma"),
    ("content_stripped_prisma", "time_zone_seoul_supabase"),
    ("content_metadata_stripped_prisma", "body_title_case_prisma"),
    ("content_key_case_supabase", "title_whitespace_supabase"),
    ("metadata_key_case_prisma", "number_beyond_double_supabase"),
    ("time_zone_seoul_supabase", "project_not_written_supabase"),
    ("timestamp_truncated_prisma", "version_null_supabase"),
    ("number_rounded_supabase", "title_mojibake_latin1_supabase"),
    ("status_unknown_supabase", "user_guest"),
    ("status_unknown_supabase", "title_decomposed_supabase"),
    ("created_at_rewritten_supabase", "title_fallback_both"),
    ("title_cut_200_supabase", "body_decomposed_prisma"),
    ("title_stale_prisma", "metadata_not_written_prisma"),
    ("status_stale_prisma", "line_endings_prisma"),
    ("project_legacy", "story_cut_5000_supabase"),
    ("user_upper_case", "flag_as_text_supabase"),
    ("rogue_title_supabase", "metadata_double_encoded_prisma"),
)
"""The combinations, by the ids of two faults, in the order in which they are planted."""


def combined(first: Fault, second: Fault) -> Fault:
    """Return the two faults as one, planted on the same rows.

    Raises:
        ValueError: One of them takes whole tables or leaves rows out, or they disagree about the kind of difference.
    """
    if first.exclusive or second.exclusive or first.spared or second.spared:
        raise ValueError("only faults of single rows can be combined")
    if first.expects.kind != second.expects.kind:
        raise ValueError("only faults with one kind of difference can be combined")
    return Fault(
        id=f"{first.id}+{second.id}",
        title=f"{first.title} {second.title}",
        origin="two faults on one row",
        rows=2,
        where=f"({first.where}) AND ({second.where})",
        inject=(*first.inject, *second.inject),
        expects=_both(first.expects, second.expects),
    )


def pairs(faults: Mapping[str, Fault]) -> tuple[Fault, ...]:
    """Return all combinations, each as one fault."""
    return tuple(combined(faults[first], faults[second]) for first, second in COMBINATIONS)


def _both(one: Expected, other: Expected) -> Expected:
    stores = {one.at_fault, other.at_fault}
    return replace(
        one,
        causes=one.causes | other.causes,
        fields=outermost(one.fields | other.fields),
        at_fault=one.at_fault if len(stores) == 1 else None,
        checks=_judged(one.checks | other.checks),
    )


def _judged(checks: frozenset[tuple[str, StoreName]]) -> frozenset[tuple[str, StoreName]]:
    """Drop the rules about the inside of a body from a store whose body is no object."""
    no_object = {store for check, store in checks if check == "planning.content_is_object"}
    return frozenset(pair for pair in checks if pair[0] not in _BODY_RULES or pair[1] not in no_object)
