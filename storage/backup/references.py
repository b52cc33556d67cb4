"""References to a table whose rows are brought back: what goes on after them, and in which order tables are written."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

Table = tuple[str, str]
"""A schema and a table of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A foreign key onto a table.

    Attributes:
        name: Its name.
        table: Schema and table whose rows refer.
        columns: The columns that they refer to.
        deletes: Whether a deletion goes on: CASCADE, SET NULL, SET DEFAULT.
        changes: Whether a change of these columns goes on.
        held: A condition on a row `t`: one refers to it, and it cannot be deleted; empty where that cannot be told.
    """

    name: str
    table: Table
    columns: tuple[str, ...]
    deletes: bool
    changes: bool
    held: str

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Reference:
        """Return a reference as the server describes it."""
        return cls(
            name=found["name"],
            table=(found["schema"], found["relation"]),
            columns=tuple(found["columns"]),
            deletes=found["deletes"],
            changes=found["changes"],
            held=found["held"] or "",
        )


def parents_first(children: Mapping[Table, AbstractSet[Table]]) -> tuple[Table, ...]:
    """Return tables in the order in which rows can be inserted; as given where they refer to each other in a ring.

    Args:
        children: The tables, each with those that refer to it; others among these do not matter.
    """
    sorter = TopologicalSorter[Table](dict.fromkeys(children, ()))
    for parent, referring in children.items():
        for child in referring & children.keys() - {parent}:
            sorter.add(child, parent)
    try:
        return tuple(sorter.static_order())
    except CycleError:
        return tuple(children)
