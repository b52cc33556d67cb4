"""A store that is reached over REST without our functions, as repair reads and writes it: a weaker way.

A row is read, compared, and written by a request that asks for its short columns once more: what changes only a long
one in between is not noticed. A trigger that touches rows does not stand aside, and what is written is captured where
capture is on. Nothing is deleted: nothing tells whether rows of other tables would go with it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from contracts.column_types import ColumnType
from contracts.dataset import Column, Dataset
from contracts.keys import join_key, split_key
from contracts.repair import Done, Mended, Step
from contracts.repair.plan import Texts
from contracts.vocabulary import StoreName
from storage.canonical import canonical_value
from storage.repair.held_keys import can_be_held
from storage.repair.ports import Seen, told_by_rows
from storage.rest.client import PREFER, RestClient, Values
from storage.rest.errors import RowRefused
from storage.rest.filters import holds, selected
from storage.rest.table import RestTable

if TYPE_CHECKING:
    from postgrest import SyncFilterRequestBuilder, SyncQueryRequestBuilder

SHORT = 64
"""Characters of the longest text that is asked for once more: longer ones would not fit into a URL together."""
_TIED = "TW004"
_TOO_EXACT = "22003"


class RowsSide:
    """One store as rows over REST; a `storage.repair.ports.RepairSide`.

    Args:
        client: The connection.
        dataset: The dataset.
    """

    def __init__(self, client: RestClient, dataset: Dataset) -> None:
        self._client = client
        self._dataset = dataset
        self._table = RestTable(client, dataset, dataset.columns)

    @property
    def store(self) -> StoreName:
        """The store."""
        return self._client.store

    def see(self, keys: Sequence[str]) -> dict[str, Seen]:
        """Return how keys stand, one entry for each.

        Raises:
            TwinstoreError: The store cannot be asked.
        """
        held = [split_key(self._dataset, key) for key in keys if can_be_held(self._dataset, self.store, key)]
        rows = {join_key(self._table.key_of(values)): self._row(values) for values in self._table.rows_with(held)}
        return {key: Seen(rows.get(key), None) for key in keys}

    def mend(
        self,
        steps: Sequence[Step],
        *,
        batch: str | None = None,  # noqa: ARG002 - nothing here remembers calls
        seen: Mapping[str, Seen] | None = None,  # noqa: ARG002 - a row is read once more just before it is written
    ) -> tuple[Done, ...]:
        """Take steps, one request each; see `storage.repair.ports.RepairSide`.

        Raises:
            OutcomeUnknown: Nobody knows whether one of them was taken.
            TwinstoreError: The store cannot be reached; those before were taken.
        """
        now = self.see([step.key for step in steps])
        return tuple(self._mend(step, now[step.key].row) for step in steps)

    def recall(self, batch: str, steps: Sequence[Step]) -> tuple[Done, ...]:  # noqa: ARG002 - see above
        """Tell which steps of a call whose answer was lost were taken, by what the rows are now.

        A row that a trigger rewrote cannot be told from one that somebody else changed: of both nobody knows.

        Raises:
            TwinstoreError: The store cannot be reached.
        """
        return told_by_rows(steps, self.see([step.key for step in steps]))

    def _mend(self, step: Step, now: Texts | None) -> Done:
        if now == step.after or now != step.before:
            return Done(number=step.number, outcome=Mended.ALREADY if now == step.after else Mended.MOVED)
        if step.after is None:
            return Done(number=step.number, outcome=Mended.REJECTED, code=_TIED)
        if not all(_survives(column, step.after[column.name]) for column in self._dataset.columns):
            return Done(number=step.number, outcome=Mended.REJECTED, code=_TOO_EXACT)
        try:
            written = [self._row(values) for values in self._client.write(self._request(step, step.after), self._names)]
        except RowRefused as exc:
            return Done(number=step.number, outcome=Mended.REJECTED, code=exc.code)
        if not written:
            return Done(number=step.number, outcome=Mended.MOVED)
        return Done(number=step.number, outcome=Mended.WRITTEN, row=None if written == [step.after] else written[0])

    @property
    def _names(self) -> tuple[str, ...]:
        return self._table.names

    def _request(self, step: Step, after: Texts) -> SyncFilterRequestBuilder | SyncQueryRequestBuilder:
        table = self._client.table(*self._dataset.tables[self.store])
        columns = self._dataset.columns
        body = {column.name_in(self.store): _json(column, after[column.name]) for column in columns}
        builder: SyncFilterRequestBuilder | SyncQueryRequestBuilder
        if step.before is None:
            builder = table.insert(body)
            builder.request.headers["Prefer"] = f"return=representation,resolution=ignore-duplicates,{PREFER}"
            builder.request.params = builder.request.params.set("on_conflict", ",".join(self._table.key))
        else:
            builder = table.update(body).or_(self._as_before(step.before))
            builder.request.headers["Prefer"] = f"return=representation,{PREFER}"
        asked = [(column.name, column.name_in(self.store)) for column in columns]
        builder.request.params = builder.request.params.set("select", selected(asked))
        return builder

    def _as_before(self, before: Texts) -> str:
        """Write the condition that a row is as it was, as far as a URL can say it."""
        return holds(
            (column.name_in(self.store), before[column.name])
            for column in self._dataset.columns
            if column.name in self._dataset.key or _is_short(column, before[column.name])
        )

    def _row(self, values: Values) -> Texts:
        return dict(zip(self._names, values, strict=True))


def _is_short(column: Column, text: str | None) -> bool:
    return text is None or (column.type is not ColumnType.JSON and not column.array and len(text) <= SHORT)


def _json(column: Column, text: str | None) -> object:
    """Return a value as it stands in a body: JSON as itself, anything else as the text that the store reads."""
    if text is None or column.type is not ColumnType.JSON or column.array:
        return text
    return json.loads(text)


def _survives(column: Column, text: str | None) -> bool:
    """Tell whether a value stays what it is on its way: numbers in JSON may have more digits than a client sends."""
    if text is None or column.type is not ColumnType.JSON or column.array:
        return True
    return canonical_value(column, json.dumps(json.loads(text))) == canonical_value(column, text)
