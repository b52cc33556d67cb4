"""The contract of readings: one row per measurement of a sensor, as Prisma and as Supabase hold it."""

from contracts.column_rules import columns_contract, longest, one_of, required
from contracts.dataset import Column, ColumnType, Dataset, types
from contracts.vocabulary import Classification, StoreName

PRISMA, SUPABASE = StoreName.PRISMA, StoreName.SUPABASE
PUBLIC = Classification.PUBLIC

DATASET = Dataset(
    name="readings",
    key=("sensor_id", "seq", "label"),
    tables={PRISMA: ("public", "Reading"), SUPABASE: ("public", "readings")},
    updated="taken_at",
    columns=(
        Column(
            name="sensor_id",
            type=ColumnType.UUID,
            sql_types=types("text", "uuid"),
            names={PRISMA: "sensorId"},
            classification=PUBLIC,
        ),
        Column(name="seq", type=ColumnType.INTEGER, sql_types=types("bigint"), classification=PUBLIC),
        Column(name="label", type=ColumnType.TEXT, sql_types=types("text"), classification=PUBLIC),
        Column(name="value", type=ColumnType.NUMERIC, sql_types=types("numeric(38,20)", "numeric")),
        Column(name="counter", type=ColumnType.INTEGER, sql_types=types("bigint"), classification=PUBLIC),
        Column(name="tags", type=ColumnType.TEXT, array=True, sql_types=types("text[]")),
        Column(name="history", type=ColumnType.NUMERIC, array=True, sql_types=types("numeric[]", "numeric(30,10)[]")),
        Column(name="valid", type=ColumnType.BOOLEAN, sql_types=types("boolean")),
        Column(name="payload", type=ColumnType.BYTES, sql_types=types("bytea")),
        Column(name="day", type=ColumnType.DATE, sql_types=types("date"), classification=PUBLIC),
        Column(
            name="quality",
            type=ColumnType.TEXT,
            sql_types=types('public."Quality"', "public.quality"),
            classification=PUBLIC,
        ),
        Column(name="doubled", type=ColumnType.NUMERIC, sql_types=types("numeric")),
        Column(
            name="taken_at",
            type=ColumnType.TIMESTAMP_US,
            sql_types=types("timestamp(6) without time zone", "timestamp with time zone"),
            names={PRISMA: "takenAt"},
            classification=PUBLIC,
        ),
    ),
)

CONTRACT = columns_contract(
    DATASET,
    required("label", "counter", "valid", "day", "quality", "taken_at"),
    one_of("quality", "raw", "checked", "rejected"),
    longest("label", 40),
)
