"""The tables of the manual about plans, made from the tables that planning goes by.

`python -m storage.repair.page` prints them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping

from contracts.repair import Why
from contracts.vocabulary import Cause
from storage.repair.courses import COURSES, MAY, Doing

REASONS: Mapping[Why, str] = {
    Why.UNDER_WAY: "A change of it waits to be carried over, and the relay will do that; a repair would be overtaken.",
    Why.IN_CONFLICT: "Both sides changed it; somebody has to decide, with both rows before their eyes.",
    Why.DEAD_LETTER: "Its change was refused and given up; the reason has to be mended first.",
    Why.MODE: "The mode does not do what it needs. Another mode does.",
    Why.ONE_RUN: "It would be deleted, and fewer than two runs saw that. Check again.",
    Why.BREAKS_CONTRACT: "The row that would be written breaks a critical rule. Correct the row that should win.",
    Why.NO_WINNER: "Nothing tells which side is right, or no check proved that only one changed; inside one JSON "
    "column both may be at fault, each elsewhere.",
    Why.CANNOT_HOLD: "The other store refuses such a value, or it stands nowhere else. Correct it where it stands.",
    Why.REFERENCED: "Rows of other tables hang on it, and would be deleted or changed with it.",
    Why.KEY_NEEDED: "Supabase cannot hold its key. Ask for another one, or delete what nobody needs. Or prisma holds "
    "more such keys than are read, and this may be one of them: raise `TWINSTORE_ROW_BUDGET`.",
    Why.SETTLED: "It does not differ any more.",
    Why.NOT_NAMED: "Its key was named, and the run names no open difference of it, but need not name all. Check again.",
    Why.MOVED: "Only when a repair is taken back: somebody changed the row since.",
    Why.CAME_BACK: "It was repaired before and did not stay so. Find out what writes it, then name its key.",
    Why.BOTH_ALIKE: "A check fails, and no row differs because of it. Applications have to correct such rows.",
}
"""What each reason to leave something means, and what a person can do."""


def modes_table() -> str:
    """Return what each mode may do, as a table in Markdown."""
    head = ["may", *(f"`{mode}`" for mode in MAY)]
    rows = ([doing, *("yes" if doing in may else "" for may in MAY.values())] for doing in Doing)
    return _table(head, rows)


def causes_table() -> str:
    """Return what is done about each cause, as a table in Markdown."""
    rows = ([f"`{cause}`", "yes" if COURSES[cause].fix else "", COURSES[cause].words] for cause in Cause)
    return _table(["cause", "put right for either source", "what is done"], rows)


def reasons_table() -> str:
    """Return why something is left to people, as a table in Markdown."""
    return _table(["left as", "why, and what a person can do"], ([f"`{why}`", REASONS[why]] for why in Why))


def _table(head: list[str], rows: Iterator[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


if __name__ == "__main__":
    sys.stdout.write(f"{modes_table()}\n\n{causes_table()}\n\n{reasons_table()}\n")
