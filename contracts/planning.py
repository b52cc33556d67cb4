"""The planning dataset: its table on both stores, what its columns mean, and its contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.dataset import Column, ColumnType, Dataset, types
from contracts.judge import Contract, Evaluator, frame_evaluators
from contracts.planning_rules import PLANNING_RULES
from contracts.planning_words import GUEST, STATUS_ALIASES, TITLE_MAX, ContentType, Status
from contracts.row_facts import RowFacts
from contracts.vocabulary import Classification, StoreName

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["CONTRACT", "GUEST", "PLANNING", "STATUS_ALIASES", "TITLE_MAX", "ContentType", "Status"]

_TIME = types("timestamp(3) without time zone", "timestamp with time zone")
_ID = types("text", "uuid")
_TEXT = types("text", "text")
_JSON = types("jsonb", "jsonb")

PLANNING_FACTS = RowFacts(
    type="type",
    title="title",
    status="status",
    version="version",
    body="content",
    envelope=frozenset({"id", "type", "title", "metadata"}),
    in_body={"title": ("title",), "status": ("metadata", "status")},
    vocabularies={"type": frozenset(ContentType), "status": frozenset(Status) | frozenset(STATUS_ALIASES)},
    unwritten={"storage_status": "pending"},
    required=frozenset({"type", "title", "content", "status", "version", "created_at", "updated_at"}),
    not_blank=frozenset({"title"}),
    positive=frozenset({"version"}),
    owner="user_id",
    nobody={"user_id": frozenset({GUEST})},
    instants={"created_at": ("metadata", "createdAt"), "updated_at": ("metadata", "updatedAt")},
    camel_case=frozenset({"content", "metadata"}),
)

PLANNING = Dataset(
    name="planning",
    key=("id",),
    created="created_at",
    updated="updated_at",
    replicated=True,
    facts=PLANNING_FACTS,
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
            sql_types=types("integer", "integer"),
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


def _evaluators(store: StoreName) -> tuple[Evaluator, ...]:
    from contracts.planning_bodies import BODY_RULES, METADATA_VALID, judge_bodies, judge_metadata
    from contracts.planning_frame import planning_frame

    def bodies(batch: pa.RecordBatch) -> dict[str, list[int]]:
        return judge_bodies(*(batch.column(name).to_pylist() for name in ("id", "type", "content")))

    def metadata(batch: pa.RecordBatch) -> dict[str, list[int]]:
        return judge_metadata(batch.column("metadata").to_pylist())

    return (
        *frame_evaluators(planning_frame(store), PLANNING_RULES),
        Evaluator(rules=BODY_RULES, columns=("id", "type", "content"), run=bodies),
        Evaluator(rules=(METADATA_VALID,), columns=("metadata",), run=metadata),
    )


CONTRACT = Contract(dataset=PLANNING, rules=PLANNING_RULES, evaluators=_evaluators)
