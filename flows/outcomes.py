"""What the stages of a check find, and hand to one another: a failure is part of the value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from contracts.errors import TwinstoreError
from contracts.verdicts import CheckResult, ReplicationReport, StoreFacts
from contracts.vocabulary import StoreName
from storage.parity.engine import Parity

if TYPE_CHECKING:
    from storage.parity.standing import Placing


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a first look at a store found: facts, or the error that kept it from being looked at."""

    store: StoreName
    facts: StoreFacts | None = None
    error: TwinstoreError | None = None

    @property
    def whole(self) -> bool:
        """True when every row of the store can be seen."""
        return self.facts is not None and self.facts.sees_all_rows

    def shown(self) -> StoreFacts:
        """Return the facts, or what stands in for them in a report."""
        if self.facts is not None:
            return self.facts
        note = self.error.what if self.error else ""
        return StoreFacts(store=self.store, channel=None, reachable=False, note=note)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """Whether the stores replicate, as it was found before the comparison.

    Attributes:
        report: How replication stood; None for a dataset that cannot be replicated.
        checks: Whether every write is captured, per store; none where the stores do not replicate.
        placing: Tells how differences stand; None where nobody could tell.
    """

    report: ReplicationReport | None = None
    checks: tuple[CheckResult, ...] = ()
    placing: Placing | None = None


UNASKED = Capture()


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What the comparison found, or the error that kept it from being made."""

    parity: Parity | None = None
    error: TwinstoreError | None = None

    @property
    def looked(self) -> bool:
        """True when rows were compared: neither a failed store nor one that may hide rows kept us from it."""
        return self.parity is not None and not self.parity.blind
