"""Faults of two stores that replicate: what was not carried over, what was given up, and what passed by capture."""

from __future__ import annotations

from dataclasses import replace

from contracts.replication import Place
from contracts.vocabulary import Cause, DifferenceKind, StoreName, Verdict
from storage.local.faults.model import ROWS, Expected, Fault, Statement, Step
from storage.local.faults.words import LATIN, PRISMA, SUPABASE, delete, differs, one_sided, rules, update

_SHORT = "length(title) < 400"
_CAPTURED = "twinstore_capture"
_SAME_OWNER = """
    DO $$ BEGIN
      EXECUTE format('ALTER TABLE public.planning OWNER TO %%s',
                     (SELECT relowner::regrole FROM pg_class WHERE oid = 'public.planning_before'::regclass));
      IF to_regrole('service_role') IS NOT NULL THEN
        GRANT ALL ON public.planning TO service_role;
      END IF;
    END $$
"""


def _sql(store: StoreName, *statements: str) -> tuple[Statement, ...]:
    return tuple(Statement(store=store, sql=statement) for statement in statements)


def _past_capture(store: StoreName, *statements: Statement) -> tuple[Statement, ...]:
    """Run statements on one store while nothing is captured there; afterwards capture is as it was."""
    off, on = _sql(
        store,
        f"ALTER TABLE public.planning DISABLE TRIGGER {_CAPTURED}",
        f"ALTER TABLE public.planning ENABLE ALWAYS TRIGGER {_CAPTURED}",
    )
    return off, *statements, on


def _adopted(name: str, title: str, origin: str, *inject: Statement | Step, expects: Expected, **rest: object) -> Fault:
    return Fault(id=name, title=title, origin=origin, inject=inject, expects=expects, adopted=True, **rest)  # type: ignore[arg-type]  # the rest of its fields


def _under_way(rows: int = ROWS) -> Expected:
    return Expected(pending=rows, verdict=Verdict.WARNED)


def _gap(name: str, store: StoreName, title: str, origin: str, *statements: str) -> Fault:
    return _adopted(
        f"gap_{name}_{store}",
        title.format(store=store),
        origin,
        *_sql(store, *statements),
        expects=Expected(checks=rules("capture_gap", store)),
        exclusive=True,
    )


def _gaps(store: StoreName) -> tuple[Fault, ...]:
    return (
        _gap(
            "truncated",
            store,
            "The table of {store} was emptied and filled again.",
            "a reload: TRUNCATE fires no trigger of a row, so that nobody knows which rows went",
            "CREATE TEMPORARY TABLE kept ON COMMIT DROP AS TABLE public.planning",
            "TRUNCATE public.planning",
            "INSERT INTO public.planning SELECT * FROM kept",
        ),
        _gap(
            "replica",
            store,
            "A session that replicates or restores wrote on {store}.",
            "`session_replication_role = replica`, as pg_restore --disable-triggers and logical replication set it",
            "SET LOCAL session_replication_role = replica",
            "UPDATE public.planning SET version = version",
        ),
        _gap(
            "trigger_disabled",
            store,
            "The trigger of capture is disabled on {store}.",
            "a load that switched triggers off and forgot them",
            f"ALTER TABLE public.planning DISABLE TRIGGER {_CAPTURED}",
        ),
        _gap(
            "trigger_dropped",
            store,
            "The trigger of capture is gone from {store}.",
            "a schema push that removes what it does not know",
            f"DROP TRIGGER {_CAPTURED} ON public.planning",
        ),
        _gap(
            "table",
            store,
            "The table of {store} was made anew and holds the same rows.",
            "a migration that copies a table and renames the copy",
            "ALTER TABLE public.planning RENAME TO planning_before",
            "CREATE TABLE public.planning (LIKE public.planning_before INCLUDING ALL)",
            "INSERT INTO public.planning SELECT * FROM public.planning_before",
            _SAME_OWNER,
            "DROP TABLE public.planning_before CASCADE",
        ),
    )


_KEPT = """
    INSERT INTO twinstore.conflict (dataset, key, kind, rev)
    SELECT 'planning', key, 'adopted', 0 FROM unnest(%(keys)s::text[]) AS key
"""
_DECIDED = """
    UPDATE twinstore.conflict SET resolved_at = clock_timestamp(), resolution = 'primary'
    WHERE dataset = 'planning' AND key = ANY(%(keys)s::text[])
"""
_TOUCHED = """
    INSERT INTO twinstore.change (dataset, key, parts)
    SELECT 'planning', key, ARRAY[key] FROM unnest(%(keys)s::text[]) AS key
"""
_LONG_AGO = """
    UPDATE twinstore.change SET at = at - interval '1 day'
    WHERE dataset = 'planning' AND key = ANY(%(keys)s::text[])
"""
_LATE = "a relay that does not run"
_AROUND = "a write while triggers were switched off, as by a bulk load"
_CASE = differs(Cause.TEXT_CASE, fields="title")
_RAISED = {
    PRISMA: update(PRISMA, "title = upper(title)"),
    SUPABASE: update(SUPABASE, "title = upper(title), updated_at = updated_at"),
}


def _waiting_too_long(store: StoreName) -> Fault:
    return _adopted(
        f"waiting_too_long_{store}",
        f"A record was changed on {store} a day ago and is not carried over yet.",
        _LATE,
        _RAISED[store],
        *_sql(store, _LONG_AGO),
        where=LATIN,
        expects=replace(_CASE, place=Place.NOT_YET),
    )


def _lost(store: StoreName) -> Fault:
    return _adopted(
        f"lost_{store}",
        f"A record was changed on {store} past capture.",
        _AROUND,
        *_past_capture(store, _RAISED[store]),
        where=LATIN,
        expects=replace(_CASE, place=Place.LOST),
    )


ADOPTED: tuple[Fault, ...] = (
    _adopted(
        "waiting_prisma",
        "A record was changed on prisma and is not carried over yet.",
        "a check that looks between a write and its delivery",
        update(PRISMA, "title = title || ' (edited)'"),
        where=_SHORT,
        expects=_under_way(),
    ),
    _adopted(
        "waiting_supabase",
        "A record was changed on supabase and is not carried over yet.",
        "a check that looks between a write in the dashboard and its judgement",
        update(SUPABASE, "title = title || ' (edited)'"),
        where=_SHORT,
        expects=_under_way(),
    ),
    _adopted(
        "waiting_deleted_prisma",
        "A record was deleted on prisma and is still on supabase.",
        "a check that looks between a delete and its delivery",
        delete(PRISMA),
        expects=_under_way(),
    ),
    _waiting_too_long(PRISMA),
    _waiting_too_long(SUPABASE),
    _adopted(
        "conflict_adopted",
        "A record differed when the stores were adopted, and nobody has decided yet.",
        "two stores that were there before",
        *_past_capture(SUPABASE, _RAISED[SUPABASE]),
        *_sql(PRISMA, _KEPT),
        where=LATIN,
        expects=replace(_CASE, place=Place.CONFLICT, conflicts=ROWS),
    ),
    _adopted(
        "conflict_judged",
        "A record was changed on both stores at once: prisma's row stands on both, the other is kept by name.",
        "two people who edit one record while the relay is away",
        update(PRISMA, "title = title || ' (prisma)'"),
        update(SUPABASE, "title = title || ' (supabase)'"),
        Step.RELAY,
        where=_SHORT,
        expects=Expected(conflicts=ROWS, verdict=Verdict.WARNED),
    ),
    _adopted(
        "dead_letter",
        "A record of prisma has the version 0, which supabase refuses.",
        "prisma takes what the constraints of supabase refuse",
        update(PRISMA, "version = 0"),
        Step.RELAY,
        expects=replace(
            differs(Cause.VERSION_DRIFT, fields="version", breaks="version_positive", on=PRISMA),
            place=Place.DEAD_LETTER,
            dead_letters=ROWS,
        ),
    ),
    _lost(PRISMA),
    _lost(SUPABASE),
    _adopted(
        "lost_deleted_supabase",
        "A record was deleted on supabase past capture.",
        _AROUND,
        *_past_capture(SUPABASE, delete(SUPABASE)),
        expects=replace(one_sided(DifferenceKind.ONLY_PRIMARY, Cause.MISSING_ROW), place=Place.LOST),
    ),
    *_gaps(PRISMA),
    *_gaps(SUPABASE),
)
"""Faults of a pair that replicates."""

ADOPTED_DECOYS: tuple[Fault, ...] = (
    _adopted(
        "decoy_waiting_equal",
        "A record was written on both stores and nothing in it changed: both wait, and the rows are equal.",
        "looks like a change that is under way",
        update(PRISMA, "version = version"),
        update(SUPABASE, "version = version, updated_at = updated_at"),
        expects=Expected(verdict=Verdict.PASSED),
        decoy=True,
    ),
    _adopted(
        "decoy_waiting_other_cause",
        "A record was changed past capture, and later saved again on prisma, a day ago: it waits, and will be mended.",
        "looks like a change that was lost",
        *_past_capture(SUPABASE, _RAISED[SUPABASE]),
        update(PRISMA, "version = version"),
        *_sql(PRISMA, _LONG_AGO),
        where=LATIN,
        expects=replace(_CASE, place=Place.NOT_YET),
        decoy=True,
    ),
    _adopted(
        "decoy_conflict_resolved",
        "A record differed when the stores were adopted; somebody kept prisma's row, and it was carried over.",
        "looks like a conflict",
        *_past_capture(SUPABASE, _RAISED[SUPABASE]),
        *_sql(PRISMA, _KEPT, _DECIDED, _TOUCHED),
        Step.RELAY,
        where=LATIN,
        expects=Expected(verdict=Verdict.PASSED),
        decoy=True,
    ),
)
"""What looks like a fault of replication and is none."""
