"""Which process holds something, and whether it is still alive: so that nobody waits for the dead."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """One process on one machine.

    Attributes:
        host: Name of the machine, for people.
        space: Boot and process table in which the pid counts; two containers on one machine have different ones.
        pid: Process id.
        born: When it started, in clock ticks since boot; empty where the system does not tell.
    """

    host: str
    space: str
    pid: int
    born: str

    @property
    def boot(self) -> str:
        """The boot of the machine, as far as the system tells."""
        return self.space.partition(" ")[0]


def this_process() -> Holder:
    """Return the calling process as a holder."""
    pid = os.getpid()
    return Holder(host=socket.gethostname(), space=_space(), pid=pid, born=_born(pid))


def is_dead(holder: Holder, here: Holder, *, one_machine: bool) -> bool:
    """Say whether `holder` provably no longer runs, as seen by the process `here`.

    Args:
        holder: Whose life is in doubt.
        here: The process that asks.
        one_machine: True when both must be on one machine, so that another boot means an earlier one.
    """
    if one_machine and "" not in (holder.boot, here.boot) and holder.boot != here.boot:
        return True
    if (holder.host, holder.space) != (here.host, here.space):
        return False  # its process table cannot be seen from here
    if not _exists(holder.pid):
        return True
    return holder.born != "" and _born(holder.pid) not in ("", holder.born)  # the pid belongs to another one by now


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return _state(pid) != "Z"  # a zombie holds nothing any more; its parent has only not looked yet


def _stat(pid: int) -> list[str]:
    """Return the fields of Linux' account of a process after its name; none on other systems."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def _state(pid: int) -> str:
    return next(iter(_stat(pid)), "")


def _born(pid: int) -> str:
    fields = _stat(pid)
    return fields[19] if len(fields) > 19 else ""  # noqa: PLR2004 - field 22 of the line, counted from the third


def _space() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        names = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""
    return f"{boot} {names}"
