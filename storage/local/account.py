"""Who runs the servers when we are root, and where that account can reach its files.

PostgreSQL refuses to run as root. Only its own processes change to another account; no folder that we did not create
gets another owner or mode. See docs/adr/0001-servers-as-root.md.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from contracts.errors import ConfigurationError
from storage.files import make_folder

SHELTER = Path("/var/lib/twinstore")
"""Where root keeps what the account of the servers must reach, when TWINSTORE_HOME or the programs are closed to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A system account other than our own."""

    uid: int
    gid: int

    def can_enter(self, folder: Path) -> bool:
        """Tell whether a process of this account can change into `folder`."""
        return self._succeeds('cd -- "$1"', folder)

    def can_run(self, program: Path) -> bool:
        """Tell whether a process of this account can run `program` and load its libraries."""
        return self._succeeds('exec "$1" --version', program)

    def _succeeds(self, script: str, path: Path) -> bool:
        # Asked of the system, not computed from modes: access lists and mounts count as well.
        command = ["/bin/sh", "-c", script, "sh", str(path)]
        try:
            done = subprocess.run(
                command, user=self.uid, group=self.gid, extra_groups=[], cwd="/", capture_output=True, check=False
            )
        except OSError as exc:
            raise ConfigurationError(
                "PostgreSQL refuses to run as root, and this root may not change to another account.",
                "Run twinstore as a normal user.",
            ) from exc
        return done.returncode == 0


def server_account(folder: Path, data: Path | None = None) -> Account | None:
    """Return the account that must run a server; None for our own.

    As root it is the owner of the data folder where there is one; else the owner of the folder around it, if that is a
    normal user whom the system knows; else `nobody`.

    Raises:
        ConfigurationError: We are root, and the system has no account `nobody`.
    """
    if os.geteuid() != 0:
        return None
    if data is not None and data.exists() and (owner := data.stat()).st_uid != 0:
        return Account(uid=owner.st_uid, gid=owner.st_gid)
    if folder.exists() and (owner := folder.stat()).st_uid != 0 and _is_known(owner.st_uid):
        return Account(uid=owner.st_uid, gid=owner.st_gid)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError as exc:
        raise ConfigurationError(
            "PostgreSQL refuses to run as root, and there is no account `nobody` to run it.",
            "Run twinstore as a normal user.",
        ) from exc
    return Account(uid=nobody.pw_uid, gid=nobody.pw_gid)


def _is_known(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:  # such as the owner of a folder that was mounted into a container; initdb needs a name
        return False
    return True


def reachable_folder(wanted: Path, shelter: Path) -> Path:
    """Return a folder for servers: `wanted`, or as root, where the account cannot enter it, one below `shelter`.

    Its name there follows from the path of `wanted`, and `wanted` becomes a link to it: a lost link is found again. The
    parent of `wanted` must exist.

    Raises:
        ConfigurationError: We are root and may not change to another account, or cannot make the shelter.
    """
    if wanted.exists():
        return wanted.resolve()
    account = server_account(wanted.parent)
    wanted.unlink(missing_ok=True)  # a link that leads nowhere
    make_folder(wanted)
    if account is None or account.can_enter(wanted):
        return wanted.resolve()
    wanted.rmdir()
    make_shelter(shelter)
    folder = make_folder(sheltered_folder(wanted, shelter))
    wanted.symlink_to(folder, target_is_directory=True)
    return folder


def sheltered_folder(wanted: Path, shelter: Path) -> Path:
    """Return where below `shelter` the folder is that stands for `wanted`, whether it exists or not."""
    path = os.fsencode(wanted.parent.resolve() / wanted.name)
    return shelter / hashlib.sha256(path).hexdigest()[:16]


def make_shelter(shelter: Path) -> Path:
    """Create the shelter unless it is there, and return it.

    Raises:
        ConfigurationError: It cannot be made.
    """
    try:
        return make_folder(shelter)
    except OSError as exc:
        raise ConfigurationError(
            f"The folder {shelter} cannot be made: {exc.strerror}.",
            "Set TWINSTORE_HOME to a folder that every account may enter, or run twinstore as a normal user.",
        ) from exc
