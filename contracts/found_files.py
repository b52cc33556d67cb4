"""The files that make a dataset: a contract and a suite, in our packages or in a folder of the user's own.

A dataset is found by its files, nothing lists it: `contracts/NAME.py` assigns `CONTRACT`, `expectations/NAME.py`
assigns `SUITE`. Which folder is looked into beside our packages is said once, by whoever reads the settings.
"""

from __future__ import annotations

import importlib
import re
import sys
import traceback
from collections.abc import Iterator
from functools import cache
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from threading import RLock
from types import ModuleType

from contracts.errors import ConfigurationError

MARKS = {"contracts": "CONTRACT", "expectations": "SUITE"}
"""Per part, what the file of a dataset assigns at its top level."""

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_OURS = Path(__file__).resolve().parent.parent
_LOADED_AS = "twinstore_datasets"  # under which files are known to Python: a dataclass looks up its own module
_LOADING = RLock()  # a suite's file asks for its contract while it is loaded
_folder: Path | None = None


def use_folder(path: Path | None) -> None:
    """Look for datasets in this folder, too: `contracts/NAME.py` and `expectations/NAME.py` below it.

    Args:
        path: The folder; None to look in our packages only.

    Raises:
        ConfigurationError: There is no such folder.
    """
    global _folder  # noqa: PLW0603 - a setting of the process, like the path on which Python looks for modules
    if path is not None and not (path / "contracts").is_dir():
        raise ConfigurationError(
            f"The folder {path} holds no datasets.",
            "Set TWINSTORE_DATASETS to a folder with contracts/NAME.py and expectations/NAME.py below it.",
        )
    found = path.resolve() if path else None
    with _LOADING:
        if found == _folder:
            return
        _folder = found
        for known in [name for name in sys.modules if name.startswith(f"{_LOADED_AS}.")]:
            del sys.modules[known]


def folder() -> Path | None:
    """Return the folder that is looked into beside our packages."""
    return _folder


def names(part: str) -> tuple[str, ...]:
    """Return the names of all datasets that have a file of this part, sorted.

    Args:
        part: `contracts` or `expectations`.
    """
    return tuple(sorted({*_ours(part), *_theirs(part)}))


def module(part: str, name: str) -> ModuleType | None:
    """Return what the file of one dataset defines, loaded once; None where it has no such file. Ours come first.

    Args:
        part: `contracts` or `expectations`.
        name: Name of the dataset.

    Raises:
        ConfigurationError: The file cannot be loaded, or does not assign what it must. The error names the line, and
            quotes nothing.
    """
    if name in _ours(part):
        return importlib.import_module(f"{part}.{name}")
    if _folder is None or name not in _theirs(part):
        return None
    known = f"{_LOADED_AS}.{part}.{name}"
    with _LOADING:
        if known not in sys.modules:
            _load(known, _folder / part / f"{name}.py", MARKS[part])
        return sys.modules[known]


@cache
def _ours(part: str) -> frozenset[str]:
    mark = re.compile(rf"^{MARKS[part]}\b", re.MULTILINE)
    files = (_OURS / part).glob("*.py")
    return frozenset(file.stem for file in files if mark.search(file.read_text(encoding="utf-8")))


def _theirs(part: str) -> Iterator[str]:
    if _folder is not None:
        yield from (file.stem for file in (_folder / part).glob("*.py") if _NAME.fullmatch(file.stem))


def _load(known: str, file: Path, mark: str) -> None:
    loader = SourceFileLoader(known, str(file))
    spec = spec_from_loader(known, loader)
    assert spec is not None  # noqa: S101 - only another kind of loader may have none
    made = sys.modules[known] = module_from_spec(spec)
    try:
        loader.exec_module(made)
    except (Exception, SystemExit) as exc:  # a file that ends Python must not end a gate as if it were passed
        del sys.modules[known]
        raise _unusable(exc, file) from exc
    if not hasattr(made, mark):
        del sys.modules[known]
        raise ConfigurationError(f"The file {file} does not assign {mark}.", "See docs/adding-a-dataset.md.")


def _unusable(exc: BaseException, file: Path) -> ConfigurationError:
    where = f"The file {file} cannot be used{_line(exc, file)}: "
    if isinstance(exc, ConfigurationError):  # what a contract says of itself quotes nothing
        return ConfigurationError(where + exc.what, exc.todo)
    return ConfigurationError(f"{where}{type(exc).__name__}.", "Mend it, or take it out of the folder.")


def _line(exc: BaseException, file: Path) -> str:
    """Return the line of the file in which an error came up."""
    if isinstance(exc, SyntaxError) and exc.filename == str(file):
        return f" in line {exc.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(exc.__traceback__) if frame.filename == str(file)]
    return f" in line {lines[-1]}" if lines else ""
