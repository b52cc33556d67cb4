"""The command line as users have it, in a process of its own, with an environment and a folder of its own.

`twinstore` forks it from a process that has loaded the heavy libraries, which takes three seconds each time;
`script` runs the installed script itself.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from flows.cli import main
from tests.support.servers import Pair

SCRIPT = Path(sys.executable).with_name("twinstore")
REPOSITORY = Path(__file__).parents[2]
PATIENCE_S = 180.0
_WARM = multiprocessing.get_context("forkserver")
_WARM.set_forkserver_preload(
    ["great_expectations", "pandera.pandas", "supabase", "flows.cli", "flows.check", "flows.gate", "reports"]
)


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
    with TemporaryDirectory(prefix="twinstore-said-") as folder:
        told = [Path(folder, name) for name in ("out", "err")]
        process = _WARM.Process(
            target=_live, args=(arguments, environment(pair, home, settings or {}), told, max_file_kib)
        )
        process.start()
        process.join(PATIENCE_S)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(arguments, PATIENCE_S)
        out, err = (file.read_text(encoding="utf-8") for file in told)
    return subprocess.CompletedProcess(arguments, process.exitcode, out, err)


def _live(arguments: tuple[str, ...], env: Mapping[str, str], told: list[Path], max_file_kib: int | None) -> None:
    """Be the command: its words, its environment, its files; what it says goes to the files that are told."""
    os.chdir(REPOSITORY)
    os.environ.clear()
    os.environ.update(env)
    nothing = os.open(os.devnull, os.O_RDONLY)
    opened = [os.open(file, os.O_WRONLY | os.O_CREAT) for file in told]
    for number, file in enumerate((nothing, *opened)):
        os.dup2(file, number)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - as long as the process lives
    sys.stdout, sys.stderr = (
        open(number, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115 - likewise
        for number in (1, 2)
    )
    sys.argv = ["twinstore", *arguments]
    if max_file_kib is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024 * max_file_kib,) * 2)
    main()


def script(
    pair: Pair | None, home: Path, *arguments: str, settings: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the installed script to its end, as `twinstore` does otherwise."""
    return subprocess.run(
        [SCRIPT, *arguments],
        env=environment(pair, home, settings or {}),
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=PATIENCE_S,
        check=False,
    )


def flat(text: str) -> str:
    """Return a text with every stretch of white space as one space, since consoles break lines."""
    return " ".join(text.split())
