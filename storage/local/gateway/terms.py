"""What a query asks for, as values: fields, selections, conditions, orders."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One arrow into a JSON value.

    Attributes:
        key: Name of a member, or index of an element.
        as_text: Whether it is `->>`.
    """

    key: str | int
    as_text: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A column, or a place inside its JSON value.

    Attributes:
        name: Name of the column; `*` for all.
        path: The way into it.
    """

    name: str
    path: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """One item of `select`.

    Attributes:
        field: What is read.
        cast: Type to which it is cast, if any; plain characters only.
        alias: Name that it gets in the answer, if another.
    """

    field: Field
    cast: str | None = None
    alias: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A comparison of a field.

    Attributes:
        field: What is compared.
        operator: The operator in SQL; `IN` and `IS` among them.
        operand: The text compared with, the list of `IN`, or the keyword of `IS`.
        quantifier: `ANY` or `ALL` where the operand is an array.
        negated: Whether the opposite is meant.
    """

    field: Field
    operator: str
    operand: str | tuple[str, ...]
    quantifier: str | None = None
    negated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Junction:
    """Several conditions joined by `AND` or `OR`."""

    operator: str
    members: tuple[Tree, ...]
    negated: bool = False


Tree = Condition | Junction


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordering:
    """One item of `order`.

    Attributes:
        field: By what.
        direction: `ASC`, `DESC` or nothing.
        nulls: `NULLS FIRST`, `NULLS LAST` or nothing.
    """

    field: Field
    direction: str = ""
    nulls: str = ""
