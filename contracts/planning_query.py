"""What may be asked of a list of planning records, and the place at which its next page begins."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from contracts.errors import Invalid
from contracts.planning_input import UUID_FORM, violations_of
from contracts.planning_words import GUEST, STATUS_ALIASES, ContentType, Status

LIMIT_MAX = 100
LIMIT = 20
SEARCH_MAX = 100
CURSOR_MAX = 500

_UUID = re.compile(UUID_FORM)
_INSTANT = re.compile(r"\d{4,6}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,3})?( BC)?|-?infinity", re.ASCII)
_CORRECT = "Correct the query."


def _uuid(value: str) -> str:
    if not _UUID.fullmatch(value):
        raise ValueError("must be a UUID in lower case with hyphens")
    return value


def _owner(value: str) -> str:
    return value if value == GUEST else _uuid(value)


def _known_status(value: object) -> object:
    return STATUS_ALIASES.get(value, value) if isinstance(value, str) else value


def _text(value: str) -> str:
    if "\0" in value:
        raise ValueError("must not hold the character NUL")
    return value


class PlanningQuery(BaseModel):
    """Which records are wanted. What is not given does not matter.

    Attributes:
        user_id: Their owner, a UUID; `guest` for records without one.
        type: Their content type.
        status: Where they stand; an older spelling means the canonical one.
        project_id: Their project, a UUID.
        search: A part of the title, in any letter case; at most 100 characters.
        limit: How many records are returned at most, 1 to 100.
        cursor: The `next_cursor` of the page before, for the same query.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True, validate_by_alias=True
    )

    user_id: Annotated[str, AfterValidator(_owner)] | None = None
    type: ContentType | None = None
    status: Annotated[Status | None, BeforeValidator(_known_status)] = None
    project_id: Annotated[str, AfterValidator(_uuid)] | None = None
    search: Annotated[str, Field(max_length=SEARCH_MAX), AfterValidator(_text)] | None = None
    limit: Annotated[int, Field(ge=1, le=LIMIT_MAX)] = LIMIT
    cursor: Annotated[str, Field(max_length=CURSOR_MAX)] | None = None

    @property
    def statuses(self) -> tuple[str, ...]:
        """Every spelling of the status, as stores may hold it; empty where it does not matter."""
        if self.status is None:
            return ()
        return (self.status, *(old for old, new in STATUS_ALIASES.items() if new is self.status))

    @property
    def place(self) -> tuple[str, str] | None:
        """Instant and key of the last record of the page before.

        Raises:
            Invalid: The cursor is none of ours, or belongs to another query.
        """
        return None if self.cursor is None else self._read(self.cursor)

    def cursor_after(self, at: str, key: str) -> str:
        """Return the cursor of the page that follows a record."""
        text = json.dumps([self._fingerprint, at, key], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @property
    def _fingerprint(self) -> str:
        asked = self.model_dump(mode="json", exclude={"cursor", "limit"})
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:12]

    def _read(self, cursor: str) -> tuple[str, str]:
        padded = cursor + "=" * (-len(cursor) % 4)
        try:
            found = json.loads(base64.b64decode(padded.encode(), altchars=b"-_", validate=True))
        except (binascii.Error, ValueError):
            found = None
        match found:
            case [str(fingerprint), str(at), str(key)] if _INSTANT.fullmatch(at) and _UUID.fullmatch(key):
                if fingerprint == self._fingerprint:
                    return at, key
                raise Invalid("The cursor belongs to another query.", "Ask for the first page of this one.")
        raise Invalid("The cursor is none of ours.", "Pass on the `nextCursor` of the page before, unchanged.")


def read_query(**asked: object) -> PlanningQuery:
    """Read a query from keyword arguments.

    Raises:
        Invalid: It asks for something that there is not.
    """
    try:
        query = PlanningQuery.model_validate(asked)
    except ValidationError as exc:
        raise Invalid("The query cannot be answered.", _CORRECT, violations=violations_of(exc)) from None
    _ = query.place  # a cursor that cannot be used is refused before any store is asked
    return query
