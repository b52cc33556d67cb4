"""What the secondary alone holds: that the primary lacks a record, or need not write it, is not the whole answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from contracts.results import DegradationMode, DualStorageResult, Outcome
from contracts.vocabulary import StoreName
from storage.breaker import Breaker, Guard, State
from storage.replication import adoption
from tests.support.accounts import superuser_of
from tests.support.dual import PRISMA, SUPABASE, Twins, new_id, scenario
from tests.support.faulty_stores import guards

_CAPTURE = "ALTER TABLE public.planning {} TRIGGER twinstore_capture"


def stands(result: DualStorageResult) -> tuple[bool, str, str]:
    """Return what a result says on the whole."""
    return result.success, str(result.outcome), str(result.consistency)


def of_supabase(result: DualStorageResult) -> tuple[bool, bool, str | None]:
    """Return what it says of the secondary."""
    assert result.details is not None
    told = result.details.supabase
    assert result.supabase_success is told.success
    return told.attempted, told.success, told.outcome


def begin_adopting(twins: Twins) -> Any:
    """Begin an adoption, and return what ends it; until then nothing is judged or delivered."""
    primary, secondary, _ = twins.replication.both()
    _, theirs = adoption.begin(primary, secondary, twins.replication.book)
    return lambda differing=(): adoption.finish(secondary, twins.replication.book, differing=differing, begun=theirs)


@contextmanager
def uncaptured(twins: Twins, store: StoreName) -> Iterator[None]:
    """Let writes of the block pass by, as before an adoption."""
    twins.run(store, _CAPTURE.format("DISABLE"))
    yield
    twins.run(store, _CAPTURE.format("ENABLE ALWAYS"))


@contextmanager
def circuit_open(guard: Guard) -> Iterator[None]:
    """Keep a circuit open for as long as the block runs."""
    guard.force(State.FORCED_OPEN)
    yield
    guard.force(State.CLOSED)


def lent(twins: Twins, **changes: Any) -> dict[str, Any]:
    """Write a record while the primary is away, and return it."""
    body = scenario(**changes)
    with twins.away(PRISMA):
        assert twins.repository.save(body).success
    return body


def changed_there(twins: Twins, tone: str, key: str) -> None:
    """Change a record on the secondary, as somebody else does."""
    change = (
        "UPDATE public.planning SET content = jsonb_set(content::jsonb, '{tone}', to_jsonb(%s::text)) WHERE id = %s"
    )
    twins.run(SUPABASE, change, tone, key)


def tones(twins: Twins) -> tuple[list[str], list[str]]:
    """Return the tones of all records, in each store."""
    ours, theirs = (twins.rows(store, "content->>'tone'") for store in (PRISMA, SUPABASE))
    return [tone for (tone,) in ours], [tone for (tone,) in theirs]


def test_nobody_calls_a_record_gone_without_the_secondary(twins: Twins) -> None:
    """The primary lacks it, the secondary cannot be asked: that is no success, and the record is found afterwards."""
    body = lent(twins)
    fresh = twins.open(guards=(known := guards()))
    writes: tuple[Callable[[], DualStorageResult], ...] = (
        lambda: fresh.update(body["id"], {"tone": "Calm"}),
        lambda: fresh.delete(body["id"]),
    )
    for store_is_away in (True, False):
        with twins.away(SUPABASE) if store_is_away else circuit_open(known[SUPABASE]):
            results = [write() for write in writes]
        for result in results:
            assert stands(result) == (False, "missing", "failed")
            assert "nobody can say whether supabase has" in str(result.error)
            assert of_supabase(result) == (store_is_away, False, None)
            assert (result.degradation_mode is DegradationMode.SUPABASE_CIRCUIT_OPEN) is not store_is_away
    assert [stands(write()) for write in writes] == [(True, "updated", "full"), (True, "deleted", "full")]
    assert twins.rows(PRISMA) == twins.rows(SUPABASE) == []


def test_what_cannot_be_judged_yet_is_not_called_gone(by_sql: Twins) -> None:
    """The stores are being adopted: nothing was written, the answer says so, and the record is there."""
    body = lent(by_sql)
    end = begin_adopting(by_sql)
    fresh = by_sql.open()
    for result in (fresh.delete(body["id"]), fresh.update(body["id"], {"tone": "Calm"})):
        assert stands(result) == (False, "failed", "failed")
        assert "has not judged yet" in str(result.error)
        assert of_supabase(result) == (True, False, None)
    assert fresh.get(body["id"]) is not None
    end()
    by_sql.drain()
    assert by_sql.rows(PRISMA) == by_sql.rows(SUPABASE) == [(body["id"],)]
    assert fresh.delete(body["id"]).outcome is Outcome.DELETED


def test_a_record_in_conflict_that_the_primary_lacks_is_not_called_gone(by_sql: Twins) -> None:
    """It differed before the adoption: somebody has to decide before it is deleted."""
    body = scenario()
    by_sql.repository.save(body)
    with uncaptured(by_sql, PRISMA):
        by_sql.run(PRISMA, "DELETE FROM public.planning")
    begin_adopting(by_sql)([body["id"]])
    fresh, without_relay = by_sql.open(), by_sql.open(relay=False)
    patched = fresh.update(body["id"], {"tone": "Calm"})
    for result in (patched, fresh.delete(body["id"]), without_relay.delete(body["id"])):
        assert stands(result) == (False, "failed", "failed")
        assert "twinstore sync conflicts list" in str(result.error)
        assert of_supabase(result) == (True, False, None)
    by_sql.drain()
    assert (by_sql.rows(PRISMA), by_sql.rows(SUPABASE)) == ([], [(body["id"],)])
    assert [conflict.key for conflict in by_sql.replication.book.conflicts()] == [body["id"]]


def test_what_the_primary_turns_away_at_this_moment_is_not_called_gone(by_sql: Twins) -> None:
    """An adoption begins: it is not judged, and a moment later it can be deleted."""
    body = lent(by_sql)
    fresh = by_sql.open()
    with psycopg.connect(superuser_of(by_sql.pair, PRISMA)) as other:
        other.execute("SELECT FROM twinstore.capture FOR UPDATE")
        result = fresh.delete(body["id"])
    assert stands(result) == (False, "failed", "failed")
    assert "has not judged yet" in str(result.error)
    assert stands(fresh.delete(body["id"])) == (True, "deleted", "full")
    by_sql.drain()
    assert by_sql.rows(PRISMA) == by_sql.rows(SUPABASE) == []
    assert by_sql.replication.book.conflicts() == ()


def test_what_neither_store_holds_is_gone(by_sql: Twins) -> None:
    """The secondary was asked, and says so; without one the primary's word counts, as far as it goes."""
    result = by_sql.repository.delete(new_id())
    assert stands(result) == (True, "missing", "full")
    assert of_supabase(result) == (True, True, "missing")
    alone = by_sql.open(secondary=False).delete(new_id())
    assert stands(alone) == (True, "missing", "partial")
    assert alone.degradation_mode is DegradationMode.SUPABASE_DISABLED


def test_what_was_deleted_and_is_still_owed_is_delivered(by_sql: Twins) -> None:
    """The secondary's row is the one that was deleted: a second delete takes it along."""
    body = scenario()
    by_sql.repository.save(body)
    with by_sql.away(SUPABASE):
        assert stands(by_sql.repository.delete(body["id"])) == (True, "deleted", "partial")
    assert stands(by_sql.repository.delete(body["id"])) == (True, "missing", "full")
    assert by_sql.rows(SUPABASE) == []


def test_a_delete_that_waits_on_the_secondary_is_no_record(by_sql: Twins) -> None:
    """No store holds a row; a change waits all the same, so that it is not everything that both say."""
    body = lent(by_sql)
    by_sql.run(SUPABASE, "DELETE FROM public.planning")
    end = begin_adopting(by_sql)
    result = by_sql.open().delete(body["id"])
    assert stands(result) == (True, "missing", "partial")
    assert "has not judged yet" in str(result.error)
    end()
    by_sql.drain()
    assert by_sql.rows(PRISMA) == by_sql.rows(SUPABASE) == []


def test_a_change_that_lost_leaves_nothing_to_delete(by_sql: Twins) -> None:
    """The primary deleted the record while somebody changed it on the secondary: a conflict, and no record."""
    body = scenario(tone="Old")
    by_sql.repository.save(body)
    changed_there(by_sql, "Theirs", body["id"])
    by_sql.run(PRISMA, "DELETE FROM public.planning")
    assert stands(by_sql.repository.delete(body["id"])) == (True, "missing", "full")
    assert by_sql.rows(PRISMA) == by_sql.rows(SUPABASE) == []
    assert [conflict.key for conflict in by_sql.replication.book.conflicts()] == [body["id"]]


def test_nothing_is_unchanged_while_the_secondary_holds_a_change(twins: Twins) -> None:
    """It is judged first, and then what the caller says is written over it."""
    one, other = scenario(tone="Ours"), scenario(tone="Ours")
    for body in (one, other):
        twins.repository.save(body)
        changed_there(twins, "Theirs", body["id"])
    assert stands(twins.repository.save(one)) == (True, "updated", "full")
    assert stands(twins.repository.update(other["id"], {"tone": "Ours"})) == (True, "updated", "full")
    twins.drain()
    assert tones(twins) == (["Ours"] * 2, ["Ours"] * 2)
    assert twins.replication.book.conflicts() == ()


def test_what_cannot_be_judged_yet_becomes_a_conflict_with_what_stays(by_sql: Twins) -> None:
    """The row is written as it is, so that the relay knows that the change lost; nobody's write is lost silently."""
    one, other = scenario(tone="Ours"), scenario(tone="Ours")
    for body in (one, other):
        by_sql.repository.save(body)
        changed_there(by_sql, "Theirs", body["id"])
    end = begin_adopting(by_sql)
    fresh = by_sql.open()
    for result in (fresh.save(one), fresh.update(other["id"], {"tone": "Ours"})):
        assert stands(result) == (True, "updated", "partial")
        assert result.record is not None
        assert (result.record.version, result.record.pending) == (1, True)
    end()
    by_sql.drain()
    assert tones(by_sql) == (["Ours"] * 2, ["Ours"] * 2)
    losers = [conflict.loser for conflict in by_sql.replication.book.conflicts()]
    assert ["Theirs" in str(loser) for loser in losers] == [True, True]


def test_nothing_is_full_while_the_stores_hold_different_rows(by_sql: Twins) -> None:
    """A record in conflict: prisma holds it as the caller says, supabase does not, and nothing is owed."""
    body = scenario(tone="Ours")
    by_sql.repository.save(body)
    with uncaptured(by_sql, SUPABASE):
        changed_there(by_sql, "Theirs", body["id"])
    begin_adopting(by_sql)([body["id"]])
    result = by_sql.open().save(body)
    assert stands(result) == (True, "unchanged", "partial")
    assert of_supabase(result) == (True, False, None)
    assert str(result.error).startswith("Partial save: supabase holds another state of this record")
    assert result.record is not None
    assert result.record.pending is False
    assert tones(by_sql) == (["Ours"], ["Theirs"])


def test_what_a_relay_judged_at_this_very_moment_is_seen(by_sql: Twins) -> None:
    """The primary lacked it when it was asked, and has it when the secondary has answered."""
    body = lent(by_sql)
    fresh = by_sql.open()
    ask, asked = fresh._saving._on_primary, list[Any]()

    def drain_after(*args: Any, **named: Any) -> Any:
        answer = ask(*args, **named)
        if not asked:
            by_sql.drain()
        asked.append(answer)
        return answer

    fresh._saving._on_primary = drain_after  # type: ignore[method-assign]  # others come in between
    assert stands(fresh.delete(body["id"])) == (True, "deleted", "full")
    assert by_sql.rows(PRISMA) == by_sql.rows(SUPABASE) == []


def test_what_a_relay_delivered_at_this_very_moment_is_no_difference(by_sql: Twins) -> None:
    """The secondary was looked at while it was owed, and the primary owes nothing when it is asked again."""
    body = scenario(tone="Old")
    by_sql.repository.save(body)
    with by_sql.away(SUPABASE):
        by_sql.repository.save(body | {"tone": "New"})
    fresh = by_sql.open()
    bring = fresh._saving._homing.bring

    def drain_after(*args: Any, **named: Any) -> Any:
        found = bring(*args, **named)
        by_sql.drain()
        return found

    fresh._saving._homing.bring = drain_after  # type: ignore[method-assign]  # others come in between
    assert stands(fresh.save(body | {"tone": "New"})) == (True, "unchanged", "full")
    with by_sql.away(SUPABASE):
        by_sql.repository.delete(body["id"])
    assert stands(fresh.delete(body["id"])) == (True, "missing", "full")
    assert by_sql.rows(PRISMA) == by_sql.rows(SUPABASE) == []


def test_nothing_is_full_while_the_secondary_cannot_be_asked(by_sql: Twins) -> None:
    """The primary holds it as the caller says; what supabase holds nobody can say."""
    body = scenario()
    by_sql.repository.save(body)
    with by_sql.away(SUPABASE):
        result = by_sql.open().save(body)
    assert stands(result) == (True, "unchanged", "partial")
    assert of_supabase(result) == (True, False, None)
    assert str(result.error).startswith("Partial save: supabase")
    with circuit_open(guard := Guard(SUPABASE, Breaker())):
        spared = by_sql.open(guards={SUPABASE: guard}).save(body)
    assert stands(spared) == (True, "unchanged", "partial")
    assert spared.degradation_mode is DegradationMode.SUPABASE_CIRCUIT_OPEN
    alone = by_sql.open(secondary=False).save(body)
    assert (*stands(alone), alone.error) == (True, "unchanged", "partial", None)
