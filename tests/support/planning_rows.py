"""Planning rows as a snapshot yields them: text as the store writes it, one string column per column of the dataset."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from contracts.planning import PLANNING, ContentType

KEY = "0b6f2a54-8c1d-4e8a-9a56-3d2f1c0e7b91"
OWNER = "7c1f9f0e-52c4-4f0b-8d0a-6e1b2a3c4d5e"
BODIES: dict[ContentType, dict[str, Any]] = {
    ContentType.SCENARIO: {"title": "A rainy night", "story": "비 오는 밤", "durationSec": 90},
    ContentType.PROMPT: {"finalPrompt": "a lighthouse, dusk", "keywords": ["sea", "dusk"]},
    ContentType.VIDEO: {"videoUrl": "https://cdn.example/v.mp4", "processingJobId": "job-1"},
    ContentType.STORY: {"title": "The lighthouse", "content": "Once upon a time 🌊", "tone": "Calm"},
    ContentType.IMAGE: {"imageUrl": "https://cdn.example/i.png", "tags": ["sea"]},
}
METADATA = {
    "userId": OWNER,
    "status": "draft",
    "createdAt": 1_758_157_323_123,
    "updatedAt": 1_758_157_323_123,
    "version": 1,
}


def content(kind: ContentType = ContentType.SCENARIO, **changes: Any) -> dict[str, Any]:
    """Return a valid body of a type with some keys changed; a key changed to `...` is left out."""
    body = {"id": KEY, "type": str(kind), **BODIES[kind], "metadata": METADATA, **changes}
    return {key: value for key, value in body.items() if value is not ...}


def row(**changes: Any) -> dict[str, str | None]:
    """Return a valid planning row with some columns changed; what is no text becomes JSON text."""
    valid: dict[str, Any] = {
        "id": KEY,
        "type": "scenario",
        "title": "A rainy night",
        "content": content(),
        "status": "draft",
        "user_id": OWNER,
        "project_id": None,
        "version": "1",
        "metadata": METADATA,
        "storage": None,
        "source": None,
        "storage_status": "pending",
        "created_at": "2025-09-18 01:02:03.123",
        "updated_at": "2025-09-18 01:02:03.123",
    }
    return {
        name: value if value is None or isinstance(value, str) else json.dumps(value)
        for name, value in {**valid, **changes}.items()
    }


def batch(rows: Sequence[Mapping[str, str | None]]) -> pa.RecordBatch:
    """Return rows as one batch."""
    return pa.RecordBatch.from_pylist(list(rows), schema=pa.schema([(c.name, pa.string()) for c in PLANNING.columns]))
