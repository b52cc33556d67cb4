"""Which keys a store can hold at all: of others it cannot even be asked whether it has them."""

from __future__ import annotations

from contracts.column_types import ColumnType, base_type
from contracts.dataset import Dataset
from contracts.keys import split_key
from contracts.vocabulary import StoreName
from storage.canonical import canonical_uuid, is_uuid


def can_be_held(dataset: Dataset, store: StoreName, key: str) -> bool:
    """Tell whether a store can hold rows with this key, as it is spelled."""
    parts = zip(dataset.key_columns, split_key(dataset, key), strict=True)
    return all(
        column.type is not ColumnType.UUID
        or base_type(min(column.sql_types[store])) != "uuid"
        or (is_uuid(part) and canonical_uuid(part) == part)
        for column, part in parts
    )
