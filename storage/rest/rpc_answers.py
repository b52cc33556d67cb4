"""What the doors answer, taken apart value by value: nothing is concluded from an answer of another form."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from contracts.dataset import Dataset
from contracts.errors import ProtocolError
from contracts.vocabulary import StoreName
from storage.parity.ranges import RANGES, range_of
from storage.ports import Cell, Digest, FullRow, KeyHash, RangeCount, Rehearsal

_NUMBER = re.compile(r"-?[0-9]{1,40}")
_HALVES = re.compile("[\ud800-\udfff]")  # of characters, which JSON can hold and no text of PostgreSQL
_TABLE_SAYS = {
    "kind": str,
    "usable": bool,
    "row_security": bool,
    "estimated_rows": int,
    "columns": dict,
    "unreadable": list,
    "key_unique": bool,
    "key_present": bool,
    "key_deterministic": bool,
    "childless": bool,
}


class Sums(NamedTuple):
    """Some ranges as of one moment; a range without rows is absent."""

    counts: dict[int, RangeCount]
    digests: dict[int, Digest]


class Facts(NamedTuple):
    """What the door of facts says."""

    doors: str
    identity: str
    statement_timeout_s: float
    seen: Mapping[str, object]

    @property
    def estimated_rows(self) -> int | None:
        """Number of rows, as the server's statistics have it."""
        table = self.seen["table"]
        rows = table["estimated_rows"] if isinstance(table, dict) else -1
        return rows if rows >= 0 else None


class Answers:
    """Reads what the doors of one dataset answer.

    Every method raises ProtocolError when an answer is not what its door gives.

    Args:
        store: The store that answers.
        dataset: The dataset.
    """

    def __init__(self, store: StoreName, dataset: Dataset) -> None:
        self._store = store
        self._dataset = dataset

    def facts(self, answer: object) -> Facts:
        """Read facts; what `storage.preflight` judges is checked for its types and handed on."""
        seen = self._object(answer)
        table = seen.get("table")
        if table is not None:
            said = self._object(table)
            self._require(all(type(said.get(name)) is kind for name, kind in _TABLE_SAYS.items()))
            self._require(all(isinstance(kind, str) for kind in self._object(said["columns"]).values()))
        self._text(seen.get("role"))
        self._text(seen.get("server_version"))
        return Facts(
            doors=self._text(seen.get("doors")),
            identity=self._text(seen.get("identity")),
            statement_timeout_s=self._number(seen.get("statement_timeout_ms")) / 1000,
            seen=seen,
        )

    def probe(self, answer: object) -> tuple[int, int]:
        """Read both hashes of the probe."""
        hash1, hash2 = self._list(answer, 2)
        return self._number(hash1), self._number(hash2)

    def sums(self, answer: object, ranges: Collection[int]) -> Sums:
        """Read number of rows and digest of ranges, of which these were asked for."""
        said = self._object(answer)
        counts: dict[int, RangeCount] = {}
        for row in self._list(said.get("counts")):
            number, rows = (self._count(value) for value in self._list(row, 2))
            excluded = rows if number >= RANGES else 0
            before = counts.get(number % RANGES, RangeCount(0, 0))
            counts[number % RANGES] = RangeCount(before.total + rows, before.excluded + excluded)
        digests = self._digests(said)
        self._require(set(ranges).issuperset(counts) and set(ranges).issuperset(digests))
        return Sums(counts, digests)

    def pairs(self, answer: object, ranges: Collection[int]) -> tuple[list[KeyHash], Sums]:
        """Read pairs with the sums of their moment, and prove that they are all there, once each and in order."""
        pairs = [self._pair(row) for row in self._list(self._object(answer).get("pairs"))]
        sums = self.sums(answer, ranges)
        added: dict[int, Digest] = {}
        before = (-1, "")
        for pair in pairs:
            place = range_of(self._dataset, pair.key), pair.key
            self._require(before < place)
            added[place[0]] = added.get(place[0], Digest()).plus(pair)
            before = place
        self._require(added == sums.digests)
        return pairs, sums

    def cells(self, answer: object) -> dict[int, Cell]:
        """Read the cells of a sketch."""
        cells = {}
        for row in self._listed(answer):
            number, rows, *sums = self._list(row, 6)
            cells[self._count(number)] = Cell(self._count(rows), *(self._number(value) for value in sums))
        return cells

    def found(self, answer: object) -> list[KeyHash]:
        """Read keys and hashes in no particular order."""
        return [self._pair(row) for row in self._listed(answer)]

    def rows(self, answer: object, keys: Iterable[str]) -> dict[str, FullRow]:
        """Read whole rows, and prove that each has one of these keys, another one each."""
        wanted = set(keys)
        found: dict[str, FullRow] = {}
        for row in map(self._full, self._listed(answer)):
            self._require(row.hash.key in wanted and row.hash.key not in found)
            found[row.hash.key] = row
        return found

    def echoed(self, answer: object, rows: int) -> list[FullRow]:
        """Read as many whole rows as were sent, in their order."""
        return [self._full(row) for row in self._listed(answer, rows)]

    def rehearsals(self, answer: object) -> tuple[Rehearsal, Rehearsal]:
        """Read what was answered over some rows, as they are and with faults planted."""
        first, second = (self._rehearsal(self._object(each)) for each in self._list(answer, 2))
        return first, second

    def _rehearsal(self, said: dict[str, object]) -> Rehearsal:
        pairs = tuple(self._pair(row) for row in self._list(said.get("pairs")))
        return Rehearsal(self._digests(said), pairs, self.cells(said.get("cells")))

    def keys(self, answer: object) -> list[str]:
        """Read keys."""
        return [self._text(key) for key in self._listed(answer)]

    def created(self, answer: object) -> int:
        """Read a number of rows."""
        return self._count(self._object(answer).get("total"))

    def _digests(self, said: dict[str, object]) -> dict[int, Digest]:
        digests = {}
        for row in self._list(said.get("digests")):
            place, total, sum1, sum2 = self._list(row, 4)
            digests[self._count(place)] = Digest(self._count(total), self._number(sum1), self._number(sum2))
        return digests

    def _full(self, row: object) -> FullRow:
        *pair, values = self._list(row, 4)
        names = [column.name for column in self._dataset.columns]
        texts = [None if text is None else self._text(text) for text in self._list(values, len(names))]
        return FullRow(self._pair(pair), dict(zip(names, texts, strict=True)))

    def _pair(self, row: object) -> KeyHash:
        key, hash1, hash2 = self._list(row, 3)
        return KeyHash(self._text(key), self._number(hash1), self._number(hash2))

    def _object(self, value: object) -> dict[str, object]:
        self._require(isinstance(value, dict))
        return value  # type: ignore[return-value]  # it is one

    def _list(self, value: object, length: int | None = None) -> list[object]:
        self._require(isinstance(value, list) and length in (None, len(value)))
        return value  # type: ignore[return-value]  # it is one

    def _listed(self, value: object, length: int | None = None) -> list[object]:
        """Return a list that comes with its length: no answer at all must never pass for an empty one."""
        said = self._object(value)
        listed = self._list(said.get("list"), length)
        self._require(self._count(said.get("total")) == len(listed))
        return listed

    def _text(self, value: object) -> str:
        self._require(isinstance(value, str) and (value.isascii() or not _HALVES.search(value)))
        return value  # type: ignore[return-value]  # it is one

    def _count(self, value: object) -> int:
        self._require(type(value) is int and value >= 0)
        return value  # type: ignore[return-value]  # it is one

    def _number(self, value: object) -> int:
        """Read a number that was sent as text, since JSON's numbers lose digits on the way."""
        text = self._text(value)
        self._require(_NUMBER.fullmatch(text) is not None)
        return int(text)

    def _require(self, met: bool) -> None:  # noqa: FBT001 - it reads as a sentence
        if not met:
            raise ProtocolError(
                f"A function of twinstore on {self._store} answered something that it does not give.",
                "Run `twinstore migrate`, and check that no proxy changes the answers; nothing was concluded.",
                store=self._store,
            )
