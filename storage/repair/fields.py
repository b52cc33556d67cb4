"""Whether rows hold the same, field by field, in canonical form and by the rules of their columns."""

from __future__ import annotations

from collections.abc import Collection

from contracts.dataset import Dataset
from contracts.errors import ProtocolError
from contracts.repair.plan import Texts
from storage.canonical import canonical_value
from storage.parity.agreement import agrees


def alike(dataset: Dataset, name: str, one: Texts, other: Texts) -> bool:
    """Tell whether two rows hold the same in a column; a value that cannot be read is like its own text only."""
    if one[name] == other[name]:
        return True
    column = dataset.column(name)
    try:
        return agrees(column, canonical_value(column, one[name]), canonical_value(column, other[name]))
    except ProtocolError:
        return False


def unlike(
    dataset: Dataset, one: Texts | None, other: Texts | None, *, columns: Collection[str] | None = None
) -> tuple[str, ...]:
    """Return the compared columns in which two rows differ; all of them where one of the rows is missing.

    Args:
        dataset: The dataset.
        one: A row.
        other: Another one.
        columns: Only these columns are compared; all unless given.
    """
    names = [column.name for column in dataset.compared if columns is None or column.name in columns]
    if one is None or other is None:
        return () if one is other else tuple(names)
    return tuple(name for name in names if not alike(dataset, name, one, other))
