"""Where a check is declared: the line of a contract or suite to which an annotation points."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from contracts import found_files
from contracts.gate import SourceLine
from contracts.vocabulary import CheckSource

PARTS = {CheckSource.CONTRACT: "contracts", CheckSource.EXPECTATION: "expectations"}
_PACKAGES = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class _Declared:
    """What a file declares.

    Attributes:
        calls: Per text that some call is given, the call that declares most: those given a severity, too, come first.
            Each is a rank, 0 or 1, and a line.
        whole: The line that assigns the contract or the suite; None where none does.
    """

    calls: Mapping[str, tuple[int, int]]
    whole: int | None


def declared_at(check_id: str, source: CheckSource, base: Path) -> SourceLine | None:
    """Return the line that declares a check, in the files of its dataset; None where they are not below `base`.

    It is the call that is given the name of the check, best together with a severity; else the line that assigns the
    contract or the suite as a whole.

    Args:
        check_id: Id of the check, which begins with the name of its dataset.
        source: Contract or expectation.
        base: Folder of the project; paths are relative to it.
    """
    dataset, _, name = check_id.partition(".")
    files = {file: _declared(file, found_files.MARKS[PARTS[source]]) for file in _files(PARTS[source], dataset)}
    calls = [(d.calls[text], file) for file, d in files.items() for text in (check_id, name) if text in d.calls]
    if calls:
        (_, line), file = min(calls)
        return _relative(file, line, base)
    return next((_relative(file, d.whole, base) for file, d in files.items() if d.whole is not None), None)


def _files(part: str, dataset: str) -> Iterator[Path]:
    """Yield the files about a dataset: the one that bears its name, then those whose name goes on after it."""
    for folder in filter(None, (_PACKAGES, found_files.folder())):
        files = [folder / part / f"{dataset}.py", *sorted((folder / part).glob(f"{dataset}_*.py"))]
        yield from (file for file in files if file.is_file())


@cache
def _declared(file: Path, mark: str) -> _Declared:
    calls: dict[str, tuple[int, int]] = {}
    whole = None
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            given = [*node.args, *(keyword.value for keyword in node.keywords)]
            call = (0 if any(_is_severity(value) for value in given) else 1, node.lineno)
            texts = [v.value for v in given if isinstance(v, ast.Constant) and isinstance(v.value, str)]
            calls |= {text: min(call, calls.get(text, call)) for text in texts}
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            whole = node.lineno if any(isinstance(t, ast.Name) and t.id == mark for t in targets) else whole
    return _Declared(calls=calls, whole=whole)


def _is_severity(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Severity"


def _relative(file: Path, line: int, base: Path) -> SourceLine | None:
    """Return a path as a code host knows it; a file elsewhere, such as an installed package, is unknown there."""
    try:
        path = file.resolve().relative_to(base.resolve())
    except ValueError:
        return None
    return None if "site-packages" in path.parts else SourceLine(path=path.as_posix(), line=line)
