"""The drill: a backup is restored into a scratch server, and what lies there is compared with what was dumped."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from contracts.backups import Damage, DatasetContent, Flaw, Form, KeptSide
from contracts.dataset import Dataset
from contracts.errors import ConfigurationError
from storage.backup.answers import Untried, told
from storage.backup.contents import frozen, read_contents
from storage.backup.differences import differences
from storage.backup.dump import PIECE_BYTES
from storage.backup.folder import misfit
from storage.backup.importing import import_rows
from storage.backup.programs import connection_environment, drill_version, program_at
from storage.backup.replay import call, replay, require_an_answer
from storage.backup.scratch import Scratch, scratch_errors
from storage.local.server import Server
from storage.ports import HashKind
from storage.session import Limits

DAY_S = 86_400.0
LIMITS = Limits(statement_s=DAY_S, lock_s=DAY_S)

Progress = Callable[[str], None]


@dataclass(slots=True)
class Restored:
    """One side of a backup in a scratch database.

    Attributes:
        scratch: The database.
        datasets: The datasets as they lie there.
        flaws: What is wrong with it.
        untried: What could not be made there.
        notes: Sentences about what could not be tried.
    """

    scratch: Scratch
    datasets: tuple[Dataset, ...]
    flaws: list[Flaw]
    untried: tuple[Untried, ...] = ()
    notes: list[str] = field(default_factory=list)


def check_files(folder: Path, side: KeptSide) -> list[Flaw]:
    """Compare size and SHA-256 of every file of a side with the manifest."""
    flaws = []
    for name, size, sha256 in side.files:
        if flaw := misfit(folder, name, size):
            flaws.append(flaw)
        elif sha256_of(folder / name) != sha256:
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
    restored = Restored(scratch=scratch, datasets=there, flaws=[])
    progress(f"restore {side.store} into a scratch server")
    if side.form is Form.EXPORT:
        restored.flaws += import_rows(folder, side, there, scratch)
    elif isinstance(said := replay(folder, side, server, scratch, restored.notes), Flaw):
        restored.flaws.append(said)
    else:
        restored.untried = said
    if not restored.flaws:
        progress(f"compare {side.store} with the manifest")
        restored.flaws += _compared(side, restored)
    if not restored.flaws:
        _require_all_that_counts(side, restored.untried)
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


def _require_all_that_counts(side: KeptSide, untried: Sequence[Untried]) -> None:
    """Draw no conclusion where something could not be made without which the backup is none.

    Raises:
        ConfigurationError: Rows, or what keeps them in order, need what the scratch server does not have.
    """
    if counting := [one for one in untried if one.counts]:
        needs = next((f", for want of {one.needs}" for one in counting if one.needs), "")
        raise ConfigurationError(
            f"{told(counting)} of the dump of {side.store} cannot be made in the scratch server{needs}: nobody can "
            "tell here whether the backup is good.",
            "Restore it into a server that has it, by pg_restore; docs/backup.md says how.",
        )


def _compared(side: KeptSide, restored: Restored) -> list[Flaw]:
    """Return what differs between the manifest and what was restored, of what could be made."""
    counting = [one for one in restored.untried if one.counts]
    held = () if any(one.what.startswith("TABLE ") for one in counting) else side.datasets
    with frozen(restored.scratch.superuser, side.store, LIMITS) as connection:
        there = {*connection.execute("SELECT schemaname, tablename FROM pg_tables").fetchall()}
        found = read_contents(
            connection,
            side.store,
            side.schemas or tuple(sorted({content.table[0] for content in side.datasets})),
            _comparable(side, restored.datasets, [content for content in held if content.table in there]),
            kind=_kind(side),
        )
    missing = [".".join(content.table) for content in held if content.table not in there]
    flaws = [Flaw(damage=Damage.MISSING_TABLE, text=f"The table {name} is missing.") for name in missing]
    made = replace(
        side,
        tables=tuple(table for table in side.tables if not any(one.concerns(table) for one in counting)),
        datasets=tuple(content for content in held if content.table in there),
        shape=found.shape if counting else side.shape,  # what else is missing may follow from what could not be made
    )
    return list(dict.fromkeys([*flaws, *differences(made, found, restored.notes)]))


def _comparable(side: KeptSide, datasets: Sequence[Dataset], contents: Sequence[DatasetContent]) -> tuple[Dataset, ...]:
    """Return the datasets that can be read as they were: of a dump those whose contract is as it was."""
    from storage.parity.audit import fingerprint

    forms = {content.dataset: content.form for content in contents}
    return tuple(
        dataset
        for dataset in datasets
        if dataset.name in forms
        and (side.form is Form.EXPORT or forms[dataset.name] == fingerprint(dataset, _kind(side)))
    )


def _kind(side: KeptSide) -> HashKind:
    """Return how the records of a side were hashed: all of them alike."""
    return HashKind(side.datasets[0].kind) if side.datasets else HashKind.RECORD


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
    done = call(program, ["--no-password", f"--database={environment['PGDATABASE']}"], environment)
    require_an_answer(done, "pages were checked")
    if done.returncode != 0:
        yield Flaw(damage=Damage.PAGES, text="pg_amcheck found a table or an index that is not sound.")


def _major(version: str) -> int:
    return int(version.split(".", maxsplit=1)[0] or 0)
