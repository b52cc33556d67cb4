"""Whether one of two stores is older than what the other has heard of it, as after a restore.

Numbers of both sides only grow, and each side remembers the largest number of the other that it has heard of. A store
that never gave that number has forgotten it. Both go on while they are asked, hence the order of the questions: what a
side has heard is asked for before the other's own numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from contracts.replication import Gap, Standing


def compared(primary: Standing, secondary: Standing, again: Callable[[], Standing | None]) -> tuple[Standing, Standing]:
    """Return how both sides stand, with a gap on the one that was restored.

    Args:
        primary: The primary, asked first.
        secondary: The secondary, asked afterwards.
        again: Asks the primary once more: the secondary may have heard of what came after the first question. Where it
            cannot be asked, None, nothing is concluded.

    Raises:
        TwinstoreError: The primary cannot be asked again.
    """
    if primary.gap is Gap.OTHER_RESTORED:
        secondary = _with_gap(secondary)
        primary = replace(primary, gap=None, gap_at=None)
    elif primary.max_seen > secondary.last_change or primary.max_rev > secondary.max_rev:
        secondary = _with_gap(secondary)
    if secondary.max_rev > primary.last_change:
        later = again()
        if later is not None and secondary.max_rev > later.last_change:
            primary = _with_gap(primary)
    return primary, secondary


def _with_gap(standing: Standing) -> Standing:
    return standing if standing.gap is not None else replace(standing, gap=Gap.RESTORED)
