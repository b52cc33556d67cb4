"""What differs between what a manifest says and what was restored, as sentences. Pure values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from contracts.backups import Damage, DatasetContent, Flaw, Form, KeptSide, Shape, TableContent
from storage.backup.contents import Contents


def differences(side: KeptSide, found: Contents, notes: list[str]) -> Iterator[Flaw]:
    """Yield what is missing, or otherwise, in what was restored.

    Args:
        side: What the manifest says.
        found: What the scratch database holds.
        notes: Gets sentences about what cannot be compared.
    """
    yield from _tables(side.tables, found.tables)
    yield from _datasets(side.datasets, found.datasets, notes)
    if side.form is Form.DUMP:
        yield from _shape(side.shape, found.shape)


def _tables(before: Iterable[TableContent], after: Iterable[TableContent]) -> Iterator[Flaw]:
    held = {table.name: table for table in after}
    for table in before:
        now = held.get(table.name)
        if now is None:
            yield Flaw(damage=Damage.MISSING_TABLE, text=f"The table {table.name} is missing.")
        elif now.rows != table.rows:
            text = f"The table {table.name} has {now.rows:,} rows instead of {table.rows:,}."
            yield Flaw(damage=Damage.ROWS, text=text)
        elif now.digest != table.digest:
            text = f"The table {table.name} has as many rows as before, and they are not the same."
            yield Flaw(damage=Damage.DIGEST, text=text)
        for part in sorted({*table.parts} - {*now.parts}) if now is not None else ():
            yield Flaw(damage=Damage.MISSING_TABLE, text=f"The table {part}, a partition of {table.name}, is missing.")


def _datasets(before: Iterable[DatasetContent], after: Iterable[DatasetContent], notes: list[str]) -> Iterator[Flaw]:
    held = {content.dataset: content for content in after}
    for content in before:
        now = held.get(content.dataset)
        if now is not None and now.rows != content.rows:
            text = f"{content.dataset} has {now.rows:,} rows instead of {content.rows:,}."
            yield Flaw(damage=Damage.ROWS, text=text)
        elif now is None or (now.form, now.probe) != (content.form, content.probe):
            notes.append(f"{content.dataset} is read otherwise today: its digest in the manifest was not compared.")
        elif (now.digest, now.excluded) != (content.digest, content.excluded):
            text = f"The records of {content.dataset} are not those of which the manifest holds the digest."
            yield Flaw(damage=Damage.DIGEST, text=text)


def _shape(before: Shape, after: Shape) -> Iterator[Flaw]:
    for kind, meant, there in (
        ("constraint", before.constraints, after.constraints),
        ("index", before.indexes, after.indexes),
        ("trigger", before.triggers, after.triggers),
    ):
        for name in sorted({*meant} - {*there}):
            text = f"The {kind} {name} is missing, or is otherwise than it was."
            yield Flaw(damage=Damage.SHAPE, text=text)
    for name in sorted({*after.behind} - {*before.behind}):
        yield Flaw(damage=Damage.SEQUENCE, text=f"The sequence {name} would give a number that a row has.")
