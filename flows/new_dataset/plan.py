"""From the shapes of two tables to a dataset: which columns pair, in which form they are compared, what must hold."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from contracts.column_types import INSTANTS, ColumnType, base_type, is_array, precision, readable, usual_type
from contracts.dataset import Column, Dataset
from contracts.errors import ConfigurationError
from contracts.vocabulary import StoreName
from flows.new_dataset.constraints import RuleCall, rules_of
from storage.parity.causes.bodies import snake_case
from storage.table_shape import ColumnShape, TableShape

PRISMA, SUPABASE = StoreName.PRISMA, StoreName.SUPABASE
CREATED = ("created_at", "inserted_at", "created")
UPDATED = ("updated_at", "modified_at", "changed_at", "updated")
_OF_LENGTH = ("character varying", "character")

Shapes = Mapping[StoreName, TableShape]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A dataset to be written down.

    Attributes:
        dataset: The dataset.
        rules: The rules of its contract.
        notes: What a person must know of it: columns that were left out, constraints that no rule of ours says.
    """

    dataset: Dataset
    rules: tuple[RuleCall, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """A column of both tables under one canonical name."""

    name: str
    shapes: Mapping[StoreName, ColumnShape]

    def column(self, *, in_key: bool) -> Column:
        """Return the column of the dataset.

        Raises:
            ConfigurationError: It cannot be compared.
        """
        spelt = {store: shape.type for store, shape in self.shapes.items()}
        kind = common_type(spelt[PRISMA], spelt[SUPABASE], in_key=in_key)
        if kind is None or not all(shape.readable for shape in self.shapes.values()):
            both = spelt[PRISMA] if len(set(spelt.values())) == 1 else f"{spelt[PRISMA]} and {spelt[SUPABASE]}"
            raise ConfigurationError(
                f"Column {self.name} is {both}, which cannot be compared.", f"Leave it out with --without {self.name}."
            )
        names = {store: shape.name for store, shape in self.shapes.items() if shape.name != self.name}
        types = {store: frozenset({kind}) for store, kind in spelt.items()}
        return Column(name=self.name, type=kind, sql_types=types, array=is_array(spelt[PRISMA]), names=names)


def plan_dataset(name: str, shapes: Shapes, *, without: Collection[str] = ()) -> Plan:
    """Plan the dataset that two tables make.

    Args:
        name: Name of the dataset.
        shapes: The tables.
        without: Names of columns that are left out, in any spelling.

    Raises:
        ConfigurationError: The tables have no common key, or a column cannot be compared or is not there.
    """
    unwanted = {snake_case(column) for column in without}
    known = {snake_case(column.name) for shape in shapes.values() for column in shape.columns}
    if unknown := sorted(unwanted - known):
        raise ConfigurationError(f"No table has a column {unknown[0]} to be left out.", "Name it as a table does.")
    pairs = [pair for pair in _pairs(shapes) if snake_case(pair.name) not in unwanted]
    key = _key(shapes, pairs)
    columns = tuple(pair.column(in_key=pair.name in key) for pair in pairs)
    rules, untold = _rules(shapes, pairs, columns, key)
    dataset = Dataset(
        name=name,
        key=key,
        columns=columns,
        tables={store: (shape.schema, shape.table) for store, shape in shapes.items()},
        created=_instant(columns, CREATED),
        updated=_instant(columns, UPDATED),
    )
    return Plan(dataset=dataset, rules=rules, notes=(*_left_out(shapes, pairs, unwanted), *untold))


def common_type(primary: str, secondary: str, *, in_key: bool = False) -> ColumnType | None:
    """Return the form in which columns of these types are compared with each other; None where there is none.

    A UUID and a text are compared as UUIDs in a key, which must name the same rows on both, and as texts elsewhere;
    instants to the millisecond where one store keeps no finer ones.
    """
    if is_array(primary) is not is_array(secondary):
        return None
    wanted = [usual_type(primary), usual_type(secondary), ColumnType.NUMERIC, ColumnType.TEXT]
    uuids = [base_type(spelling) == "uuid" for spelling in (primary, secondary)]
    if any(uuids):
        wanted = [ColumnType.UUID if in_key or all(uuids) else ColumnType.TEXT]
    elif ColumnType.TIMESTAMP_MS in wanted:
        wanted = [ColumnType.TIMESTAMP_MS]
    return next((kind for kind in wanted if kind and readable(kind, primary) and readable(kind, secondary)), None)


def _pairs(shapes: Shapes) -> Iterator[_Pair]:
    """Pair columns that have one name in snake_case; the secondary's spelling is the canonical one."""
    theirs = {snake_case(column.name): column for column in shapes[SUPABASE].columns}
    for ours in shapes[PRISMA].columns:
        other = theirs.get(snake_case(ours.name))
        if other is not None:
            yield _Pair(name=other.name, shapes={PRISMA: ours, SUPABASE: other})


def _key(shapes: Shapes, pairs: Iterable[_Pair]) -> tuple[str, ...]:
    """Return the secondary's key, which the primary must hold unique, too."""
    keys = {
        store: tuple(pair.name for column in shape.key for pair in pairs if pair.shapes[store].name == column)
        for store, shape in shapes.items()
    }
    whole = all(shape.key and len(keys[store]) == len(shape.key) for store, shape in shapes.items())
    if not whole or set(keys[PRISMA]) != set(keys[SUPABASE]):
        told = " and ".join(f"({', '.join(shape.key) or 'none'}) on {store}" for store, shape in shapes.items())
        raise ConfigurationError(
            f"The tables have no key in common: {told}.",
            "Give both the same primary key, or name a table that has it; one key must stand for one row.",
        )
    return keys[SUPABASE]


def _instant(columns: Iterable[Column], names: tuple[str, ...]) -> str | None:
    instants = {
        snake_case(column.name): column.name for column in columns if column.type in INSTANTS and not column.array
    }
    return next((instants[name] for name in names if name in instants), None)


def _rules(
    shapes: Shapes, pairs: list[_Pair], columns: tuple[Column, ...], key: tuple[str, ...]
) -> tuple[tuple[RuleCall, ...], tuple[str, ...]]:
    """Return what both stores say of their rows: a row that one of them refuses cannot be replicated."""
    required = [p.name for p in pairs if p.name not in key and any(shape.required for shape in p.shapes.values())]
    rules = [RuleCall("required", tuple(required or key))]
    untold = []
    for pair in pairs:
        rules += _words(pair)
        rules += _lengths(pair)
    for store, shape in shapes.items():
        named = {pair.shapes[store].name: column for pair, column in zip(pairs, columns, strict=True)}
        for check in shape.checks:
            found = rules_of(check, named)
            if found is None or any(_contradicts(rule, rules) for rule in found):
                untold.append(f"{store} has a constraint that no rule here says: {check}")
            else:
                rules += [rule for rule in found if rule not in rules]
    return tuple(rules), tuple(untold)


def _contradicts(rule: RuleCall, rules: Iterable[RuleCall]) -> bool:
    """Tell whether there is another rule of this kind already; a contract has one of a kind per column."""
    return any(rule.about == known.about and rule != known for known in rules)


def _words(pair: _Pair) -> Iterator[RuleCall]:
    """Yield the words of an enum; those that both know, where both are enums."""
    lists = [shape.labels for shape in pair.shapes.values() if shape.labels]
    if lists and not is_array(pair.shapes[PRISMA].type):
        yield RuleCall("one_of", (pair.name, *(word for word in lists[0] if all(word in known for known in lists))))


def _lengths(pair: _Pair) -> Iterator[RuleCall]:
    lengths = [
        length
        for shape in pair.shapes.values()
        if base_type(shape.type) in _OF_LENGTH and not is_array(shape.type) and (length := precision(shape.type))
    ]
    if lengths:
        yield RuleCall("longest", (pair.name, min(lengths)))


def _left_out(shapes: Shapes, pairs: list[_Pair], unwanted: Collection[str]) -> Iterator[str]:
    for store, shape in shapes.items():
        paired = {pair.shapes[store].name for pair in pairs}
        for column in shape.columns:
            if column.name not in paired:
                asked = snake_case(column.name) in unwanted
                why = "left out, as asked" if asked else f"not compared, since {store.other} has none of that name"
                yield f"column {column.name} of {store} is {why}"
