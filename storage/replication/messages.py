"""What goes through the doors of replication, as values, and the reading of their answers.

An answer that is not what the door promises is never guessed at: it is an error, and nothing is concluded from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from contracts.dataset import Dataset
from contracts.errors import ProtocolError
from contracts.keys import split_key
from contracts.repair import Mended
from contracts.replication import Gap, Put, Standing
from contracts.vocabulary import StoreName
from storage.ports import Row

_TRIGGERS = 2  # that capture needs on a table
_OF_OURS = "Run `twinstore migrate` with this version, and check that nothing stands between that changes answers."

E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One key of one side: its row, and how it stands, all as of one moment.

    Attributes:
        key: Its key text.
        change: Number of its last line: the rev on the primary, the lseq on the secondary; None when it is clean.
        since: When its oldest line was written; None when it is clean.
        rev: On the primary the rev that the secondary is known to have, on the secondary the rev delivered last.
        seen: On the primary the last change of the secondary that was judged; 0 on the secondary.
        known: True when it was ever carried over: without a row, it was deleted.
        ready: False while a line of ours may be overtaken by an older transaction that has not ended.
        row: Its row; None when there is none.
        adoption: Name of the adoption that held when it was read; None where none did.
        mark: What tells this very row from one that reads the same and was written later.
    """

    key: str
    change: int | None
    since: datetime | None
    rev: int
    seen: int
    known: bool
    row: Row | None
    ready: bool = True
    adoption: str | None = None
    mark: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Some dirty keys.

    Attributes:
        items: The keys, in the order in which they became dirty.
        next: The line to go on after; None when there are no more.
    """

    items: tuple[Item, ...]
    next: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a door says about one item of a batch.

    Attributes:
        key: Its key.
        outcome: What became of it, a word of `contracts.replication`.
        rev: Of a delivery the rev that the secondary has; of a proposal the rev that it got.
        code: SQLSTATE of a refusal.
        rule: Constraint that refused.
    """

    key: str
    outcome: str
    rev: int | None
    code: str | None
    rule: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What became of a write.

    Attributes:
        outcome: What became of it.
        row: The row as the store holds it now; None when there is none.
        change: Number of its line; None when nothing was written.
        repeated: True when the same request had been carried out before.
    """

    outcome: Put
    row: Row | None
    change: int | None
    repeated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mend:
    """One row that a repair writes, only where it still is as it was planned.

    Attributes:
        key: Its key.
        before: The row as it must be; None where there must be none.
        after: The row as it is to be; None to delete it.
        line: Number of the last change of it that may wait; None where none may.
        mark: As `look` gave it, where a row that was written since has moved even if it reads the same.
    """

    key: str
    before: Row | None
    after: Row | None
    line: int | None = None
    mark: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """What became of it.

    Attributes:
        key: Its key.
        outcome: What became of it.
        row: The row as it is after it was written, where that is not what was written.
        code: SQLSTATE of a refusal.
        rule: Constraint or column that refused.
    """

    key: str
    outcome: Mended
    row: Row | None
    code: str | None
    rule: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One row of a page.

    Attributes:
        key: Its key text.
        at: Instant of its last change, as text in UTC at milliseconds.
        row: The row.
        dirty: True when a change of it waits to be carried over.
    """

    key: str
    at: str
    row: Row
    dirty: bool


def key_and_parts(dataset: Dataset, key: str) -> list[object]:
    """Return a key as doors take it: its text and the list of its parts."""
    return [key, list(split_key(dataset, key))]


def texts_of(dataset: Dataset, row: Row | None) -> list[str | None] | None:
    """Return a row as doors take it: a text per column, in the order of the dataset."""
    return None if row is None else [row[column.name] for column in dataset.columns]


class Answers:
    """Reads what doors answer.

    Args:
        store: The store that answers, for errors.
        dataset: The dataset.
    """

    def __init__(self, store: StoreName, dataset: Dataset) -> None:
        self._store = store
        self._names = [column.name for column in dataset.columns]

    def standing(self, answer: object, *, checksum: str) -> Standing:
        """Read whether writes are captured.

        Raises:
            ProtocolError: It is no such answer.
            SchemaMismatch: The functions are of another version.
        """
        found = self._object(answer)
        self._same_version(found, checksum)
        capture = self._object(found["capture"]) if found.get("capture") is not None else None
        return Standing(
            store=self._store,
            since=self._instant(capture["since"]) if capture else None,
            adopted_at=self._instant_or_none(capture.get("adopted_at")) if capture else None,
            gap=self._gap(capture) if capture else None,
            gap_at=self._instant_or_none(capture["gap_at"]) if capture else None,
            dirty=self._number(found["dirty"]),
            held=found.get("held") is True,
            oldest_at=self._instant_or_none(found["oldest_at"]),
            last_change=self._number(found["last_change"]),
            max_rev=self._number(found.get("max_rev") or 0),
            max_seen=self._number(found.get("max_seen") or 0),
            adoption=self._text_or_none(capture.get("adoption")) if capture else None,
            heard=tuple(self._heard(entry) for entry in self._list(found["heard"])),
            forgot=found["forgot"] is True,
            now=self._instant(found["now"]),
        )

    def changes(self, answer: object) -> Changes:
        """Read dirty keys."""
        found = self._object(answer)
        after = found["next"]
        return Changes(items=self.items(found["list"]), next=None if after is None else self._number(after))

    def items(self, answer: object) -> tuple[Item, ...]:
        """Read keys and how they stand."""
        return tuple(self._item(self._object(item)) for item in self._list(answer))

    def verdicts(self, answer: object, outcomes: type[E], keys: Sequence[str]) -> tuple[Verdict, ...]:
        """Read what became of a batch, one verdict per item in its order."""
        found = [self._object(item) for item in self._list(answer)]
        if [item.get("key") for item in found] != list(keys):
            raise self._strange("another number of items")
        known = {str(outcome) for outcome in outcomes}
        if not {item.get("outcome") for item in found} <= known:
            raise self._strange("an outcome that this version does not know")
        return tuple(
            Verdict(
                key=item["key"],
                outcome=item["outcome"],
                rev=None if item["rev"] is None else self._number(item["rev"]),
                code=self._text_or_none(item["code"]),
                rule=self._text_or_none(item["rule"]),
            )
            for item in found
        )

    def written(self, answer: object) -> Written:
        """Read what became of a write."""
        found = self._object(answer)
        try:
            outcome = Put(str(found["outcome"]))
        except ValueError:
            raise self._strange("an outcome that this version does not know") from None
        change = found.get("id")
        return Written(
            outcome=outcome,
            row=self._row(found.get("row")),
            change=None if change is None else self._number(change),
            repeated=found.get("repeated") is True,
        )

    def remedies(self, answer: object, keys: Sequence[str] | None) -> tuple[Remedy, ...] | None:
        """Read what became of rows that a repair wrote; None for a call that was not carried out.

        Args:
            answer: The answer.
            keys: The keys that were sent; None where none were.
        """
        listed = self._object(answer)["items"]
        if listed is None and keys is None:
            return None
        found = [self._remedy(self._object(item)) for item in self._list(listed)]
        if keys is not None and [remedy.key for remedy in found] != list(keys):
            raise self._strange("another number of items")
        return tuple(found)

    def page(self, answer: object) -> tuple[Listed, ...]:
        """Read a page of rows."""
        listed = []
        for found in map(self._object, self._list(self._object(answer)["list"])):
            row = self._row(found["row"])
            if row is None or not isinstance(found["key"], str) or not isinstance(found["at"], str):
                raise self._strange("a row without key or instant")
            listed.append(Listed(key=found["key"], at=found["at"], row=row, dirty=found["id"] is not None))
        return tuple(listed)

    def _item(self, found: Mapping[str, Any]) -> Item:
        change = found["id"]
        if not isinstance(found["key"], str) or not isinstance(found["known"], bool):
            raise self._strange("a key without its state")
        return Item(
            key=found["key"],
            change=None if change is None else self._number(change),
            since=self._instant_or_none(found["since"]),
            rev=self._number(found["rev"]),
            seen=self._number(found.get("seen", 0)),
            known=found["known"],
            row=self._row(found["row"]),
            ready=found.get("ready", True) is True,
            adoption=self._text_or_none(found["adoption"]),
            mark=self._text_or_none(found.get("mark")),
        )

    def _remedy(self, found: Mapping[str, Any]) -> Remedy:
        try:
            outcome = Mended(str(found["outcome"]))
        except ValueError:
            raise self._strange("an outcome that this version does not know") from None
        return Remedy(
            key=str(found["key"]),
            outcome=outcome,
            row=self._row(found["row"]),
            code=self._text_or_none(found["code"]),
            rule=self._text_or_none(found["rule"]),
        )

    def _heard(self, entry: object) -> tuple[str, int, int]:
        key, first, second = self._list(entry)
        return str(key), self._number(first), self._number(second)

    def left(self, answer: object) -> bool:
        """Read whether turning capture on has to be repeated, since more keys may have to be numbered anew."""
        return self._object(answer)["left"] is True

    def _gap(self, capture: Mapping[str, Any]) -> Gap | None:
        if capture["gap_reason"] is not None:
            return Gap(capture["gap_reason"])
        if capture["same_table"] is not True:
            return Gap.OTHER_TABLE
        return None if capture["triggers"] == _TRIGGERS else Gap.TRIGGERS

    def _row(self, texts: object) -> Row | None:
        if texts is None:
            return None
        values = self._list(texts)
        if len(values) != len(self._names) or not all(value is None or isinstance(value, str) for value in values):
            raise self._strange("a row with other columns")
        return dict(zip(self._names, values, strict=True))

    def _same_version(self, found: Mapping[str, Any], checksum: str) -> None:
        from contracts.errors import SchemaMismatch

        if found.get("script") != checksum:
            raise SchemaMismatch(
                f"The functions of replication on {self._store} are of another version.",
                "Run `twinstore migrate`, or `twinstore migrate --print --side secondary` where only its SQL editor "
                "can be reached.",
                store=self._store,
            )

    def _object(self, found: object) -> Mapping[str, Any]:
        if not isinstance(found, dict):
            raise self._strange("something that is no object")
        return _Promised(found, self._strange)

    def _list(self, found: object) -> list[Any]:
        if not isinstance(found, list):
            raise self._strange("something that is no list")
        return found

    def _number(self, found: object) -> int:
        if not isinstance(found, int) or isinstance(found, bool):
            raise self._strange("something that is no whole number")
        return found

    def _text_or_none(self, found: object) -> str | None:
        if found is not None and not isinstance(found, str):
            raise self._strange("something that is no text")
        return found

    def _instant(self, found: object) -> datetime:
        try:
            instant = datetime.fromisoformat(str(found))
        except ValueError:
            raise self._strange("something that is no instant") from None
        if instant.tzinfo is None:
            raise self._strange("an instant without a time zone")
        return instant

    def _instant_or_none(self, found: object) -> datetime | None:
        return None if found is None else self._instant(found)

    def _strange(self, what: str) -> ProtocolError:
        return ProtocolError(f"A function of ours on {self._store} answered with {what}.", _OF_OURS, store=self._store)


class _Promised(dict[str, Any]):
    """An object whose missing keys are an error of the answer."""

    def __init__(self, found: Mapping[str, Any], strange: Any) -> None:
        super().__init__(found)
        self._strange = strange

    def __missing__(self, key: str) -> Any:
        raise self._strange(f"no {key}")
