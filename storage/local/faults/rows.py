"""Rows that one store does not hold."""

from __future__ import annotations

from contracts.vocabulary import Cause, DifferenceKind, StoreName
from storage.local.faults.model import Fault, Statement
from storage.local.faults.words import PRISMA, SUPABASE, delete, one_sided, update, update_both

_ONLY_PRIMARY, _ONLY_SECONDARY = DifferenceKind.ONLY_PRIMARY, DifferenceKind.ONLY_SECONDARY
_REFUSED = "prisma takes what the constraints of supabase refuse"


def created_from(start: str, minutes: int) -> tuple[Statement, Statement]:
    """Let the fault's rows be created one after the other on both stores, so many minutes apart.

    Args:
        start: A moment at which no other row was created, as text in UTC.
        minutes: Minutes between two rows.
    """
    return update_both(
        f"created_at = timestamp '{start}' + interval '{minutes} minutes' * array_position(%(keys)s::text[], id::text)"
    )


def _lost(store: StoreName, start: str, span: str, *, minutes: int, rows: int) -> Fault:
    """Return the fault that a store lacks all rows of a time, between a row before and one after that both hold."""
    position = "array_position(%(keys)s::text[], id::text)"
    step = f"CASE {position} WHEN {rows + 1} THEN 0 WHEN {rows + 2} THEN {rows + 1} ELSE {position} END"
    created = update_both(f"created_at = timestamp '{start}' + interval '{minutes} minutes' * {step}")
    kind = _ONLY_PRIMARY if store is SUPABASE else _ONLY_SECONDARY
    return Fault(
        id=f"window_lost_{store}",
        title=f"Every record created within {span} is missing on {store}.",
        origin="an outage during which every write to one store was lost",
        rows=rows + 2,
        spared=2,
        inject=(*created, delete(store, spared=2)),
        expects=one_sided(kind, Cause.WRITE_WINDOW),
    )


def _refused(name: str, title: str, assignment: str, breaks: str, where: str = "true") -> Fault:
    return Fault(
        id=f"refused_{name}",
        title=title,
        origin=_REFUSED,
        where=where,
        inject=(update(PRISMA, assignment), delete(SUPABASE)),
        expects=one_sided(_ONLY_PRIMARY, Cause.REFUSED_BY_STORE, breaks=breaks),
    )


ROWS_MISSING = (
    Fault(
        id="row_missing_supabase",
        title="A record was never written to supabase.",
        origin="a write that reached one store only",
        inject=(delete(SUPABASE),),
        expects=one_sided(_ONLY_PRIMARY, Cause.MISSING_ROW),
    ),
    Fault(
        id="row_missing_prisma",
        title="A record was deleted on prisma and is still on supabase.",
        origin="a delete that reached one store only",
        inject=(delete(PRISMA),),
        expects=one_sided(_ONLY_SECONDARY, Cause.MISSING_ROW),
    ),
    _refused(
        "status", "A record with the status `queued` was refused by supabase.", "status = 'queued'", "status_known"
    ),
    _refused(
        "type",
        "A record of the type `podcast` was refused by supabase.",
        "type = 'podcast', content = jsonb_set(content, '{type}', '\"podcast\"')",
        "type_known",
    ),
    _refused(
        "user", "A record of the owner `test-user` was refused by supabase.", "user_id = 'test-user'", "user_id_valid"
    ),
    _refused(
        "project",
        "A record of the project `project-1` was refused by supabase.",
        "project_id = 'project-1'",
        "project_id_valid",
    ),
    _refused("title", "A record with a blank title was refused by supabase.", "title = '   '", "title_not_blank"),
    _refused("version", "A record with the version 0 was refused by supabase.", "version = 0", "version_positive"),
    _lost(SUPABASE, "2021-03-04 05:00", "three quarters of an hour", minutes=4, rows=12),
    _lost(PRISMA, "2021-06-07 08:00", "half an hour", minutes=3, rows=10),
    Fault(
        id="secondary_empty",
        title="Supabase holds no record at all.",
        origin="a table that was truncated, restored empty, or never filled",
        inject=(delete(SUPABASE),),
        expects=one_sided(_ONLY_PRIMARY, Cause.SIDE_EMPTY),
        exclusive=True,
    ),
    Fault(
        id="primary_empty",
        title="Prisma holds no record at all.",
        origin="a schema push that made the table anew",
        inject=(delete(PRISMA),),
        expects=one_sided(_ONLY_SECONDARY, Cause.SIDE_EMPTY),
        exclusive=True,
    ),
)
"""Faults of missing rows."""
