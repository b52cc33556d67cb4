"""Reads what the doors of replication answer.

An answer that is not what the door promises is never guessed at: it is an error, and nothing is concluded from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from contracts.dataset import Dataset
from contracts.errors import ProtocolError
from contracts.repair import Mended
from contracts.replication import Gap, Put, Standing
from contracts.vocabulary import StoreName
from storage.ports import Row
from storage.replication.messages import Changes, Item, Listed, Remedy, Verdict, Written

_TRIGGERS = 2  # that capture needs on a table
_OF_OURS = "Run `twinstore migrate` with this version, and check that nothing stands between that changes answers."

E = TypeVar("E", bound=StrEnum)


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
            held=self._flag(found.get("held", False)),
            oldest_at=self._instant_or_none(found["oldest_at"]),
            last_change=self._number(found["last_change"]),
            max_rev=self._number(found.get("max_rev") or 0),
            max_seen=self._number(found.get("max_seen") or 0),
            adoption=self._text_or_none(capture.get("adoption")) if capture else None,
            heard=tuple(self._heard(entry) for entry in self._list(found["heard"])),
            forgot=self._flag(found["forgot"]),
            now=self._instant(found["now"]),
            server=self._instant(found["server"]),
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
        return tuple(
            Verdict(
                key=item["key"],
                outcome=self._word(outcomes, item["outcome"]),
                rev=None if item["rev"] is None else self._number(item["rev"]),
                code=self._text_or_none(item["code"]),
                rule=self._text_or_none(item["rule"]),
            )
            for item in found
        )

    def written(self, answer: object) -> Written:
        """Read what became of a write."""
        found = self._object(answer)
        change = found.get("id")
        return Written(
            outcome=self._word(Put, found["outcome"]),
            row=self._row(found.get("row")),
            change=None if change is None else self._number(change),
            repeated=self._flag(found.get("repeated", False)),
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
            ready=self._flag(found.get("ready", True)),
            adoption=self._text_or_none(found["adoption"]),
            server=self._instant_or_none(found.get("server")),
            mark=self._text_or_none(found.get("mark")),
        )

    def _remedy(self, found: Mapping[str, Any]) -> Remedy:
        return Remedy(
            key=str(found["key"]),
            outcome=self._word(Mended, found["outcome"]),
            row=self._row(found["row"]),
            code=self._text_or_none(found["code"]),
            rule=self._text_or_none(found["rule"]),
        )

    def _heard(self, entry: object) -> tuple[str, int, int]:
        parts = self._list(entry)
        if len(parts) != len(("key", "rev", "lseq")):
            raise self._strange("something else than a key and two numbers")
        key, first, second = parts
        return str(key), self._number(first), self._number(second)

    def left(self, answer: object) -> bool:
        """Read whether turning capture on has to be repeated, since more keys may have to be numbered anew."""
        return self._flag(self._object(answer)["left"])

    def _gap(self, capture: Mapping[str, Any]) -> Gap | None:
        if capture["gap_reason"] is not None:
            return self._word(Gap, capture["gap_reason"])
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

    def _flag(self, found: object) -> bool:
        if not isinstance(found, bool):
            raise self._strange("something that is neither true nor false")
        return found

    def _word(self, kind: type[E], found: object) -> E:
        try:
            return kind(str(found))
        except ValueError:
            raise self._strange("a word that this version does not know") from None

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
