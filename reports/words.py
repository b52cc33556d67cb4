"""Names, symbols and sentences for the vocabularies, shared by all renderers. A status is never a colour alone."""

from __future__ import annotations

from typing import Final

from contracts.vocabulary import (
    Cause,
    Channel,
    CheckSource,
    CheckStatus,
    DifferenceKind,
    Exclusion,
    Severity,
    StoreName,
    Verdict,
)

SYMBOLS: Final[dict[str, str]] = {
    Verdict.PASSED: "✓",
    Verdict.WARNED: "▲",
    Verdict.INCOMPLETE: "◐",
    Verdict.ERRORED: "!",
    Verdict.FAILED: "✕",
    CheckStatus.SKIPPED: "○",
    CheckStatus.WAIVED: "◇",
}
"""One symbol per verdict and status, for plain text; equal words share one."""

VERDICTS: Final = {
    Verdict.PASSED: "Every row is accounted for, the stores agree, and no check fails the run.",
    Verdict.WARNED: "Nothing critical failed, but something needs a look.",
    Verdict.INCOMPLETE: "The run could not look everywhere, so it does not say that the stores agree.",
    Verdict.ERRORED: "The run could not tell. Treat it as not checked.",
    Verdict.FAILED: "The stores disagree, or a critical check failed.",
}

KINDS: Final = {
    DifferenceKind.ONLY_PRIMARY: "only on prisma",
    DifferenceKind.ONLY_SECONDARY: "only on supabase",
    DifferenceKind.DIFFERING: "on both, not equal",
}

STORES: Final = {StoreName.PRISMA: "primary · PostgreSQL", StoreName.SUPABASE: "secondary · Supabase"}

CHANNELS: Final = {
    Channel.SQL: "SQL",
    Channel.RPC: "REST with our functions",
    Channel.ROWS: "REST, rows only",
}

SOURCES: Final = {CheckSource.CONTRACT: "Contract", CheckSource.EXPECTATION: "Expectation"}

EXCLUSIONS: Final = {Exclusion.ID_NOT_REPLICABLE: "key is no canonical UUID"}

SEVERITY_RANK: Final = {Severity.CRITICAL: 0, Severity.WARNING: 1, Severity.INFO: 2}

STATUS_RANK: Final = {
    CheckStatus.FAILED: 0,
    CheckStatus.ERRORED: 1,
    CheckStatus.WAIVED: 2,
    CheckStatus.SKIPPED: 3,
    CheckStatus.PASSED: 4,
}
"""Worst first: what a reader must see before the rest."""

CAUSES: Final = {
    Cause.DOUBLE_ENCODED_JSON: "JSON encoded twice",
    Cause.JSON_STRIPPED: "content stripped",
    Cause.JSON_KEY_CASE: "JSON key spelling",
    Cause.JSON_SCALAR_AS_TEXT: "JSON value as text",
    Cause.NUMBER_ROUNDED: "number rounded",
    Cause.TIME_ZONE_SHIFT: "time zone shift",
    Cause.TIMESTAMP_TRUNCATED: "time truncated",
    Cause.CREATED_AT_REWRITTEN: "created_at rewritten",
    Cause.UPDATED_AT_REWRITTEN: "updated_at rewritten",
    Cause.TEXT_TRUNCATED: "text truncated",
    Cause.TEXT_CASE: "letter case",
    Cause.TEXT_WHITESPACE: "white space",
    Cause.TEXT_NORMALIZATION: "Unicode form",
    Cause.TEXT_MOJIBAKE: "wrong encoding",
    Cause.TITLE_FALLBACK: "title made up",
    Cause.COLUMN_STALE: "column stale",
    Cause.COLUMN_NOT_WRITTEN: "column not written",
    Cause.STATUS_VOCABULARY: "unknown status",
    Cause.REFERENCE_NOT_UUID: "reference is no UUID",
    Cause.KEY_CASE: "key spelling",
    Cause.VERSION_DRIFT: "version drift",
    Cause.REFUSED_BY_STORE: "refused by the store",
    Cause.WRITE_WINDOW: "lost time window",
    Cause.SIDE_EMPTY: "store empty",
    Cause.MISSING_ROW: "row missing",
    Cause.UNEXPLAINED: "unexplained",
}
