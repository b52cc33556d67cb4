"""Planning content to row and back: which column holds what, and what a write makes of the row that was there.

The body is stored whole. What columns repeat of it (owner, status, project, version, both times) is kept in its
`metadata`, too, so that no two places of a row disagree; the column `metadata` holds the same object.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import EllipsisType
from typing import Any

from pydantic_core import from_json, to_json

from contracts.instants import unix_milliseconds
from contracts.planning import PLANNING
from contracts.planning_input import broken, read_content
from contracts.planning_words import STATUS_ALIASES, Status
from contracts.results import Record
from contracts.vocabulary import StoreName
from storage.canonical import canonical_row
from storage.canonical_time import from_unix_milliseconds
from storage.dual.merging import merged
from storage.ports import Row

Owner = str | EllipsisType | None
"""An owner; None for a guest, `...` where the caller does not say."""

LAST_VERSION = 2_147_483_647  # what the columns hold
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NEW = {"storage": None, "source": None, "storage_status": "pending"}
_FROM_COLUMNS = ("userId", "status", "projectId", "version", "createdAt", "updatedAt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a caller wants a record to be.

    Attributes:
        body: The whole content, or for a patch what of it is to change; held against the contract where it is whole.
        owner: The owner, where the caller names one beside the content.
        patch: True when the body is laid over the one that is there.
    """

    body: Mapping[str, Any]
    owner: Owner = ...
    patch: bool = False

    def over(self, before: Row | None, *, now_ms: int) -> Row:
        """Return the row that this change makes of another one.

        A change that changes nothing gives a row that is equal to the one before.

        Args:
            before: The row as it is; None when there is none.
            now_ms: The present, in milliseconds since 1970.

        Raises:
            Invalid: What comes out breaks the contract, or could not be held by both stores.
        """
        body, metadata = self._body(before), self._metadata(before, now_ms)
        version = version_of(before)
        updated_ms = _instant(before["updated_at"]) if before is not None else None
        if before is not None and updated_ms is not None and version > 0:
            kept = _row(body, metadata, before, version=version, updated_ms=updated_ms)
            if canonical_row(PLANNING, kept) == canonical_row(PLANNING, before):
                return before
        if version >= LAST_VERSION:
            raise broken([("metadata.version", "cannot grow any further")])
        later_ms = max(now_ms, metadata["createdAt"])
        return _row(body, metadata, before, version=version + 1, updated_ms=later_ms)

    def _body(self, before: Row | None) -> dict[str, Any]:
        if not self.patch or before is None:
            return dict(self.body)
        stored = _json(before["content"])
        if not isinstance(stored, dict):
            raise broken([("content", "is no object in the store, so that nothing can be laid over it")])
        return read_content(merged(_readable(stored), self.body))

    def _metadata(self, before: Row | None, now_ms: int) -> dict[str, Any]:
        """Return the metadata as they are to be, but for version and time of the change."""
        given = self.body.get("metadata")
        named: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
        known = merged(_known_metadata(before, whole=self.patch), named)
        status = named.get("status") or (before["status"] if before is not None else None) or Status.DRAFT
        project = named.get("projectId", before["project_id"] if before is not None else None)
        rest = {name: value for name, value in known.items() if name not in _FROM_COLUMNS}
        rest |= {
            "userId": self._owner(named, before),
            "status": str(STATUS_ALIASES.get(status, status)),
            "createdAt": _created_ms(before, named, now_ms),
        }
        return rest if project is None else rest | {"projectId": project}

    def _owner(self, named: Mapping[str, Any], before: Row | None) -> str | None:
        if isinstance(self.owner, EllipsisType):
            stored = before["user_id"] if before else None
            owner: str | None = named.get("userId", stored)
            return owner
        if "userId" in named and named["userId"] != self.owner:
            raise broken([("metadata.userId", "must be the owner that is named beside the content")])
        return self.owner


def record_of(row: Row, *, store: StoreName, pending: bool) -> Record:
    """Return a row as a record; one that breaks the contract is returned as it is."""
    content, metadata = _json(row["content"]), _json(row["metadata"])
    if isinstance(content, dict):
        content = _readable(content)
    author = _author(content) or _author({"metadata": metadata})
    status = row["status"]
    return Record(
        id=str(row["id"]),
        type=row["type"],
        title=row["title"],
        status=None if status is None else str(STATUS_ALIASES.get(status, status)),
        user_id=row["user_id"],
        project_id=row["project_id"],
        author=author,
        version=None if row["version"] is None else int(row["version"]),
        created_at=_moment(row["created_at"]),
        updated_at=_moment(row["updated_at"]),
        content=content,
        metadata=metadata,
        storage=_json(row["storage"]),
        source=row["source"],
        storage_status=row["storage_status"],
        store=store,
        pending=pending,
    )


def version_of(row: Row | None) -> int:
    """Return the version of a row; 0 when there is none, and for a row that was written without one."""
    text = None if row is None else row["version"]
    return 0 if text is None else max(0, int(text))


def _row(
    body: Mapping[str, Any], metadata: Mapping[str, Any], before: Row | None, *, version: int, updated_ms: int
) -> dict[str, str | None]:
    created_ms = metadata["createdAt"]
    told = {**metadata, "version": version, "updatedAt": updated_ms}
    for name in ("createdAt", "updatedAt"):
        if told[name] < 0:  # before 1970, which metadata cannot say
            del told[name]
    whole = read_content({**body, "metadata": told})
    kept = {name: before[name] for name in _NEW} if before is not None else _NEW
    return {
        "id": whole["id"],
        "type": whole["type"],
        "title": _title(whole, before, created_ms),
        "content": to_json(whole).decode(),
        "status": told["status"],
        "user_id": told["userId"],
        "project_id": told.get("projectId"),
        "version": str(version),
        "metadata": to_json(told).decode(),
        **kept,
        "created_at": (before and before["created_at"]) or from_unix_milliseconds(created_ms),
        "updated_at": from_unix_milliseconds(updated_ms),
    }


def _title(body: Mapping[str, Any], before: Row | None, created_ms: int) -> str:
    """Return the title of the body, else the one that is there, else one made of type and creation."""
    stored = (before["title"] if before is not None else None) or ""
    title = body.get("title") or (stored if stored.strip() else "")
    return str(title or f"{body['type']} - {from_unix_milliseconds(created_ms)}")


def _created_ms(before: Row | None, named: Mapping[str, Any], now_ms: int) -> int:
    """Return when the record was created: as its row says, else as the caller says, else now."""
    stored = _instant(before["created_at"]) if before is not None else None
    if stored is not None:
        return stored
    given = named.get("createdAt")
    return now_ms if given is None else int(given)


def _known_metadata(before: Row | None, *, whole: bool) -> dict[str, Any]:
    """Return the metadata that are there; only who wrote it, unless all of them are to stay."""
    if before is None:
        return {}
    in_column, body = _json(before["metadata"]), _json(before["content"])
    in_body = body.get("metadata") if isinstance(body, dict) else None
    known = merged(*(each if isinstance(each, dict) else {} for each in (in_column, in_body)))
    return known if whole else {name: known[name] for name in ("author",) if isinstance(known.get(name), str)}


def _readable(body: dict[str, Any]) -> dict[str, Any]:
    """Return a stored body with an older spelling of its status read as the canonical one."""
    metadata = body.get("metadata")
    status = metadata.get("status") if isinstance(metadata, dict) else None
    if not isinstance(status, str) or status not in STATUS_ALIASES:
        return body
    return {**body, "metadata": {**body["metadata"], "status": str(STATUS_ALIASES[status])}}


def _author(content: object) -> str | None:
    metadata = content.get("metadata") if isinstance(content, dict) else None
    author = metadata.get("author") if isinstance(metadata, dict) else None
    return author if isinstance(author, str) else None


def _json(text: str | None) -> Any:
    """Return a JSON value; one that is nested too deeply stays a text."""
    try:
        return None if text is None else from_json(text)
    except ValueError:
        return text


def _instant(text: str | None) -> int | None:
    return None if text is None else unix_milliseconds(text)


def _moment(text: str | None) -> datetime | None:
    """Return an instant, to the millisecond; None for one that Python cannot hold."""
    instant = _instant(text)
    try:
        return None if instant is None else _EPOCH + timedelta(milliseconds=instant)
    except OverflowError:
        return None
