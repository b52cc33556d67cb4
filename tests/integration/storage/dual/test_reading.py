"""Lists and single reads: filters, pages, where each record comes from, and what an outage does to them."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.errors import Invalid
from contracts.planning import ContentType
from contracts.planning_query import PlanningQuery
from contracts.results import DegradationMode
from storage.breaker import Breaker, Guard, State
from tests.support.dual import PRISMA, SUPABASE, Twins, new_id, scenario
from tests.support.planning_rows import OWNER, content


def filled(twins: Twins, number: int = 7) -> list[dict[str, Any]]:
    """Save some scenarios, a millisecond apart, and return them, the newest first."""
    bodies = []
    for at in range(number):
        metadata = {"userId": OWNER if at % 2 else None, "status": "active" if at % 3 else "draft"}
        bodies.append(scenario(title=f"Night {at}", metadata=metadata))
        twins.repository.save(bodies[-1])
        twins.clock.advance(1)
    return bodies[::-1]


def ids(bodies: list[dict[str, Any]]) -> list[str]:
    """Return their ids."""
    return [body["id"] for body in bodies]


def test_pages_follow_one_another(twins: Twins) -> None:
    """Every record is on exactly one page, the newest first; the last page has no cursor."""
    bodies = filled(twins)
    seen, cursor = [], None
    for size in (3, 3, 1):
        page = twins.repository.list(limit=3, cursor=cursor)
        assert (len(page.records), page.complete) == (size, True)
        assert {record.store for record in page.records} == {PRISMA}
        seen += [record.id for record in page.records]
        cursor = page.next_cursor
    assert cursor is None
    assert seen == ids(bodies)


def test_a_cursor_belongs_to_its_query(by_sql: Twins) -> None:
    """With another filter, or a text of somebody else's, it is refused before a store is asked."""
    filled(by_sql)
    cursor = by_sql.repository.list(limit=3).next_cursor
    with pytest.raises(Invalid, match="belongs to another query"):
        by_sql.repository.list(cursor=cursor, status="draft")
    for nonsense in ("nonsense", "bm9uc2Vuc2U", "é"):
        with pytest.raises(Invalid, match="none of ours"):
            by_sql.repository.list(cursor=nonsense)
    assert by_sql.repository.list(limit=5, cursor=cursor).records


def test_filters_choose_records(twins: Twins) -> None:
    """By owner, guests, type, status in every spelling, project and a part of the title."""
    bodies = filled(twins)
    video = content(ContentType.VIDEO, id=new_id(), title="100% _sea_", metadata={"projectId": OWNER})
    twins.repository.save(video)
    twins.run(PRISMA, "UPDATE public.planning SET status = 'in-progress' WHERE id::text = %s", bodies[0]["id"])
    odd = ids(bodies)[1::2]

    def found(**asked: Any) -> set[str]:
        return {record.id for record in twins.repository.list(**asked).records}

    assert found(user_id=OWNER) == set(odd)
    assert found(user_id="guest") == {*ids(bodies), video["id"]} - set(odd)
    assert found(type="video") == {video["id"]}
    assert found(project_id=OWNER) == {video["id"]}
    assert found(status="processing") == found(status="in-progress") == {bodies[0]["id"]}
    assert found(search="100% _S") == {video["id"]}
    assert found(search="%") == {video["id"]}
    assert found(search="night") == set(ids(bodies))
    assert found(user_id=OWNER, status="draft") == {b["id"] for b in bodies if b["title"] == "Night 3"}
    assert twins.repository.list(PlanningQuery(type=ContentType.IMAGE)).records == ()


def test_what_only_the_secondary_holds_is_merged_into_pages(twins: Twins) -> None:
    """In its place, with its store; what the primary has is shown as the primary has it."""
    bodies = filled(twins, 4)
    with twins.away(PRISMA):
        fresh = scenario(title="Fresh", metadata={"userId": OWNER})
        twins.repository.save(fresh)
        twins.repository.update(bodies[2]["id"], {"tone": "Calm"})
    pages = [twins.repository.list(limit=2)]
    while cursor := pages[-1].next_cursor:
        pages.append(twins.repository.list(limit=2, cursor=cursor))
    records = [record for page in pages for record in page.records]
    assert [record.id for record in records] == [fresh["id"], *ids(bodies)]
    assert [record.store for record in records] == [SUPABASE, PRISMA, PRISMA, PRISMA, PRISMA]
    assert records[0].pending
    assert "tone" not in records[3].content
    assert twins.repository.list(status="archived").records == ()
    assert [record.id for record in twins.repository.list(search="fresh", user_id=OWNER).records] == [fresh["id"]]


def test_a_list_names_the_store_that_did_not_answer(twins: Twins) -> None:
    """It is never just shorter: without the secondary it may lack records, without the primary it says so."""
    bodies = filled(twins, 3)
    with twins.away(SUPABASE):
        page = twins.repository.list()
        assert (len(page.records), page.complete, page.details.unreachable) == (3, False, (SUPABASE,))
    with twins.away(PRISMA):
        page = twins.repository.list(limit=2)
        assert (page.complete, page.details.unreachable) == (False, (PRISMA,))
        assert [record.store for record in page.records] == [SUPABASE, SUPABASE]
        rest = twins.repository.list(limit=2, cursor=page.next_cursor)
        assert [record.id for record in (*page.records, *rest.records)] == ids(bodies)


def test_a_circuit_that_is_open_is_named(by_sql: Twins) -> None:
    """The secondary is not asked, and the page says why it may lack records."""
    guard = Guard(SUPABASE, Breaker())
    repository = by_sql.open(guards={SUPABASE: guard})
    filled(by_sql, 2)
    guard.force(State.FORCED_OPEN)
    page = repository.list()
    assert (page.degradation_mode, page.complete) == (DegradationMode.SUPABASE_CIRCUIT_OPEN, False)
    assert page.details.supabase.attempted is False
    reading = repository.find(new_id())
    assert (reading.record, reading.complete) == (None, False)
    assert reading.degradation_mode is DegradationMode.SUPABASE_CIRCUIT_OPEN
    health = repository.health()
    assert (health.supabase.is_healthy, health.supabase.state) == (False, "forced_open")


def test_rows_of_other_writers_are_read_as_they_are(twins: Twins) -> None:
    """A row that breaks the contract is shown, not hidden; it cannot be patched, and it can be replaced."""
    key = new_id()
    twins.run(
        PRISMA,
        "INSERT INTO public.planning (id, type, title, content, updated_at) VALUES (%s, 'scenario', 'Old', %s, now())",
        key,
        '"{}"',
    )
    record = twins.repository.get(key)
    assert record is not None
    assert (record.content, record.metadata, record.title) == ("{}", None, "Old")
    with pytest.raises(Invalid, match="no object"):
        twins.repository.update(key, {"tone": "Calm"})
    result = twins.repository.save(scenario(key))
    assert (result.success, result.record and result.record.version) == (True, 2)


def test_a_list_of_more_changes_than_are_looked_at_says_so(by_sql: Twins, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records may be missing from it."""
    monkeypatch.setattr("storage.dual.pending.LINES_AT_ONCE", 2)
    monkeypatch.setattr("storage.dual.pending.MOST_LINES", 4)
    with by_sql.away(PRISMA):
        for _ in range(6):
            assert by_sql.repository.save(scenario()).success
    page = by_sql.repository.list()
    assert (len(page.records), page.complete, page.details.unreachable) == (4, False, ())
