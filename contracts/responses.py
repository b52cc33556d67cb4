"""The envelope in which a web application answers about planning records, as clients of the origin know it.

What it says of the stores comes from the very write that it answers, never from their health.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from contracts.results import Consistency, DegradationMode, DualStorageResult, Instant, StoreResult, Value
from contracts.vocabulary import StoreName

VERSION = "1.0"


class StorageStatus(StrEnum):
    """How a store took part."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"  # it was not asked, and is owed the write
    FAILED = "failed"


class StorageStatuses(Value):
    """How both took part."""

    prisma: StorageStatus
    supabase: StorageStatus


class PlanningResponse(Value):
    """One answer to a client.

    Attributes:
        success: True when the write is safe.
        data: What was asked for; None where it failed.
        degraded: True unless both stores hold the write.
        warnings: What the client should know; none when all is well.
        storage_status: How each store took part.
        timestamp: When it was answered, in milliseconds since 1970.
        version: Of this envelope.
    """

    success: bool
    data: Any = None
    degraded: bool
    warnings: tuple[str, ...] = ()
    storage_status: StorageStatuses
    timestamp: Instant
    version: str = VERSION


def response_to(result: DualStorageResult, *, now_ms: int, data: Any = None, message: str = "") -> PlanningResponse:
    """Put the result of a write into the envelope.

    Args:
        result: What became of the write.
        now_ms: The present, in milliseconds since 1970.
        data: What the client asked for, where the write succeeded.
        message: What the caller says of a failure.
    """
    statuses = {store: _status(result, store) for store in StoreName}
    return PlanningResponse(
        success=result.success,
        data=data if result.success else None,
        degraded=result.degraded,
        warnings=tuple(_warnings(result, message)),
        storage_status=StorageStatuses(prisma=statuses[StoreName.PRISMA], supabase=statuses[StoreName.SUPABASE]),
        timestamp=now_ms,
    )


def _status(result: DualStorageResult, store: StoreName) -> StorageStatus:
    found = _of(result, store)
    if found is None or found.error is not None or (found.attempted and not found.success):
        return StorageStatus.FAILED
    in_step = found.success or result.consistency is Consistency.FULL
    return StorageStatus.HEALTHY if in_step else StorageStatus.DEGRADED


def _warnings(result: DualStorageResult, message: str) -> list[str]:
    found = [
        f"{store}: {error}" for store in StoreName if (error := getattr(_of(result, store), "error", None)) is not None
    ]
    if result.degradation_mode is DegradationMode.SUPABASE_DISABLED:
        found.append("supabase is not configured; prisma serves alone.")
    if not result.success:
        found += [text for text in (result.error, message) if text]
    return list(dict.fromkeys(found))


def _of(result: DualStorageResult, store: StoreName) -> StoreResult | None:
    return None if result.details is None else result.details.of(store)
