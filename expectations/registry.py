"""All suites, by the name of their dataset: adding a dataset adds one line here and one file with its checks."""

from __future__ import annotations

from typing import Any

from contracts.errors import ConfigurationError
from contracts.vocabulary import Severity
from expectations.planning import PLANNING_SUITE
from expectations.suite import Suite

_SUITES: dict[str, Suite[Any]] = {PLANNING_SUITE.dataset_name: PLANNING_SUITE}


def suite_for(dataset_name: str) -> Suite[Any]:
    """Return the suite of a dataset.

    Raises:
        ConfigurationError: No such dataset is known.
    """
    try:
        return _SUITES[dataset_name]
    except KeyError:
        known = ", ".join(sorted(_SUITES))
        raise ConfigurationError(f"There is no suite for {dataset_name!r}.", f"Use one of: {known}.") from None


def declared_checks(dataset_name: str) -> list[tuple[str, Severity, str]]:
    """Return id, severity and sentence of every check of a dataset's suite, without loading Great Expectations.

    Raises:
        ConfigurationError: No such dataset is known.
    """
    return [(check.id, check.severity, check.sentence) for check in suite_for(dataset_name).checks]
