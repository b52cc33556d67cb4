"""The dual repository: what applications call."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import EllipsisType, TracebackType
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from contracts.errors import Invalid
from contracts.planning_input import broken, read_content, read_id, read_owner
from contracts.planning_query import PlanningQuery, read_query
from contracts.planning_words import GUEST
from contracts.results import (
    ConsistencyReport,
    DualStorageResult,
    Reading,
    Record,
    RecordPage,
    StorageHealth,
    StoreHealth,
    UserConsistencyReport,
)
from contracts.vocabulary import StoreName
from storage.dual.asking import Asking, Guarding
from storage.dual.consistency import Consistency
from storage.dual.reading import READ_S, Readings
from storage.dual.rows import Change
from storage.dual.saving import Saving
from storage.dual.writing import Wish
from storage.health import FAILURES, NOT_CONFIGURED
from storage.replication.doors import Doors, PrimaryDoors, SecondaryDoors

if TYPE_CHECKING:
    from storage.replication.book import Book
    from storage.replication.relay import Relay

FAST_PATH_S = 0.3
KEY_MAX = 200
_NO_RECORD = "00000000-0000-0000-0000-000000000000"


class DualRepository:
    """Planning records in two stores. Threads may share it; a context manager that closes what it was given to close.

    Writes answer a `DualStorageResult` whatever the stores do. What is wrong with the request itself is raised as
    `Invalid`, before any store is written; a repository that was closed, or used before a fork, raises
    `ConfigurationError`.

    Args:
        primary: Doors of the primary.
        secondary: Doors of the secondary; None without a key for it: then the primary serves alone.
        relay: The relay between them; without it nothing is delivered here, and everything by `twinstore sync run`.
        book: What is kept on the primary, for reports that tell a conflict from a lost change.
        guards: What stands before the calls to a store, such as its circuit breaker.
        clock: The present, with a time zone.
        timer: Tells a time in seconds that only grows.
        fast_path_s: Seconds that the secondary has for a delivery right after a write; the relay does the rest.
        close: Closes the connections.
    """

    def __init__(
        self,
        primary: PrimaryDoors,
        secondary: SecondaryDoors | None,
        relay: Relay | None,
        *,
        book: Book | None = None,
        guards: Mapping[StoreName, Guarding] | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        timer: Callable[[], float] = time.monotonic,
        fast_path_s: float = FAST_PATH_S,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self._primary = primary
        self._secondary = secondary
        self._clock = clock
        self._close = close
        self._asking = Asking(guards or {}, timer=timer)
        self._saving = Saving(primary, secondary, relay, asking=self._asking, clock=clock, fast_path_s=fast_path_s)
        self._readings = Readings(primary, secondary, asking=self._asking)
        self._consistency = Consistency(primary, secondary, book, asking=self._asking)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; nothing can be asked any more."""
        if self._asking.end():
            self._close()

    def save(
        self,
        content: Mapping[str, Any] | BaseModel,
        *,
        user_id: str | EllipsisType | None = ...,
        expected_version: int | None = None,
        idempotency_key: str | None = None,
    ) -> DualStorageResult:
        """Create a record, or replace the content of one that is there.

        What `metadata` does not name stays as it was: owner, status, project, author. `version` and both times are
        kept here, whatever the content says of them; a new record may say when it was created.

        Args:
            content: The whole content; its `id` is the id of the record.
            user_id: The owner, None or `guest` for a guest; as `metadata.userId` says unless given.
            expected_version: The version that the record must have, 0 when it must not be there yet. Promised only
                while the primary answers.
            idempotency_key: A key of the caller's for this very request: it is carried out once, however often it is
                sent within three days.

        Raises:
            Invalid: The content breaks the contract, or the key was used for another request.
        """
        body = read_content(content)
        owner = user_id if isinstance(user_id, EllipsisType) else read_owner(None if user_id == GUEST else user_id)
        change = Change(body=body, owner=owner)
        asked = ["save", body, None if isinstance(owner, EllipsisType) else [owner], expected_version]
        return self._changed(body["id"], "save", change, expected_version, _request(idempotency_key, asked))

    def update(
        self,
        key: str,
        patch: Mapping[str, Any],
        *,
        expected_version: int | None = None,
        idempotency_key: str | None = None,
    ) -> DualStorageResult:
        """Lay a patch over the content of a record: objects are merged key by key, everything else is replaced.

        Nothing that the patch does not name is lost, and no key can be taken away; `save` replaces the content. Null is
        a value, and allowed only for `metadata.userId`.

        Args:
            key: Id of the record.
            patch: What is to change of its content.
            expected_version: As in `save`.
            idempotency_key: As in `save`.

        Raises:
            Invalid: What would come out breaks the contract, or the key was used for another request.
        """
        read_id(key)
        if not isinstance(patch, Mapping):
            raise broken([("", "must be an object")])
        if patch.get("id", key) != key:
            raise broken([("id", "must be the id of the record")])
        if not isinstance(patch.get("metadata", {}), Mapping):
            raise broken([("metadata", "must be an object")])
        change = Change(body=dict(patch), patch=True)
        request = _request(idempotency_key, ["update", key, dict(patch), expected_version])
        return self._changed(key, "update", change, expected_version, request, existing=True)

    def delete(
        self, key: str, *, expected_version: int | None = None, idempotency_key: str | None = None
    ) -> DualStorageResult:
        """Delete a record. One that neither store holds counts as deleted; the outcome says that it was missing.

        Args:
            key: Id of the record.
            expected_version: As in `save`.
            idempotency_key: As in `save`.

        Raises:
            Invalid: The id is none, or the key was used for another request.
        """
        wish = Wish(
            key=read_id(key),
            verb="delete",
            becomes=lambda _: None,
            existing=True,
            expected_version=_version(expected_version),
            request=_request(idempotency_key, ["delete", key, expected_version]),
        )
        return self._saving.carry_out(wish)

    def get(self, key: str) -> Record | None:
        """Return a record with the store that it was read from; None when no store that answered has it.

        Raises:
            Invalid: The id is none.
            Unavailable: No store answered.
        """
        return self.find(key).record

    def find(self, key: str) -> Reading:
        """Look for a record, and say what each store did: whether the answer is complete.

        Raises:
            Invalid: The id is none.
            Unavailable: No store answered.
        """
        return self._readings.find(read_id(key))

    def list(self, query: PlanningQuery | None = None, **asked: Any) -> RecordPage:
        """Return one page of records, those that were changed last first.

        Args:
            query: What is asked for.
            **asked: The same by name, as in `PlanningQuery`: `repository.list(user_id=owner, limit=50)`.

        Raises:
            Invalid: It asks for something that there is not.
            Unavailable: No store answered.
        """
        if query is not None and asked:
            raise Invalid("A query was given twice.", "Give either a query or its parts.")
        return self._readings.page(query or read_query(**asked))

    def check_consistency(self, key: str) -> ConsistencyReport:
        """Compare one record of both stores in every column. A store that cannot be read is said to be so.

        Raises:
            Invalid: The id is none.
        """
        return self._consistency.of_record(read_id(key))

    def check_user_consistency(self, user_id: str | None) -> UserConsistencyReport:
        """Compare all records of one owner; None or `guest` compares those of guests.

        Raises:
            Invalid: The owner is no UUID.
        """
        return self._consistency.of_owner(read_owner(None if user_id == GUEST else user_id))

    def health(self) -> StorageHealth:
        """Ask both stores for nothing but an answer, and say how they did lately; never raises what a store does."""
        return StorageHealth(
            prisma=self._health(self._primary, StoreName.PRISMA),
            supabase=self._health(self._secondary, StoreName.SUPABASE),
        )

    def _changed(
        self,
        key: str,
        verb: str,
        change: Change,
        expected_version: int | None,
        request: tuple[str, str] | None,
        *,
        existing: bool = False,
    ) -> DualStorageResult:
        wish = Wish(
            key=key,
            verb=verb,
            becomes=lambda before: change.over(before, now_ms=self._now_ms()),
            existing=existing,
            expected_version=_version(expected_version),
            request=request,
        )
        return self._saving.carry_out(wish)

    def _health(self, doors: Doors | None, store: StoreName) -> StoreHealth:
        if doors is None:
            return StoreHealth(failures=0, is_healthy=False, error=NOT_CONFIGURED)
        asked = self._asking.ask(store, lambda: doors.look([_NO_RECORD], deadline_s=READ_S))
        failures, failed_at = self._asking.track_record(store)
        ago_s = None if failed_at is None else self._asking.now() - failed_at
        return StoreHealth(
            failures=failures,
            last_failure=None if ago_s is None else self._now_ms() - round(ago_s * 1000),
            is_healthy=asked.answer is not None and failures < FAILURES,
            state=self._asking.state(store),
            response_ms=None if asked.circuit_open else asked.ms,
            error=None if asked.error is None else str(asked.error),
        )

    def _now_ms(self) -> int:
        return round(self._clock().timestamp() * 1000)


def _version(expected: int | None) -> int | None:
    if expected is not None and (isinstance(expected, bool) or not isinstance(expected, int) or expected < 0):
        raise broken([("expectedVersion", "must be a whole number, 0 for a record that must not be there")])
    return expected


def _request(key: str | None, asked: object) -> tuple[str, str] | None:
    """Return a caller's key with a hash of what is asked for."""
    if key is None:
        return None
    if not isinstance(key, str) or not 1 <= len(key) <= KEY_MAX or "\0" in key or not _is_unicode(key):
        raise broken([("idempotencyKey", f"must be a text of 1 to {KEY_MAX} characters")])
    return key, hashlib.sha256(json.dumps(to_jsonable_python(asked), sort_keys=True).encode()).hexdigest()


def _is_unicode(text: str) -> bool:
    """Tell whether UTF-8 can say it: half of a pair of surrogates it cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
