"""One table behind a REST API: pages, counts and chosen rows of it, each read by one request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote

from contracts.dataset import Column, Dataset
from contracts.errors import ProtocolError
from storage.rest.client import CONNECTIONS, Answer, RestClient, Values
from storage.rest.errors import NoSuchValue, TooMuch
from storage.rest.filters import Key, Span, is_one_of, ordered, selected

if TYPE_CHECKING:
    from postgrest import SyncSelectRequestBuilder

LIST_CHARACTERS = 3_000
"""Characters of the keys in one URL: with what else it holds it stays below the 8 kB that servers commonly take."""


@dataclass(frozen=True, slots=True)
class RestTable:
    """The table of a dataset in the store that a client reaches.

    Attributes:
        client: The connection.
        dataset: The dataset.
        columns: What is read of each row, the columns of the key among them.
    """

    client: RestClient
    dataset: Dataset
    columns: tuple[Column, ...]

    @property
    def key(self) -> tuple[str, ...]:
        """What the columns of the key are called in this store."""
        return tuple(column.name_in(self.client.store) for column in self.dataset.key_columns)

    @property
    def names(self) -> tuple[str, ...]:
        """Canonical names of the columns that are read."""
        return tuple(column.name for column in self.columns)

    def key_of(self, row: Values) -> Key:
        """Return the key of a row that was read, as the store writes it."""
        by_name = dict(zip(self.names, row, strict=True))
        return tuple(by_name[name] or "" for name in self.dataset.key)

    def page(self, span: Span, rows: int, *, counted: bool = False) -> Answer:
        """Read the first rows of a span in key order.

        Args:
            span: The span.
            rows: How many rows are asked for; fewer may come.
            counted: Ask for the exact number of rows in the span, too, as of the same moment.
        """
        return self._read(span.condition(self.key), rows, counted=counted)

    def count(self, condition: str | None) -> int:
        """Count the rows that meet a condition exactly; one of them is read along."""
        key = RestTable(self.client, self.dataset, self.dataset.key_columns)
        return key._read(condition, 1, counted=True).total or 0

    def probe(self) -> None:
        """Ask for no row, to learn whether all columns are there and may be read."""
        request = partial(self._request, None, 0)
        self.client.rows(request, self.names)

    def rows_with(self, keys: Sequence[Key]) -> Iterator[Values]:
        """Read the rows with these keys, in any order; what is not there does not come.

        Keys are asked for in lists that fit a URL, several at a time; an exact count proves that all rows came.
        """
        with ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="twinstore-rows") as pool:
            for rows in pool.map(self._rows_with, _that_fit_a_url(keys)):
                yield from rows

    def _rows_with(self, keys: Sequence[Key]) -> list[Values]:
        try:
            answer = self._read(is_one_of(self.key, keys), len(keys) + 1, counted=True)
        except TooMuch:
            if len(keys) == 1:
                raise
        except NoSuchValue:  # such as a word that the enum of this store lacks: no row has this key
            if len(keys) == 1:
                return []
        else:
            if answer.total == len(answer.rows):
                return answer.rows
            if len(keys) == 1:
                raise self._not_given()
        middle = len(keys) // 2
        return self._rows_with(keys[:middle]) + self._rows_with(keys[middle:])

    def _not_given(self) -> ProtocolError:
        return ProtocolError(
            f"{self.client.store} counts rows that it does not give.",
            "Make the key unique, and check `Max rows` in the project's API settings.",
            store=self.client.store,
        )

    def _read(self, condition: str | None, rows: int, *, counted: bool) -> Answer:
        request = partial(self._request, condition, rows)
        return self.client.rows(request, self.names, counted=counted)

    def _request(self, condition: str | None, rows: int) -> SyncSelectRequestBuilder:
        schema, table = self.dataset.tables[self.client.store]
        pairs = [(column.name, column.name_in(self.client.store)) for column in self.columns]
        request = self.client.table(schema, table).select(selected(pairs))
        if condition is not None:
            request = request.or_(condition)
        request.request.params = request.request.params.set("order", ordered(self.key))
        return request.limit(rows)


def with_key(dataset: Dataset, names: Sequence[str]) -> tuple[Column, ...]:
    """Return the columns called so and those of the key, in the order of the dataset."""
    wanted = {*names, *dataset.key}
    return tuple(column for column in dataset.columns if column.name in wanted)


def _that_fit_a_url(keys: Sequence[Key]) -> Iterator[list[Key]]:
    """Cut keys into lists that a URL can hold, each of at least one key."""
    some: list[Key] = []
    size = 0
    for key in keys:
        length = sum(len(quote(part)) for part in key) + 16 * len(key)
        if some and size + length > LIST_CHARACTERS:
            yield some
            some, size = [], 0
        some.append(key)
        size += length
    if some:
        yield some
