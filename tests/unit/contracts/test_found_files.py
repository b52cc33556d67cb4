"""Datasets are found by their files, in our packages and in a folder of the user's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts import found_files
from contracts.errors import ConfigurationError
from contracts.planning import CONTRACT
from contracts.registry import contract_for, known_datasets

GOOD = """
from dataclasses import replace
from contracts.planning import CONTRACT as PLANNED
CONTRACT = replace(PLANNED, dataset=replace(PLANNED.dataset, name="orders"))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in which datasets are looked for."""
    (tmp_path / "contracts").mkdir()
    found_files.use_folder(tmp_path)
    yield tmp_path
    found_files.use_folder(None)


def test_our_own_datasets_are_found_without_being_listed() -> None:
    """Only files that assign a contract are datasets, and planning is one."""
    assert known_datasets() == ("planning",)
    assert contract_for("planning") is CONTRACT
    assert found_files.folder() is None
    assert found_files.module("contracts", "dataset") is None


def test_a_contract_file_in_the_folder_is_a_dataset(folder: Path) -> None:
    """A new file is found at once, stays the same object, and is gone with the folder."""
    (folder / "contracts" / "orders.py").write_text(GOOD)
    (folder / "contracts" / "_shared.py").write_text("raise SystemExit")
    assert known_datasets() == ("orders", "planning")
    assert contract_for("orders").dataset.name == "orders"
    assert contract_for("orders") is contract_for("orders")
    assert found_files.folder() == folder.resolve()
    found_files.use_folder(None)
    assert known_datasets() == ("planning",)


def test_an_unknown_dataset_is_refused_with_those_that_are_known() -> None:
    """The error says which names there are."""
    with pytest.raises(ConfigurationError, match=r"no dataset 'order'.*Use one of: planning"):
        contract_for("order")


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        ("x = (", "in line 1: SyntaxError"),
        ("\nimport nothing_of_that_name", "in line 2: ModuleNotFoundError"),
        ("import sys\nsys.exit(0)", "in line 2: SystemExit"),
        ("RULES = ()", "does not assign CONTRACT"),
        ("CONTRACT = 1", "does not hold the contract of orders"),
        ("from contracts.planning import CONTRACT", "does not hold the contract of orders"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_place(folder: Path, text: str, trouble: str) -> None:
    """The error names the file, the line and what it must assign."""
    (folder / "contracts" / "orders.py").write_text(text)
    with pytest.raises(ConfigurationError, match=trouble) as caught:
        contract_for("orders")
    assert "orders.py" in str(caught.value)


def test_a_folder_without_contracts_is_refused(tmp_path: Path) -> None:
    """A mistyped folder is an error, not a folder without datasets."""
    with pytest.raises(ConfigurationError, match="holds no datasets"):
        found_files.use_folder(tmp_path / "nowhere")
