"""The baseline: what somebody accepted of one run, so that a gate can tell what is new since then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from contracts.ledger import Identity, sighting
from contracts.verdicts import CheckResult, Difference
from contracts.vocabulary import StoreName


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What is accepted of one dataset.

    Attributes:
        run_id: The run that found it.
        owner: Who accepted it.
        reason: Why, in one sentence.
        accepted_at: When, UTC.
        differences: The accepted differences: never their values, only key, kind and columns.
        checks: The accepted failures, as id and store of the check, with the number of rows that failed it.
    """

    run_id: str
    owner: str
    reason: str
    accepted_at: datetime
    differences: frozenset[Identity] = frozenset()
    checks: Mapping[tuple[str, StoreName], int] = field(default_factory=dict)

    def holds(self, difference: Difference) -> bool:
        """Say whether this very difference was accepted: another column of the same row is another difference."""
        return sighting(difference).identity in self.differences

    def rows_of(self, check: CheckResult) -> int | None:
        """Return how many rows may fail a check; None where its failure was not accepted."""
        return self.checks.get((check.id, check.store))

    @property
    def sentence(self) -> str:
        """Who accepted what, when and why, in one sentence."""
        return f"Accepted by {self.owner} on {self.accepted_at:%Y-%m-%d} with run {self.run_id}: {self.reason}"
