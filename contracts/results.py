"""What the dual repository answers, as values that validate: one result per write, pages, reports, health.

Names are those of Python; as JSON they are written as applications of the origin know them: `prismaData`, `totalTime`.
Nothing here is worked out from the health of a store: every flag says what became of this very call.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, model_validator
from pydantic.alias_generators import to_camel

from contracts.replication import Place
from contracts.vocabulary import StoreName

Count = Annotated[StrictInt, Field(ge=0)]
Instant = Annotated[StrictInt, Field(ge=0)]
"""Milliseconds since 1970 in UTC."""

CLOCK_TOLERANCE_MS = 5000
"""How far the times of the last change may be apart for two records to count as consistent."""


class Outcome(StrEnum):
    """What became of a write."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"
    UNCHANGED = "unchanged"  # the record already says so; nothing was written
    MISSING = "missing"  # there is no such record
    CONFLICT = "conflict"  # the record has another version than the caller expects; nothing was written
    FAILED = "failed"  # nothing was written
    UNKNOWN = "unknown"  # nobody can say whether it was written


class Consistency(StrEnum):
    """How many of the two stores hold a write now. One that does not will get it, unless the write failed."""

    FULL = "full"
    PARTIAL = "partial"
    FAILED = "failed"


class DegradationMode(StrEnum):
    """Why a store was not asked at all."""

    NONE = "none"
    SUPABASE_DISABLED = "supabase-disabled"
    PRISMA_CIRCUIT_OPEN = "prisma-circuit-open"
    SUPABASE_CIRCUIT_OPEN = "supabase-circuit-open"


class Value(BaseModel):
    """Base of all results: nothing changes afterwards, unknown keys are refused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True, validate_by_alias=True
    )

    def to_json(self) -> dict[str, Any]:
        """Return what is known as JSON values, under the names that other languages use."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class Record(Value):
    """One planning record as a store holds it, and which store that is.

    Attributes:
        id: Its id.
        type: Its content type.
        title: Its title.
        status: Where it stands; an older spelling is read as the canonical one.
        user_id: Its owner; None for a guest.
        project_id: Its project.
        author: Who wrote it, as its metadata say.
        version: Number of writes that changed it; None in a row that was written without one.
        created_at: When it was created, UTC.
        updated_at: When it was changed last, UTC.
        content: Its whole body.
        metadata: What is known beside it.
        storage: What applications noted about its storage.
        source: Where it comes from.
        storage_status: What applications noted about its saving.
        store: The store that it was read from.
        pending: True when a change of it waits to be carried over to the other store.
    """

    id: str
    type: str | None
    title: str | None
    status: str | None
    user_id: str | None = None
    project_id: str | None = None
    author: str | None = None
    version: int | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    content: Any = None
    metadata: Any = None
    storage: Any = None
    source: str | None = None
    storage_status: str | None = None
    store: StoreName
    pending: bool = False


class StoreResult(Value):
    """What one store did for one call.

    Attributes:
        attempted: False when it was not asked: it is not configured, its circuit is open, or it was not needed.
        success: True when it did what was asked for, during this very call.
        outcome: What it said, a word of `Outcome` or of `contracts.replication`.
        error: Why it did not.
        timing_ms: Time that it took, in milliseconds.
    """

    attempted: StrictBool
    success: StrictBool
    outcome: StrictStr | None = None
    error: StrictStr | None = None
    timing_ms: Annotated[Count | None, Field(alias="timing")] = None


class StoreResults(Value):
    """What both stores did for one call."""

    prisma: StoreResult
    supabase: StoreResult

    def of(self, store: StoreName) -> StoreResult:
        """Return what one of them did."""
        return self.prisma if store is StoreName.PRISMA else self.supabase

    @property
    def unreachable(self) -> tuple[StoreName, ...]:
        """The stores that were needed and did not answer, for whatever reason."""
        return tuple(store for store in StoreName if self.of(store).error is not None)


class RepositoryResponse(Value):
    """The least that every write answers."""

    id: Annotated[StrictStr, Field(min_length=1, max_length=100)]
    success: StrictBool
    error: StrictStr | None = None


class DualStorageResult(RepositoryResponse):
    """What became of one write.

    Attributes:
        id: Id of the record.
        success: True when at least one store holds the write durably and the other has it or will get it.
        error: Why it failed; what is left to be done where it did not.
        details: What each store did.
        consistency: How many stores hold the write now.
        degradation_mode: Why a store was not asked.
        timestamp: When the write was answered, in milliseconds since 1970.
        total_time_ms: Time that it took in all, in milliseconds.
        prisma_success: As in `details`, for older callers.
        supabase_success: Likewise.
        prisma_error: Likewise.
        supabase_error: Likewise.
        outcome: What became of the write.
        record: The record as it is after the write; None where it is gone or nobody knows.
        repeated: True when the same request had been carried out before, and its outcome is told again.
    """

    details: StoreResults | None = None
    consistency: Consistency | None = None
    degradation_mode: DegradationMode | None = None
    timestamp: Instant | None = None
    total_time_ms: Annotated[Count | None, Field(alias="totalTime")] = None
    prisma_success: StrictBool | None = None
    supabase_success: StrictBool | None = None
    prisma_error: StrictStr | None = None
    supabase_error: StrictStr | None = None
    outcome: Outcome | None = None
    record: Record | None = None
    repeated: StrictBool = False

    @property
    def degraded(self) -> bool:
        """True unless both stores hold the write."""
        return self.consistency is not Consistency.FULL


class Reading(Value):
    """One record that was looked for.

    Attributes:
        record: The record; None when no store that answered has it.
        details: What each store did; one that was not needed was not asked.
        degradation_mode: Why a store was not asked although it was needed.
    """

    record: Record | None
    details: StoreResults
    degradation_mode: DegradationMode = DegradationMode.NONE

    @property
    def complete(self) -> bool:
        """True when every store that had to be asked answered."""
        return not self.details.unreachable


class RecordPage(Value):
    """One page of records, those that were changed last first.

    Attributes:
        records: The records, each with the store that it was read from.
        next_cursor: What to ask with for the next page; None when there is none.
        details: What each store did.
        degradation_mode: Why a store was not asked.
        complete: False when a store did not answer, or when too many changes wait on supabase to look at all of them:
            then records may be missing.
    """

    records: tuple[Record, ...]
    next_cursor: str | None = None
    details: StoreResults
    degradation_mode: DegradationMode = DegradationMode.NONE
    complete: bool = True


class FieldDifference(Value):
    """One field in which the two stores disagree.

    Attributes:
        field: Column, or path below a JSON column; `record` for a record that one of them lacks.
        message: What differs, in one sentence without values.
        prisma: The value of prisma as canonical text.
        supabase: The value of supabase, likewise.
    """

    field: str
    message: str
    prisma: str | None = None
    supabase: str | None = None


class ConsistencyReport(Value):
    """Whether both stores hold the same record.

    Attributes:
        id: Id of the record.
        type: Its content type, where a store has it.
        consistent: True when both were read and agree in every column.
        differences: What differs.
        recommendations: What to do.
        prisma_data: The record of prisma; None when it has none or could not be asked.
        supabase_data: The record of supabase; likewise.
        place: How a difference stands in replication; None where there is none or nobody could tell.
        details: What each store did.
    """

    id: str
    type: str | None = None
    consistent: bool
    differences: tuple[FieldDifference, ...] = ()
    recommendations: tuple[str, ...] = ()
    prisma_data: Record | None = None
    supabase_data: Record | None = None
    place: Place | None = None
    details: StoreResults


class ConsistencySummary(Value):
    """Numbers of records, each counted once."""

    missing_in_prisma: Count = 0
    missing_in_supabase: Count = 0
    data_conflicts: Count = 0
    healthy_items: Count = 0


class UserConsistencyReport(Value):
    """Whether both stores hold the same records of one owner.

    Attributes:
        user_id: The owner; None for guests.
        overall_consistent: True when both stores were read and all records agree.
        total_items: Number of records that at least one store has.
        consistent_items: Number of those that agree.
        inconsistent_items: The others, by id.
        summary: The same as numbers.
        recommendations: What to do where a store could not be read.
        details: What each store did. Where one did not answer, nothing was compared and nothing is counted.
    """

    user_id: str | None
    overall_consistent: bool
    total_items: Count = 0
    consistent_items: Count = 0
    inconsistent_items: tuple[ConsistencyReport, ...] = ()
    summary: ConsistencySummary = ConsistencySummary()
    recommendations: tuple[str, ...] = ()
    details: StoreResults


class StoreHealth(Value):
    """How one store did lately, as this process saw it.

    Attributes:
        failures: Number of consecutive failures.
        last_failure: When the last one was, in milliseconds since 1970; None when there was none.
        is_healthy: False from three failures in a row, while its circuit is open, or when it did not answer just now.
        state: State of its circuit, where it has one.
        response_ms: Time of the answer just now, in milliseconds.
        error: Why it did not answer.
    """

    failures: Count
    last_failure: Instant | None = None
    is_healthy: StrictBool
    state: StrictStr | None = None
    response_ms: Count | None = None
    error: StrictStr | None = None


class StorageHealth(Value):
    """How both stores did lately. A store that is not configured is unhealthy, and says so."""

    prisma: StoreHealth
    supabase: StoreHealth

    @property
    def healthy(self) -> bool:
        """True when both are."""
        return self.prisma.is_healthy and self.supabase.is_healthy


class Checked(Value):
    """What a contract says about a value: the value as it was read, or why it was not.

    Attributes:
        success: True when it fits.
        data: The value as read; None when it does not fit.
        error: What is wrong, each as `path: message`, joined by `; `.
    """

    success: StrictBool
    data: Any = None
    error: StrictStr | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.success is (self.error is not None):
            raise ValueError("a success has no error, and a failure has one")
        return self
