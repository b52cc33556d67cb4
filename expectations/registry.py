"""Suites, found by the name of their dataset: files `NAME.py` that define `SUITE`, here or in a folder of the user."""

from __future__ import annotations

from typing import Any

from contracts.registry import contract_for
from contracts.vocabulary import Severity
from expectations.suite import Suite


def suite_for(dataset_name: str) -> Suite[Any]:
    """Return the suite of a dataset.

    Raises:
        ConfigurationError: No such dataset is known.
    """
    contract_for(dataset_name)
    from expectations import planning

    return planning.SUITE


def declared_checks(dataset_name: str) -> list[tuple[str, Severity, str]]:
    """Return id, severity and sentence of every check of a dataset's suite, without loading Great Expectations.

    Raises:
        ConfigurationError: No such dataset is known.
    """
    return [(check.id, check.severity, check.sentence) for check in suite_for(dataset_name).checks]


def needed_columns(dataset_name: str) -> tuple[str, ...]:
    """Return the canonical names of the columns that the suite of a dataset reads, in the order of the dataset.

    Raises:
        ConfigurationError: No such dataset is known.
    """
    read = {column for check in suite_for(dataset_name).checks for column in check.columns}
    return tuple(column.name for column in contract_for(dataset_name).dataset.columns if column.name in read)
