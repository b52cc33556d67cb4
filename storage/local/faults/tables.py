"""Faults of a whole table, the same on both stores: no row is wrong by itself, the table is."""

from __future__ import annotations

from contracts.vocabulary import StoreName
from storage.local.faults.model import Fault, Statement
from storage.local.faults.words import PRISMA, SUPABASE, excluded, update_both, violates

_COLUMNS = "id, type, title, content, status, user_id, project_id, metadata, version, created_at, updated_at"
_BURST = 1100  # more than one owner may make within a day in a table of any size


def _table(name: str, title: str, origin: str, inject: tuple[Statement, ...], breaks: str) -> Fault:
    return Fault(id=name, title=title, origin=origin, inject=inject, expects=violates(breaks), exclusive=True)


def _burst(store: StoreName) -> Statement:
    """Insert a flood of records of one owner, valid ones, a second apart and within one day."""
    cast = "::text" if store is PRISMA else ""
    key = "md5('burst ' || n)::uuid"
    owner = "md5('looping client')::uuid"
    at = "(SELECT date_trunc('day', max(created_at)) FROM public.planning) + n * interval '1 second'"
    body = f"jsonb_build_object('id', {key}::text, 'type', 'scenario', 'title', 'Again')"
    return Statement(
        store=store,
        sql=f"INSERT INTO public.planning ({_COLUMNS}) SELECT {key}{cast}, 'scenario', 'Again', {body}, 'draft', "  # noqa: S608 - our own text
        f"{owner}{cast}, {owner}{cast}, '{{}}', 1, {at}, {at} FROM generate_series(1, {_BURST}) AS n",
    )


TABLES = (
    _table(
        "table_stale",
        "Nothing was written for two months, on neither store.",
        "an application that writes to another database since its last deploy",
        update_both("created_at = created_at - interval '60 days', updated_at = updated_at - interval '60 days'"),
        "freshness",
    ),
    _table(
        "table_owners_lost",
        "No record has an owner any more.",
        "a writer that lost the owners",
        update_both("user_id = NULL"),
        "null_rate.user_id orphaned_projects",
    ),
    _table(
        "table_projects_lost",
        "No record belongs to a project any more.",
        "a column that nobody writes",
        update_both("project_id = NULL"),
        "null_rate.project_id",
    ),
    _table(
        "table_metadata_lost",
        "No record has metadata any more.",
        "a column that nobody writes",
        update_both("metadata = NULL"),
        "null_rate.metadata",
    ),
    _table(
        "table_all_failed",
        "Every record has failed.",
        "a generator that is down",
        update_both("status = 'failed'"),
        "status_distribution",
    ),
    _table(
        "table_of_one_type",
        "Every record is a scenario.",
        "a writer that files everything under one type",
        update_both(
            "type = 'scenario', "
            "content = jsonb_build_object('id', id::text, 'type', 'scenario', 'title', left(coalesce(title, 'x'), 500))"
        ),
        "type_distribution",
    ),
    _table(
        "table_flooded",
        f"One owner made {_BURST} records within a day.",
        "a client in a loop",
        (_burst(PRISMA), _burst(SUPABASE)),
        "growth_per_user volume_trend",
    ),
    _table(
        "table_halved",
        "Half of the records were deleted, on both stores alike.",
        "a clean-up with a wrong condition",
        tuple(
            Statement(store=store, sql="DELETE FROM public.planning WHERE id::text < '80000000'") for store in StoreName
        ),
        "not_shrunk volume_trend",
    ),
    Fault(
        id="table_with_two_spellings",
        title="Prisma holds one record twice, under two spellings of its UUID.",
        origin="a client that writes UUIDs in upper case",
        inject=(
            Statement(
                store=PRISMA,
                sql=f"INSERT INTO public.planning ({_COLUMNS}) SELECT upper(id), {_COLUMNS.removeprefix('id, ')} "  # noqa: S608 - our own text
                "FROM public.planning WHERE id ~ '[a-f]' ORDER BY id LIMIT 1",
            ),
        ),
        expects=excluded(violates("content_id_matches id_unique", PRISMA), 1),
        rows=1,
        exclusive=True,
    ),
)
"""Faults that the expectations find."""
