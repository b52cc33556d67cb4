"""The words of the project, each defined once: stores, channels, statuses, severities, verdicts, causes."""

from __future__ import annotations

from enum import StrEnum


class StoreName(StrEnum):
    """One of the two stores, as it is called in every result."""

    PRISMA = "prisma"
    SUPABASE = "supabase"

    @property
    def other(self) -> StoreName:
        """The store that is not this one."""
        return StoreName.SUPABASE if self is StoreName.PRISMA else StoreName.PRISMA


class Channel(StrEnum):
    """How a store is reached."""

    SQL = "sql"
    RPC = "rpc"  # REST, with our functions installed
    ROWS = "rows"  # REST rows only


class Severity(StrEnum):
    """How bad a failed check is; only critical failures fail a run, unless a policy says otherwise."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class CheckStatus(StrEnum):
    """What became of one check on one store. Skipped is never passed; a missing answer is errored."""

    PASSED = "passed"
    FAILED = "failed"
    ERRORED = "errored"
    SKIPPED = "skipped"
    WAIVED = "waived"


class CheckSource(StrEnum):
    """Where a check comes from."""

    CONTRACT = "contract"
    EXPECTATION = "expectation"


class DifferenceKind(StrEnum):
    """How the two stores disagree about one key."""

    ONLY_PRIMARY = "only_primary"
    ONLY_SECONDARY = "only_secondary"
    DIFFERING = "differing"


class Verdict(StrEnum):
    """What a run says, best first. The worst of several counts."""

    PASSED = "passed"
    WARNED = "warned"
    INCOMPLETE = "incomplete"
    ERRORED = "errored"
    FAILED = "failed"

    @property
    def rank(self) -> int:
        """Position in the precedence failed > errored > incomplete > warned > passed; 0 is the best."""
        return list(Verdict).index(self)

    @property
    def exit_code(self) -> int:
        """0 passed (warnings allowed), 1 failed, 2 could not tell."""
        return {Verdict.PASSED: 0, Verdict.WARNED: 0, Verdict.FAILED: 1}.get(self, 2)


class Classification(StrEnum):
    """Who may see a value in a report. What is not declared is personal."""

    PUBLIC = "public"
    INTERNAL = "internal"
    PERSONAL = "personal"


class Cause(StrEnum):
    """Why two rows differ, decided from the rows themselves. What fits none of these is unexplained."""

    DOUBLE_ENCODED_JSON = "double_encoded_json"
    """A JSON string on one side whose text, parsed, is the other side's value."""
    JSON_STRIPPED = "json_stripped"
    """A content body that lacks some of id, type, title, metadata and is otherwise equal."""
    JSON_KEY_CASE = "json_key_case"
    """JSON objects that are equal once camelCase and snake_case keys are read alike."""
    JSON_SCALAR_AS_TEXT = "json_scalar_as_text"
    """A JSON number or boolean on one side, the text of it on the other."""
    NUMBER_ROUNDED = "number_rounded"
    """JSON numbers of which one is the other after a trip through a double, or rounded to fewer digits."""
    TIME_ZONE_SHIFT = "time_zone_shift"
    """Instants a whole multiple of 15 minutes apart, at most 14 hours, but not equal."""
    TIMESTAMP_TRUNCATED = "timestamp_truncated"
    """The store with microseconds, cut to a coarser unit, gives the other's value, while rounding does not."""
    CREATED_AT_REWRITTEN = "created_at_rewritten"
    """`created_at` differs and on one side is no older than `updated_at` of that side: it was set again on a save."""
    UPDATED_AT_REWRITTEN = "updated_at_rewritten"
    """`updated_at` is later on supabase and no other column differs: a trigger or a save stamped it again."""
    TEXT_TRUNCATED = "text_truncated"
    """One text is a proper prefix of the other, 100, 191, 200, 255, 500, 1000 or 5000 characters long, `...` aside."""
    TEXT_CASE = "text_case"
    """Texts that differ only in letter case."""
    TEXT_WHITESPACE = "text_whitespace"
    """Texts that are equal once white space at both ends and line endings are read alike."""
    TEXT_NORMALIZATION = "text_normalization"
    """Texts that are equal in Unicode normal form C."""
    TEXT_MOJIBAKE = "text_mojibake"
    """UTF-8 that was read as Latin-1 or Windows-1252 once on one side."""
    TITLE_FALLBACK = "title_fallback"
    """A title of the form `<type> - <instant>` where the other side has a blank one or another instant."""
    COLUMN_STALE = "column_stale"
    """Title or status of prisma disagree with its own content body, which agrees with supabase."""
    COLUMN_NOT_WRITTEN = "column_not_written"
    """NULL or the column's default on one side, a valid value on the other."""
    STATUS_VOCABULARY = "status_vocabulary"
    """A status that is in no vocabulary of ours on exactly one side."""
    REFERENCE_NOT_UUID = "reference_not_uuid"
    """A user or project id on prisma that is no UUID, NULL on supabase."""
    KEY_CASE = "key_case"
    """A one-sided row whose key stands on prisma in another spelling of the same UUID."""
    VERSION_DRIFT = "version_drift"
    """`version` differs and no other column but `updated_at` does."""
    REFUSED_BY_STORE = "refused_by_store"
    """A row of prisma that is missing on supabase and that its constraints cannot hold."""
    WRITE_WINDOW = "write_window"
    """At least 10 one-sided rows of one store that are all rows created in an interval of at most an hour."""
    SIDE_EMPTY = "side_empty"
    """One store holds no row at all, as a role that provably sees all rows."""
    MISSING_ROW = "missing_row"
    """A one-sided row that nothing in it explains."""
    UNEXPLAINED = "unexplained"


class Exclusion(StrEnum):
    """Why a row is counted but not compared."""

    ID_NOT_REPLICABLE = "id_not_replicable"
