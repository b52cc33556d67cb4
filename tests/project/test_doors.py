"""What the doors of the packages load and offer."""

from __future__ import annotations

import ast
import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
HEAVY = ("pandas", "pandera", "great_expectations", "prefect", "supabase", "sqlalchemy", "psycopg", "pyarrow")
PACKAGES = ("contracts", "expectations", "flows", "reports", "storage")
MODULES = (*PACKAGES, "twinstore", "contracts.registry", "expectations.registry", "flows.cli", "storage.ports")
INITS = sorted(path for package in PACKAGES for path in (REPOSITORY / package).rglob("__init__.py"))
DOORS = [path for path in INITS if "__all__" in path.read_text(encoding="utf-8")]


def name_of(path: Path) -> str:
    """Return the name of the package whose `__init__.py` this is."""
    return ".".join(path.parent.relative_to(REPOSITORY).parts)


@pytest.mark.parametrize("module", MODULES)
def test_a_door_loads_no_heavy_library(module: str) -> None:
    """What takes seconds to load is loaded where it is used, not where it is named."""
    code = f"import json, sys, {module}; print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


@pytest.mark.parametrize("path", DOORS, ids=name_of)
def test_a_door_names_what_it_offers(path: Path) -> None:
    """`__all__` is sorted (constants, classes, functions), names nothing twice, and what it names is there."""
    door = importlib.import_module(name_of(path))
    assert list(door.__all__) == sorted(set(door.__all__), key=lambda n: (not n.isupper(), n[0].islower(), n))
    assert [name for name in door.__all__ if not hasattr(door, name)] == []


@pytest.mark.parametrize("path", INITS, ids=name_of)
def test_a_package_says_what_it_is_for(path: Path) -> None:
    """Every package has a docstring, and one that imports anything says in `__all__` what of it is meant."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    imports = [
        n for n in tree.body if isinstance(n, (ast.Import, ast.ImportFrom)) and getattr(n, "module", "") != "__future__"
    ]
    assert path in DOORS or not imports
