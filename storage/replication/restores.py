"""Whether one of two stores is older than what the other has heard of it, as after a restore.

Numbers of both sides only grow, key by key, and each side remembers the numbers of the other that it has heard of. A
store that does not know them any more has forgotten writes. Some keys that were heard of last are held against what the
other knows of them, since a key that is written again has a new number. Both go on while they are asked, hence the
order of the questions: what a side has heard is asked for before the other's own numbers. A store that was brought back
to before the last adoption names another one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from contracts.replication import Gap, Heard, Standing


def compared(
    primary: Standing, secondary: Standing, again: Callable[[Heard], Standing | None]
) -> tuple[Standing, Standing]:
    """Return how both sides stand, with a gap on the one that was restored.

    Args:
        primary: The primary, asked first.
        secondary: The secondary, asked afterwards, and told what the primary had heard of it.
        again: Asks the primary once more, and tells it what the secondary had heard. Where it cannot be asked, None,
            nothing is concluded.

    Raises:
        TwinstoreError: The primary cannot be asked again.
    """
    if primary.gap is Gap.OTHER_RESTORED:
        secondary = _with_gap(secondary)
        primary = replace(primary, gap=None, gap_at=None)
    if primary.adopted_at is None:  # then all rows are compared before anything is carried over
        return primary, secondary
    if primary.adoption != secondary.adoption:
        return primary, _with_gap(secondary, Gap.OTHER_ADOPTION)
    if secondary.forgot:
        secondary = _with_gap(secondary)
    later = again(secondary.heard)
    if later is not None and later.forgot and later.adoption == secondary.adoption:
        primary = _with_gap(primary)
    return primary, secondary


def _with_gap(standing: Standing, gap: Gap = Gap.RESTORED) -> Standing:
    return standing if standing.gap is not None else replace(standing, gap=gap)
