"""The script that makes the functions of replication, put together from its templates."""

from __future__ import annotations

from psycopg import sql

from contracts.dataset import Column, ColumnType, Dataset
from contracts.errors import ConfigurationError
from contracts.replication import MANY, NEWEST
from storage.canonical_sql import TableSql
from storage.migrations.access import access
from storage.migrations.door_queries import OLDEST, UNSIGNED
from storage.migrations.replication_doors import ReplicationDoor, doors_of
from storage.migrations.texts import text
from storage.migrations.values import Side
from storage.session import PINNED, literal
from storage.stand_ins import type_here

__all__ = ["UNSIGNED", "script"]

_QUOTE = "$door$"
_READING = {"plan_cache_mode": "force_custom_plan"}
_WRITING = {
    "lock_timeout": "200ms",  # whoever carries changes over lets an application pass
}
_PUTTING = {"lock_timeout": "3s"}
_CAPTURING = {"lock_timeout": "900ms"}  # less than `deadlock_timeout`: who truncates and waits for us is no victim
_SETTINGS = {"apply": _WRITING, "judge": _WRITING, "put": _PUTTING, "mend": _WRITING, "capture": _CAPTURING}
_PLAIN = frozenset({ColumnType.UUID, ColumnType.TEXT, ColumnType.INTEGER})
"""Types whose texts no setting changes: a trigger that sets less costs an application less."""
_MOST_BYTES = 2_000_000
"""So much of rows is carried at a time: an application that writes one of them waits for some tenths of a second."""
_PORTION = 20_000
"""So many lines are numbered anew while others wait for the table: some tenths of a second."""
_FILTERED = ("type", "status", "user_id", "project_id")

Parts = dict[str, sql.Composable]


def script(dataset: Dataset, side: Side) -> str:
    """Return the script that makes the functions of a dataset on one side; `UNSIGNED` stands for its checksum.

    Raises:
        ConfigurationError: A name would end the body of a function.
    """
    parts = _parts(dataset, side)
    plain = all(column.type in _PLAIN for column in dataset.key_columns)
    settings = {"search_path": PINNED["search_path"]} if plain else PINNED
    triggers = [_trigger_function(dataset, name, parts, settings) for name in ("captured", "truncated")]
    over_rest = side is Side.SECONDARY
    signatures = [door.signature(dataset, side) for door in doors_of(side)]
    doors = [_function(dataset, side, door, parts) for door in doors_of(side)]
    install = _template("install").format(
        functions=sql.SQL("\n").join((*triggers, *doors)),
        access=access(
            [*(f"twinstore.{dataset.name}_{name}()" for name in ("captured", "truncated")), *signatures],
            mark=f"Owned by twinstore: replicates {dataset.name}",
            visited=signatures if over_rest else (),
        ),
    )
    return install.as_string() + ("NOTIFY pgrst, 'reload schema';\n" if over_rest else "")


def _template(name: str) -> sql.SQL:
    return sql.SQL(text(f"replication/{name}.sql").rstrip())


def _function(dataset: Dataset, side: Side, door: ReplicationDoor, parts: Parts) -> sql.Composable:
    parameters = [sql.SQL("{} ").format(sql.Identifier(name)) + sql.SQL(kind) for name, kind in door.parameters]
    head = sql.Identifier(*door.function(dataset, side)) + sql.SQL("({})").format(sql.SQL(", ").join(parameters))
    settings = PINNED | (_READING if door.reads else {}) | _SETTINGS.get(door.name, {})
    return _made(head, "jsonb", door.name, parts, settings=settings, volatility="STABLE" if door.reads else "VOLATILE")


def _trigger_function(dataset: Dataset, name: str, parts: Parts, settings: dict[str, str]) -> sql.Composable:
    head = sql.Identifier("twinstore", f"{dataset.name}_{name}") + sql.SQL("()")
    return _made(head, "trigger", name, parts, settings=settings, volatility="VOLATILE")


def _made(
    head: sql.Composable, result: str, template: str, parts: Parts, *, settings: dict[str, str], volatility: str
) -> sql.Composable:
    body = _template(template).format(**parts)
    if _QUOTE in body.as_string():
        raise ConfigurationError(
            f"A name of the dataset holds {_QUOTE}, so that it cannot be replicated.", "Rename the table or column."
        )
    lines = [
        sql.SQL("SET {} TO {}").format(sql.SQL(name.lower()), literal(name, value)) for name, value in settings.items()
    ]
    return _template("function").format(
        function=head,
        result=sql.SQL(result),
        volatility=sql.SQL(volatility),
        settings=sql.SQL("\n").join(lines),
        body=body,
    )


def _parts(dataset: Dataset, side: Side) -> Parts:
    """Return what stands in the templates."""
    table = TableSql(dataset, side.store, OLDEST)
    parts = _of_table(table, dataset) | _of_side(dataset, side)
    if side is Side.SECONDARY:  # its constraint need not hold for old rows; the primary's index is of use without this
        parts["instant"] = sql.SQL("coalesce({}, '-infinity')").format(parts["instant"])
    for name in (
        "variables",
        "verdicts",
        "mark",
        "in_place",
        "base",
        "outdated",
        "last_number",
        "of_this_adoption",
        "items",
        "proof",
        "applying_one",
        "applying_all",
        "write_nothing",
        "refusals",
        "standing_of_given",
        "hold_states",
        "horizon",
        "busy_given",
    ):
        parts[name] = _template(name).format(**parts)
    parts |= _states(parts, side)
    for name in (
        "together_is_possible",
        "hold_rows",
        "write_one",
        "write_together",
        "step_standing",
        "left_by_steps",
        "untied",
    ):
        parts[name] = _template(name).format(**parts)
    return parts


def _states(parts: Parts, side: Side) -> Parts:
    """Return what a side says of itself: to whom tells what the other has heard, at a glance, and to anybody."""
    heard = "heard_by_primary" if side is Side.PRIMARY else "heard_by_secondary"

    def state(**rest: sql.Composable) -> sql.Composable:
        known = {**parts, "other_heard": sql.SQL("$1")} | rest
        known["heard"] = _template(heard).format(**known)
        return _template("state").format(**known)

    return {
        "state": state(),
        "state_uncounted": state(many=sql.Literal(0)),
        "state_alone": state(other_heard=sql.SQL("'[]'::jsonb")),
    }


def _of_table(table: TableSql, dataset: Dataset) -> Parts:
    """Return what the table's columns make of templates."""
    values = [_value(table, dataset, column, "_row") for column in dataset.columns]
    places = range(len(dataset.key))
    return {
        "table": table.table,
        "relation": sql.Literal(table.table.as_string()),
        "key": table.key,
        "parts": sql.SQL("ARRAY[{}]").format(sql.SQL(", ").join(table.text(c) for c in dataset.key_columns)),
        "replicable": table.replicable or sql.SQL("true"),
        "raw": table.raw(),
        "columns": sql.SQL(", ").join(table.column(c) for c in dataset.columns),
        "names": sql.SQL("ARRAY[{}]").format(sql.SQL(", ").join(sql.Literal(c.name) for c in dataset.columns)),
        "key_columns": sql.SQL(", ").join(table.column(c) for c in dataset.key_columns),
        "values": sql.SQL(", ").join(values),
        "values_given": sql.SQL(", ").join(_value(table, dataset, column, "given.row_") for column in dataset.columns),
        "values_named": sql.SQL(", ").join(
            sql.SQL("{} AS {}").format(value, table.column(column))
            for value, column in zip(values, dataset.columns, strict=True)
        ),
        "has_key_asked": table.has_key([sql.SQL(f"_parts[{place + 1}]") for place in places]),
        "has_key_at": table.has_key([sql.SQL(f"_parts[_at] ->> {place}") for place in places]),
        "has_key_of_given": table.has_key([sql.SQL(f"given.parts_ ->> {place}") for place in places]),
        "has_key_of_picked": table.has_key([sql.SQL(f"picked.parts[{place + 1}]") for place in places]),
        "instant": table.instant(dataset.column(dataset.updated)) if dataset.updated else sql.SQL("now()::timestamp"),
        "filters": _filters(table, dataset),
    }


def _of_side(dataset: Dataset, side: Side) -> Parts:
    """Return what names and the side make of templates."""
    name = sql.Literal(dataset.name)
    primary = side is Side.PRIMARY
    return {
        "dataset": name,
        "prefix": sql.Literal(f"{dataset.name}:"),
        "captured": sql.Identifier("twinstore", f"{dataset.name}_captured"),
        "truncated": sql.Identifier("twinstore", f"{dataset.name}_truncated"),
        "captured_signature": sql.Literal(f"twinstore.{dataset.name}_captured()"),
        "truncated_signature": sql.Literal(f"twinstore.{dataset.name}_truncated()"),
        "checksum": sql.Literal(UNSIGNED),
        "adopted": sql.SQL(", 'adopted_at', adopted_at" if primary else ""),
        "adoption": sql.SQL("CASE WHEN adopted_at IS NOT NULL THEN adoption END" if primary else "adoption"),
        "adoption_next": sql.SQL(
            "coalesce(held.adoption, excluded.adoption)" if primary else "coalesce(excluded.adoption, held.adoption)"
        ),
        "turned_away": sql.Literal("locked" if primary else "busy"),
        "newest": sql.Literal(NEWEST),
        "portion": sql.Literal(_PORTION),
        "seen": sql.SQL(", 'seen', coalesce(held.seen, 0)" if primary else ""),
        "server": sql.SQL(", 'server', pg_postmaster_start_time()" if primary else ""),
        "known": sql.SQL(
            "coalesce(held.rev > 0 OR held.seen > 0, false)" if primary else "coalesce(held.rev > 0, false)"
        ),
        "ready": _template("ready") if primary else sql.SQL(""),
        "kept": _template("settle_kept" if primary else "settle_heard").format(dataset=name),
        "proposed": sql.SQL(", proposed" if primary else ""),
        "all_proposed": sql.SQL(", bool_and(proposed)" if primary else ""),
        "parts_at": _list_of("_parts[_at]"),
        "parts_at_place": _list_of("_parts[at]"),
        "parts_of_request": _list_of("$1 -> 'parts'"),
        "parts_of_asked": _list_of("asked -> 1"),
        "waits": sql.SQL("lock_not_available OR deadlock_detected OR serialization_failure"),
        "most_bytes": sql.Literal(_MOST_BYTES),
        "many": sql.Literal(MANY),
        "names": sql.SQL("{}::text[]").format(sql.Literal([column.name_in(side.store) for column in dataset.columns])),
        "held": _template("held").format(dataset=name) if primary else sql.SQL(""),
    }


def _value(table: TableSql, dataset: Dataset, column: Column, row: str) -> sql.Composable:
    """Return a column's value of the row that an item holds, read from its text."""
    place = dataset.columns.index(column)
    return sql.SQL("({} ->> {})::{}").format(sql.SQL(row), sql.Literal(place), type_here(table, column, own=True))


def _list_of(json: str) -> sql.Composed:
    """Return an array of the texts of a JSON list, in their order."""
    form = "ARRAY(SELECT part FROM jsonb_array_elements_text({}) WITH ORDINALITY AS split(part, n) ORDER BY n)"
    return sql.SQL(form).format(sql.SQL(json))


def _filters(table: TableSql, dataset: Dataset) -> sql.Composable:
    """Return the condition that a row fits the filters of a page: arrays of texts per column, NULL for no value."""
    conditions: list[sql.Composable] = [sql.SQL("true")]
    names = {column.name for column in dataset.columns}
    for name in _FILTERED:
        if name in names:
            column = dataset.column(name)
            conditions.append(
                sql.SQL(
                    "(NOT $1 ? {name} OR {column} = ANY (($1 ->> {name})::{type}[]) "
                    "OR $1 ->> {name} IS NULL AND {column} IS NULL)"
                ).format(name=sql.Literal(name), column=table.column(column), type=type_here(table, column, own=True))
            )
    if dataset.facts.title:
        title = table.column(dataset.column(dataset.facts.title))
        conditions.append(sql.SQL("(NOT $1 ? 'search' OR {} ILIKE '%' || ($1 ->> 'search') || '%')").format(title))
    return sql.SQL(" AND ").join(conditions)
