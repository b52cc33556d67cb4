"""Columns that only one store's writer writes, leaves behind, or writes in other words."""

from __future__ import annotations

from contracts.vocabulary import Cause
from storage.local.faults.model import Fault
from storage.local.faults.words import (
    METADATA_IN_BODY,
    NO_METADATA_IN_BODY,
    NO_TITLE_IN_BODY,
    PRISMA,
    SUPABASE,
    TITLE_IN_BODY,
    alike,
    differs,
    update,
)

_ONE_WRITER = "a column that only one of the writers writes"
_NULLABLE = "a column that may be NULL on supabase only"
_VOCABULARIES = "prisma takes any status, supabase a fixed list"
_FALLBACK = "each store makes up a title when there is none"
_OTHER_SETS = "on an update the two writers write different sets of columns"
_BLANK = "title = '   '"

_STATUSES = (
    Fault(
        id="status_unknown_prisma",
        title="A status is `queued` on prisma, a word that is in no vocabulary.",
        origin=_VOCABULARIES,
        where=NO_METADATA_IN_BODY,
        inject=(update(PRISMA, "status = 'queued'"),),
        expects=differs(Cause.STATUS_VOCABULARY, fields="status", at=PRISMA, breaks="status_known"),
    ),
    Fault(
        id="status_unknown_supabase",
        title="A status is `in_review` on supabase, a word that is in no vocabulary.",
        origin=_VOCABULARIES,
        inject=(update(SUPABASE, "status = 'in_review'"),),
        expects=differs(Cause.STATUS_VOCABULARY, fields="status", at=SUPABASE, breaks="status_known"),
    ),
    Fault(
        id="status_alias_prisma",
        title="A status is spelled `in-progress` on prisma and `processing` on supabase.",
        origin="two spellings of one status",
        inject=(update(PRISMA, "status = 'in-progress'"), update(SUPABASE, "status = 'processing'")),
        expects=alike(breaks="status_canonical", on=PRISMA),
    ),
    Fault(
        id="status_alias_supabase",
        title="A status is spelled `processing` on prisma and `in-progress` on supabase.",
        origin="two spellings of one status",
        inject=(update(PRISMA, "status = 'processing'"), update(SUPABASE, "status = 'in-progress'")),
        expects=alike(breaks="status_canonical", on=SUPABASE),
    ),
    Fault(
        id="status_stale_prisma",
        title="The status column of prisma stayed behind its own content.",
        origin=_OTHER_SETS,
        where=f"status = 'completed' AND {METADATA_IN_BODY}",
        inject=(update(PRISMA, "status = 'failed'"),),
        expects=differs(Cause.COLUMN_STALE, fields="status", at=PRISMA),
    ),
)

_TITLES = (
    Fault(
        id="title_stale_prisma",
        title="The title column of prisma stayed behind its own content.",
        origin=_OTHER_SETS,
        where=TITLE_IN_BODY,
        inject=(update(PRISMA, "title = 'Working title ' || left(id, 4)"),),
        expects=differs(Cause.COLUMN_STALE, fields="title", at=PRISMA),
    ),
    Fault(
        id="title_fallback_both",
        title="Both stores made up a title from the time of saving, each from its own clock.",
        origin=_FALLBACK,
        where=NO_TITLE_IN_BODY,
        inject=(
            update(PRISMA, "title = type || ' - 2026-01-15T04:05:06.789Z'"),
            update(SUPABASE, "title = type || ' - 2026-01-15T04:05:07.112Z'"),
        ),
        expects=differs(Cause.TITLE_FALLBACK, fields="title"),
    ),
    Fault(
        id="title_fallback_blank",
        title="A blank title of prisma was replaced by type and time on supabase.",
        origin="a trigger of supabase that makes up titles",
        where=NO_TITLE_IN_BODY,
        inject=(update(PRISMA, _BLANK), update(SUPABASE, "title = type || ' - ' || created_at::text")),
        expects=differs(Cause.TITLE_FALLBACK, fields="title", breaks="title_not_blank", on=PRISMA),
    ),
    Fault(
        id="title_fallback_empty",
        title="An empty title of prisma was replaced by type and time on supabase.",
        origin="a trigger of supabase that makes up titles",
        where=NO_TITLE_IN_BODY,
        inject=(update(PRISMA, "title = ''"), update(SUPABASE, "title = type || ' - ' || created_at::text")),
        expects=differs(Cause.TITLE_FALLBACK, fields="title", breaks="title_length", on=PRISMA),
    ),
)

_VERSIONS = (
    Fault(
        id="version_drift",
        title="The version on supabase is one ahead.",
        origin="nobody counts versions on both stores",
        where="version >= 2",
        inject=(update(SUPABASE, "version = version + 1"),),
        expects=differs(Cause.VERSION_DRIFT, fields="version"),
    ),
    Fault(
        id="version_drift_stamped",
        title="The version on supabase is two ahead, and the time of the last change with it.",
        origin="nobody counts versions on both stores",
        where="version >= 2",
        inject=(update(SUPABASE, "version = version + 2, updated_at = updated_at + interval '73 seconds'"),),
        expects=differs(Cause.VERSION_DRIFT, fields="version updated_at"),
    ),
    Fault(
        id="version_zero_prisma",
        title="The version on prisma is 0.",
        origin="nobody counts versions on both stores",
        where="version >= 2",
        inject=(update(PRISMA, "version = 0"),),
        expects=differs(Cause.VERSION_DRIFT, fields="version", breaks="version_positive", on=PRISMA),
    ),
    Fault(
        id="version_null_supabase",
        title="The version on supabase is NULL.",
        origin=_NULLABLE,
        where="version >= 2",
        inject=(update(SUPABASE, "version = NULL"),),
        expects=differs(Cause.COLUMN_NOT_WRITTEN, fields="version", at=SUPABASE, breaks="version_positive"),
    ),
)

_UNWRITTEN = (
    Fault(
        id="metadata_not_written_prisma",
        title="The metadata column was never written on prisma.",
        origin=_ONE_WRITER,
        where="metadata IS NOT NULL",
        inject=(update(PRISMA, "metadata = NULL"),),
        expects=differs(Cause.COLUMN_NOT_WRITTEN, fields="metadata", at=PRISMA),
    ),
    Fault(
        id="owner_lost_supabase",
        title="The owner was lost on supabase: the record became a guest's.",
        origin=_OTHER_SETS,
        where="user_id IS NOT NULL",
        inject=(update(SUPABASE, "user_id = NULL"),),
        expects=differs(Cause.COLUMN_NOT_WRITTEN, fields="user_id", at=SUPABASE),
    ),
    Fault(
        id="owner_lost_prisma",
        title="The owner was lost on prisma: the record became a guest's.",
        origin=_OTHER_SETS,
        where="user_id IS NOT NULL",
        inject=(update(PRISMA, "user_id = NULL"),),
        expects=differs(Cause.COLUMN_NOT_WRITTEN, fields="user_id", at=PRISMA),
    ),
    Fault(
        id="project_not_written_supabase",
        title="The project was never written on supabase.",
        origin=_ONE_WRITER,
        where="project_id IS NOT NULL",
        inject=(update(SUPABASE, "project_id = NULL"),),
        expects=differs(Cause.COLUMN_NOT_WRITTEN, fields="project_id", at=SUPABASE),
    ),
    Fault(
        id="source_not_written_supabase",
        title="The source was never written on supabase.",
        origin=_ONE_WRITER,
        where="source IS NOT NULL",
        inject=(update(SUPABASE, "source = NULL"),),
        expects=differs(Cause.COLUMN_NOT_WRITTEN, fields="source", at=SUPABASE),
    ),
    Fault(
        id="storage_status_pending_supabase",
        title="The storage status on supabase is still the column's default, `pending`.",
        origin=_ONE_WRITER,
        where="storage_status = 'saved'",
        inject=(update(SUPABASE, "storage_status = 'pending'"),),
        expects=differs(Cause.COLUMN_NOT_WRITTEN, fields="storage_status", at=SUPABASE),
    ),
    Fault(
        id="bookkeeping_not_written_supabase",
        title="Project, storage, source and storage status were never written on supabase.",
        origin=_ONE_WRITER,
        where="project_id IS NOT NULL AND source IS NOT NULL AND storage_status = 'saved'",
        inject=(update(SUPABASE, "project_id = NULL, storage = NULL, source = NULL, storage_status = 'pending'"),),
        expects=differs(Cause.COLUMN_NOT_WRITTEN, fields="project_id storage source storage_status", at=SUPABASE),
    ),
    Fault(
        id="created_at_null_supabase",
        title="The time of creation is NULL on supabase.",
        origin=_NULLABLE,
        inject=(update(SUPABASE, "created_at = NULL"),),
        expects=differs(Cause.COLUMN_NOT_WRITTEN, fields="created_at", at=SUPABASE, breaks="required_present"),
    ),
    Fault(
        id="updated_at_null_supabase",
        title="The time of the last change is NULL on supabase.",
        origin=_NULLABLE,
        inject=(update(SUPABASE, "updated_at = NULL"),),
        expects=differs(Cause.COLUMN_NOT_WRITTEN, fields="updated_at", at=SUPABASE, breaks="required_present"),
    ),
)

COLUMNS = (*_STATUSES, *_TITLES, *_VERSIONS, *_UNWRITTEN)
"""Faults of whole columns."""
