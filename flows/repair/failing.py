"""The checks of a run that failed, and how many rows of them no difference is about: people have to correct those."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contracts.dataset import Dataset
from contracts.verdicts import CheckResult
from contracts.vocabulary import CheckStatus, StoreName
from flows.own_checks import OF_THE_COMPARISON

if TYPE_CHECKING:
    from storage.repair.planning import Failing


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A check, as a run or its report tells of it.

    Attributes:
        id: Its id.
        store: The store.
        status: What became of it.
        rows: How many rows fail; None where it is about the table as a whole.
        keys: Keys of some of them, or of all.
    """

    id: str
    store: str
    status: str
    rows: int | None
    keys: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Differed:
    """What differed when a run looked, as far as it is known by now.

    Attributes:
        keys: Keys that differed.
        hidden: How many more did, or were under way, whose keys are not known.
        gone: How many of all these the plan does not look at, and how many rows that were not compared it may not.
    """

    keys: Collection[str]
    hidden: int
    gone: int


def checked(result: CheckResult) -> Checked:
    """Return what a run that has just ended says of a check."""
    return Checked(
        id=result.id,
        store=result.store,
        status=result.status,
        rows=result.failing_rows,
        keys=result.sample_keys,
    )


def told_checked(told: Mapping[str, Any]) -> Checked:
    """Return what the report of an earlier run says of a check."""
    rows = told["failing_rows"]
    return Checked(
        id=told["id"],
        store=told["store"],
        status=told["status"],
        rows=None if rows is None else int(rows),
        keys=told.get("sample_keys", ()),
    )


def failing_of(dataset: Dataset, checks: Iterable[Checked], differed: Differed) -> tuple[Failing, ...]:
    """Return the checks that failed; those about the comparison itself are told by the differences."""
    return tuple(
        _failing(dataset, one, differed)
        for one in checks
        if one.status == CheckStatus.FAILED and one.id.partition(".")[2] not in OF_THE_COMPARISON
    )


def _failing(dataset: Dataset, one: Checked, differed: Differed) -> Failing:
    """Return a check that failed; where all keys are known, these and nothing else tell how many rows are alike."""
    from storage.repair.planning import Failing

    named = [key for key in one.keys if key not in differed.keys and _is_on_both(dataset, key)]
    whole = one.rows is not None and len(one.keys) >= one.rows
    return Failing(
        check=one.id,
        store=StoreName(one.store),
        rows=one.rows,
        alike=max(0, len(named) - differed.hidden),
        beside=(one.rows or 0) if whole else differed.gone + differed.hidden,
    )


def _is_on_both(dataset: Dataset, key: str) -> bool:
    """Tell whether a key that did not differ is one of both stores: others are not compared."""
    from storage.repair.held_keys import can_be_held

    try:
        return all(can_be_held(dataset, store, key) for store in StoreName)
    except ValueError:  # of a check that names rows in another way
        return False
