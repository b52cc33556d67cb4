"""Random tables, random edits by SQL: the differences found are those that a simple comparer finds, exactly."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from random import Random

import psycopg
import pytest
from psycopg import sql

from contracts.errors import SchemaMismatch
from contracts.planning import PLANNING
from contracts.vocabulary import DifferenceKind, StoreName
from storage.parity import candidates
from storage.parity.engine import Parity, ParityOptions, compare
from storage.parity.recheck import Patience
from storage.ports import HashKind
from storage.postgres import PostgresReader
from tests.support.accounts import superuser_of, url_of
from tests.support.servers import Pair

ROWS, EDITS = 90, 40
AT_ONCE = ParityOptions(patience=Patience(grace_s=0, rounds=1))
TYPES = ("scenario", "prompt", "video", "story", "image")
STATUSES = ("draft", "active", "processing", "in-progress", "completed", "failed", "archived", "odd")
PIECES: tuple[str, ...] = (
    "a",
    "Z",
    " ",
    "'",
    '"',
    "\\",
    "\\n",
    "\n",
    "\r\n",
    "\t",
    "\x01",
    "\x7f",
    "é",
    "e\u0301",
    "한",
    "😀",
    "\u202e",
)
PIECES += ("\u00a0", "\ufeff", "NULL", "{}", ",", ";--", "<b>", "$1", "%s", "\x1b[31m", "\U0010ffff", "ß", "İ")
NUMBERS: tuple[str, ...] = (
    "0",
    "-0",
    "1",
    "1.0",
    "1.00",
    "1e2",
    "100",
    "0.1",
    "0.10",
    "-7",
    "12345678901234567890.125",
    "1e-20",
)
NUMBERS += ("9007199254740993", "1e300")
INSTANTS: tuple[str, ...] = (
    "2026-03-01 12:00:00.123",
    "2026-03-01 12:00:00.1235",
    "2026-03-01 12:00:00.1234999",
    "1999-12-31 23:59:59.9995",
)
INSTANTS += ("1969-12-31 23:59:59.9994", "0001-01-01 00:00:00", "4713-01-02 00:00:00 BC", "294276-12-30 23:59:59.999")
INSTANTS += ("infinity", "-infinity", "2000-01-01 00:00:00", "1999-12-31 23:59:59.9985", "2026-03-01 12:00:00.1245")
RULES = "SELECT conname FROM pg_constraint WHERE conrelid = 'public.planning'::regclass AND contype IN ('c', 'f')"
EPOCH_2000 = 946_684_800

Value = str | int | None


@dataclass(slots=True)
class Dice:
    """Throws values of every kind, each as text that PostgreSQL reads."""

    random: Random

    def text(self) -> str:
        """Return a text: often short, sometimes empty, now and then very long."""
        length = self.random.choice((0, 1, 3, 8, 20)) if self.random.random() < 0.97 else 60_000
        return "".join(self.random.choice(PIECES) for _ in range(length))

    def json(self, depth: int = 0) -> str:
        """Return a JSON text, nested at most three deep."""
        match self.random.choice(("text", "number", "word", "list", "object") if depth < 3 else ("number", "word")):
            case "text":
                return json.dumps(self.text()[:50], ensure_ascii=self.random.random() < 0.5)
            case "number":
                return self.random.choice(NUMBERS)
            case "word":
                return self.random.choice(("null", "true", "false", '""', "[]", "{}", '"null"'))
            case "list":
                return f"[{', '.join(self.json(depth + 1) for _ in range(self.random.randrange(4)))}]"
            case _:
                names = self.random.sample(("a", "b", "title", "id", "finalPrompt", "final_prompt", ""), 3)
                return "{" + ", ".join(f"{json.dumps(name)}: {self.json(depth + 1)}" for name in names) + "}"

    def uuid(self) -> str:
        """Return a UUID."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def value(self, column: str) -> Value:
        """Return a value that both stores can hold in this column."""
        if column in NULLABLE and self.random.random() < 0.2:
            return None
        return MAKE[column](self)

    def row(self) -> dict[str, Value]:
        """Return a row."""
        return {name: self.value(name) for name in MAKE}


MAKE: dict[str, Callable[[Dice], Value]] = {
    "id": Dice.uuid,
    "type": lambda dice: dice.random.choice(TYPES),
    "title": Dice.text,
    "content": Dice.json,
    "status": lambda dice: dice.random.choice(STATUSES),
    "user_id": Dice.uuid,
    "project_id": Dice.uuid,
    "version": lambda dice: dice.random.choice((0, 1, 2, 2**31 - 1, -(2**31))),
    "metadata": Dice.json,
    "storage": Dice.json,
    "source": Dice.text,
    "storage_status": lambda dice: dice.text()[:50],  # indexed, so not long
    "created_at": lambda dice: dice.random.choice(INSTANTS),
    "updated_at": lambda dice: dice.random.choice(INSTANTS),
}
NULLABLE = frozenset({"user_id", "project_id", "metadata", "storage", "source", "storage_status"})
JSON = frozenset({"content", "metadata", "storage"})
TIMES = frozenset({"created_at", "updated_at"})


# The simple comparer: reads everything, shares nothing with the engine.
def plain(value: object) -> object:
    """Return a JSON value in a form that Python compares as JSON values are: 1 is 1.0 and is not true."""
    match value:
        case dict():
            return {name: plain(inner) for name, inner in value.items()}
        case list():
            return [plain(inner) for inner in value]
        case Decimal():
            return ("number", value)
        case _:
            return (type(value).__name__, value)


def milliseconds(epoch: Decimal) -> Decimal:
    """Round seconds since 1970 to milliseconds as PostgreSQL does: half away from the year 2000."""
    if epoch.is_infinite():
        return epoch
    micros = int((epoch - EPOCH_2000) * 1_000_000)
    rounded = (abs(micros) + 500) // 1000
    return Decimal(rounded if micros >= 0 else -rounded)


def read_all(url: str) -> dict[str, dict[str, object]]:
    """Read a whole table into plain values by key."""
    chosen = ", ".join(f"extract(epoch FROM {c})::text" if c in TIMES else f"{c}::text" for c in MAKE)
    with psycopg.connect(url) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        rows = connection.execute(f"SELECT {chosen} FROM public.planning".encode()).fetchall()
    found = {}
    for values in rows:
        row: dict[str, object] = dict(zip(MAKE, values, strict=True))
        for name, value in row.items():
            if isinstance(value, str) and name in JSON:
                row[name] = plain(json.loads(value, parse_int=Decimal, parse_float=Decimal))
            elif isinstance(value, str) and name in TIMES:
                row[name] = milliseconds(Decimal(value))
        row["status"] = "processing" if row["status"] == "in-progress" else row["status"]
        found[str(row["id"])] = row
    return found


def simply_compared(pair: Pair) -> dict[str, tuple[DifferenceKind, frozenset[str]]]:
    """Compare both tables row by row; returns kind and columns by key."""
    primary, secondary = read_all(pair.primary), read_all(pair.secondary)
    found: dict[str, tuple[DifferenceKind, frozenset[str]]] = {}
    for key in primary.keys() | secondary.keys():
        if key not in secondary:
            found[key] = DifferenceKind.ONLY_PRIMARY, frozenset()
        elif key not in primary:
            found[key] = DifferenceKind.ONLY_SECONDARY, frozenset()
        elif columns := frozenset(c for c in MAKE if primary[key][c] != secondary[key][c]):
            found[key] = DifferenceKind.DIFFERING, columns
    return found


# The tables and what happens to them.
def set_free(pair: Pair) -> None:
    """Let both tables take anything: what a store refuses is no matter of the comparison."""
    for store in StoreName:
        with psycopg.connect(superuser_of(pair, store)) as connection:
            connection.execute("ALTER TABLE public.planning DISABLE TRIGGER USER")
            rules = connection.execute(RULES).fetchall()
            for (rule,) in rules:
                connection.execute(
                    sql.SQL("ALTER TABLE public.planning DROP CONSTRAINT {}").format(sql.Identifier(rule))
                )


def insert(connection: psycopg.Connection, row: dict[str, Value]) -> None:
    """Insert a row; instants are meant in UTC on both stores."""
    statement = sql.SQL("INSERT INTO public.planning ({}) VALUES ({})").format(
        sql.SQL(", ").join(map(sql.Identifier, row)), sql.SQL(", ").join(map(sql.Placeholder, row))
    )
    connection.execute(statement, row)


def edit(connection: psycopg.Connection, dice: Dice, keys: list[str]) -> None:
    """Change, delete or add one row of one store."""
    key = dice.random.choice(keys)
    match dice.random.choice(("delete", "insert", *("update",) * 8)):
        case "delete":
            connection.execute("DELETE FROM public.planning WHERE id = %s", [key])
        case "insert":
            insert(connection, dice.row())
        case _:
            column = dice.random.choice([name for name in MAKE if name != "id"])
            statement = sql.SQL("UPDATE public.planning SET {} = %s WHERE id = %s").format(sql.Identifier(column))
            connection.execute(statement, [dice.value(column), key])


def fill_and_edit(pair: Pair, seed: int) -> None:
    """Fill both tables anew with the same rows, then edit each apart."""
    dice = Dice(Random(seed))
    rows = [dice.row() for _ in range(ROWS)]
    for store in StoreName:
        with psycopg.connect(superuser_of(pair, store)) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("TRUNCATE public.planning CASCADE")
            for row in rows:
                insert(connection, row)
            for _ in range(dice.random.randrange(EDITS)):
                edit(connection, dice, [str(row["id"]) for row in rows])


class OlderServer(PostgresReader):
    """A server that does not know the faster hash."""

    def hash_probe(self, kind: HashKind) -> tuple[int, int]:
        """Refuse what it does not know."""
        if kind is HashKind.RECORD:
            raise SchemaMismatch("There is no such function.", "Take another one.", store=self.store)
        return super().hash_probe(kind)


def compared(pair: Pair, kind: HashKind) -> Parity:
    """Compare both tables with one kind of hash."""
    made = OlderServer if kind is HashKind.TEXT else PostgresReader
    primary, secondary = (made(url_of(pair, store), store, PLANNING) for store in StoreName)
    return compare(primary, secondary, (primary.facts(), secondary.facts()), options=AT_ONCE)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("sketch", HashKind.RECORD),
        ("pairs", HashKind.TEXT),
        pytest.param("sketch", HashKind.TEXT, marks=pytest.mark.soak),
        pytest.param("pairs", HashKind.RECORD, marks=pytest.mark.soak),
    ],
)
@pytest.mark.parametrize("seeds", [range(2), pytest.param(range(2, 30), marks=pytest.mark.soak)], ids=["few", "many"])
def test_differences_are_exactly_the_edits(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, path: str, kind: HashKind, seeds: range
) -> None:
    """Keys, kinds and columns are those of the simple comparer, by either way down and by either hash; rows add up."""
    if path == "sketch":
        monkeypatch.setattr(candidates, "FEW_ROWS", 0)
        monkeypatch.setattr(candidates, "merge", None)
    else:
        monkeypatch.setattr(candidates, "_by_sketch", lambda *_: None)
    set_free(pair)
    for seed in seeds:
        fill_and_edit(pair, seed)
        expected = simply_compared(pair)
        parity = compared(pair, kind)
        columns = {d.key: (d.kind, frozenset(f.field.split(".")[0] for f in d.fields)) for d in parity.differences}
        assert columns == expected, f"seed {seed}"
        assert parity.rows.matched == len(read_all(pair.primary)) - parity.rows.differing - parity.rows.only_primary
        assert all(a.primary.balance == a.secondary.balance == 0 for a in parity.ranges)
