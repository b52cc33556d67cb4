"""Reports on whether both stores hold the same records."""

from __future__ import annotations

from contracts.replication import Place
from contracts.results import Consistency
from storage.replication import adoption
from tests.support.dual import PRISMA, SUPABASE, Twins, scenario
from tests.support.planning_rows import OWNER

QUIETLY = """
DO $$ BEGIN
  PERFORM set_config('twinstore.applying', 'on', true),
          set_config('twinstore.applying_keys', md5(secret || pg_current_xact_id()::text || 'planning:{key}'), true)
  FROM twinstore.capture;
  UPDATE public.planning SET {change} WHERE id = '{key}';
END $$
"""
"""Hides a write from capture and from triggers that touch, as an error of ours would."""


def quietly(twins: Twins, key: str, change: str) -> None:
    """Change a row of the secondary without anybody noticing."""
    twins.run(SUPABASE, QUIETLY.format(key=key, change=change))


def test_a_difference_says_how_it_stands(twins: Twins) -> None:
    """Waiting to be carried over, a conflict that somebody has to decide, a dead letter, or lost."""
    waiting, lost, disputed = (scenario() for _ in range(3))
    for body in (waiting, lost, disputed):
        twins.repository.save(body)
    with twins.away(SUPABASE):
        twins.repository.update(waiting["id"], {"title": "Later"})
        twins.repository.update(disputed["id"], {"title": "Ours"})
    twins.run(SUPABASE, "UPDATE public.planning SET title = 'Theirs' WHERE id::text = %s", disputed["id"])
    report = twins.repository.check_consistency(waiting["id"])
    assert (report.consistent, report.place) == (False, Place.NOT_YET)
    assert {each.field for each in report.differences} >= {"title", "version", "content.title"}
    twins.drain()
    assert twins.repository.check_consistency(waiting["id"]).consistent
    assert twins.repository.check_consistency(disputed["id"]).consistent  # the primary's row was delivered
    for body in (lost, disputed):
        quietly(twins, body["id"], "title = 'Drifted'")
    report = twins.repository.check_consistency(lost["id"])
    assert (report.consistent, report.place) == (False, Place.LOST)
    assert "twinstore check" in report.recommendations[-1]
    report = twins.repository.check_consistency(disputed["id"])
    assert (report.consistent, report.place) == (False, Place.CONFLICT)
    assert "twinstore sync conflicts" in report.recommendations[-1]


def test_what_the_secondary_refuses_is_a_dead_letter(by_sql: Twins) -> None:
    """The report says where to look for the reason."""
    body = scenario()
    by_sql.repository.save(body)
    by_sql.run(PRISMA, "UPDATE public.planning SET status = 'no such word' WHERE id::text = %s", body["id"])
    by_sql.drain()
    report = by_sql.repository.check_consistency(body["id"])
    assert (report.consistent, report.place) == (False, Place.DEAD_LETTER)
    assert "dead-letters" in report.recommendations[-1]


def test_a_change_that_waits_beside_a_dead_letter_is_carried_over_yet(by_sql: Twins) -> None:
    """Both stores number their changes by themselves: the one that was given up is not the other one's."""
    body = scenario()
    by_sql.repository.save(body)
    by_sql.run(PRISMA, "UPDATE public.planning SET status = 'no such word' WHERE id::text = %s", body["id"])
    by_sql.drain()
    given_up = by_sql.replication.primary.look([body["id"]])[body["id"]].change
    by_sql.run(SUPABASE, f"ALTER TABLE twinstore.change ALTER COLUMN id RESTART WITH {given_up}")
    by_sql.run(SUPABASE, "UPDATE public.planning SET title = 'Theirs' WHERE id::text = %s", body["id"])
    assert by_sql.replication.secondary is not None
    assert by_sql.replication.secondary.look([body["id"]])[body["id"]].change == given_up
    assert by_sql.repository.check_consistency(body["id"]).place is Place.NOT_YET


def test_all_records_of_an_owner_are_compared(twins: Twins) -> None:
    """On several pages; what moved from one owner to another is compared, not called missing."""
    bodies = [scenario(metadata={"userId": OWNER}) for _ in range(4)]
    for body in bodies:
        twins.repository.save(body)
        twins.clock.advance(1)
    report = twins.repository.check_user_consistency(OWNER)
    assert (report.overall_consistent, report.total_items, report.summary.healthy_items) == (True, 4, 4)
    quietly(twins, bodies[0]["id"], "user_id = NULL")
    quietly(twins, bodies[1]["id"], "title = 'Drifted'")
    report = twins.repository.check_user_consistency(OWNER)
    assert (report.overall_consistent, report.total_items, report.consistent_items) == (False, 4, 2)
    assert (report.summary.data_conflicts, report.summary.missing_in_supabase) == (2, 0)
    assert {item.id for item in report.inconsistent_items} == {bodies[0]["id"], bodies[1]["id"]}
    guests = twins.repository.check_user_consistency("guest")
    assert (guests.total_items, guests.consistent_items) == (1, 0)


def test_a_store_that_is_away_counts_nothing(twins: Twins) -> None:
    """No record is called missing, and the report asks for a look by a person."""
    twins.repository.save(scenario(metadata={"userId": OWNER}))
    for store in (PRISMA, SUPABASE):
        with twins.away(store):
            report = twins.repository.check_user_consistency(OWNER)
        assert (report.overall_consistent, report.total_items) == (False, 0)
        assert report.details.unreachable == (store,)
        assert "manual verification" in report.recommendations[0]


def test_a_write_during_an_adoption_replaces_nothing_that_is_to_be_kept(twins: Twins) -> None:
    """A repository that asked seconds ago is turned away: the row that differed is kept before it is replaced."""
    body = scenario()
    twins.repository.save(body)
    quietly(twins, body["id"], "title = 'Theirs alone'")
    primary, secondary, _ = twins.replication.both()
    _, begun = adoption.begin(primary, secondary, twins.replication.book)
    written = twins.repository.save(body | {"title": "Ours"})
    assert (written.success, written.consistency, written.supabase_success) == (True, Consistency.PARTIAL, False)
    adoption.finish(secondary, twins.replication.book, differing=[body["id"]], begun=begun)
    twins.drain()
    assert twins.rows(SUPABASE, "title") == [("Ours",)]
    assert [(kept.loser or {})["title"] for kept in twins.replication.book.conflicts()] == ["Theirs alone"]
