"""What the doors ask of a table: the queries of `storage.table_queries`, with parameters where values stand."""

from __future__ import annotations

from psycopg import sql

from contracts.dataset import Dataset
from contracts.vocabulary import StoreName
from storage.canonical_sql import probe
from storage.migrations.texts import text
from storage.ports import HashKind
from storage.preflight import look
from storage.stand_ins import given, planted
from storage.table_queries import Span, TableQueries

OLDEST = 150000
"""What this version of the server lacks no door uses, so that all servers have the same doors."""
UNSIGNED = "0" * 64
"""Stands in the script of the doors for its own checksum."""

Parts = dict[str, sql.SQL]
"""What stands in templates, by name."""


def template(name: str) -> str:
    """Return the template of a door, or of a part of the script."""
    return text(f"secondary/doors/{name}.sql").rstrip()


def parts(dataset: Dataset, store: StoreName, kind: HashKind) -> Parts:
    """Return what stands in the templates of the doors; parameters by number, as `doors.DOORS` declares them."""
    return {name: sql.SQL(part.as_string()) for name, part in _composed(dataset, store, kind).items()}


def _composed(dataset: Dataset, store: StoreName, kind: HashKind) -> dict[str, sql.Composable]:
    queries = TableQueries(dataset, store, OLDEST)
    span = Span(sql.SQL("$2"), sql.SQL("$3"))
    some = span._replace(ranges=sql.SQL("$4"))
    key_parts: list[sql.Composable] = [
        sql.SQL("ARRAY(SELECT part ->> {} FROM jsonb_array_elements($2) AS part)").format(sql.Literal(place))
        for place in range(len(dataset.key))
    ]
    chosen = queries.table.has_key_of(key_parts)
    no_plants = planted(queries.table, dataset, chosen, sql.SQL("'[]'::jsonb"))
    plants = planted(queries.table, dataset, chosen, sql.SQL("$3"))
    rows_of_ours = given(queries.table, dataset, sql.SQL("$2"))

    def over(stand_in: sql.Composable) -> TableQueries:
        return TableQueries(dataset, store, OLDEST, stand_in=stand_in)

    return {
        "checksum": sql.Literal(UNSIGNED),
        "preflight": look(store, dataset),
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
        "as_they_are": _rehearsal(over(no_plants), kind),
        "with_plants": _rehearsal(over(plants), kind),
        "given": over(rows_of_ours).given(kind),
        "excluded": queries.excluded(sql.SQL("$1")),
        "created": queries.created(sql.SQL("$1"), sql.SQL("$2")),
    }


def _rehearsal(queries: TableQueries, kind: HashKind) -> sql.Composable:
    where = queries.table.replicable
    return sql.SQL(template("rehearsal")).format(
        digested=queries.digests(kind, where),
        paired=queries.pairs(kind, where),
        cells=sql.SQL(template("sketch")).format(sketched=queries.sketch(kind, where, sql.SQL("$4"))),
    )
