"""The texts of fields that are hashed, and the hash over them."""

from __future__ import annotations

from dataclasses import replace
from hashlib import md5

import pytest

from contracts.dataset import Column, ColumnType
from contracts.errors import ProtocolError
from contracts.planning import PLANNING
from contracts.vocabulary import StoreName
from storage.canonical_text import field_text, key_text, text_hash
from tests.support.row_pairs import make_row

ROW = make_row(StoreName.PRISMA)


def column(kind: ColumnType, *, array: bool = False) -> Column:
    """Return a column of one type."""
    return Column(name="it", type=kind, sql_types={}, array=array)


@pytest.mark.parametrize(
    ("kind", "text", "written"),
    [
        (ColumnType.TEXT, " a ", " a "),
        (ColumnType.NUMERIC, "1.500", "1.5"),
        (ColumnType.NUMERIC, "0.000", "0"),
        (ColumnType.NUMERIC, "100", "100"),
        (ColumnType.NUMERIC, "-Infinity", "-Infinity"),
        (ColumnType.TIMESTAMP_MS, "2026-01-01 00:00:00.1235+00", "2026-01-01 00:00:00.124"),
        (ColumnType.TIMESTAMP_MS, "2026-01-01 00:00:00.12", "2026-01-01 00:00:00.12"),
        (ColumnType.TIMESTAMP_MS, "1999-12-31 23:59:59.9996+00", "2000-01-01 00:00:00"),
        (ColumnType.TIMESTAMP_MS, "infinity", "infinity"),
        (ColumnType.TIMESTAMP_US, "2026-01-01 02:00:00.000001+02", "2026-01-01 00:00:00.000001"),
        (ColumnType.TIMESTAMP_US, "0001-01-01 00:00:00+00 BC", "0001-01-01 00:00:00 BC"),
        (ColumnType.TIMESTAMP_US, "294276-12-31 23:59:59.99+00", "294276-12-31 23:59:59.99"),
    ],
)
def test_fields_are_written_alike_on_both_stores(kind: ColumnType, text: str, written: str) -> None:
    """Zeros of a scale, zones and finer instants than are compared are gone; everything else is as it was."""
    assert field_text(column(kind), text) == written
    assert field_text(column(kind), None) is None


def test_instants_of_an_array_are_written_one_by_one() -> None:
    """The elements of an array of instants are as they would be on their own, NULL included."""
    text = '{"2026-01-01 00:00:00.1235+00",NULL,infinity}'
    assert field_text(column(ColumnType.TIMESTAMP_MS, array=True), text) == '{"2026-01-01 00:00:00.124",NULL,infinity}'


def test_an_unreadable_instant_is_named_without_its_value() -> None:
    """The error names the column; the value may be personal."""
    with pytest.raises(ProtocolError, match="`it` cannot be read as an instant") as caught:
        field_text(column(ColumnType.TIMESTAMP_MS), "tomorrow")
    assert "tomorrow" not in str(caught.value)


def test_a_hash_is_made_of_the_md5s_of_the_fields() -> None:
    """The definition, written out: md5 of the md5s of all compared fields, the key first, `-` for NULL."""
    texts = [field_text(c, ROW[c.name]) for c in PLANNING.compared]
    record = "".join("-" if text is None else md5(text.encode(), usedforsecurity=False).hexdigest() for text in texts)
    digest = md5(record.encode(), usedforsecurity=False).digest()
    found = text_hash(PLANNING, ROW)
    assert found.key == ROW["id"]
    assert found.hash1.to_bytes(8, signed=True) + found.hash2.to_bytes(8, signed=True) == digest


def test_null_and_the_empty_text_hash_apart() -> None:
    """A field that is NULL is none that is empty, and fields do not run into each other."""
    rows = [{**ROW, "title": title, "source": source} for title, source in (("", None), (None, ""), ("-", ""))]
    assert len({text_hash(PLANNING, row) for row in rows}) == 3


def test_the_key_text_joins_the_key_columns_as_they_are_hashed() -> None:
    """Instants of a key are written in UTC on both stores, and a separator inside a text is escaped."""
    at = Column(name="at", type=ColumnType.TIMESTAMP_US, sql_types={})
    dataset = replace(PLANNING, key=("title", "at"), columns=(*PLANNING.columns, at))
    row = {"title": "a|b", "at": "2026-01-01 00:00:00+00"}
    assert key_text(dataset, row) == "a\\|b|2026-01-01 00:00:00"
    with pytest.raises(ProtocolError, match="NULL"):
        key_text(dataset, {**row, "title": None})
