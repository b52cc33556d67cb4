"""Processes of a server: launched to outlive us, found by the folder in which they work, ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypedDict

from storage.local.account import Account

_DETACHED = '"$@" & :'  # the shell leaves at once: nobody has to wait for the program, and no signal of ours reaches it


class Identity(TypedDict, total=False):
    """Arguments of `subprocess.run` that change the account of the child."""

    user: int
    group: int
    extra_groups: list[int]
    umask: int


def identity(account: Account | None) -> Identity:
    """Return the arguments of `subprocess.run` that make the child a process of `account`; None for our own."""
    if account is None:
        return {"umask": 0o077}
    return {"user": account.uid, "group": account.gid, "extra_groups": [], "umask": 0o077}


def launch(
    command: Sequence[str], *, account: Account | None, environment: Mapping[str, str], output: int, keep: int
) -> None:
    """Launch a program in a session of its own and leave it alone.

    Args:
        command: The program and its arguments.
        account: Who runs it; None for our own account.
        environment: All of its environment.
        output: Open file for what it says.
        keep: Open file that it inherits.
    """
    subprocess.run(
        ["/bin/sh", "-c", _DETACHED, "sh", *command],
        **identity(account),
        env=environment,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        pass_fds=[keep],
        start_new_session=True,
        check=True,
    )


def works_in(pid: int, folder: Path) -> bool:
    """Tell whether process `pid` works in `folder`; where the system does not tell, whether it lives."""
    if not Path("/proc/self/cwd").exists():
        return _lives(pid)
    try:
        return Path(f"/proc/{pid}/cwd").samefile(folder)
    except OSError:
        return False


def oldest_in(folder: Path) -> int | None:
    """Return the process that has worked in `folder` for the longest; None if there is none, or none can be found."""
    return min(_all_in(folder), default=None, key=_started)


def end_all_in(folder: Path) -> None:
    """Kill every process that works in `folder`; where the system does not name them, none."""
    for pid in _all_in(folder):
        send(pid, signal.SIGKILL)


def send(pid: int, how: signal.Signals) -> None:
    """Send a signal to a process that may have ended."""
    with suppress(ProcessLookupError):
        os.kill(pid, how)


def _all_in(folder: Path) -> list[int]:
    return [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if works_in(int(entry.name), folder)]


def _started(pid: int) -> int:
    try:
        return Path(f"/proc/{pid}").stat().st_ctime_ns
    except OSError:  # it ended meanwhile
        return sys.maxsize


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
