"""All contracts, by the name of their dataset: found as files, not listed; see `contracts.found_files`."""

from __future__ import annotations

from contracts import found_files
from contracts.errors import ConfigurationError
from contracts.judge import Contract


def known_datasets() -> tuple[str, ...]:
    """Return the names of all datasets."""
    return found_files.names("contracts")


def contract_for(dataset_name: str) -> Contract:
    """Return the contract of a dataset.

    Raises:
        ConfigurationError: No such dataset is known, or its file cannot be loaded or holds no contract of that name.
    """
    module = found_files.module("contracts", dataset_name)
    if module is None:
        known = ", ".join(known_datasets())
        raise ConfigurationError(f"There is no dataset {dataset_name!r}.", f"Use one of: {known}.")
    contract = module.CONTRACT
    if not isinstance(contract, Contract) or contract.dataset.name != dataset_name:
        raise ConfigurationError(
            f"The file {module.__file__} does not hold the contract of {dataset_name}.",
            f"Let CONTRACT be a Contract whose dataset is called {dataset_name!r}, as the file is.",
        )
    return contract
