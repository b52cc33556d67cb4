"""Short words in which the catalogue is written: statements, and what they must lead to."""

from __future__ import annotations

from dataclasses import replace

from contracts.vocabulary import Cause, DifferenceKind, StoreName, Verdict
from storage.local.faults.model import ROWS, Expected, Statement

PRISMA, SUPABASE = StoreName.PRISMA, StoreName.SUPABASE

WARNINGS = frozenset(
    {
        "planning.title_not_blank",
        "planning.metadata_valid",
        "planning.project_id_valid",
        "planning.storage_status_known",
        "planning.volume_trend",
        "planning.freshness",
        "planning.null_rate.user_id",
        "planning.null_rate.project_id",
        "planning.null_rate.metadata",
        "planning.type_distribution",
        "planning.status_distribution",
        "planning.orphaned_projects",
        "planning.growth_per_user",
    }
)
NOTES = frozenset({"planning.status_canonical"})
"""What is not critical. The catalogue states it itself, so that a rule or an expectation that changes is noticed."""

_KEYS = {PRISMA: "%(keys)s::text[]", SUPABASE: "%(keys)s::uuid[]"}


def update(store: StoreName, assignments: str) -> Statement:
    """Set columns of the fault's rows on one store."""
    return Statement(store=store, sql=f"UPDATE public.planning SET {assignments} WHERE id = ANY({_KEYS[store]})")  # noqa: S608 - our own text


def update_both(assignments: str) -> tuple[Statement, Statement]:
    """Set columns of the fault's rows on both stores alike."""
    return update(PRISMA, assignments), update(SUPABASE, assignments)


def delete(store: StoreName, *, spared: int = 0) -> Statement:
    """Delete the fault's rows on one store, the last `spared` ones excepted."""
    keys = _KEYS[store] if not spared else f"trim_array({_KEYS[store]}, {spared})"
    return Statement(store=store, sql=f"DELETE FROM public.planning WHERE id = ANY({keys})")  # noqa: S608 - our own text


def differs(
    *causes: Cause,
    fields: str,
    at: StoreName | None = None,
    breaks: str = "",
    on: StoreName | None = None,
) -> Expected:
    """Expect rows that differ.

    Args:
        causes: The causes to be named.
        fields: The fields that disagree, separated by spaces.
        at: The store at fault, where the two rows tell.
        breaks: The rules that are violated as well, without their prefix, separated by spaces.
        on: The store on which they are violated; the one at fault unless given.
    """
    return Expected(
        kind=DifferenceKind.DIFFERING,
        causes=frozenset(causes),
        fields=frozenset(fields.split()),
        at_fault=at,
        checks=rules(breaks, on or at),
    )


def one_sided(kind: DifferenceKind, cause: Cause, *, breaks: str = "", at: StoreName | None = None) -> Expected:
    """Expect rows that only one store holds; `breaks` names the rules that they violate there."""
    holder = PRISMA if kind is DifferenceKind.ONLY_PRIMARY else SUPABASE
    return Expected(kind=kind, causes=frozenset({cause}), at_fault=at or holder.other, checks=rules(breaks, holder))


def violates(breaks: str, *stores: StoreName) -> Expected:
    """Expect no difference, but rules that are violated; on both stores unless they are named."""
    checks = frozenset[tuple[str, StoreName]]().union(*(rules(breaks, store) for store in stores or StoreName))
    return Expected(checks=checks, verdict=verdict(checks))


def alike(rows: int = ROWS, *, breaks: str = "", on: StoreName | None = None) -> Expected:
    """Expect rows that are written differently and are equal."""
    checks = rules(breaks, on)
    return Expected(representation=rows, checks=checks, verdict=verdict(checks))


def excluded(expected: Expected, rows: int = ROWS) -> Expected:
    """Expect that so many rows of prisma are not compared, beside the rest."""
    checks = expected.checks | rules("id_replicable", PRISMA)
    return replace(expected, excluded=rows, checks=checks, verdict=Verdict.FAILED)


def rules(names: str, store: StoreName | None) -> frozenset[tuple[str, StoreName]]:
    """Return the rules, given without their prefix and separated by spaces, each with the store.

    Raises:
        ValueError: There are rules but no store.
    """
    if names and store is None:
        raise ValueError("say on which store the rules are violated")
    return frozenset((f"planning.{name}", store) for name in names.split() if store)


def verdict(checks: frozenset[tuple[str, StoreName]]) -> Verdict:
    """Return the verdict of a run in which these rules are violated and the stores agree."""
    ids = {check for check, _ in checks} - NOTES
    if not ids:
        return Verdict.PASSED
    return Verdict.WARNED if ids <= WARNINGS else Verdict.FAILED


def in_body(path: str, value: str) -> str:
    """Assign a value, an SQL expression of jsonb, to a path such as `metadata,version` of the content body."""
    return f"content = jsonb_set(content, '{{{path}}}', {value})"


def text_in_body(path: str, value: str) -> str:
    """Assign a text, an SQL expression, to a path of the content body."""
    return in_body(path, f"to_jsonb(({value})::text)")


EDITED = "updated_at > created_at + interval '1 minute'"
TITLE_IN_BODY = "content ? 'title'"
NO_TITLE_IN_BODY = "NOT content ? 'title'"
METADATA_IN_BODY = "content ? 'metadata'"
NO_METADATA_IN_BODY = "NOT content ? 'metadata'"
LATIN = "title ~ '[a-z]{4}'"
"""Conditions on the primary's row that several faults share."""
