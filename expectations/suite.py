"""What a suite is: declared checks, each of which plans one expectation for a table that is known by some facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from contracts.vocabulary import Severity, StoreName
from expectations.dialect import Dialect

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts(Generic[T]):
    """What is known about a table before its suite is planned.

    Attributes:
        store: The store that holds the table.
        dialect: The SQL that is spoken where the table lies.
        columns: The columns that the check declares: what they are called in this table, by canonical name.
        rows: Number of its rows, at least 1.
        now: The moment of the run; with a time zone.
        trend: Numbers of rows of earlier runs, oldest first.
        thresholds: Limits of the suite.
    """

    store: StoreName
    dialect: Dialect
    columns: Mapping[str, str]
    rows: int
    now: datetime
    trend: tuple[int, ...]
    thresholds: T


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What an expectation saw.

    Attributes:
        observed: What was measured, in words; never a personal value.
        failing_rows: Number of rows that violate it, where it is about rows.
        sample_keys: Keys of some of them, smallest first.
    """

    observed: str
    failing_rows: int = 0
    sample_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One expectation to evaluate.

    Attributes:
        expectation: An expectation of Great Expectations, made from its class: one that is given by name and unknown
            is dropped in silence.
        read: Turns the `result` part of its answer into a finding; raises when the answer lacks it.
    """

    expectation: Expectation
    read: Callable[[Mapping[str, Any]], Finding]


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """A check that cannot be evaluated yet, and why, in one sentence."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredCheck(Generic[T]):
    """One check of a suite.

    Attributes:
        id: Stable id, `<dataset>.<name>`.
        severity: How bad a failure is.
        sentence: What must hold, and what is wrong when it does not.
        plan: Makes the expectation for a table.
        columns: Canonical names of the columns that it reads; the plan is told no other.
        broken_by: Ids of the faults of the catalogue that break it.
    """

    id: str
    severity: Severity
    sentence: str
    plan: Callable[[Facts[T]], Ask | Skip]
    columns: tuple[str, ...] = ()
    broken_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite(Generic[T]):
    """All checks of one dataset, for both stores.

    Attributes:
        dataset_name: Name of the dataset.
        checks: The checks, in the order in which they are reported.
        thresholds: The limits that hold unless others are given.
    """

    dataset_name: str
    checks: tuple[DeclaredCheck[T], ...]
    thresholds: T
