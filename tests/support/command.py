"""The command line as users have it: the installed script, in a process of its own, with an environment of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support.servers import Pair

SCRIPT = Path(sys.executable).with_name("twinstore")
REPOSITORY = Path(__file__).parents[2]
_LIMITED = 'ulimit -f "$0" && exec "$@"'  # in blocks of 512 bytes


def environment(pair: Pair | None, home: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a command on this pair, which does not wait for rows to settle."""
    own = {"TWINSTORE_HOME": str(home), "TWINSTORE_GRACE_S": "0", "TWINSTORE_RECHECK_ROUNDS": "1", "COLUMNS": "200"}
    urls = {"DATABASE_URL": pair.primary, "SUPABASE_DB_URL": pair.secondary} if pair else {}
    return {**os.environ, **own, **urls, **settings}


def twinstore(
    pair: Pair | None,
    home: Path,
    *arguments: str,
    settings: Mapping[str, str] | None = None,
    max_file_kib: int | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end.

    Args:
        pair: The stores; None for none.
        home: TWINSTORE_HOME.
        *arguments: What is said on the command line.
        settings: Further settings, by their names in the environment.
        max_file_kib: Size beyond which no file may grow, as on a full disk, in KiB.
    """
    limited = [] if max_file_kib is None else ["/bin/sh", "-c", _LIMITED, str(2 * max_file_kib)]
    return subprocess.run(
        [*limited, SCRIPT, *arguments],
        env=environment(pair, home, settings or {}),
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=180,
        check=False,
    )


def flat(text: str) -> str:
    """Return a text with every stretch of white space as one space, since consoles break lines."""
    return " ".join(text.split())
