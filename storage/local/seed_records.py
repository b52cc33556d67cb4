"""The seed data itself: realistic planning records, any number, the same ones for the same seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TypeVar

from contracts.planning import GUEST, ContentType, Status
from storage.local.seed_bodies import Json, make_body
from storage.local.seed_texts import Language, make_title, pick

_V = TypeVar("_V")


def _spread(shares: dict[_V, int]) -> tuple[_V, ...]:
    """Return each value as often as its share says, so that one draw from the whole gives the shares."""
    return tuple(value for value, share in shares.items() for _ in range(share))


_TYPES = _spread(
    {
        ContentType.SCENARIO: 28,
        ContentType.PROMPT: 22,
        ContentType.VIDEO: 18,
        ContentType.STORY: 20,
        ContentType.IMAGE: 12,
    }
)
_STATUSES = _spread(
    {
        Status.DRAFT: 28,
        Status.ACTIVE: 16,
        Status.PROCESSING: 8,
        Status.COMPLETED: 36,
        Status.FAILED: 5,
        Status.ARCHIVED: 7,
    }
)
_LANGUAGES = _spread({Language.KOREAN: 40, Language.ENGLISH: 40, Language.MIXED: 20})
_STORAGE_STATUSES = _spread(
    {
        "saved": 74,
        "pending": 10,
        "partial": 3,
        "failed": 2,
        "saving": 1,
        None: 10,
    }
)
_SOURCES = _spread(
    {
        "planning_register": 50,
        "stories_route": 20,
        "videos_route": 15,
        "import": 5,
        None: 10,
    }
)
_NAMES = (
    "김하늘",
    "이서준",
    "박지우",
    "Mia Chen",
    "Noah Becker",
    "Zoë Dupont",
    "정다은",
    "Ada O'Neill",
    "최민호",
    "Li Wei",
)

_AGE_MS = 90 * 24 * 3_600_000
_HOUR_MS = 3_600_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_GUESTS = 0.10
_NO_PROJECT = 0.15
_METADATA = 0.85
_METADATA_IN_BODY = 0.70  # a body holds its own copy of the metadata less often than the column does
_UNTOUCHED = 0.30
_MEAN_EDIT_MS = 3 * 24 * _HOUR_MS
_SHORTEST_EDIT_MS = 90_000
_RECORDS_PER_USER = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningSeed:
    """One planning record, as both stores hold it. The two times are UTC with whole milliseconds."""

    id: str
    type: ContentType
    title: str
    content: dict[str, Json]
    status: Status
    user_id: str | None
    project_id: str | None
    version: int
    metadata: dict[str, Json] | None
    storage: dict[str, Json] | None
    source: str | None
    storage_status: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class _Person:
    id: str
    name: str
    language: Language
    projects: tuple[str, ...]


def records(n: int, *, seed: int, now: datetime) -> Iterator[PlanningSeed]:
    """Yield `n` planning records; equal arguments give equal records, in the same order.

    The records were created over the 90 days before `now`, the first of them within the last hour. One in ten
    belongs to a guest; the others belong to users with one to three projects each.

    Args:
        n: Number of records.
        seed: Start of the random numbers.
        now: The moment at which the newest records end; it needs a time zone.

    Raises:
        ValueError: `now` has no time zone.
    """
    if now.tzinfo is None:
        raise ValueError("now needs a time zone")
    rng = Random(seed)  # noqa: S311 - data that can be made again, nothing secret
    now_ms = (now - _EPOCH) // timedelta(milliseconds=1)
    people = _people(rng, max(6, n // _RECORDS_PER_USER))
    for index in range(n):
        yield _record(rng, people, now_ms, _HOUR_MS if index == 0 else _AGE_MS)


def _uuid(rng: Random) -> str:
    digits = f"{rng.getrandbits(128):032x}"
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def _people(rng: Random, count: int) -> tuple[_Person, ...]:
    return tuple(
        _Person(
            id=_uuid(rng),
            name=pick(rng, _NAMES),
            language=pick(rng, _LANGUAGES),
            projects=tuple(_uuid(rng) for _ in range(1 + int(rng.random() * 3))),
        )
        for _ in range(count)
    )


def _record(rng: Random, people: tuple[_Person, ...], now_ms: int, age_ms: int) -> PlanningSeed:
    owner = None if rng.random() < _GUESTS else pick(rng, people)
    project_id = None if owner is None or rng.random() < _NO_PROJECT else pick(rng, owner.projects)
    language = owner.language if owner else pick(rng, _LANGUAGES)
    key, kind, status = _uuid(rng), pick(rng, _TYPES), pick(rng, _STATUSES)
    title = make_title(rng, language)
    version, created_ms, updated_ms = _life(rng, now_ms, age_ms)

    content: dict[str, Json] = {"id": key, "type": kind.value}
    content |= make_body(rng, kind, status, language, title)
    metadata: dict[str, Json] | None = None
    if (share := rng.random()) < _METADATA:
        metadata = {
            "userId": owner.id if owner else None,
            "status": status.value,
            "createdAt": created_ms,
            "updatedAt": updated_ms,
            "version": version,
            "author": owner.name if owner else GUEST,
        }
        if project_id is not None:
            metadata["projectId"] = project_id
        if share < _METADATA_IN_BODY:
            content["metadata"] = metadata

    storage_status = pick(rng, _STORAGE_STATUSES)
    return PlanningSeed(
        id=key,
        type=kind,
        title=title,
        content=content,
        status=status,
        user_id=owner.id if owner else None,
        project_id=project_id,
        version=version,
        metadata=metadata,
        storage=_storage(rng, storage_status),
        source=pick(rng, _SOURCES),
        storage_status=storage_status,
        created_at=_EPOCH + timedelta(milliseconds=created_ms),
        updated_at=_EPOCH + timedelta(milliseconds=updated_ms),
    )


def _life(rng: Random, now_ms: int, age_ms: int) -> tuple[int, int, int]:
    """Return version, creation and last update; a record of version 1 was never touched again."""
    created_ms = now_ms - 1 - int(rng.random() * (age_ms - 1))
    if rng.random() < _UNTOUCHED:
        return 1, created_ms, created_ms
    edited_ms = _SHORTEST_EDIT_MS + int(rng.expovariate(1 / _MEAN_EDIT_MS))
    if edited_ms > now_ms - created_ms:
        edited_ms = int(rng.random() * (now_ms - created_ms))
    updated_ms = created_ms + edited_ms
    return 2 + int(rng.random() * 9), created_ms, updated_ms


def _storage(rng: Random, status: str | None) -> dict[str, Json] | None:
    if status not in {"saved", "partial"}:
        return None
    return {
        "prisma": {"saved": True, "ms": 3 + int(rng.random() * 40)},
        "supabase": {"saved": status == "saved", "ms": 15 + int(rng.random() * 200)},
    }
