"""`twinstore dataset new`: what it writes from live tables, and what it refuses to write."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from contracts import found_files
from contracts.column_types import ColumnType
from contracts.dataset import Dataset
from contracts.errors import ConfigurationError, SchemaMismatch
from contracts.registry import contract_for
from contracts.vocabulary import StoreName
from expectations.registry import declared_checks
from flows.commands.dataset import new_command
from tests.support.second_dataset import fill, make_tables
from tests.support.servers import Pair


@pytest.fixture(autouse=True)
def _own_folder() -> Iterator[None]:
    """Forget the folder of a test at its end."""
    yield
    found_files.use_folder(None)


@pytest.fixture
def tables(empty_pair: Pair, monkeypatch: pytest.MonkeyPatch) -> Pair:
    """The tables of readings, and settings that lead to them."""
    make_tables(empty_pair)
    fill(empty_pair)
    monkeypatch.setenv("DATABASE_URL", empty_pair.primary)
    monkeypatch.setenv("SUPABASE_DB_URL", empty_pair.secondary)
    return empty_pair


def new(
    folder: Path, table: str = "Reading", *, name: str | None = None, secondary: str = "readings", without: str = ""
) -> Dataset:
    """Write the files, and return the dataset as it is found then."""
    new_command(table, name=name, secondary=secondary, folder=folder, without=without.split())
    return contract_for(name or secondary).dataset


def test_the_dataset_is_the_one_that_a_person_wrote(tables: Pair, tmp_path: Path) -> None:
    """Key, types, names and tables are those of the contract in the tests; the suite has the checks of any table."""
    dataset = new(tmp_path)
    assert dataset.tables == {StoreName.PRISMA: ("public", "Reading"), StoreName.SUPABASE: ("public", "readings")}
    assert dataset.key == ("sensor_id", "seq", "label")
    assert {c.name: (c.type, c.array) for c in dataset.columns if c.array or c.type is not ColumnType.TEXT} == {
        "sensor_id": (ColumnType.UUID, False),
        "seq": (ColumnType.INTEGER, False),
        "value": (ColumnType.NUMERIC, False),
        "counter": (ColumnType.INTEGER, False),
        "tags": (ColumnType.TEXT, True),
        "history": (ColumnType.NUMERIC, True),
        "valid": (ColumnType.BOOLEAN, False),
        "payload": (ColumnType.BYTES, False),
        "day": (ColumnType.DATE, False),
        "doubled": (ColumnType.NUMERIC, False),
        "taken_at": (ColumnType.TIMESTAMP_US, False),
    }
    assert dataset.column("taken_at").name_in(StoreName.PRISMA) == "takenAt"
    checks = {name for name, *_ in declared_checks("readings")}
    assert checks >= {"readings.key_unique", "readings.null_rate.value", "readings.null_rate.payload"}
    assert "readings.null_rate.counter" not in checks


def test_over_rest_the_types_are_taken_to_be_the_primarys(
    tables: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where Supabase cannot be looked at by SQL, its columns are the primary's in snake_case."""
    monkeypatch.delenv("SUPABASE_DB_URL")
    monkeypatch.setenv("SUPABASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("SUPABASE_SERVICE_ROLE_KEY", "sb_secret_0")
    dataset = new(tmp_path)
    assert dataset.column("sensor_id").name_in(StoreName.PRISMA) == "sensorId"
    assert dataset.column("taken_at").sql_types[StoreName.SUPABASE] == {"timestamp(6) without time zone"}


@pytest.mark.parametrize(
    ("said", "trouble"),
    [
        ({"name": "planning"}, "There is a dataset planning already"),
        ({"name": "Readings"}, "cannot be called 'Readings'"),
        ({"table": "app.Reading"}, "looked for in the schema public, not in app"),
        ({"without": "nothing"}, "No table has a column nothing"),
        ({"without": "label"}, "no key in common"),
        ({"table": "planning", "secondary": "readings"}, "prisma has no table public.planning"),
    ],
)
def test_nothing_is_written_of_what_makes_no_dataset(
    tables: Pair, tmp_path: Path, said: dict[str, str], trouble: str
) -> None:
    """The reason is said in one sentence, and no file is left behind."""
    with pytest.raises((ConfigurationError, SchemaMismatch), match=trouble):
        new(tmp_path, **said)
    assert list(tmp_path.rglob("*.py")) == []


def test_a_column_that_cannot_be_compared_is_refused_by_name(tables: Pair, tmp_path: Path) -> None:
    """The command says which column it is, and how to leave it out; the file then says that it was left out."""
    for dsn, table in ((tables.primary, '"Reading"'), (tables.secondary, "public.readings")):
        with psycopg.connect(dsn) as connection:
            connection.execute(f"ALTER TABLE {table} ADD spot point".encode())
    with pytest.raises(ConfigurationError, match=r"Column spot is point, which cannot be compared") as caught:
        new(tmp_path)
    assert "--without spot" in caught.value.todo
    assert "spot" not in {column.name for column in new(tmp_path, without="spot").columns}
    assert "column spot of prisma is left out" in (tmp_path / "contracts" / "readings.py").read_text(encoding="utf-8")


def test_a_second_dataset_stands_beside_the_first(tables: Pair, tmp_path: Path) -> None:
    """A folder that has datasets keeps them, and what was written by hand is never overwritten."""
    new(tmp_path)
    file = tmp_path / "contracts" / "readings.py"
    file.write_text(file.read_text(encoding="utf-8") + "# mine\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="is there already"):
        new(tmp_path)
    assert new(tmp_path, name="measurements").name == "measurements"
    assert file.read_text(encoding="utf-8").endswith("# mine\n")
