"""All suites, by the name of their dataset: found as files, not listed; see `contracts.found_files`."""

from __future__ import annotations

from typing import Any

from contracts import found_files
from contracts.errors import ConfigurationError
from contracts.registry import contract_for
from contracts.vocabulary import Severity
from expectations.suite import Suite


def suite_for(dataset_name: str) -> Suite[Any]:
    """Return the suite of a dataset.

    Raises:
        ConfigurationError: No such dataset is known, or its suite is missing, cannot be loaded or is another one's.
    """
    contract = contract_for(dataset_name)
    module = found_files.module("expectations", dataset_name)
    if module is None:
        raise ConfigurationError(
            f"There is no suite for {dataset_name!r}.", f"Add a file expectations/{dataset_name}.py that assigns SUITE."
        )
    suite = module.SUITE
    if not isinstance(suite, Suite) or suite.dataset_name != dataset_name:
        raise ConfigurationError(
            f"The file {module.__file__} does not hold the suite of {dataset_name}.",
            f"Let SUITE be a Suite whose dataset_name is {dataset_name!r}, as the file is called.",
        )
    known = {column.name for column in contract.dataset.columns}
    unknown = sorted({column for check in suite.checks for column in check.columns} - known)
    if unknown:
        raise ConfigurationError(
            f"The suite of {dataset_name} reads columns that its contract does not know: {', '.join(unknown)}.",
            "Declare them in the contract, or mend the suite.",
        )
    return suite


def declared_checks(dataset_name: str) -> list[tuple[str, Severity, str]]:
    """Return id, severity and sentence of every check of a dataset's suite, without loading Great Expectations.

    Raises:
        ConfigurationError: As `suite_for`.
    """
    return [(check.id, check.severity, check.sentence) for check in suite_for(dataset_name).checks]


def needed_columns(dataset_name: str) -> tuple[str, ...]:
    """Return the canonical names of the columns that the suite of a dataset reads, in the order of the dataset.

    Raises:
        ConfigurationError: As `suite_for`.
    """
    read = {column for check in suite_for(dataset_name).checks for column in check.columns}
    return tuple(column.name for column in contract_for(dataset_name).dataset.columns if column.name in read)
