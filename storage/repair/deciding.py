"""Deciding what becomes of one key: steps, or the reason why it is left to people. Pure: two rows in, one decision out.

What waits to be carried over, stands in conflict or was given up is left to the relay and to people. Of the rest, rows
that one store lacks are decided by `one_sided`, rows that differ by `both_sided`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from contracts.dataset import Dataset
from contracts.repair import Mode, Why, Winner
from contracts.replication import Place
from contracts.vocabulary import StoreName
from storage.parity.agreement import by_rule
from storage.repair.both_sided import Pair, decide_pair
from storage.repair.decisions import SENTENCES, Decision, leave
from storage.repair.one_sided import decide_one_sided
from storage.repair.wanted import Case, Wanted

__all__ = ["OF_PEOPLE", "decide"]

OF_PEOPLE: Mapping[Place | None, Why] = {Place.CONFLICT: Why.IN_CONFLICT, Place.DEAD_LETTER: Why.DEAD_LETTER}
"""How a key stands in replication that somebody has to decide about."""

_UNPROVEN = (
    "Only {store} is known to have changed, but no check proved before, while both were captured, that they agreed: "
    "plan with `--mode upsert-only`, whose source counts, or correct it by hand."
)


def decide(dataset: Dataset, wanted: Wanted, case: Case) -> Decision:
    """Decide what becomes of one key.

    Raises:
        ProtocolError: A value of a row is none of its column's type.
    """
    key, rows = case.found.key, {store: case.seen[store].row for store in StoreName}
    primary, secondary = rows[StoreName.PRISMA], rows[StoreName.SUPABASE]
    if primary is None and secondary is None:
        return leave(key, Why.SETTLED)
    if primary is not None and secondary is not None and by_rule(dataset, primary, secondary) is not None:
        return leave(key, Why.SETTLED)
    if case.came_back is not None and key not in wanted.keys:
        return leave(key, Why.CAME_BACK, f"It was repaired before and did not stay so: {case.came_back}")
    if (why := _of_others(wanted, case)) is not None:
        return leave(key, why)
    source, winner = _source(wanted, case)
    if primary is not None and secondary is not None:
        pair = Pair(key, {StoreName.PRISMA: primary, StoreName.SUPABASE: secondary}, source, winner)
        decision = decide_pair(dataset, wanted, pair)
    else:
        decision = decide_one_sided(dataset, wanted, case, source, winner)
    changed = _changed(case)
    unproven = wanted.mode is Mode.THREE_WAY and len(changed) == 1 and not case.proven
    return _told(decision, changed[0]) if unproven else decision


def _of_others(wanted: Wanted, case: Case) -> Why | None:
    """Return why a key is the business of the relay, or of a person who decides about it."""
    if (why := OF_PEOPLE.get(case.found.place)) is not None:
        return why
    dirty = _changed(case)
    if dirty and case.adopted:
        return Why.UNDER_WAY
    return Why.IN_CONFLICT if wanted.mode is Mode.THREE_WAY and len(dirty) > 1 else None


def _source(wanted: Wanted, case: Case) -> tuple[StoreName | None, Winner]:
    """Return the store that counts where the rows do not tell: the one that is named, or the only one that changed."""
    if wanted.mode is not Mode.THREE_WAY:
        return wanted.source, Winner.SOURCE
    changed = _changed(case)
    return (changed[0] if len(changed) == 1 and case.proven else None), Winner.CHANGED


def _changed(case: Case) -> list[StoreName]:
    return [store for store in StoreName if case.seen[store].line is not None]


def _told(decision: Decision, changed: StoreName) -> Decision:
    """Say of what nobody decides that a change of one store alone was noted, and why that does not tell."""
    left = tuple(
        replace(one, sentence=one.sentence.replace(SENTENCES[Why.NO_WINNER], _UNPROVEN.format(store=changed)))
        for one in decision.left
    )
    return replace(decision, left=left)
