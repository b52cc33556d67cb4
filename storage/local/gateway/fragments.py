"""Values of the grammar as pieces of SQL. Every name is quoted as an identifier, every value as a literal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from storage.local.gateway.terms import Condition, Field, Ordering, Selected, Tree
from storage.local.gateway.window import Window

if TYPE_CHECKING:
    from psycopg.sql import Composable

_PATTERNS = frozenset({"LIKE", "ILIKE"})


def field_sql(field: Field, of: Composable) -> Composable:
    """Return a field of the relation `of`."""
    from psycopg.sql import SQL

    if field.name == "*":
        return SQL("{}.*").format(of)
    column = SQL("{}.{}").format(of, name_sql(field.name))
    if not field.path:
        return column
    steps = SQL("").join(
        SQL("{}{}").format(SQL("->>" if step.as_text else "->"), _key_sql(step.key)) for step in field.path
    )
    return SQL("to_jsonb({}){}").format(column, steps)


def selection_sql(items: Iterable[Selected], of: Composable) -> Composable:
    """Return the list of a SELECT or RETURNING; all columns where nothing is selected."""
    from psycopg.sql import SQL

    parts = [_selected_sql(item, of) for item in items] or [SQL("{}.*").format(of)]
    return SQL(", ").join(parts)


def where_sql(trees: Iterable[Tree], of: Composable) -> Composable:
    """Return the WHERE clause that all conditions make, or nothing."""
    from psycopg.sql import SQL

    parts = [_tree_sql(tree, of) for tree in trees]
    return SQL(" WHERE {}").format(SQL(" AND ").join(parts)) if parts else SQL("")


def order_sql(items: Iterable[Ordering], of: Composable) -> Composable:
    """Return the ORDER BY clause, or nothing."""
    from psycopg.sql import SQL

    parts = [SQL("{} {} {}").format(field_sql(item.field, of), SQL(item.direction), SQL(item.nulls)) for item in items]
    return SQL(" ORDER BY {}").format(SQL(", ").join(parts)) if parts else SQL("")


def window_sql(window: Window) -> Composable:
    """Return the LIMIT and OFFSET clauses, or nothing."""
    from psycopg.sql import SQL, Literal

    limit = SQL("") if window.limit is None else SQL(" LIMIT {}").format(Literal(window.limit))
    # A negative offset is the server's to refuse.
    offset = SQL("") if window.offset == 0 else SQL(" OFFSET {}").format(Literal(window.offset))
    return limit + offset


def text_sql(text: str) -> Composable:
    """Return a literal without a type, which the server reads as what stands beside it; it ends at a NUL character."""
    from psycopg.sql import Literal

    return Literal(text.partition("\0")[0])


def name_sql(*names: str) -> Composable:
    """Return a name, qualified by those before it; none has a NUL character, which could not exist anyway."""
    from psycopg.sql import Identifier

    return Identifier(*(name.replace("\0", "") for name in names))


def _key_sql(key: str | int) -> Composable:
    from psycopg.sql import Literal

    return Literal(key) if isinstance(key, int) else text_sql(key)


def _selected_sql(item: Selected, of: Composable) -> Composable:
    from psycopg.sql import SQL

    value = field_sql(item.field, of)
    if item.cast is not None:
        # Letters, digits, underscores, blanks and dollar signs only: the grammar lets nothing else pass.
        value = SQL("CAST({} AS {})").format(value, SQL(item.cast))
    keys = [step.key for step in item.field.path if isinstance(step.key, str)]
    name = item.alias or (keys or [item.field.name])[-1]
    if item.field.name == "*" or (item.alias is None and not item.field.path and item.cast is None):
        return value
    return SQL("{} AS {}").format(value, name_sql(name))


def _tree_sql(tree: Tree, of: Composable) -> Composable:
    from psycopg.sql import SQL

    if isinstance(tree, Condition):
        return _condition_sql(tree, of)
    members = SQL(f" {tree.operator} ").join(_tree_sql(member, of) for member in tree.members)
    return SQL("NOT ({})" if tree.negated else "({})").format(members)


def _condition_sql(condition: Condition, of: Composable) -> Composable:
    from psycopg.sql import SQL

    operator, operand = condition.operator, condition.operand
    right: Composable
    if isinstance(operand, tuple):
        # A list as one array literal, which the server reads as the type of the column; an empty text alone is no item.
        operator, right = "=", SQL("ANY ({})").format(text_sql(_array([] if operand == ("",) else operand)))
    elif operator == "IS":
        right = SQL(operand)
    else:
        text = operand.replace("*", "%") if operator in _PATTERNS else operand
        right = text_sql(text)
    if condition.quantifier:
        right = SQL("{} ({})").format(SQL(condition.quantifier), right)
    comparison = SQL("{} {} {}").format(field_sql(condition.field, of), SQL(operator), right)
    return SQL("NOT ({})").format(comparison) if condition.negated else SQL("({})").format(comparison)


def _array(items: Iterable[str]) -> str:
    quoted = (item.replace("\\", "\\\\").replace('"', '\\"') for item in items)
    return "{" + ",".join(f'"{item}"' for item in quoted) + "}"
