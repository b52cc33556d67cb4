"""What differs between a manifest and what was restored: each kind of it, in one sentence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from contracts.backups import Damage, DatasetContent, Form, KeptSide, Shape, TableContent
from contracts.vocabulary import Channel, StoreName
from storage.backup.contents import Contents
from storage.backup.differences import differences

TABLE = TableContent(name="public.planning", rows=3, digest="7", parts=("public.old", "public.new"))
RECORDS = DatasetContent(
    dataset="planning",
    table=("public", "planning"),
    rows=3,
    excluded=0,
    kind="record",
    form="f",
    probe="1:2",
    digest="3:4:5",
)
SHAPE = Shape(constraints=("a c",), indexes=("b",), triggers=("t O",), behind=("old",))
SIDE = KeptSide(
    store=StoreName.PRISMA,
    channel=Channel.SQL,
    form=Form.DUMP,
    files=(),
    taken_at=datetime(2026, 1, 1, tzinfo=UTC),
    tables=(TABLE,),
    datasets=(RECORDS,),
    shape=SHAPE,
)
FOUND = Contents(tables=(TABLE,), datasets=(RECORDS,), shape=SHAPE, outside=SIDE.outside)


def found(contents: Contents, side: KeptSide = SIDE) -> list[Damage]:
    """Return the kinds of what differs."""
    return [flaw.damage for flaw in differences(side, contents, [])]


def test_nothing_differs_from_itself() -> None:
    """What was behind before, and is now, is no damage."""
    assert found(FOUND) == []


@pytest.mark.parametrize(
    ("contents", "damage"),
    [
        (replace(FOUND, tables=()), Damage.MISSING_TABLE),
        (replace(FOUND, tables=(replace(TABLE, rows=2),)), Damage.ROWS),
        (replace(FOUND, tables=(replace(TABLE, digest="8"),)), Damage.DIGEST),
        (replace(FOUND, tables=(replace(TABLE, parts=("public.old",)),)), Damage.MISSING_TABLE),
        (replace(FOUND, datasets=(replace(RECORDS, rows=2),)), Damage.ROWS),
        (replace(FOUND, datasets=(replace(RECORDS, digest="3:4:6"),)), Damage.DIGEST),
        (replace(FOUND, datasets=(replace(RECORDS, excluded=1),)), Damage.DIGEST),
        (replace(FOUND, shape=replace(SHAPE, constraints=("a c not valid",))), Damage.SHAPE),
        (replace(FOUND, shape=replace(SHAPE, indexes=())), Damage.SHAPE),
        (replace(FOUND, shape=replace(SHAPE, triggers=("t D",))), Damage.SHAPE),
        (replace(FOUND, shape=replace(SHAPE, behind=("old", "new"))), Damage.SEQUENCE),
    ],
)
def test_each_difference_is_told(contents: Contents, damage: Damage) -> None:
    """By its kind."""
    assert found(contents) == [damage]


def test_an_export_has_no_shape() -> None:
    """Of rows over REST only tables and records are compared."""
    assert found(replace(FOUND, shape=Shape()), replace(SIDE, form=Form.EXPORT)) == []


def test_rows_are_counted_however_they_are_read() -> None:
    """Of an export no other table is there that would prove them."""
    fewer = replace(RECORDS, form="g", rows=2)
    assert found(replace(FOUND, datasets=(fewer,)), replace(SIDE, form=Form.EXPORT)) == [Damage.ROWS]


@pytest.mark.parametrize("other", [replace(RECORDS, form="g"), replace(RECORDS, probe="0:0")])
def test_records_that_are_read_otherwise_are_not_compared(other: DatasetContent) -> None:
    """A contract that changed since is noted; the digest of the whole table still counts."""
    notes: list[str] = []
    assert list(differences(SIDE, replace(FOUND, datasets=(replace(other, digest="x"),)), notes)) == []
    assert "planning is read otherwise" in notes[0]
