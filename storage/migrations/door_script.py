"""The script that makes the doors of a dataset: its functions, and who may call them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from psycopg import sql

from contracts.dataset import Dataset
from contracts.errors import ConfigurationError
from storage.migrations.access import access
from storage.migrations.door_queries import UNSIGNED, Parts, parts, template
from storage.migrations.doors import DOORS, STORE, Door, function_name
from storage.ports import HashKind
from storage.session import PINNED, literal

__all__ = ["UNSIGNED", "script"]

_QUOTE = "$door$"
_PLANNED_ANEW = {"plan_cache_mode": "force_custom_plan"}  # a plan for any span would read the whole table by index


def script(dataset: Dataset) -> str:
    """Return the script that makes the doors of a dataset; `UNSIGNED` stands in it for its checksum.

    Raises:
        ConfigurationError: A name would end the body of a function.
    """
    by_kind = {kind: parts(dataset, STORE, kind) for kind in HashKind}
    mark = f"Owned by twinstore: reads {dataset.name} over REST"
    signatures = [door.signature(dataset) for door in DOORS]
    install = sql.SQL(template("install")).format(
        mark=sql.Literal(mark),
        functions=sql.SQL("\n").join(_function(dataset, door, by_kind) for door in DOORS),
        access=access(signatures, mark=mark, visited=signatures),
    )
    return install.as_string()


def _function(dataset: Dataset, door: Door, by_kind: Mapping[HashKind, Parts]) -> sql.Composable:
    bodies = {kind: sql.SQL(template(door.name)).format(**parts) for kind, parts in by_kind.items()}
    if door.hashes:
        case = sql.SQL("    WHEN {} THEN RETURN (\n{});")
        cases = [case.format(sql.Literal(str(kind)), body) for kind, body in bodies.items()]
        body = sql.SQL("  CASE $1\n{}\n  END CASE;").format(sql.SQL("\n").join(cases))
    else:
        body = sql.SQL("  RETURN (\n{});").format(bodies[HashKind.TEXT])
    if _QUOTE in body.as_string():
        what = f"A name of the dataset {dataset.name!r} holds {_QUOTE}."
        raise ConfigurationError(what, "Reach the store by SQL, or rename the table or column.")
    parameters = [sql.SQL("{} ").format(sql.Identifier(name)) + sql.SQL(kind) for name, kind in door.parameters]
    return sql.SQL(template("function")).format(
        function=sql.Identifier("public", function_name(dataset, door.name))
        + sql.SQL("({})").format(sql.SQL(", ").join(parameters)),
        settings=sql.SQL("\n").join(_settings()),
        body=body,
    )


def _settings() -> Iterator[sql.Composable]:
    for name, value in (PINNED | _PLANNED_ANEW).items():
        yield sql.SQL("SET {} TO {}").format(sql.Identifier(name.lower()), literal(name, value))
