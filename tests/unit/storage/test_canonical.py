"""The canonical record: one text per value, whatever the store wrote."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.dataset import Column, ColumnType
from contracts.errors import ProtocolError
from contracts.planning import PLANNING
from storage.canonical import canonical_id, canonical_row, canonical_uuid, canonical_value, is_uuid
from tests.support.row_pairs import PRISMA, SUPABASE, make_row


def make_column(kind: ColumnType) -> Column:
    """Return a column of this type."""
    return Column(name="one", type=kind, sql_types={})


@pytest.mark.parametrize(
    ("kind", "text", "canonical"),
    [
        (ColumnType.INTEGER, "1", "1"),
        (ColumnType.INTEGER, "+007", "7"),
        (ColumnType.INTEGER, "-0", "0"),
        (ColumnType.INTEGER, "-2147483648", "-2147483648"),
        (ColumnType.TEXT, " As it is\r\n", " As it is\r\n"),
        (ColumnType.TEXT, "", ""),
        (ColumnType.JSON, '{"b": 1.0, "a": null}', '{"a":null,"b":1}'),
        (ColumnType.JSON, "null", "null"),
        (ColumnType.TIMESTAMP_MS, "2026-01-01 00:00:00.0005", "2026-01-01T00:00:00.001Z"),
        (ColumnType.UUID, "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        (ColumnType.UUID, "{a0eebc999c0b4ef8bb6d6bb9bd380a11}", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        (ColumnType.UUID, "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    ],
)
def test_values(kind: ColumnType, text: str, canonical: str) -> None:
    """A value is brought to the form of its type, which stays as it is."""
    column = make_column(kind)
    assert canonical_value(column, text) == canonical
    assert canonical_value(column, canonical) == canonical


@pytest.mark.parametrize("kind", list(ColumnType))
def test_null_stays_null(kind: ColumnType) -> None:
    """NULL is no text, not even the empty one."""
    assert canonical_value(make_column(kind), None) is None


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (ColumnType.UUID, "secret"),
        (ColumnType.UUID, "{a0eebc999c0b4ef8bb6d6bb9bd380a11"),
        (ColumnType.UUID, "a0eebc999c0b4ef8bb6d6bb9bd380a11-"),
        (ColumnType.JSON, '{"secret"'),
        (ColumnType.INTEGER, "secret"),
        (ColumnType.INTEGER, "1.5"),
        (ColumnType.TIMESTAMP_MS, "secret"),
    ],
)
def test_a_value_that_cannot_be_read_is_a_protocol_error(kind: ColumnType, text: str) -> None:
    """The error names the column and the store, never the value, not even as its cause."""
    with pytest.raises(ProtocolError, match="`one`") as caught:
        canonical_value(make_column(kind), text, store=PRISMA)
    assert "secret" not in str(caught.value)
    assert caught.value.store == PRISMA
    assert caught.value.__suppress_context__


def test_aliases_are_read_as_the_canonical_word() -> None:
    """An older spelling of a status is the status."""
    status = PLANNING.column("status")
    assert canonical_value(status, "in-progress") == "processing"
    assert canonical_value(status, "in progress") == "in progress"


def test_rows_of_both_stores_become_one() -> None:
    """Rows that the stores write differently have one canonical record, with the columns in the dataset's order."""
    prisma, supabase = (canonical_row(PLANNING, make_row(store), store=store) for store in (PRISMA, SUPABASE))
    assert prisma == supabase
    assert list(prisma) == [column.name for column in PLANNING.columns]
    assert canonical_row(PLANNING, prisma) == prisma


def test_a_row_without_a_column_is_a_protocol_error() -> None:
    """A column that did not come is not taken for NULL."""
    row = make_row(PRISMA)
    del row["storage"]
    with pytest.raises(ProtocolError, match="`storage`"):
        canonical_row(PLANNING, row)


@settings(deadline=None)
@given(st.uuids(), st.integers(0, 2**32 - 1))
def test_every_spelling_of_a_uuid_is_one(uuid: UUID, mask: int) -> None:
    """Case, braces and hyphens of a UUID do not count."""
    digits = "".join(c.upper() if mask >> at & 1 else c for at, c in enumerate(uuid.hex))
    groups = "".join(f"{digits[at : at + 4]}{'-' if mask >> at & 1 else ''}" for at in range(0, 28, 4)) + digits[28:]
    assert canonical_uuid(groups) == canonical_uuid("{" + groups + "}") == str(uuid)


def test_ids_are_compared_by_what_they_name() -> None:
    """A UUID is one however it is spelt; any other id is its own text, blanks and case included."""
    uuid = "7f9c24e5-1c7e-4f1a-9d0e-2b3c4d5e6f70"
    assert {canonical_id(text) for text in (uuid, uuid.upper(), f"{{{uuid}}}", uuid.replace("-", ""))} == {uuid}
    assert [canonical_id(text) for text in ("Ada", "ada", "", f" {uuid}")] == ["Ada", "ada", "", f" {uuid}"]


@settings(deadline=None)
@given(st.text())
def test_what_is_no_uuid_is_said_to_be_none(text: str) -> None:
    """A text is a UUID exactly when it has a canonical form."""
    if is_uuid(text):
        assert canonical_uuid(text) == str(UUID(text))
    else:
        with pytest.raises(ValueError, match="not a UUID"):
            canonical_uuid(text)
