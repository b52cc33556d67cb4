"""A planned dataset as the text of its contract file, in the form that a formatter would leave alone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from textwrap import wrap

from contracts.dataset import Column, Dataset
from contracts.vocabulary import StoreName
from flows.new_dataset.constraints import RuleCall
from flows.new_dataset.plan import Plan

WIDTH = 120
INDENT = "    "
_STORES = {StoreName.PRISMA: "PRISMA", StoreName.SUPABASE: "SUPABASE"}
_ADVICE = (
    "Written from the live tables as a starting point. Say of each column who may see it (classification): what is not "
    "declared is personal. Add the rules that only people know."
)


@dataclass(frozen=True, slots=True)
class _Group:
    """Items between brackets: on one line where that fits, else each on its own."""

    opening: str
    items: tuple[str | _Group, ...]
    closing: str = ")"
    label: str = ""
    broken: bool = False

    @property
    def flat(self) -> str:
        """The group on one line."""
        inner = ", ".join(item if isinstance(item, str) else item.flat for item in self.items)
        return f"{self.label}{self.opening}{inner}{self.closing}"

    def lines(self, indent: str = "", end: str = "") -> Iterator[str]:
        """Yield the lines of the group."""
        if not self.broken and len(indent + self.flat + end) <= WIDTH:
            yield indent + self.flat + end
            return
        yield f"{indent}{self.label}{self.opening}"
        for item in self.items:
            if isinstance(item, str):
                yield f"{indent}{INDENT}{item},"
            else:
                yield from item.lines(indent + INDENT, ",")
        yield indent + self.closing + end


def contract_file(plan: Plan) -> str:
    """Return the text of a contract file that assigns `DATASET` and `CONTRACT`."""
    rules = {rule.function for rule in plan.rules}
    imports = (
        _import("contracts.column_rules", ["columns_contract", *rules]),
        _import("contracts.dataset", ["Column", "ColumnType", "Dataset", "types"]),
        _import("contracts.vocabulary", ["StoreName"]),
    )
    parts = (
        "\n".join(_docstring(plan)),
        "\n".join(line for group in imports for line in group),
        "PRISMA, SUPABASE = StoreName.PRISMA, StoreName.SUPABASE",
        "\n".join(_dataset(plan.dataset).lines()),
        "\n".join(_contract(plan.rules).lines()),
    )
    return "\n\n".join(parts) + "\n"


def _docstring(plan: Plan) -> Iterator[str]:
    yield f'"""The contract of {plan.dataset.name}: its table on both stores, and what must hold for every row.'
    yield ""
    yield from wrap(_ADVICE, WIDTH)
    for note in plan.notes:
        yield ""
        escaped = f"To know: {note}.".replace("\\", "\\\\").replace('"', '\\"')
        yield from wrap(escaped, WIDTH, break_long_words=False, break_on_hyphens=False)
    yield '"""'


def _import(module: str, names: Iterable[str]) -> Iterator[str]:
    listed = tuple(sorted(names, key=lambda name: (not name[0].isupper(), name)))
    line = f"from {module} import {', '.join(listed)}"
    return iter([line]) if len(line) <= WIDTH else _Group("(", listed, label=f"from {module} import ").lines()


def _dataset(dataset: Dataset) -> _Group:
    tables = {_STORES[store]: f"({_text(schema)}, {_text(table)})" for store, (schema, table) in dataset.tables.items()}
    key = ", ".join(map(_text, dataset.key)) + ("," if len(dataset.key) == 1 else "")
    items: tuple[str | _Group, ...] = (
        f"name={_text(dataset.name)}",
        f"key=({key})",
        _mapping("tables", tables),
        *([f"created={_text(dataset.created)}"] if dataset.created else []),
        *([f"updated={_text(dataset.updated)}"] if dataset.updated else []),
        _Group("(", tuple(map(_column, dataset.columns)), label="columns=", broken=True),
    )
    return _Group("Dataset(", items, label="DATASET = ", broken=True)


def _column(column: Column) -> _Group:
    kinds = dict.fromkeys(next(iter(column.sql_types[store])) for store in StoreName)
    names = {_STORES[store]: _text(name) for store, name in column.names.items()}
    items: tuple[str | _Group, ...] = (
        f"name={_text(column.name)}",
        f"type=ColumnType.{column.type.name}",
        *(["array=True"] if column.array else []),
        f"sql_types=types({', '.join(map(_text, kinds))})",
        *([_mapping("names", names)] if names else []),
    )
    return _Group("Column(", items)


def _contract(rules: Iterable[RuleCall]) -> _Group:
    calls = (_Group(f"{rule.function}(", tuple(map(_value, rule.arguments))) for rule in rules)
    return _Group("columns_contract(", ("DATASET", *calls), label="CONTRACT = ", broken=True)


def _mapping(label: str, items: Mapping[str, str]) -> _Group:
    return _Group("{", tuple(f"{key}: {value}" for key, value in items.items()), "}", label=f"{label}=")


def _value(value: str | int) -> str:
    return _text(value) if isinstance(value, str) else str(value)


def _text(word: str) -> str:
    """Write a text as Python has it: in double quotes, unless it holds some and nothing else that must be escaped."""
    if '"' in word and "'" not in word and "\\" not in word and word.isprintable():
        return f"'{word}'"
    return json.dumps(word, ensure_ascii=False)
