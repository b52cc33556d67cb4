"""Records that only the secondary holds so far: written there while the primary was away, and not judged yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from contracts.instants import ordered
from contracts.planning_query import PlanningQuery
from contracts.planning_words import GUEST
from storage.canonical_time import milliseconds_text
from storage.ports import Row
from storage.replication.doors import SecondaryDoors
from storage.replication.messages import Item

LINES_AT_ONCE = 500
MOST_LINES = 2_500
"""So many waiting changes are looked at for one page; beyond that a page says that it may lack some."""

Order = tuple[int, str]
"""Where a row stands in a list: its instant and its key, larger first."""


def would_be_accepted(ours: Item, theirs: Item) -> bool:
    """Tell whether the primary, as it is, will take over what the secondary holds.

    It will when the change was not judged before and builds on the very state that the primary has: where the primary
    deleted the record since, or never heard of that state, nothing comes back.

    Args:
        ours: The key on the primary.
        theirs: The key on the secondary.
    """
    if theirs.change is None or theirs.change <= ours.seen:
        return False
    return theirs.rev == max(ours.rev, ours.change or 0)


def waiting_items(secondary: SecondaryDoors, *, deadline_s: float) -> tuple[list[Item], bool]:
    """Return the waiting changes of the secondary that hold a row, and whether these are all.

    Raises:
        TwinstoreError: It cannot be asked.
    """
    found: dict[str, Item] = {}
    after: int | None = 0
    lines = 0
    while after is not None and lines < MOST_LINES:
        changes = secondary.changes(after=after, at_most=LINES_AT_ONCE, deadline_s=deadline_s)
        found |= {item.key: item for item in changes.items}
        after = changes.next
        lines += LINES_AT_ONCE
    return [item for item in found.values() if item.row is not None], after is None


def order_of(at: str, key: str) -> Order:
    """Return where a row stands in a list.

    Args:
        at: Instant of its last change, as a store writes it.
        key: Its key.

    Raises:
        ValueError: It is no instant.
    """
    return ordered(at), key


def instant_text(row: Row) -> str:
    """Return the instant of a row's last change as pages write it; before all others where it has none."""
    return milliseconds_text(row["updated_at"] or "-infinity")


def fits(row: Row, query: PlanningQuery) -> bool:
    """Tell whether a row is one that a query asks for, as the stores themselves would."""
    if query.user_id is not None and row["user_id"] != (None if query.user_id == GUEST else query.user_id):
        return False
    if query.type is not None and row["type"] != query.type:
        return False
    if query.status is not None and row["status"] not in query.statuses:
        return False
    if query.project_id is not None and row["project_id"] != query.project_id:
        return False
    return query.search is None or query.search.lower() in (row["title"] or "").lower()


def filters_of(query: PlanningQuery) -> Mapping[str, str | None]:
    """Return a query as the doors take it."""
    filters: dict[str, str | None] = {}
    if query.user_id is not None:
        filters["user_id"] = None if query.user_id == GUEST else f"{{{query.user_id}}}"
    if query.type is not None:
        filters["type"] = f"{{{query.type}}}"
    if query.status is not None:
        filters["status"] = f"{{{','.join(query.statuses)}}}"
    if query.project_id is not None:
        filters["project_id"] = f"{{{query.project_id}}}"
    if query.search:
        filters["search"] = "".join(f"\\{char}" if char in "\\%_" else char for char in query.search)
    return filters


def candidates(items: Sequence[Item], query: PlanningQuery) -> Iterator[Item]:
    """Yield the waiting rows that a page may hold, in its order."""
    place = query.place
    last = None if place is None else order_of(*place)
    fitting = [
        (order_of(instant_text(item.row), item.key), item)
        for item in items
        if item.row is not None and fits(item.row, query)
    ]
    for order, item in sorted(fitting, key=lambda each: each[0], reverse=True):
        if last is None or order < last:
            yield item
