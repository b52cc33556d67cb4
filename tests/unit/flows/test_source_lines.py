"""Annotations point at the line that declares a check."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts import found_files
from contracts.gate import SourceLine
from contracts.registry import contract_for
from contracts.vocabulary import CheckSource
from expectations.registry import declared_checks
from flows.source_lines import declared_at

REPOSITORY = Path(__file__).parents[3]
CHECKS = [
    *((rule.id, CheckSource.CONTRACT) for rule in contract_for("planning").rules),
    *((name, CheckSource.EXPECTATION) for name, *_ in declared_checks("planning")),
]
CONTRACT = """\
from contracts.vocabulary import Severity
HELP = print("name_known")
RULES = [
    dict(
        id="users.name_known", severity=Severity.CRITICAL),
]
CONTRACT: object = RULES
"""


@pytest.fixture
def datasets(tmp_path: Path) -> Iterator[Path]:
    """A folder of the user's own with one contract."""
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts" / "users.py").write_text(CONTRACT, encoding="utf-8")
    found_files.use_folder(tmp_path)
    yield tmp_path
    found_files.use_folder(None)


@pytest.mark.parametrize(("check", "source"), CHECKS)
def test_every_check_of_planning_has_its_line(check: str, source: CheckSource) -> None:
    """The line, or the one below it, names the check, in a file of the right package."""
    place = declared_at(check, source, REPOSITORY)
    assert place is not None
    assert place.line is not None
    assert place.path.startswith(f"{source}s/planning")
    lines = (REPOSITORY / place.path).read_text(encoding="utf-8").splitlines()
    assert f'"{check.removeprefix("planning.")}"' in "".join(lines[place.line - 1 : place.line + 1])


def test_a_check_without_a_declaration_of_its_own_has_the_line_of_the_whole() -> None:
    """What the run judges beside the rules stands under the contract."""
    place = declared_at("planning.rows_settle", CheckSource.CONTRACT, REPOSITORY)
    assert place is not None
    assert place.path == "contracts/planning.py"
    assert place.line is not None
    assert (REPOSITORY / place.path).read_text(encoding="utf-8").splitlines()[place.line - 1].startswith("CONTRACT")


def test_datasets_of_the_user_are_found_in_their_folder(datasets: Path) -> None:
    """A call that is given a severity declares a check, rather than one that only names it."""
    path = "contracts/users.py"
    assert declared_at("users.name_known", CheckSource.CONTRACT, datasets) == SourceLine(path=path, line=4)
    assert declared_at("users.other", CheckSource.CONTRACT, datasets) == SourceLine(path=path, line=7)


def test_what_is_not_in_the_project_has_no_line(datasets: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Neither an unknown dataset nor a file elsewhere, such as that of an installed package."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    assert declared_at("nothing.known", CheckSource.EXPECTATION, datasets) is None
    assert declared_at("users.name_known", CheckSource.CONTRACT, elsewhere) is None
    assert declared_at("planning.type_known", CheckSource.CONTRACT, elsewhere) is None
