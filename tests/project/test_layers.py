"""Imports point one way: kept as the code stands, and planted violations are caught."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PACKAGES = ("contracts", "expectations", "flows", "reports", "storage")
LINTER = Path(sys.executable).with_name("lint-imports")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code, in which violations are planted."""
    folder = tmp_path_factory.mktemp("code")
    for package in PACKAGES:
        shutil.copytree(REPOSITORY / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "pyproject.toml", folder)
    return folder


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the code in a folder."""
    return subprocess.run([LINTER, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False)


def test_the_layers_are_kept(copy: Path) -> None:
    """The code as it stands breaks no contract, and there are contracts."""
    done = lint(copy)
    assert done.returncode == 0, done.stdout
    assert " kept, 0 broken" in done.stdout


@pytest.mark.parametrize(
    ("module", "statement", "contract"),
    [
        ("contracts/instants.py", "import storage.ports", "Imports point one way"),
        ("reports/words.py", "import storage.ports", "Imports point one way"),
        ("storage/meter.py", "import flows.settings", "Imports point one way"),
        ("flows/version.py", "import psycopg", "Only storage imports drivers"),
        (
            "storage/postgres.py",
            "import storage.local.gateway.service",
            "Nothing but the local pair knows the gateway",
        ),
        ("storage/meter.py", "import prefect", "Only flows import Prefect"),
        ("reports/words.py", "import great_expectations", "Only expectations import Great Expectations"),
    ],
)
def test_a_planted_violation_is_caught(copy: Path, module: str, statement: str, contract: str) -> None:
    """An import against the layers is reported under the contract that forbids it, wherever in the module it stands."""
    path = copy / module
    honest = path.read_text(encoding="utf-8")
    path.write_text(f"{honest}\n\ndef planted() -> None:\n    {statement}\n", encoding="utf-8")
    try:
        done = lint(copy)
    finally:
        path.write_text(honest, encoding="utf-8")
    assert done.returncode == 1, done.stdout
    assert f"{contract} BROKEN" in " ".join(done.stdout.split())
