"""Words for repair: what a step does, who wins and why, why something is left, how it ended."""

from __future__ import annotations

from typing import Final

from contracts.repair import Act, Ended, Mended, Mode, Repair, Why, Winner

ACTS: Final = {Act.INSERT: "insert", Act.UPDATE: "update", Act.DELETE: "delete"}

MODES: Final = {
    Mode.SOURCE_OF_TRUTH: "source of truth: the other store is made to hold what the source holds, deletes included",
    Mode.UPSERT_ONLY: "upsert only: rows are inserted and changed, none is deleted",
    Mode.INSERT_ONLY: "insert only: nothing but rows that a store lacks",
    Mode.FILL_NULLS: "fill nulls: nothing but values that a row lacks",
    Mode.THREE_WAY: "three-way: the side that changed since both agreed wins",
    Mode.UNDO: "undo: what an earlier repair wrote is taken back",
}

WINNERS: Final = {
    Winner.SOURCE: "the source's row counts",
    Winner.AT_FAULT: "the two rows show which one is wrong",
    Winner.FIXED: "what is known of the cause gives the right value",
    Winner.CHANGED: "only one side changed since both agreed",
    Winner.FILLED: "the other side has no value",
    Winner.RENAMED: "the row gets a key that both stores can hold",
    Winner.UNDONE: "it was like this before the repair",
}

WHYS: Final = {
    Why.UNDER_WAY: "under way",
    Why.IN_CONFLICT: "in conflict",
    Why.DEAD_LETTER: "dead letter",
    Why.MODE: "not in this mode",
    Why.ONE_RUN: "seen by one run only",
    Why.BREAKS_CONTRACT: "breaks the contract",
    Why.NO_WINNER: "no winner",
    Why.CANNOT_HOLD: "refused by the other store",
    Why.REFERENCED: "other rows hang on it",
    Why.KEY_NEEDED: "needs another key",
    Why.SETTLED: "settled by now",
    Why.NOT_NAMED: "not named by the run",
    Why.MOVED: "changed since",
    Why.CAME_BACK: "did not stay repaired",
    Why.BOTH_ALIKE: "alike on both stores",
}

FILTERS: Final = {
    "cause": "cause",
    "field": "field",
    "key": "key",
    "user": "user",
    "older_than": "older than",
    "younger_than": "newer than",
}
"""The filters of a plan; what else stands among them leaves nothing out."""

ENDINGS: Final = {
    Ended.PLANNED: "planned",
    Ended.BEGUN: "begun, not finished",
    Ended.CLOSED: "closed, not finished",
    Ended.REPAIRED: "repaired",
    Ended.PARTLY: "repaired in part",
    Ended.UNDONE: "undone",
}

_TAKING_BACK: Final = {Ended.REPAIRED: "took it back", Ended.PARTLY: "took it back in part"}


def ending(repair: Repair) -> str:
    """Return how a repair ended, in words; one that takes another back repairs nothing."""
    words = ENDINGS | _TAKING_BACK if repair.mode is Mode.UNDO else ENDINGS
    return words[repair.ended]


STATUSES: Final = {
    Ended.PLANNED: "skipped",
    Ended.BEGUN: "incomplete",
    Ended.CLOSED: "warned",
    Ended.REPAIRED: "passed",
    Ended.PARTLY: "warned",
    Ended.UNDONE: "waived",
}
"""The status whose symbol and colour an ending has."""

OUTCOMES: Final = {
    Mended.WRITTEN: "written",
    Mended.ALREADY: "already as planned",
    Mended.MOVED: "moved meanwhile, not written",
    Mended.WAITING: "a change of it waits to be carried over, not written",
    Mended.LOCKED: "somebody was writing it, not written",
    Mended.REJECTED: "refused by the store",
    Mended.UNCLEAR: "unclear whether it was written: it was changed since, or before",
    Mended.HELD: "not taken, since a step that it needs was not",
}

OUTCOME_STATUSES: Final = {
    Mended.WRITTEN: "passed",
    Mended.ALREADY: "passed",
    Mended.MOVED: "warned",
    Mended.WAITING: "warned",
    Mended.LOCKED: "warned",
    Mended.REJECTED: "failed",
    Mended.UNCLEAR: "warned",
    Mended.HELD: "skipped",
}
