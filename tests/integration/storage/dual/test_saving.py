"""Writes while both stores are there."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from contracts.errors import Invalid
from contracts.results import Consistency, DegradationMode, Outcome
from tests.support.dual import PRISMA, SUPABASE, Twins, new_id, scenario
from tests.support.planning_rows import OWNER


def test_a_new_record_is_in_both_stores(twins: Twins) -> None:
    """One call commits on the primary and delivers at once; both say so."""
    body = scenario(metadata={"userId": OWNER, "status": "in-progress", "author": "Kim"})
    result = twins.repository.save(body)
    assert (result.success, result.outcome, result.consistency) == (True, Outcome.CREATED, Consistency.FULL)
    assert (result.degradation_mode, result.error, result.degraded) == (DegradationMode.NONE, None, False)
    assert result.details is not None
    assert [result.details.of(store).success for store in (PRISMA, SUPABASE)] == [True, True]
    columns = "id::text, title, status, user_id::text, version, content, metadata"
    (ours,), (theirs,) = twins.rows(PRISMA, columns), twins.rows(SUPABASE, columns)
    assert ours == theirs
    assert ours[2:5] == ("processing", OWNER, 1)
    assert ours[5]["metadata"] == ours[6]
    assert result.record is not None
    assert (result.record.version, result.record.author, result.record.created_at) == (1, "Kim", twins.clock.now)


def test_what_metadata_does_not_name_stays(twins: Twins) -> None:
    """A second save replaces the content, and keeps owner, project, author and time of creation."""
    first = scenario(metadata={"userId": OWNER, "projectId": OWNER, "status": "active", "author": "Kim"})
    twins.repository.save(first)
    began = twins.clock.now
    twins.clock.advance(60_000)
    result = twins.repository.save({"id": first["id"], "type": "scenario", "title": "Another"})
    record = result.record
    assert record is not None
    assert (result.outcome, record.version, record.title) == (Outcome.UPDATED, 2, "Another")
    assert (record.user_id, record.project_id, record.status, record.author) == (OWNER, OWNER, "active", "Kim")
    assert (record.created_at, record.updated_at) == (began, twins.clock.now)
    assert "story" not in record.content


def test_the_same_content_changes_nothing(twins: Twins) -> None:
    """Version and time of the last change stay, and the secondary is asked whether it holds the same."""
    body = scenario()
    twins.repository.save(body)
    twins.clock.advance(1)
    result = twins.repository.save(body)
    assert (result.success, result.outcome, result.consistency) == (True, Outcome.UNCHANGED, Consistency.FULL)
    assert result.record is not None
    assert result.record.version == 1
    assert result.details is not None
    told = result.details.supabase
    assert (told.attempted, told.success, told.outcome) == (True, True, Outcome.UNCHANGED)


def test_a_patch_loses_nothing(twins: Twins) -> None:
    """Objects are merged key by key; what a patch does not name stays, in metadata, too."""
    body = scenario(metadata={"userId": OWNER, "author": "Kim", "projectId": OWNER})
    twins.repository.save(body)
    result = twins.repository.update(body["id"], {"tone": "Calm", "metadata": {"status": "completed"}})
    record = twins.repository.get(body["id"])
    assert record is not None
    assert (result.outcome, record.version, record.status) == (Outcome.UPDATED, 2, "completed")
    assert (record.user_id, record.project_id, record.author) == (OWNER, OWNER, "Kim")
    assert (record.content["story"], record.content["tone"]) == (body["story"], "Calm")
    assert record.content["metadata"] == record.metadata


def test_a_patch_that_breaks_the_contract_writes_nothing(twins: Twins) -> None:
    """What would come out is held against the contract, not the patch alone."""
    body = scenario()
    twins.repository.save(body)
    for patch in ({"title": ""}, {"type": "story"}, {"unknown": 1}, {"story": None}, {"id": new_id()}):
        with pytest.raises(Invalid):
            twins.repository.update(body["id"], patch)
    assert twins.rows(PRISMA, "version") == [(1,)]


def test_a_version_that_moved_is_a_conflict(twins: Twins) -> None:
    """The record stays as somebody else left it, and the answer says at which version it is."""
    body = scenario()
    key = body["id"]
    assert twins.repository.save(body, expected_version=0).success
    assert twins.repository.update(key, {"tone": "Calm"}, expected_version=1).success
    for result in (
        twins.repository.save(body, expected_version=0),
        twins.repository.update(key, {"tone": "Loud"}, expected_version=1),
        twins.repository.delete(key, expected_version=1),
    ):
        assert (result.success, result.outcome, result.consistency) == (False, Outcome.CONFLICT, Consistency.FAILED)
        assert "has version 2" in str(result.error)
        assert result.record is not None
        assert result.record.content["tone"] == "Calm"


def test_a_deleted_record_is_gone_from_both(twins: Twins) -> None:
    """And one that is not there counts as deleted, once more and for ever."""
    body = scenario()
    twins.repository.save(body)
    result = twins.repository.delete(body["id"])
    assert (result.success, result.outcome, result.consistency) == (True, Outcome.DELETED, Consistency.FULL)
    assert twins.rows(PRISMA) == twins.rows(SUPABASE) == []
    again = twins.repository.delete(body["id"])
    assert (again.success, again.outcome, again.consistency) == (True, Outcome.MISSING, Consistency.FULL)
    assert twins.repository.get(body["id"]) is None


def test_a_patch_of_nothing_is_missing(twins: Twins) -> None:
    """Neither store is written."""
    result = twins.repository.update(new_id(), {"tone": "Calm"})
    assert (result.success, result.outcome) == (False, Outcome.MISSING)
    assert twins.rows(PRISMA) == []


def test_a_request_is_carried_out_once(twins: Twins) -> None:
    """Repeating it tells its outcome again, also where the record went on; the same key for another one is refused."""
    body = scenario()
    first = twins.repository.save(body, expected_version=0, idempotency_key="request-1")
    again = twins.repository.save(body, expected_version=0, idempotency_key="request-1")
    assert (first.repeated, again.repeated) == (False, True)
    assert (first.outcome, again.outcome) == (Outcome.CREATED, Outcome.CREATED)
    twins.repository.update(body["id"], {"tone": "Calm"})
    later = twins.repository.save(body, expected_version=0, idempotency_key="request-1")
    assert (later.repeated, later.success) == (True, True)
    assert later.record is not None
    assert later.record.version == 2
    with pytest.raises(Invalid, match="used for something else"):
        twins.repository.save({**body, "tone": "Loud"}, idempotency_key="request-1")
    assert twins.rows(PRISMA, "version") == [(2,)]


def test_a_repeated_delete_is_told_again(twins: Twins) -> None:
    """Although the record is not there any more."""
    body = scenario()
    twins.repository.save(body)
    first = twins.repository.delete(body["id"], idempotency_key="request-2")
    again = twins.repository.delete(body["id"], idempotency_key="request-2")
    assert (first.outcome, first.repeated) == (Outcome.DELETED, False)
    assert (again.outcome, again.repeated) == (Outcome.DELETED, True)


def test_one_of_many_wins_a_version(twins: Twins) -> None:
    """Of writers that all expect the same version exactly one writes; the others are told at which it is."""
    body = scenario()
    twins.repository.save(body)

    def write(number: int) -> Outcome | None:
        return twins.repository.update(body["id"], {"tone": str(number)}, expected_version=1).outcome

    with ThreadPoolExecutor(8) as pool:
        outcomes = Counter(pool.map(write, range(8)))
    assert outcomes == {Outcome.UPDATED: 1, Outcome.CONFLICT: 7}


def test_a_request_that_is_sent_by_many_is_carried_out_once(twins: Twins) -> None:
    """All of them are told the same outcome."""
    body = scenario()
    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(lambda _: twins.repository.save(body, idempotency_key="request-4"), range(6)))
    assert {(result.success, result.outcome) for result in results} == {(True, Outcome.CREATED)}
    assert Counter(result.repeated for result in results) == {False: 1, True: 5}
    assert twins.rows(PRISMA, "version") == [(1,)]


def test_writers_of_one_record_all_get_their_turn(twins: Twins) -> None:
    """Whoever finds the record changed reads it again and writes over it; nothing of anybody's is lost."""
    body = scenario()
    twins.repository.save(body)
    names = ("genre", "tone", "target", "format", "tempo", "developmentMethod")
    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(lambda name: twins.repository.update(body["id"], {name: "x"}), names))
    assert [result.success for result in results] == [True] * 6
    record = twins.repository.get(body["id"])
    assert record is not None
    assert set(names) <= record.content.keys()
    assert record.version == 7
