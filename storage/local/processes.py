"""Processes of a server: launched to outlive us, recognised by a mark in their command line, ended.

PostgreSQL puts its parameter `cluster_name` into the title of each of its processes, and every account may read titles.
(Their working folders, which would tell as well, are closed even to root in most containers.)
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypedDict

from storage.local.account import Account

_DETACHED = '"$@" & :'  # the shell leaves at once: nobody has to wait for the program


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


def postmasters(mark: str) -> set[int]:
    """Return the processes started with `cluster_name=mark`: the postmaster, and for an instant what it forks."""
    return {pid for pid, line in _command_lines() if f" cluster_name={mark} " in line and "/postgres -D " in line}


def children(mark: str) -> set[int]:
    """Return the processes that a postmaster with this mark forked, whether it still lives or not."""
    return {pid for pid, line in _command_lines() if line.startswith(f"postgres: {mark}: ")}


def mentioning(argument: str) -> set[int]:
    """Return the processes of whose command line an argument begins like this."""
    return {pid for pid, line in _command_lines() if f" {argument}" in line}


def gateways(folder: str) -> set[int]:
    """Return the processes that serve the REST interface kept in `folder`."""
    return {pid for pid, line in _command_lines() if f" -m storage.local.gateway --folder {folder} " in line}


def send(pid: int, how: signal.Signals) -> None:
    """Send a signal to a process that may have ended."""
    with suppress(ProcessLookupError):
        os.kill(pid, how)


def _command_lines() -> Iterator[tuple[int, str]]:
    """Yield number and command line of all processes, each line ended by a space."""
    if not Path("/proc/self/cmdline").exists():
        listing = subprocess.run(
            ["/bin/ps", "-axww", "-o", "pid=,command="],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=True,
        )
        for line in listing.stdout.splitlines():
            pid, _, command = line.strip().partition(" ")
            yield int(pid), f"{command} "
        return
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended meanwhile
            yield int(entry.name), (entry / "cmdline").read_text("utf-8", "replace").replace("\0", " ")
