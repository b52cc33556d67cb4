"""Planning rows as each store writes them, and what the comparison says about two of them."""

from __future__ import annotations

import json
from typing import Any

from contracts.planning import PLANNING
from contracts.verdicts import Explanation, FieldDifference
from contracts.vocabulary import Cause, StoreName
from storage.parity.causes import explain
from storage.parity.fields import diff_fields

PRISMA, SUPABASE = StoreName.PRISMA, StoreName.SUPABASE
KEY = "3b241101-e2bb-4255-8caf-4136c566a962"
OWNER = "0b9b2d10-6a4f-4c0e-9a55-0f7f6bfe3c11"
PROJECT = "c56a4180-65aa-42ec-a945-5fd21dec0538"
CREATED, UPDATED = "2026-03-01 10:00:00.123", "2026-03-05 17:31:12.456"
TextRow = dict[str, str | None]
Changes = dict[str, Any]

BODY: dict[str, Any] = {
    "id": KEY,
    "type": "prompt",
    "title": "Café 거리의 아침",
    "metadata": {"userId": OWNER, "status": "active", "version": 3, "createdAt": 1772359200123},
    "finalPrompt": "A street at dawn, soft light, 35 mm",
    "keywords": ["rain", "neon"],
    "durationSec": 12.5,
}


def body(**changes: Any) -> str:
    """Return the body as JSON text, with other values for some keys; `...` takes a key away."""
    return json.dumps({key: value for key, value in {**BODY, **changes}.items() if value is not ...})


def make_row(store: StoreName, **changes: str | None) -> TextRow:
    """Return one row as a store writes it; equal on both stores unless changed."""
    zone = "+00" if store is SUPABASE else ""
    row: TextRow = {
        "id": KEY,
        "type": "prompt",
        "title": BODY["title"],
        "content": body(),
        "status": "active",
        "user_id": OWNER,
        "project_id": PROJECT,
        "version": "3",
        "metadata": json.dumps(BODY["metadata"]),
        "storage": '{"prisma": {"saved": true}}',
        "source": "planning_register",
        "storage_status": "saved",
        "created_at": CREATED + zone,
        "updated_at": UPDATED + zone,
    }
    return row | changes


def explained(primary: TextRow, secondary: TextRow) -> tuple[tuple[FieldDifference, ...], tuple[Explanation, ...]]:
    """Return the fields that differ and why, for two rows as their stores wrote them."""
    return explain(PLANNING, primary, secondary, diff_fields(PLANNING, primary, secondary))


def why(primary: Changes, secondary: Changes) -> dict[str, Cause]:
    """Return the cause of each field that differs, given what is changed on either side."""
    fields, _ = explained(make_row(PRISMA, **primary), make_row(SUPABASE, **secondary))
    return {field.field: field.cause for field in fields}


def told(primary: Changes, secondary: Changes) -> list[Explanation]:
    """Return the explanations, given what is changed on either side."""
    return list(explained(make_row(PRISMA, **primary), make_row(SUPABASE, **secondary))[1])


def on(store: StoreName, damaged: Changes, sound: Changes | None = None) -> tuple[Changes, Changes]:
    """Return the changes for prisma and supabase when `store` has the damaged values and the other the sound ones."""
    return (damaged, sound or {}) if store is PRISMA else (sound or {}, damaged)
