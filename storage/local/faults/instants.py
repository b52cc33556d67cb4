"""Times that were shifted, cut or stamped again."""

from __future__ import annotations

from contracts.vocabulary import Cause
from storage.local.faults.model import Fault
from storage.local.faults.words import EDITED, PRISMA, SUPABASE, alike, differs, update

_ZONES = "a time without a zone was read in the server's own"
_PRECISION = "prisma keeps milliseconds, supabase microseconds"

INSTANTS = (
    Fault(
        id="time_zone_seoul_supabase",
        title="Both times are nine hours later on supabase: the clock of Seoul was taken for UTC.",
        origin=_ZONES,
        where=EDITED,
        inject=(
            update(
                SUPABASE, "created_at = created_at + interval '9 hours', updated_at = updated_at + interval '9 hours'"
            ),
        ),
        expects=differs(Cause.TIME_ZONE_SHIFT, fields="created_at updated_at"),
    ),
    Fault(
        id="time_zone_delhi_prisma",
        title="The time of creation is five and a half hours earlier on prisma.",
        origin=_ZONES,
        where=EDITED,
        inject=(update(PRISMA, "created_at = created_at - interval '5 hours 30 minutes'"),),
        expects=differs(Cause.TIME_ZONE_SHIFT, fields="created_at"),
    ),
    Fault(
        id="time_zone_kathmandu_supabase",
        title="The time of creation is five and three quarter hours earlier on supabase.",
        origin=_ZONES,
        where=EDITED,
        inject=(update(SUPABASE, "created_at = created_at - interval '5 hours 45 minutes'"),),
        expects=differs(Cause.TIME_ZONE_SHIFT, fields="created_at"),
    ),
    Fault(
        id="created_at_rewritten_supabase",
        title="The time of creation was set again when the record was saved on supabase.",
        origin="an upsert that replaces every column",
        where=EDITED,
        inject=(update(SUPABASE, "created_at = updated_at"),),
        expects=differs(Cause.CREATED_AT_REWRITTEN, fields="created_at", at=SUPABASE),
    ),
    Fault(
        id="created_at_rewritten_prisma",
        title="The time of creation was set again, later than the last change, on prisma.",
        origin="an upsert that replaces every column",
        where=EDITED,
        inject=(update(PRISMA, "created_at = updated_at + interval '37 seconds'"),),
        expects=differs(Cause.CREATED_AT_REWRITTEN, fields="created_at", at=PRISMA, breaks="created_before_updated"),
    ),
    Fault(
        id="updated_at_stamped_supabase",
        title="A trigger of supabase stamped the time of the last change, ten seconds later.",
        origin="a trigger that discards the time that was sent",
        inject=(update(SUPABASE, "updated_at = updated_at + interval '10.5 seconds'"),),
        expects=differs(Cause.UPDATED_AT_REWRITTEN, fields="updated_at", at=SUPABASE),
    ),
    Fault(
        id="updated_at_maintenance_supabase",
        title="A maintenance statement touched rows of supabase three days later.",
        origin="a trigger that stamps every update",
        inject=(update(SUPABASE, "updated_at = updated_at + interval '3 days 67.123 seconds'"),),
        expects=differs(Cause.UPDATED_AT_REWRITTEN, fields="updated_at", at=SUPABASE),
    ),
    Fault(
        id="timestamp_truncated_prisma",
        title="Microseconds were cut off on prisma, where PostgreSQL would have rounded up.",
        origin=_PRECISION,
        where=EDITED,
        inject=(update(SUPABASE, "created_at = created_at + interval '600 microseconds'"),),
        expects=differs(Cause.TIMESTAMP_TRUNCATED, fields="created_at", at=PRISMA),
    ),
    Fault(
        id="timestamp_half_truncated_prisma",
        title="Exactly half a millisecond was cut off on prisma, where PostgreSQL would have rounded up.",
        origin=_PRECISION,
        where=EDITED,
        inject=(update(SUPABASE, "created_at = created_at + interval '500 microseconds'"),),
        expects=differs(Cause.TIMESTAMP_TRUNCATED, fields="created_at", at=PRISMA),
    ),
    Fault(
        id="timestamp_cut_to_seconds_prisma",
        title="Everything below the second was cut off on prisma.",
        origin="a client that formats times without a fraction",
        where=EDITED,
        inject=(
            update(PRISMA, "created_at = date_trunc('second', created_at)"),
            update(SUPABASE, "created_at = date_trunc('second', created_at) + interval '812345 microseconds'"),
        ),
        expects=differs(Cause.TIMESTAMP_TRUNCATED, fields="created_at", at=PRISMA),
    ),
    Fault(
        id="timestamp_rounded",
        title="Supabase holds microseconds that round to the milliseconds of prisma.",
        origin=_PRECISION,
        where=EDITED,
        inject=(update(SUPABASE, "created_at = created_at + interval '400 microseconds'"),),
        expects=alike(0),
    ),
    Fault(
        id="timestamp_rounded_up",
        title="Supabase holds microseconds just below the milliseconds of prisma, to which they round up.",
        origin=_PRECISION,
        where=EDITED,
        inject=(update(SUPABASE, "created_at = created_at - interval '499 microseconds'"),),
        expects=alike(0),
    ),
)
"""Faults of times."""
