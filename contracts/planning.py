"""The planning dataset: its vocabularies, its limits, its table on both stores."""

from __future__ import annotations

from enum import StrEnum

from contracts.dataset import Column, ColumnType, Dataset
from contracts.vocabulary import Classification, StoreName

TITLE_MAX = 500
GUEST = "guest"  # an owner of NULL means a guest


class ContentType(StrEnum):
    """What a planning record is about."""

    SCENARIO = "scenario"
    PROMPT = "prompt"
    VIDEO = "video"
    STORY = "story"
    IMAGE = "image"


class Status(StrEnum):
    """Where a planning record stands."""

    DRAFT = "draft"
    ACTIVE = "active"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    ARCHIVED = "archived"


STATUS_ALIASES = {"in-progress": Status.PROCESSING}  # an older spelling; read as the canonical one


def _types(primary: str, secondary: str) -> dict[StoreName, frozenset[str]]:
    return {StoreName.PRISMA: frozenset({primary}), StoreName.SUPABASE: frozenset({secondary})}


_TIME = _types("timestamp(3) without time zone", "timestamp with time zone")
_ID = _types("text", "uuid")
_TEXT = _types("text", "text")
_JSON = _types("jsonb", "jsonb")

PLANNING = Dataset(
    name="planning",
    key=("id",),
    created="created_at",
    updated="updated_at",
    tables={StoreName.PRISMA: ("public", "planning"), StoreName.SUPABASE: ("public", "planning")},
    columns=(
        Column(name="id", type=ColumnType.UUID, sql_types=_ID, classification=Classification.PUBLIC),
        Column(name="type", type=ColumnType.TEXT, sql_types=_TEXT, classification=Classification.PUBLIC),
        Column(name="title", type=ColumnType.TEXT, sql_types=_TEXT),
        Column(
            name="content",
            type=ColumnType.JSON,
            sql_types=_JSON,
            paths={"id": Classification.PUBLIC, "type": Classification.PUBLIC, "durationSec": Classification.INTERNAL},
        ),
        Column(
            name="status",
            type=ColumnType.TEXT,
            sql_types=_TEXT,
            classification=Classification.PUBLIC,
            aliases=STATUS_ALIASES,
        ),
        Column(name="user_id", type=ColumnType.TEXT, sql_types=_ID),
        Column(name="project_id", type=ColumnType.TEXT, sql_types=_ID, classification=Classification.INTERNAL),
        Column(
            name="version",
            type=ColumnType.INTEGER,
            sql_types=_types("integer", "integer"),
            classification=Classification.PUBLIC,
        ),
        Column(
            name="metadata",
            type=ColumnType.JSON,
            sql_types=_JSON,
            paths={"version": Classification.PUBLIC, "status": Classification.PUBLIC},
        ),
        Column(name="storage", type=ColumnType.JSON, sql_types=_JSON, classification=Classification.INTERNAL),
        Column(name="source", type=ColumnType.TEXT, sql_types=_TEXT, classification=Classification.INTERNAL),
        Column(name="storage_status", type=ColumnType.TEXT, sql_types=_TEXT, classification=Classification.PUBLIC),
        Column(name="created_at", type=ColumnType.TIMESTAMP_MS, sql_types=_TIME, classification=Classification.PUBLIC),
        Column(name="updated_at", type=ColumnType.TIMESTAMP_MS, sql_types=_TIME, classification=Classification.PUBLIC),
    ),
)
"""Tables of origin: PostgreSQL as Prisma made it, Supabase with the four columns that were added later."""
