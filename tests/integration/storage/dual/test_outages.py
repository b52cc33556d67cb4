"""What a caller is told, and what becomes of the record, while a store is away."""

from __future__ import annotations

import pytest

from contracts.errors import Invalid, Unavailable
from contracts.results import Consistency, DegradationMode, Outcome
from storage.breaker import Breaker, Guard
from tests.support.dual import PRISMA, SUPABASE, Twins, losing, new_id, scenario


def test_a_write_without_the_secondary_is_owed_to_it(twins: Twins) -> None:
    """The primary holds it, the answer says what is owed, and the relay brings it."""
    body = scenario()
    with twins.away(SUPABASE):
        result = twins.repository.save(body)
    assert (result.success, result.outcome, result.consistency) == (True, Outcome.CREATED, Consistency.PARTIAL)
    assert (result.prisma_success, result.supabase_success, result.degraded) == (True, False, True)
    assert "gets it later" in str(result.error)
    assert result.record is not None
    assert result.record.pending
    twins.drain()
    assert twins.rows(SUPABASE) == [(body["id"],)]
    assert twins.repository.check_consistency(body["id"]).consistent


def test_a_write_without_the_primary_becomes_a_proposal(twins: Twins) -> None:
    """The secondary holds it; it can be read at once, and the primary takes it over."""
    old, new = scenario(), scenario()
    twins.repository.save(old)
    with twins.away(PRISMA):
        updated = twins.repository.update(old["id"], {"tone": "Calm"})
        twins.clock.advance(1)
        created = twins.repository.save(new)
        assert (updated.outcome, created.outcome) == (Outcome.UPDATED, Outcome.CREATED)
        for result in (updated, created):
            assert (result.success, result.consistency) == (True, Consistency.PARTIAL)
            assert (result.prisma_success, result.supabase_success) == (False, True)
        found = twins.repository.find(new["id"])
        assert found.record is not None
        assert (found.record.store, found.record.pending, found.complete) == (SUPABASE, True, False)
    found = twins.repository.find(new["id"])  # the primary has not heard of it yet
    assert found.record is not None
    assert (found.record.store, found.complete) == (SUPABASE, True)
    assert [record.id for record in twins.repository.list().records] == [new["id"], old["id"]]
    twins.drain()
    record = twins.repository.get(old["id"])
    assert record is not None
    assert (record.content["tone"], record.version, record.store) == ("Calm", 2, PRISMA)
    assert twins.rows(PRISMA, "id::text, version") == twins.rows(SUPABASE, "id::text, version")


def test_a_record_that_only_the_secondary_holds_can_be_changed(twins: Twins) -> None:
    """The primary judges it first, so that the change builds on it and nothing becomes a conflict."""
    body, gone = scenario(), scenario()
    with twins.away(PRISMA):
        twins.repository.save(body)
        twins.repository.save(gone)
    fresh = twins.open()  # another process, which did not write them
    result = fresh.update(body["id"], {"tone": "Calm"})
    assert (result.success, result.outcome, result.consistency) == (True, Outcome.UPDATED, Consistency.FULL)
    assert fresh.delete(gone["id"]).outcome is Outcome.DELETED
    twins.drain()
    assert twins.rows(PRISMA, "id::text, version") == twins.rows(SUPABASE, "id::text, version") == [(body["id"], 2)]
    assert twins.replication.book.conflicts() == ()


def test_a_writer_goes_on_from_what_it_wrote_during_an_outage(twins: Twins) -> None:
    """Its next write of that record builds on it, although the relay has not come by."""
    body = scenario()
    twins.repository.save(body)
    with twins.away(PRISMA):
        twins.repository.update(body["id"], {"tone": "Calm"})
    result = twins.repository.update(body["id"], {"genre": "Drama"})
    assert result.record is not None
    assert (result.record.content["tone"], result.record.version) == ("Calm", 3)
    twins.drain()
    assert twins.replication.book.conflicts() == ()


def test_both_stores_changed_is_a_named_conflict(twins: Twins) -> None:
    """What was written during the outage is kept by name; the primary's own write stays."""
    body = scenario()
    twins.repository.save(body)
    with twins.away(PRISMA):
        assert twins.repository.update(body["id"], {"tone": "Calm"}).success
    twins.run(PRISMA, "UPDATE public.planning SET title = 'Ours' WHERE id::text = %s", body["id"])
    twins.drain()
    (conflict,) = twins.replication.book.conflicts()
    assert conflict.key == body["id"]
    assert twins.rows(PRISMA, "title") == twins.rows(SUPABASE, "title") == [("Ours",)]


def test_a_delete_during_an_outage_reaches_the_primary(twins: Twins) -> None:
    """And a list shows the record until the primary has heard of it, never afterwards."""
    body = scenario()
    twins.repository.save(body)
    with twins.away(PRISMA):
        result = twins.repository.delete(body["id"])
        assert (result.success, result.outcome, result.consistency) == (True, Outcome.DELETED, Consistency.PARTIAL)
        assert twins.repository.get(body["id"]) is None
    twins.drain()
    assert twins.rows(PRISMA) == twins.rows(SUPABASE) == []


def test_what_the_primary_deleted_never_comes_back(twins: Twins) -> None:
    """A row that the secondary still has, or changed meanwhile, is not taken for a record."""
    kept, changed = scenario(), scenario()
    for body in (kept, changed):
        twins.repository.save(body)
    with twins.away(SUPABASE):
        twins.repository.delete(kept["id"])
        twins.repository.delete(changed["id"])
    twins.run(SUPABASE, "UPDATE public.planning SET title = 'Theirs' WHERE id::text = %s", changed["id"])
    for body in (kept, changed):
        assert twins.repository.get(body["id"]) is None
    assert twins.repository.list().records == ()


def test_without_both_nothing_is_written(twins: Twins) -> None:
    """The answer is a failure that names both; reads raise."""
    body = scenario()
    with twins.away(PRISMA), twins.away(SUPABASE):
        result = twins.repository.save(body)
        assert (result.success, result.outcome, result.consistency) == (False, Outcome.FAILED, Consistency.FAILED)
        assert "Both storage systems are unavailable" in str(result.error)
        assert "failed" in str(result.error)
        for read in (lambda: twins.repository.get(body["id"]), twins.repository.list):
            with pytest.raises(Unavailable, match="Both storage systems are unavailable"):
                read()
    assert twins.rows(PRISMA) == twins.rows(SUPABASE) == []


@pytest.mark.parametrize("carried_out", [True, False])
def test_a_lost_acknowledgement_is_never_a_failure(twins: Twins, *, carried_out: bool) -> None:
    """The very same row is written to the secondary, so that both stores agree whatever the primary did."""
    old, new = scenario(), scenario()
    twins.repository.save(old)
    twins.clock.advance(1000)
    repository = twins.open(primary=losing(twins.replication.primary, carried_out=carried_out))
    created = repository.save(new)
    updated = repository.update(old["id"], {"tone": "Calm"})
    for result in (created, updated):
        assert (result.success, result.consistency) == (True, Consistency.PARTIAL)
        assert result.details is not None
        assert result.details.prisma.outcome == Outcome.UNKNOWN
    twins.drain()
    columns = "id::text, version, updated_at"
    ours = twins.rows(PRISMA, "id::text, version, title, content")
    assert ours == twins.rows(SUPABASE, "id::text, version, title, content")
    assert sorted((key, version) for key, version, *_ in ours) == sorted([(old["id"], 2), (new["id"], 1)])
    assert len(twins.rows(SUPABASE, columns)) == 2
    assert twins.replication.book.conflicts() == ()


def test_an_unknown_outcome_is_said_to_be_unknown(by_sql: Twins) -> None:
    """Where the secondary cannot hold the row either: neither success nor failure."""
    repository = by_sql.open(primary=losing(by_sql.replication.primary, carried_out=False))
    with by_sql.away(SUPABASE):
        result = repository.save(scenario())
    assert (result.success, result.outcome) == (False, Outcome.UNKNOWN)
    assert "Nobody can say" in str(result.error)
    assert "failed" not in str(result.error)


def test_an_unknown_outcome_overwrites_no_change_of_others(by_sql: Twins) -> None:
    """A change that waits on the secondary stays."""
    body = scenario()
    by_sql.repository.save(body)
    by_sql.run(SUPABASE, "UPDATE public.planning SET title = 'Theirs' WHERE id::text = %s", body["id"])
    repository = by_sql.open(primary=losing(by_sql.replication.primary, carried_out=False))
    result = repository.update(body["id"], {"tone": "Calm"})
    assert (result.success, result.outcome) == (False, Outcome.UNKNOWN)
    assert by_sql.rows(SUPABASE, "title") == [("Theirs",)]


def test_an_open_circuit_spares_the_call(by_sql: Twins) -> None:
    """Three failures open it; from then on the store is not asked, and the result says why."""
    guards = {store: Guard(store, Breaker()) for store in (PRISMA, SUPABASE)}
    repository = by_sql.open(guards=guards)
    with by_sql.away(SUPABASE):
        seen = [repository.save(scenario()) for _ in range(4)]
    attempts = [result.details.supabase.attempted for result in seen if result.details]
    assert attempts == [True, True, True, False]
    assert [result.degradation_mode for result in seen[2:]] == [
        DegradationMode.NONE,
        DegradationMode.SUPABASE_CIRCUIT_OPEN,
    ]
    assert all(result.success for result in seen)
    with by_sql.away(PRISMA):
        for _ in range(3):
            assert not repository.save(scenario()).success
    result = repository.save(scenario())
    assert (result.success, result.degradation_mode) == (False, DegradationMode.PRISMA_CIRCUIT_OPEN)
    assert "Both storage systems are unavailable" in str(result.error)


def test_errors_of_records_open_no_circuit(twins: Twins) -> None:
    """Unknown ids, conflicts of versions and broken contracts say nothing about a store."""
    guards = {store: Guard(store, Breaker()) for store in (PRISMA, SUPABASE)}
    repository = twins.open(guards=guards)
    body = scenario()
    repository.save(body)
    for _ in range(5):
        assert repository.get(new_id()) is None
        assert repository.update(new_id(), {"tone": "Calm"}).outcome is Outcome.MISSING
        assert repository.save(body, expected_version=7).outcome is Outcome.CONFLICT
    assert [str(guard.state) for guard in guards.values()] == ["closed", "closed"]
    health = repository.health()
    assert (health.prisma.failures, health.supabase.failures, health.healthy) == (0, 0, True)


def test_without_a_secondary_the_primary_serves_alone(by_sql: Twins) -> None:
    """What is owed stays marked, and reaches the secondary once there is a key."""
    repository = by_sql.open(secondary=False)
    body = scenario()
    result = repository.save(body)
    assert (result.success, result.degradation_mode) == (True, DegradationMode.SUPABASE_DISABLED)
    assert (result.consistency, result.error) == (Consistency.PARTIAL, None)
    assert repository.get(body["id"]) is not None
    assert repository.get(new_id()) is None
    page = repository.list()
    assert (len(page.records), page.degradation_mode) == (1, DegradationMode.SUPABASE_DISABLED)
    assert repository.health().supabase.error == "It is not configured."
    assert repository.check_consistency(body["id"]).consistent is False
    assert repository.check_user_consistency(None).overall_consistent is False
    with by_sql.away(PRISMA):
        alone = repository.save(scenario())
        assert (alone.success, alone.outcome) == (False, Outcome.FAILED)
        assert "supabase is not configured" in str(alone.error)
        with pytest.raises(Unavailable):
            repository.get(body["id"])
        with pytest.raises(Unavailable):
            repository.list()
    by_sql.drain()
    assert by_sql.rows(SUPABASE) == [(body["id"],)]


def test_an_update_that_only_the_primary_could_decide_fails(twins: Twins) -> None:
    """The secondary lacks the record, and nobody knows whether the primary has it."""
    with twins.away(PRISMA):
        result = twins.repository.update(new_id(), {"tone": "Calm"})
        gone = twins.repository.delete(new_id())
    for each in (result, gone):
        assert (each.success, each.outcome) == (False, Outcome.MISSING)
        assert "failed on prisma" in str(each.error)


def test_nothing_is_delivered_before_adoption(by_sql: Twins) -> None:
    """Stores that may differ are not overwritten: the write waits for adoption."""
    by_sql.replication.book.halt()
    result = by_sql.repository.save(scenario())
    assert (result.success, result.consistency) == (True, Consistency.PARTIAL)
    assert result.details is not None
    assert result.details.supabase.attempted is False
    assert "adopt" in str(result.error)
    assert by_sql.rows(SUPABASE) == []


def test_nothing_is_delivered_over_a_gap_of_the_secondary(by_sql: Twins) -> None:
    """What stops the relay stops the attempt right after a write, too; after an outage it is asked anew."""
    repository = by_sql.repository
    assert repository.save(scenario()).consistency is Consistency.FULL
    by_sql.run(SUPABASE, "TRUNCATE public.planning")
    with by_sql.away(SUPABASE):
        assert repository.save(scenario()).consistency is Consistency.PARTIAL
    result = repository.save(scenario())
    assert (result.success, result.consistency) == (True, Consistency.PARTIAL)
    assert result.details is not None
    assert result.details.supabase.attempted is False
    assert "TRUNCATE on supabase" in str(result.details.supabase.error)
    assert by_sql.rows(SUPABASE) == []


def test_a_primary_that_is_back_is_asked_at_once(by_sql: Twins) -> None:
    """What was written without it is brought home before the next write builds on an older row."""
    repository, body = by_sql.repository, scenario(title="before")
    assert repository.save(body).success
    with by_sql.away(PRISMA):
        for title in ("one", "two"):
            assert repository.save(body | {"title": title}).success
            assert repository._saving._permission is not None
            repository._saving._permission.forget()  # as after some seconds
        assert repository.save(body | {"title": "two"}).success
    result = repository.update(body["id"], {"tone": "Calm"})
    assert (result.success, result.record and result.record.title) == (True, "two")
    by_sql.drain()
    assert by_sql.rows(PRISMA, "title") == by_sql.rows(SUPABASE, "title") == [("two",)]


def test_a_change_that_waits_on_the_secondary_is_judged_first(twins: Twins) -> None:
    """The write is safe, the answer says what stands in its way, and the relay settles it."""
    body = scenario()
    twins.repository.save(body)
    twins.run(SUPABASE, "UPDATE public.planning SET title = 'Theirs' WHERE id::text = %s", body["id"])
    result = twins.repository.update(body["id"], {"tone": "Calm"})
    assert (result.success, result.consistency) == (True, Consistency.PARTIAL)
    assert result.details is not None
    assert result.details.supabase.outcome == "busy"
    assert "has not judged yet" in str(result.error)
    twins.drain()
    assert [conflict.key for conflict in twins.replication.book.conflicts()] == [body["id"]]
    assert twins.repository.check_consistency(body["id"]).consistent


def test_what_the_secondary_cannot_hold_is_a_dead_letter_at_once(twins: Twins) -> None:
    """The primary holds it, and the answer says where to look."""
    twins.run(SUPABASE, "ALTER TABLE public.planning ADD CONSTRAINT short CHECK (length(title) < 5)")
    body = scenario(title="Too long")
    result = twins.repository.save(body)
    assert (result.success, result.consistency) == (True, Consistency.PARTIAL)
    assert "dead-letters" in str(result.error)
    assert [letter.key for letter in twins.replication.book.letters()] == [body["id"]]
    assert twins.repository.check_consistency(body["id"]).place == "dead_letter"


def test_a_request_is_remembered_through_an_outage(twins: Twins) -> None:
    """By the store that carried it out, whatever is asked of it meanwhile."""
    body = scenario()
    with twins.away(PRISMA):
        first = twins.repository.save(body, idempotency_key="request-3")
        again = twins.repository.save(body, idempotency_key="request-3")
        assert (first.outcome, first.repeated, again.outcome, again.repeated) == ("created", False, "created", True)
        with pytest.raises(Invalid):
            twins.repository.save({**body, "tone": "Calm"}, idempotency_key="request-3")
    twins.drain()
    assert twins.rows(PRISMA, "id::text, version") == [(body["id"], 1)]


def test_a_write_that_says_nothing_new_is_a_proposal_all_the_same(twins: Twins) -> None:
    """The primary may hold something newer that the secondary has not seen: then nobody's write is lost silently."""
    body = scenario()
    twins.repository.save(body)
    with twins.away(SUPABASE):
        assert twins.repository.update(body["id"], {"tone": "Calm"}).success
    with twins.away(PRISMA):
        result = twins.repository.save(body)
    assert (result.success, result.outcome) == (True, Outcome.UPDATED)
    twins.drain()
    assert len(twins.replication.book.conflicts()) == 1


def test_a_store_that_refuses_is_no_outage(twins: Twins) -> None:
    """Nothing is written to the other store in its place."""
    body = scenario()
    twins.repository.save(body)
    twins.run(PRISMA, "ALTER TABLE public.planning RENAME TO elsewhere")
    try:
        result = twins.repository.update(body["id"], {"tone": "Calm"})
        report = twins.repository.check_consistency(body["id"])
    finally:
        twins.run(PRISMA, "ALTER TABLE public.elsewhere RENAME TO planning")
    assert (result.success, result.outcome) == (False, Outcome.FAILED)
    assert str(result.error).startswith("The update failed on prisma")
    assert report.details.unreachable == (PRISMA,)
    assert twins.rows(SUPABASE, "version") == [(1,)]
