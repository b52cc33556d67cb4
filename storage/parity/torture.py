"""Send values that are hard to keep through both channels, before anything is compared, and see what comes back.

For every column each server reads them as values of the column's type, hashes them in rows, and writes them again, by
the expressions with which it hashes and writes its own rows. What comes back must be what was sent, and hash alike on
both sides. So a setting or a proxy that bends a kind of value is found by name, whether or not a row shows it today.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import cycle, islice

from contracts.column_types import base_type
from contracts.dataset import Column, ColumnType, Dataset
from contracts.errors import ProtocolError
from contracts.vocabulary import StoreName
from storage import canonical_array
from storage.canonical import canonical_value
from storage.canonical_text import key_text, text_hash
from storage.parity.together import together
from storage.parity.torture_values import PLAIN_JSON, SINGLE, VALUES
from storage.ports import FullRow, HashKind, KeyHash, Row, Snapshot

Snapshots = tuple[Snapshot, Snapshot]

_BENT_BY = {
    ColumnType.FLOAT: "extra_float_digits",
    ColumnType.DATE: "DateStyle",
    ColumnType.TIMESTAMP_MS: "TimeZone or DateStyle",
    ColumnType.TIMESTAMP_US: "TimeZone or DateStyle",
    ColumnType.INTERVAL: "IntervalStyle",
    ColumnType.BYTES: "bytea_output",
}
"""The server's settings that change how values of a type are written or read."""
_NARROW = {"real": SINGLE, "json": PLAIN_JSON}
"""Types that do not keep, or do not write alike, all values of their form."""


def torture(dataset: Dataset, snapshots: Snapshots, kind: HashKind, *, by_rows: bool = False) -> int:
    """Send hard values through both channels, and return their number.

    Args:
        dataset: The dataset.
        snapshots: Primary and secondary.
        kind: How rows are hashed.
        by_rows: True when nothing can be sent through the secondary, whose rows are hashed here: what the primary wrote
            is hashed here then, and must be what the primary hashed.

    Raises:
        ProtocolError: A value came back as another one, or the servers hash it differently; the column is named.
    """
    rows = hard_rows(dataset)
    if by_rows:
        ours = snapshots[0].echo(rows)
        echoes = ours, snapshots[1].echo([full.row for full in ours])
    else:
        echoes = together(*(partial(snapshot.echo, rows) for snapshot in snapshots))
    for store, echoed in zip(StoreName, echoes, strict=True):
        _judge(dataset, store, rows, echoed, kind)
    if _hashes(echoes[0]) != _hashes(echoes[1]):
        raise _hashed_apart(_culprit(dataset, snapshots, rows))
    return sum(text is not None for row in rows for text in row.values())


def hard_rows(dataset: Dataset) -> list[Row]:
    """Return rows that hold every hard value of every column, as texts that a server reads."""
    values = {column.name: hard_values(column, null=column.name not in dataset.key) for column in dataset.columns}
    longest = max(map(len, values.values()))
    texts = (islice(cycle(each), longest) for each in values.values())
    return [dict(zip(values, row, strict=True)) for row in zip(*texts, strict=True)]


def hard_values(column: Column, *, null: bool) -> Sequence[str | None]:
    """Return the hard values of a column; with `null`, NULL among them."""
    kinds = {base_type(spelling) for spellings in column.sql_types.values() for spelling in spellings}
    values = next((values for kind, values in _NARROW.items() if kind in kinds), VALUES[column.type])
    return [*(_arrays(values) if column.array else values), *([None] if null else [])]


def _arrays(values: Sequence[str]) -> Iterator[str]:
    """Return arrays of these values: flat, nested, with bounds of their own, of NULL and of nothing."""
    first, second, *_ = values
    every = canonical_array.Array("", [*values, None])
    nested = canonical_array.Array("", [[first, second], [None, first]])
    bounded = canonical_array.Array("[0:1]", [first, second])
    yield from ("{}", "{NULL}", *map(canonical_array.to_text, (every, nested, bounded)))


def _judge(dataset: Dataset, store: StoreName, rows: Sequence[Row], echoed: Sequence[FullRow], kind: HashKind) -> None:
    for sent, came in zip(rows, echoed, strict=True):
        for column in dataset.columns:
            if not _same(column, sent[column.name], came.row[column.name]):
                raise _bent(store, column)
        if came.hash.key != key_text(dataset, sent):
            raise _bent(store, dataset.key_columns[0])
        if kind is HashKind.TEXT and came.hash != text_hash(dataset, came.row, store=store):
            raise _hashed_apart(f"{store} and twinstore hash a row of test values differently.")


def _same(column: Column, sent: str | None, came: str | None) -> bool:
    try:
        return canonical_value(column, came) == canonical_value(column, sent)
    except ProtocolError:
        return False


def _hashes(echoed: Sequence[FullRow]) -> list[KeyHash]:
    return [each.hash for each in echoed]


def _culprit(dataset: Dataset, snapshots: Snapshots, rows: Sequence[Row]) -> str:
    """Return a sentence about the column whose values the servers hash differently, found by filling one at a time."""
    empty = {name: text if name in dataset.key else None for name, text in rows[0].items()}
    for names in ((), *((column.name,) for column in dataset.compared)):
        filled = [{**empty, **{name: row[name] for name in names}} for row in rows]
        one, other = together(*(partial(snapshot.echo, filled) for snapshot in snapshots))
        if _hashes(one) != _hashes(other):
            what = f"equal values of column `{names[0]}`" if names else "a row that is NULL but for its key"
            return f"The two stores hash {what} differently."
    return "The two stores hash a row of test values differently."


def _bent(store: StoreName, column: Column) -> ProtocolError:
    setting = _BENT_BY.get(column.type)
    return ProtocolError(
        f"A test value of column `{column.name}` came back from {store} as another one.",
        f"Look whether the setting {setting} is changed for our role or database there, or by a pooler between us."
        if setting
        else "Look for what stands between us and the server; nothing was compared.",
        store=store,
    )


def _hashed_apart(what: str) -> ProtocolError:
    return ProtocolError(what, "Report both servers' versions and the column's types; nothing was compared.")
