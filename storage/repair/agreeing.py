"""What proves that two stores agreed just before a change was noted: without it nobody knows that only one changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.vocabulary import StoreName

BEGINNING = timedelta(seconds=5)
"""Turning capture on waits for writers, for less than this: what they wrote meanwhile may have passed by."""

Looked = tuple[datetime, datetime]
"""When a complete check began and ended."""
Differed = tuple[datetime, datetime | None]
"""Since when a key was seen to differ, and when a check saw that it did not any more; None where none did."""


def by_our_clock(since: datetime, now: datetime, *, asked: datetime, answered: datetime) -> tuple[datetime, timedelta]:
    """Return since when a store captures, at the latest, and by how much its clock is ahead, at the most.

    Its clock was read somewhere between question and answer; of what is proven nothing may rest on when.

    Args:
        since: Since when it captures, by its clock.
        now: What its clock said.
        asked: When it was asked, by our clock.
        answered: When it had answered, by our clock.
    """
    return since - (now - answered), now - asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """What is known of both stores under the capture that holds now. Times are ours, unless said otherwise.

    Attributes:
        captured: Since when the writes to both are captured without a gap.
        looked: The complete checks, in their order.
        differed: By key, when it differed.
        ahead: By how much the clock of each store is ahead of ours, at the most.
    """

    captured: datetime
    looked: tuple[Looked, ...]
    differed: Mapping[str, tuple[Differed, ...]]
    ahead: Mapping[StoreName, timedelta]

    def before(self, key: str, noted: Mapping[StoreName, datetime]) -> bool:
        """Tell whether both stores are known to have agreed about a key before changes of it were noted.

        Args:
            key: The key.
            noted: When the oldest change was noted, by the clock of its store.
        """
        if not noted:
            return False
        change = min(at - self.ahead[store] for store, at in noted.items())
        complete = [began for began, ended in self.looked if began > self.captured + BEGINNING and ended < change]
        if not complete:
            return False
        last = max(complete)
        return not any(first < change and (gone is None or gone > last) for first, gone in self.differed.get(key, ()))
