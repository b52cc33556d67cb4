"""Doors: the functions of the secondary by which a dataset is read over REST, as one script per dataset.

They are written from `storage.table_queries`, so that a digest over REST is the digest by SQL. What a door depends on
is pinned in it, as `storage.session` pins it for a connection; a door answers with one JSON value, numbers that may be
large as text.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contracts.dataset import Dataset
from contracts.errors import ConfigurationError
from contracts.vocabulary import StoreName
from storage.migrations.texts import text
from storage.migrations.values import Migration
from storage.ports import HashKind

if TYPE_CHECKING:
    from psycopg import sql

    from storage.table_queries import TableQueries

STORE = StoreName.SUPABASE
PREFIX = "twinstore_"
RECORDED_AS = "doors_"
"""What the names of functions and of recorded migrations begin with; the name of the dataset follows."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")  # with prefix and door at most 63 bytes, where PostgreSQL cuts names
_QUOTE = "$door$"
_OLDEST = 150000  # what this version of the server lacks no door uses, so that all servers have the same doors
_PLANNED_ANEW = {"plan_cache_mode": "force_custom_plan"}  # a plan for any span would read the whole table by index


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One function.

    Attributes:
        name: What its name ends with, and the name of its template.
        parameters: Names and types, in order; the template refers to them by number, so that no column can be taken
            for one.
        hashes: True when it has one query per kind of hash, which is its first parameter.
    """

    name: str
    parameters: tuple[tuple[str, str], ...] = ()
    hashes: bool = True

    def signature(self, dataset: Dataset) -> str:
        """Return schema, name and types, as `regprocedure` reads them."""
        return f"public.{function_name(dataset, self.name)}({', '.join(kind for _, kind in self.parameters)})"


_KIND = ("kind", "text")
_RANGES = ("ranges", "integer[]")
_SPAN = (("low", "integer"), ("high", "integer"))

DOORS = (
    Door(name="facts", hashes=False),
    Door(name="probe", parameters=(_KIND,)),
    Door(name="sums", parameters=(_KIND, *_SPAN)),
    Door(name="pairs", parameters=(_KIND, *_SPAN, _RANGES)),
    Door(name="sketch", parameters=(_KIND, *_SPAN, _RANGES, ("cells", "integer"))),
    Door(name="find", parameters=(_KIND, *_SPAN, ("key_hashes", "text[]"))),
    Door(name="rows", parameters=(_KIND, ("keys", "jsonb"))),
    Door(name="sample", parameters=(("percent", "double precision"), ("at_most", "integer")), hashes=False),
    Door(name="rehearse", parameters=(_KIND, ("keys", "jsonb"), ("plants", "jsonb"), ("cells", "integer"))),
    Door(name="echo", parameters=(_KIND, ("given", "jsonb"))),
    Door(name="excluded", parameters=(("at_most", "integer"),), hashes=False),
    Door(name="created", parameters=(("low_ms", "bigint"), ("high_ms", "bigint")), hashes=False),
)


def function_name(dataset: Dataset, door: str) -> str:
    """Return the name of a door's function, in schema public."""
    return f"{PREFIX}{dataset.name}_{door}"


def doors(dataset: Dataset) -> Migration:
    """Return the script that makes the doors of a dataset, in the place of those that were there.

    The door that tells facts also tells the checksum.

    Raises:
        ConfigurationError: Functions cannot be named after the dataset.
    """
    if not _NAME.fullmatch(dataset.name):
        raise ConfigurationError(
            f"Functions cannot be named after the dataset {dataset.name!r}.",
            "Name it with at most 40 small letters, digits and underscores, a letter first.",
        )
    checksum = hashlib.sha256(_script(dataset, "").encode()).hexdigest()
    return Migration(
        name=RECORDED_AS + dataset.name, sql=_script(dataset, checksum), checksum=checksum, repeatable=True
    )


def _script(dataset: Dataset, checksum: str) -> str:
    from psycopg import sql

    functions = sql.SQL("\n").join(_function(dataset, door, checksum) for door in DOORS)
    install = _template("install").format(
        mark=sql.Literal(f"Owned by twinstore: reads {dataset.name} over REST"),
        functions=functions,
        signatures=sql.Literal([door.signature(dataset) for door in DOORS]),
    )
    return install.as_string()


def _function(dataset: Dataset, door: Door, checksum: str) -> sql.Composable:
    from psycopg import sql

    template = _template(door.name)
    if door.hashes:
        cases = [
            sql.SQL("    WHEN {} THEN RETURN (\n{});").format(
                sql.Literal(str(kind)), template.format(**_parts(dataset, kind, checksum))
            )
            for kind in HashKind
        ]
        body = sql.SQL("  CASE $1\n{}\n  END CASE;").format(sql.SQL("\n").join(cases))
    else:
        body = sql.SQL("  RETURN (\n{});").format(template.format(**_parts(dataset, HashKind.TEXT, checksum)))
    if _QUOTE in body.as_string():
        what = f"A name of the dataset {dataset.name!r} holds {_QUOTE}."
        raise ConfigurationError(what, "Reach the store by SQL, or rename the table or column.")
    parameters = [sql.SQL("{} ").format(sql.Identifier(name)) + _plain(kind) for name, kind in door.parameters]
    return _template("function").format(
        function=sql.Identifier("public", function_name(dataset, door.name))
        + sql.SQL("({})").format(sql.SQL(", ").join(parameters)),
        settings=sql.SQL("\n").join(_settings()),
        body=body,
    )


def _parts(dataset: Dataset, kind: HashKind, checksum: str) -> dict[str, sql.Composable]:
    """Return what stands in the templates of the doors; parameters by number, as `DOORS` declares them."""
    from psycopg import sql

    from storage.canonical_sql import probe
    from storage.preflight import look
    from storage.stand_ins import given, planted
    from storage.table_queries import Span, TableQueries

    queries = TableQueries(dataset, STORE, _OLDEST)
    span = Span(sql.SQL("$2"), sql.SQL("$3"))
    some = span._replace(ranges=sql.SQL("$4"))
    key_parts: list[sql.Composable] = [
        sql.SQL("ARRAY(SELECT part ->> {} FROM jsonb_array_elements($2) AS part)").format(sql.Literal(place))
        for place in range(len(dataset.key))
    ]
    chosen = queries.table.has_key_of(key_parts)
    return {
        "checksum": sql.Literal(checksum),
        "preflight": look(STORE, dataset),
        "columns": queries.table.aliases(),
        "probed": probe(kind),
        "counted": queries.counts(span),
        "counted_of_some": queries.counts(some),
        "digested": queries.digests(kind, queries.spanning(span)),
        "hashed": queries.table.hashed(kind, where=queries.spanning(some)),
        "sketched": queries.sketch(kind, queries.spanning(some), sql.SQL("$5")),
        "found": queries.find(kind, queries.spanning(span), sql.SQL("$4::bigint[]")),
        "rows": queries.rows(kind, chosen),
        "sampled": queries.sample(sql.SQL("$1"), sql.SQL("$2")),
        "as_they_are": _rehearsal(dataset, kind, planted(queries.table, dataset, chosen, sql.SQL("'[]'::jsonb"))),
        "with_plants": _rehearsal(dataset, kind, planted(queries.table, dataset, chosen, sql.SQL("$3"))),
        "given": _over(dataset, given(queries.table, dataset, sql.SQL("$2"))).given(kind),
        "excluded": queries.excluded(sql.SQL("$1")),
        "created": queries.created(sql.SQL("$1"), sql.SQL("$2")),
    }


def _rehearsal(dataset: Dataset, kind: HashKind, stand_in: sql.Composable) -> sql.Composable:
    from psycopg import sql

    queries = _over(dataset, stand_in)
    where = queries.table.replicable
    return _template("rehearsal").format(
        digested=queries.digests(kind, where),
        paired=queries.pairs(kind, where),
        cells=_template("sketch").format(sketched=queries.sketch(kind, where, sql.SQL("$4"))),
    )


def _over(dataset: Dataset, stand_in: sql.Composable) -> TableQueries:
    from storage.table_queries import TableQueries

    return TableQueries(dataset, STORE, _OLDEST, stand_in=stand_in)


def _settings() -> Iterator[sql.Composable]:
    from psycopg import sql

    from storage.session import PINNED, literal

    for name, value in (PINNED | _PLANNED_ANEW).items():
        yield sql.SQL("SET {} TO {}").format(sql.Identifier(name.lower()), literal(name, value))


def _template(name: str) -> sql.SQL:
    return _plain(text(f"secondary/doors/{name}.sql").rstrip())


def _plain(words: str) -> sql.SQL:
    from psycopg import sql

    return sql.SQL(words)
