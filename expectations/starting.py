"""A suite for any table to start with: volume, freshness, NULLs, keys. Its file is the place for what comes later."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil

from contracts.dataset import Column, ColumnType, Dataset
from contracts.errors import ConfigurationError
from contracts.vocabulary import Severity
from expectations.suite import DeclaredCheck, Suite
from expectations.table_checks import (
    Plan,
    TableThresholds,
    freshness,
    key_unique,
    not_shrunk,
    null_rate,
    volume_trend,
)

_OF_TIME = frozenset({ColumnType.DATE, ColumnType.TIMESTAMP_MS, ColumnType.TIMESTAMP_US})
_MEND = "Mend its suite, or declare the column in its contract."
_ROOM = 1.5  # as a share of what is found today, what is still usual
_LEAST_ROOM = 0.05  # more NULLs than today, as a share of the rows
_FILE = '''"""The suite of {name}: what must hold for the table as a whole, on both stores alike."""

from contracts.registry import contract_for
from expectations.starting import StartingThresholds, starting_suite

SUITE = starting_suite(contract_for("{name}").dataset, StartingThresholds({limits}))
'''


@dataclass(frozen=True, slots=True, kw_only=True)
class StartingThresholds(TableThresholds):
    """Limits of a starting suite, beside those of any table.

    Attributes:
        null_shares: Highest share of NULLs, by column; other columns are not looked at.
    """

    null_shares: Mapping[str, float] = field(default_factory=dict)


Check = DeclaredCheck[StartingThresholds]


def starting_suite(
    dataset: Dataset, thresholds: StartingThresholds, *, fresh: str | None = None, more: tuple[Check, ...] = ()
) -> Suite[StartingThresholds]:
    """Return a suite of what can be asked of any table, and of `more`.

    Args:
        dataset: The dataset.
        thresholds: Its limits.
        fresh: Canonical name of a column of instants or dates of which the newest must be recent; by default the one
            that says when a row was last changed, or else made. Without any there is no such check.
        more: Checks of the dataset's own.

    Raises:
        ConfigurationError: The dataset lacks a column that is named, or `fresh` is a column of another type.
    """
    fresh = fresh or dataset.updated or dataset.created
    return Suite(
        dataset_name=dataset.name,
        thresholds=thresholds,
        checks=(
            *_of_volume(dataset),
            *(() if fresh is None else (_of_freshness(dataset, _known(dataset, fresh)),)),
            *(_of_nulls(dataset, _known(dataset, name)) for name in thresholds.null_shares),
            _of_keys(dataset),
            *more,
        ),
    )


def starting_file(dataset_name: str, *, null_shares: Mapping[str, float], newest_age_days: float | None = None) -> str:
    """Return the text of a suite file, as a starting point: what is found today passes, with some room.

    Args:
        dataset_name: Name of the dataset.
        null_shares: The shares of NULLs that are found today, by canonical name of a column; a column that holds
            nothing else is left out.
        newest_age_days: Age in days of the newest change that is found today.
    """
    limits = [
        f"{json.dumps(name, ensure_ascii=False)}: {_room(share)}" for name, share in null_shares.items() if share < 1
    ]
    arguments = [f"null_shares={{{', '.join(limits)}}}"] if limits else []
    if newest_age_days is not None and newest_age_days * _ROOM > StartingThresholds().fresh_days:
        arguments.append(f"fresh_days={ceil(newest_age_days * _ROOM)}")
    return _FILE.format(name=dataset_name, limits=", ".join(arguments))


def _room(share: float) -> float:
    return min(1.0, round(max(share * _ROOM, share + _LEAST_ROOM), 2))


def _of_volume(dataset: Dataset) -> tuple[Check, ...]:
    return (
        _check(
            dataset,
            "volume_trend",
            Severity.WARNING,
            volume_trend,
            "The number of rows is near that of earlier runs; a jump means a runaway import or lost writes.",
        ),
        _check(
            dataset,
            "not_shrunk",
            Severity.CRITICAL,
            not_shrunk,
            "The table did not lose more than a small share of its rows since the run before; else rows were deleted.",
        ),
    )


def _of_freshness(dataset: Dataset, column: Column) -> Check:
    if column.type not in _OF_TIME or column.array:
        raise ConfigurationError(f"The column `{column.name}` of {dataset.name} holds no moments.", _MEND)
    sentence = "The newest change is recent and not in the future; else writes do not arrive or a clock is wrong."
    plan: Plan[StartingThresholds] = freshness(column)
    return _check(dataset, "freshness", Severity.WARNING, plan, sentence, column.name)


def _of_nulls(dataset: Dataset, column: Column) -> Check:
    sentence = f"No more of `{column.name}` is NULL than usual; else a writer lost it."
    plan: Plan[StartingThresholds] = null_rate(column.name, lambda limits: limits.null_shares[column.name])
    return _check(dataset, f"null_rate.{column.name}", Severity.WARNING, plan, sentence, column.name)


def _of_keys(dataset: Dataset) -> Check:
    sentence = "No two rows have the same key, in whatever spelling; only one of them can exist on the other store."
    plan: Plan[StartingThresholds] = key_unique(dataset)
    return _check(dataset, "key_unique", Severity.CRITICAL, plan, sentence, *dataset.key)


def _known(dataset: Dataset, name: str) -> Column:
    try:
        return dataset.column(name)
    except KeyError:
        raise ConfigurationError(f"{dataset.name} has no column `{name}`, which its suite names.", _MEND) from None


def _check(
    dataset: Dataset, name: str, severity: Severity, plan: Plan[StartingThresholds], sentence: str, *columns: str
) -> Check:
    return DeclaredCheck(id=f"{dataset.name}.{name}", severity=severity, plan=plan, sentence=sentence, columns=columns)
