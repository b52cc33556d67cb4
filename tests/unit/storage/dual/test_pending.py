"""Which changes that wait on the secondary are shown, and where in a list."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.planning_query import PlanningQuery, read_query
from storage.dual.pending import candidates, filters_of, fits, instant_text, order_of, would_be_accepted
from storage.replication.messages import Item
from tests.support.planning_rows import KEY, OWNER, row


def item(change: int | None, *, rev: int = 0, seen: int = 0, key: str = KEY, **changes: Any) -> Item:
    """Return how a key stands."""
    return Item(key=key, change=change, since=None, rev=rev, seen=seen, known=rev > 0, row=row(id=key, **changes))


@pytest.mark.parametrize(
    ("ours", "theirs", "accepted"),
    [
        (item(None), item(5), True),  # the primary never heard of it
        (item(None), item(None), False),  # it does not wait
        (item(None, rev=3), item(5, rev=3), True),  # made again over what the primary deleted
        (item(4, rev=3), item(5, rev=3), False),  # the primary deleted it since
        (item(None, rev=4), item(5, rev=3), False),
        (item(None, seen=5), item(5), False),  # it was judged already
        (item(9), item(5), False),
    ],
)
def test_only_what_the_primary_will_take_over_is_shown(ours: Item, theirs: Item, *, accepted: bool) -> None:
    """Nothing that it deleted comes back."""
    assert would_be_accepted(ours, theirs) is accepted


def test_a_query_becomes_filters() -> None:
    """Wildcards mean themselves; a guest is no value."""
    asked = read_query(user_id="guest", type="video", status="processing", project_id=OWNER, search="50%_\\")
    assert filters_of(asked) == {
        "user_id": None,
        "type": "{video}",
        "status": "{processing,in-progress}",
        "project_id": f"{{{OWNER}}}",
        "search": "50\\%\\_\\\\",
    }
    assert filters_of(PlanningQuery(user_id=OWNER)) == {"user_id": f"{{{OWNER}}}"}
    assert filters_of(PlanningQuery(search="")) == {}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, True),
        ({"user_id": OWNER}, True),
        ({"user_id": "guest"}, False),
        ({"type": "video"}, False),
        ({"status": "draft"}, True),
        ({"status": "active"}, False),
        ({"project_id": OWNER}, False),
        ({"search": "RAINY"}, True),
        ({"search": "sunny"}, False),
    ],
)
def test_a_row_fits_a_query(asked: dict[str, Any], *, found: bool) -> None:
    """As the stores themselves would say."""
    assert fits(row(), read_query(**asked)) is found


def test_order_is_that_of_instants() -> None:
    """Not that of texts, and by key where they are equal."""
    texts = ["infinity", "10000-01-01 00:00:00", "2026-01-01 00:00:00.12", "2026-01-01 00:00:00.119", "-infinity"]
    orders = [order_of(text, KEY) for text in texts]
    assert orders == sorted(orders, reverse=True)
    assert order_of(texts[0], "b") > order_of(texts[0], "a")
    assert instant_text(row(updated_at="2026-01-01 00:00:00.123456+00")) == "2026-01-01 00:00:00.123"
    assert instant_text(row(updated_at=None)) == "-infinity"


def test_a_page_begins_after_its_place() -> None:
    """What was shown before is not shown again."""
    items = [
        item(n, key=KEY[:-1] + str(n), updated_at=f"2026-01-01 00:00:0{n // 2}", title=f"Night {n}") for n in range(6)
    ]
    newest_first = [each.key[-1] for each in candidates(items, PlanningQuery())]
    assert newest_first == ["5", "4", "3", "2", "1", "0"]
    query = PlanningQuery()
    after = PlanningQuery(cursor=query.cursor_after("2026-01-01 00:00:01", items[3].key))
    assert [each.key[-1] for each in candidates(items, after)] == ["2", "1", "0"]
    assert [each.key[-1] for each in candidates(items, PlanningQuery(search="night 4"))] == ["4"]
