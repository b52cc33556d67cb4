"""Tables made for tests of readers: a plain one of any size, and one with every type, odd names and odd keys."""

from __future__ import annotations

from psycopg import sql

from contracts.dataset import Column, ColumnType, Dataset
from contracts.vocabulary import StoreName


def _column(name: str, kind: ColumnType, sql_type: str, *, array: bool = False, called: str | None = None) -> Column:
    return Column(
        name=name,
        type=kind,
        sql_types=dict.fromkeys(StoreName, frozenset({sql_type})),
        array=array,
        names=dict.fromkeys(StoreName, called) if called else {},
    )


PLAIN = Dataset(
    name="plain",
    key=("id",),
    columns=(_column("id", ColumnType.UUID, "uuid"), _column("note", ColumnType.TEXT, "text")),
    tables=dict.fromkeys(StoreName, ("public", "plain")),
)
CREATE_PLAIN = """
CREATE TABLE public.plain (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), note text);
GRANT SELECT ON public.plain TO service_role;
NOTIFY pgrst, 'reload schema';
"""
FILL_PLAIN = "INSERT INTO public.plain (note) SELECT nullif(n %% 5, 0)::text FROM generate_series(1, %s) AS n"

ODD = Dataset(
    name="odd",
    key=("region", "number", "day"),
    created="seen",
    columns=(
        _column("seen", ColumnType.TIMESTAMP_MS, "timestamp with time zone", called="Seen at"),
        _column("number", ColumnType.INTEGER, "bigint"),
        _column("region", ColumnType.TEXT, "text", called="Region, or: area(s).x"),
        _column("day", ColumnType.DATE, "date"),
        _column("exact", ColumnType.TIMESTAMP_US, "timestamp without time zone"),
        _column("amount", ColumnType.NUMERIC, "numeric(38,20)"),
        _column("loose", ColumnType.NUMERIC, "numeric"),
        _column("share", ColumnType.FLOAT, "double precision"),
        _column("ratio", ColumnType.FLOAT, "real"),
        _column("active", ColumnType.BOOLEAN, "boolean"),
        _column("body", ColumnType.JSON, "jsonb"),
        _column("blob", ColumnType.BYTES, "bytea"),
        _column("at", ColumnType.TIME, "time without time zone"),
        _column("span", ColumnType.INTERVAL, "interval"),
        _column("tags", ColumnType.TEXT, "text[]", array=True),
    ),
    tables=dict.fromkeys(StoreName, ("public", "Odd table")),
)
CREATE_ODD = """
CREATE TABLE public."Odd table" (
    "Seen at" timestamptz, number bigint, "Region, or: area(s).x" text, day date, exact timestamp,
    amount numeric(38,20), loose numeric, share double precision, ratio real, active boolean, body jsonb, blob bytea,
    at time, span interval, tags text[],
    PRIMARY KEY ("Region, or: area(s).x", number, day)
);
GRANT SELECT ON public."Odd table" TO service_role;
NOTIFY pgrst, 'reload schema';
"""
REGIONS = (
    "",
    "a",
    "a|b",
    "a\\|b",
    'say "hi"',
    "x,y",
    "(z)",
    "é中🙂",
    " lead",
    "in.(1)",
    "null",
    "%25",
    "a&b=c#d",
    "*",
    "\t",
)
FILL_ODD = sql.SQL("""
INSERT INTO public."Odd table"
SELECT
    CASE n % 7
        WHEN 0 THEN NULL WHEN 1 THEN '0044-03-15 00:00:00.0005+00 BC' WHEN 2 THEN 'infinity'
        WHEN 3 THEN '12026-01-01 00:00:00.9999+00' WHEN 4 THEN '1969-12-31 23:59:59.9995+00'
        ELSE timestamptz '2026-01-01 00:00:00.123456+00' + n * interval '1.000001 s'
    END,
    CASE n % 5 WHEN 0 THEN 9007199254740993 + n WHEN 1 THEN -9223372036854775808 + n ELSE n END,
    regions.region,
    CASE n % 4 WHEN 0 THEN 'infinity' WHEN 1 THEN '0001-01-01 BC' ELSE date '2026-01-01' + n END,
    timestamp '1900-01-01 00:00:00.000001' + n * interval '1 day 0.000001 s',
    CASE n % 6 WHEN 0 THEN 'NaN' WHEN 1 THEN 0.1 ELSE 123456789012345678.12345678901234567890 + n END,
    CASE n % 6 WHEN 0 THEN 'Infinity' WHEN 1 THEN 1.5000 ELSE 10 ^ n END,
    CASE n % 6 WHEN 0 THEN 'NaN' WHEN 1 THEN '-Infinity' WHEN 2 THEN 1e300 ELSE 0.1 * n END,
    CASE n % 5 WHEN 0 THEN 3.4e38 ELSE 0.1 * n END,
    nullif(n % 3, 0) = 1,
    jsonb_build_object('n', (10 ^ n) + 0.1, 'text', regions.region, 'big', 9007199254740993::bigint),
    CASE n % 4 WHEN 0 THEN '' ELSE decode(md5(n::text), 'hex') END,
    time '23:59:59.999999' - n * interval '1 s',
    make_interval(months => n, days => -n, secs => n * 0.000001),
    CASE n % 4 WHEN 0 THEN '{{}}' ELSE ARRAY[regions.region, NULL, 'null', '{{,}}'] END
FROM generate_series(1, 14) AS n, unnest({}::text[]) AS regions(region)
""").format(sql.Literal(list(REGIONS)))
ODD_ROWS = 14 * len(REGIONS)
