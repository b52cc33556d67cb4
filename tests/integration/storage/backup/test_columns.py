"""Columns that changed since a backup was made: which of them hold what it has there, and how."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest

from contracts.backups import DatasetContent
from contracts.errors import SchemaMismatch
from contracts.planning import PLANNING
from contracts.vocabulary import StoreName
from storage.backup.conversion import converted
from storage.backup.scratch import Scratch
from storage.backup.target import Rows, Target, rows_of
from storage.session import Limits
from tests.support.servers import Pair

PRISMA = StoreName.PRISMA
HOLDING = [
    ("numeric(10,2)", "numeric(12,4)", "1.25", "1.2500"),
    ("integer", "numeric(10,2)", "7", "7.00"),
    ("integer", "bigint", "7", "7"),
    ("smallint", "boolean", "1", "true"),
    ("boolean", "text", "true", "true"),
    ("boolean", "integer", "true", "1"),
    ("numeric", "numeric(10,2)", "1.25", "1.25"),
    ("real", "double precision", "0.1", "0.10000000149011612"),
    ("double precision", "real", "0.5", "0.5"),
    ("double precision", "numeric", "0.1234567890123456", "0.1234567890123456"),
    ("numeric", "double precision", "1.10", "1.1"),
    ("date", "timestamp with time zone", "2026-01-02", "2026-01-02 00:00:00+00"),
    (
        "timestamp(3) without time zone",
        "timestamp with time zone",
        "2026-01-02 03:04:05.678",
        "2026-01-02 03:04:05.678+00",
    ),
    ("character varying(9)", "text", "abc ", "abc "),
    ("character(5)", "text", "ab", "ab"),
    ("text", "character varying(3)", "abc", "abc"),
    ("text", "uuid", "00000000-0000-4000-8000-0000000000ff", "00000000-0000-4000-8000-0000000000ff"),
    ("text", "kind", "raw", "raw"),
    ("text", "only_the_store.has_it", "abc", "abc"),
    ("json", "jsonb", '{"b": 1.0,"a":[{"c": null}]}', '{"a": [{"c": null}], "b": 1.0}'),
    ("json", "text", '{"a":1,"a":2}', '{"a":1,"a":2}'),
    ("json", "text", '"\\u0000"', '"\\u0000"'),
    ("json", "character varying(8)", "1e200000", "1e200000"),
    ("bit(4)", "bit varying(8)", "1010", "1010"),
    ("bit(4)", "text", "1010", "1010"),
    ("bit(4)", "integer", "1010", "10"),
    ("character(3)[]", "text[]", "{ab}", "{ab}"),
    ("text", "jsonb", "{ }", "{}"),
    ("boolean", "jsonb", "true", "true"),
    ("text", "xml", "<a/>", "<a/>"),
    ("json[]", "jsonb[]", "{1}", "{1}"),
    ("numeric[]", "numeric(10,2)[]", "{1.25,NULL}", "{1.25,NULL}"),
]
LOSING = [
    ("numeric", "numeric(10,2)", "1234.56789"),
    ("numeric", "integer", "1.5"),
    ("numeric", "bigint", "NaN"),
    ("double precision", "integer", "Infinity"),
    ("text[]", "jsonb", "{}"),
    ("integer[]", "json", "{}"),
    ("double precision", "real", "0.1234567890123"),
    ("bigint", "integer", "5000000000"),
    ("timestamp without time zone", "date", "2026-01-02 03:04:05"),
    ("timestamp with time zone", "timestamp(0) with time zone", "2026-01-02 03:04:05.678901+00"),
    ("timestamp without time zone", "time without time zone", "2026-01-02 03:04:05"),
    ("text", "character varying(2)", "abc"),
    ("numeric(3,2)", "character varying(3)", "1.00"),
    ("timestamp without time zone", "character varying(10)", "2026-01-02 00:00:00"),
    ("json", "character varying(3)", "1.000"),
    ("jsonb[]", "character varying(3)[]", "{1.000}"),
    ("bit(8)", "character varying(4)", "10100000"),
    ("bit(8)", "bit(4)", "10100000"),
    ("bit(8)", "bit varying(4)", "10100000"),
    ("bit varying(8)", "bit(8)", "1010"),
    ("bit(8)[]", "bit(4)[]", "{10100000}"),
    ("text", "kind", "other"),
    ("smallint", "boolean", "2"),
    ("numeric[]", "numeric(10,2)[]", "{1.255}"),
    ("json", "jsonb", '{"a": {"b": 1,"b": 2}}'),
    ("text", "jsonb", '[{"b": 1,"b": 2}]'),
    ("text", "jsonb", '"\\u0000"'),
    ("json[]", "jsonb[]", '{"{\\"a\\":1,\\"a\\":2}"}'),
]


def test_a_column_holds_what_comes_back_as_it_went(seeded_pair: Pair) -> None:
    """What would be rounded, cut or dropped is refused by column and types; all else reads as after ALTER TABLE."""
    scratch = Scratch(superuser=seeded_pair.primary_superuser, owner=seeded_pair.primary)
    kept = replace(PLANNING, tables={PRISMA: ("public", "kinds")})
    tried = [(was, is_now, value) for was, is_now, value, _ in HOLDING] + LOSING
    names = [f"c{number}" for number in range(len(tried))]
    with psycopg.connect(seeded_pair.primary) as connection:
        columns = ", ".join(f"{name} {was}" for name, (was, _, _) in zip(names, tried, strict=True))
        connection.execute("CREATE TYPE public.kind AS ENUM ('raw')")
        connection.execute(f"CREATE TABLE kinds ({columns})".encode())
        slots = ", ".join(["%s"] * len(tried))
        connection.execute(f"INSERT INTO kinds VALUES ({slots})".encode(), [value for *_, value in tried])
        connection.execute("INSERT INTO kinds DEFAULT VALUES")
        connection.execute("ALTER TABLE kinds ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    types = {
        name: (was, is_now.replace("kind", "public.kind")) for name, (was, is_now, _) in zip(names, tried, strict=True)
    }

    def source(wanted: list[str]) -> tuple[str, str]:
        before, now = ({name: {"type": types[name][which]} for name in wanted} for which in (0, 1))
        return converted(scratch, kept, before, now, table="public.kinds", store=PRISMA)

    for name in names[len(HOLDING) :]:
        with pytest.raises(SchemaMismatch) as refused:
            source([name])
        assert f"has {name} as {types[name][1]}, " in refused.value.what
        assert refused.value.what.endswith(f" {types[name][0]}.")
    made = source(names[: len(HOLDING)])
    with psycopg.connect(seeded_pair.primary_superuser, options="-c TimeZone=UTC") as connection:
        full, empty = connection.execute(
            f"SELECT {', '.join(f'{name}::text' for name in names[: len(HOLDING)])} "
            f"FROM {'.'.join(made)} ORDER BY c0".encode()
        ).fetchall()
    assert [*full] == [reads for *_, reads in HOLDING]
    assert {*empty} == {None}


BENT = [
    ("date", "text", "05.06.2020", "05.06.2020"),
    ("text", "date", "05.06.2020", "05.06.2020"),
    ("date", "only_the_store.has_it", "05.06.2020", "05.06.2020"),
    ("timestamp without time zone", "timestamp with time zone", "01.07.2026 10:00", "01.07.2026 10:00:00 CEST"),
    ("timestamp with time zone", "timestamp without time zone", "2026-07-01 08:00+00", "01.07.2026 10:00:00"),
]


def test_days_and_moments_are_those_of_the_store(seeded_pair: Pair) -> None:
    """They are converted by its settings; where one that decides is not known, the types are named."""
    dsn = seeded_pair.primary
    scratch, kept = Scratch(superuser=dsn, owner=dsn), replace(PLANNING, tables={PRISMA: ("public", "bent")})

    def bent(setting: str) -> str:
        return f'ALTER DATABASE "{psycopg.conninfo.conninfo_to_dict(dsn)["dbname"]}" {setting}'

    def source(*types: tuple[str, str]) -> tuple[str, str]:
        before, now = ({f"c{n}": {"type": pair[which]} for n, pair in enumerate(types)} for which in (0, 1))
        return converted(scratch, kept, before, now, table="public.bent", store=PRISMA)

    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(bent("SET DateStyle = 'German, DMY'").encode())
        connection.execute("SET DateStyle = 'German, DMY'")
        columns = ", ".join(f"c{number} {was}" for number, (was, *_) in enumerate(BENT))
        connection.execute(f"CREATE TABLE bent ({columns})".encode())
        slots = ", ".join(["%s"] * len(BENT))
        connection.execute(f"INSERT INTO bent VALUES ({slots})".encode(), [value for *_, value, _ in BENT])
        for types, setting in ((BENT[3][:2], "TimeZone"), (("numeric", "money"), "lc_monetary")):
            with pytest.raises(SchemaMismatch, match=f"has c0 as {types[1]}: .* depends on {setting} of the store"):
                source(types)
        connection.execute(bent("SET TimeZone = 'Europe/Berlin'").encode())
        made = source(*((was, is_now) for was, is_now, *_ in BENT))
    with psycopg.connect(dsn) as connection:
        texts = ", ".join(f"c{number}::text" for number in range(len(BENT)))
        (found,) = connection.execute(f"SELECT {texts} FROM {'.'.join(made)}".encode()).fetchall()
    assert [*found] == [reads for *_, reads in BENT]


TABLES = """
    CREATE DOMAIN with_default AS integer DEFAULT 1;
    CREATE DOMAIN not_null AS integer NOT NULL;
    CREATE DOMAIN deeper AS not_null;
    CREATE TABLE before (LIKE planning INCLUDING ALL, big text GENERATED ALWAYS AS (upper(title)) STORED);
    CREATE TABLE given (LIKE before INCLUDING ALL, more with_default NOT NULL, own not_null DEFAULT 2, free integer);
    CREATE TABLE needed (LIKE before INCLUDING ALL, more deeper);
    CREATE TABLE plain (LIKE before INCLUDING ALL);
    ALTER TABLE plain ALTER big DROP EXPRESSION"""
REFUSED = {
    "needed": "needs a value in more, which the backup does not have",
    "plain": "has big as a plain column, which the server computed when the backup was made",
}


def test_a_column_that_the_backup_lacks_needs_a_default(seeded_pair: Pair) -> None:
    """A default of its domain counts, as NOT NULL of one does; computed values that a dump lacks cannot be had."""
    with psycopg.connect(seeded_pair.primary) as connection:
        connection.execute(TABLES)
    dsn = seeded_pair.primary
    target, scratch = Target(store=PRISMA, dsn=dsn, limits=Limits()), Scratch(superuser=dsn, owner=dsn)
    kept = replace(PLANNING, tables={PRISMA: ("public", "before")})
    content = DatasetContent(
        dataset="planning", kind="record", form="", probe="", table=("public", "before"), rows=0, excluded=0, digest=""
    )

    def found(table: str) -> Rows:
        return rows_of(target, scratch, kept, replace(PLANNING, tables={PRISMA: ("public", table)}), content)

    assert found("given").columns == found("before").columns
    assert found("given").source == ("public", "before")
    for table, sentence in REFUSED.items():
        with pytest.raises(SchemaMismatch, match=sentence):
            found(table)
