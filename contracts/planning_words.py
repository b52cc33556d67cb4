"""The words and limits of planning records: content types, statuses, titles."""

from __future__ import annotations

from enum import StrEnum

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
