"""A bare `pg_dump` of the same schemas, with which the time of a backup is compared."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from contracts.errors import Unavailable
from contracts.vocabulary import StoreName
from storage.backup.contents import frozen
from storage.backup.dump import arguments
from storage.backup.programs import connection_environment, find_pg_dump
from storage.session import Limits


def bare_dump(dsn: str, store: StoreName, schemas: Sequence[str], target: Path) -> int:
    """Dump some schemas into a file by pg_dump alone; return the size of the file in bytes.

    Raises:
        Unavailable: It failed.
        TwinstoreError: The store cannot be reached.
    """
    with frozen(dsn, store, Limits()) as connection:
        program = find_pg_dump(connection.info.server_version // 10000)
        environment = connection_environment(connection)
    command = [str(program.path), *arguments(None, schemas), f"--file={target}"]
    done = subprocess.run(command, env=environment, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode != 0:
        raise Unavailable(f"pg_dump of {store} failed.", "Try again.", store=store)
    return target.stat().st_size
