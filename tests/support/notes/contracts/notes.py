"""The contract of notes on planning records, which go where their record goes."""

from contracts.column_rules import columns_contract, required
from contracts.dataset import Column, ColumnType, Dataset, types
from contracts.vocabulary import Classification, StoreName

PUBLIC = Classification.PUBLIC

DATASET = Dataset(
    name="notes",
    key=("id",),
    replicated=True,
    tables=dict.fromkeys(StoreName, ("public", "notes")),
    columns=(
        Column(name="id", type=ColumnType.UUID, sql_types=types("text", "uuid"), classification=PUBLIC),
        Column(name="planning", type=ColumnType.UUID, sql_types=types("text", "uuid"), classification=PUBLIC),
    ),
)

CONTRACT = columns_contract(DATASET, required("planning"))
