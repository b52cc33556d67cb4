"""A write whose COMMIT on the primary nobody acknowledged, while others go on: it takes nothing from anybody."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import Any

import pytest

from contracts.planning import PLANNING
from contracts.results import Consistency, DualStorageResult, Outcome
from flows.replicating import open_replication
from storage.dual import DualRepository
from storage.replication.doors import Call, SecondaryDoors
from tests.support.checking import job_of, stores_of
from tests.support.dual import PRISMA, SUPABASE, Twins, losing, scenario
from tests.support.faulty_stores import faulty_stores
from tests.support.servers import Pair
from tests.support.tcp_proxy import Fault, Plan

COLUMNS = "id::text, version, content->>'tone', content->>'genre'"
WISHED = {"save": (1, "Old", "Old"), "update": (2, "Ours", "Old"), "delete": None}
VERBS = {"save": Outcome.CREATED, "update": Outcome.UPDATED, "delete": Outcome.DELETED}


class Once:
    """A call to a store beside which something happens once, right after the first look.

    Args:
        call: The call itself.
        then: What happens.
    """

    def __init__(self, call: Call, then: Callable[[], object]) -> None:
        self._call = call
        self._then: Callable[[], object] | None = then
        self.store = call.store

    def __call__(
        self, door: str, arguments: Mapping[str, Any], *, deadline_s: float | None = None, once: bool = False
    ) -> object:
        """Call it."""
        answer = self._call(door, arguments, deadline_s=deadline_s, once=once)
        if door == "look" and self._then is not None:
            then, self._then = self._then, None
            then()
        return answer

    def close(self) -> None:
        """Close the connections."""
        self._call.close()


def unsure(twins: Twins, *, carried_out: bool, meanwhile: Callable[[], object] = lambda: None) -> DualRepository:
    """Open a repository whose writes on the primary are never acknowledged, while others do something."""
    return twins.open(primary=losing(twins.replication.primary, carried_out=carried_out, meanwhile=meanwhile))


def written(repository: DualRepository, verb: str, body: dict[str, Any]) -> DualStorageResult:
    """Create, update or delete a record."""
    if verb == "save":
        return repository.save(body)
    return repository.update(body["id"], {"tone": "Ours"}) if verb == "update" else repository.delete(body["id"])


def is_unknown(result: DualStorageResult) -> bool:
    """Tell whether a result says that nobody can say, and that the secondary was left as it is."""
    assert result.details is not None
    assert "holds another change of this record, or lacks one that prisma had" in str(result.details.supabase.error)
    assert (result.success, result.supabase_success, result.consistency) == (False, False, Consistency.FAILED)
    return result.outcome is Outcome.UNKNOWN and str(result.error).startswith("Nobody can say whether")


def agree(twins: Twins) -> dict[str, tuple[Any, ...]]:
    """Carry everything over, and return the rows that both stores hold, by key; nothing is in conflict."""
    twins.drain()
    rows = twins.rows(PRISMA, COLUMNS)
    assert rows == twins.rows(SUPABASE, COLUMNS)
    assert twins.replication.book.conflicts() == ()
    return {key: tuple(rest) for key, *rest in rows}


def test_a_later_write_of_somebody_else_stays(by_sql: Twins) -> None:
    """It was acknowledged as held by both; what is older is not written over it, whether or not it arrived."""
    said: list[DualStorageResult] = []
    expected = {}

    def others(key: str) -> None:
        said.append(by_sql.repository.update(key, {"genre": "Theirs"}))

    for carried_out in (True, False):
        body = scenario(tone="Old", genre="Old")
        key = body["id"]
        by_sql.repository.save(body)
        result = unsure(by_sql, carried_out=carried_out, meanwhile=partial(others, key)).update(key, {"tone": "Ours"})
        assert is_unknown(result)
        expected[key] = (3, "Ours", "Theirs") if carried_out else (2, "Old", "Theirs")
    assert [result.consistency for result in said] == [Consistency.FULL, Consistency.FULL]
    assert agree(by_sql) == expected


def test_a_secondary_that_is_behind_is_left_as_it_is(by_sql: Twins) -> None:
    """Nobody wrote since: it lacks what prisma held before, and the sentence does not say that others wrote."""
    body = scenario(tone="Old", genre="Old")
    key = body["id"]
    by_sql.repository.save(body)
    with by_sql.away(SUPABASE):
        by_sql.repository.update(key, {"genre": "New"})
    assert is_unknown(unsure(by_sql, carried_out=False).update(key, {"tone": "Ours"}))
    assert agree(by_sql) == {key: (2, "Old", "New")}


def test_a_delete_takes_away_no_later_write(by_sql: Twins) -> None:
    """Neither the record that somebody made anew, nor the update of one that is there still."""
    expected = {}
    for carried_out in (True, False):
        body = scenario(tone="Old", genre="Old")
        by_sql.repository.save(body)
        others = partial(by_sql.repository.save, body | {"genre": "Theirs"})
        assert is_unknown(unsure(by_sql, carried_out=carried_out, meanwhile=others).delete(body["id"]))
        expected[body["id"]] = (1 if carried_out else 2, "Old", "Theirs")
    assert agree(by_sql) == expected


def test_a_record_that_somebody_deleted_meanwhile_does_not_come_back(by_sql: Twins) -> None:
    """The secondary lacks it as it did before, but since a later change."""
    body = scenario()
    others = partial(by_sql.repository.delete, body["id"])
    assert is_unknown(unsure(by_sql, carried_out=True, meanwhile=others).save(body))
    assert agree(by_sql) == {}


def test_what_was_delivered_meanwhile_is_not_written_again(twins: Twins) -> None:
    """Nobody else wrote: it did arrive, a relay brought it, and that is a success that leaves nothing to be judged."""
    for verb, outcome in VERBS.items():
        body = scenario(tone="Old", genre="Old")
        if verb != "save":
            twins.repository.save(body)
        result = written(unsure(twins, carried_out=True, meanwhile=twins.drain), verb, body)
        assert (result.success, result.outcome, result.consistency) == (True, outcome, Consistency.PARTIAL)
        assert result.details is not None
        assert (result.details.prisma.outcome, result.details.supabase.success) == (Outcome.UNKNOWN, True)
        assert str(result.error).startswith(f"Partial {verb}: prisma went away")
        assert result.record is None if verb == "delete" else result.record and not result.record.pending
        assert twins.replication.both()[1].standing().dirty == 0
        assert agree(twins).get(body["id"]) == WISHED[verb]


def test_what_is_delivered_at_this_very_moment_is_not_written_again(by_sql: Twins) -> None:
    """The relay comes between the look at the secondary and the write there."""
    held = by_sql.replication.secondary
    assert held is not None
    for verb, outcome in VERBS.items():
        body = scenario(tone="Old", genre="Old")
        if verb != "save":
            by_sql.repository.save(body)
        repository = unsure(by_sql, carried_out=True)
        repository._saving._secondary = SecondaryDoors(Once(held._call, by_sql.drain), PLANNING)
        result = written(repository, verb, body)
        assert (result.success, result.outcome, result.supabase_success) == (True, outcome, True)
        assert held.standing().dirty == 0
        assert agree(by_sql).get(body["id"]) == WISHED[verb]


def test_a_write_of_the_secondary_that_was_just_judged_stays(by_sql: Twins) -> None:
    """The primary has it, it does not wait any more, and it has not come back to the secondary yet."""
    body = scenario(tone="Old", genre="Old")
    key = body["id"]
    by_sql.repository.save(body)
    primary, secondary, _ = by_sql.replication.both()

    def others() -> None:
        by_sql.run(SUPABASE, "UPDATE public.planning SET title = 'Theirs' WHERE id::text = %s", key)
        (item,) = secondary.changes(at_most=9).items
        assert [verdict.outcome for verdict in primary.judge([item])] == ["accepted"]
        secondary.settle([(key, item.change or 0)])

    assert is_unknown(unsure(by_sql, carried_out=False, meanwhile=others).update(key, {"tone": "Ours"}))
    assert by_sql.rows(SUPABASE, "title") == [("Theirs",)]
    assert agree(by_sql) == {key: (1, "Old", "Old")}


@pytest.mark.soak
@pytest.mark.parametrize("fault", [Fault.ANSWER_LOST, Fault.RESET_BEFORE])
@pytest.mark.parametrize("verb", ["update", "delete"])
def test_a_later_write_stays_although_one_caller_alone_cannot_reach_the_primary(
    pair: Pair, verb: str, fault: Fault
) -> None:
    """COMMIT passes a real proxy or does not, which lets nobody through afterwards; others have another way."""
    with ExitStack() as stack:
        stores = stack.enter_context(faulty_stores(pair, rest=False))
        direct = stack.enter_context(open_replication(job_of(pair).settings, stores_of(pair), "planning"))
        others = DualRepository(direct.primary, direct.secondary, direct.relay, fast_path_s=5.0)
        ours, body = stores.repository(), scenario(tone="Old", genre="Old")
        key = body["id"]
        for repository in (others, ours):
            assert repository.save(scenario()).consistency is Consistency.FULL
        assert others.save(body).consistency is Consistency.FULL
        plan = Plan(fault=fault, after=(b"planning_put", b"COMMIT"), times=1, then=Fault.REFUSED)
        with stores.proxies[PRISMA].suffering(plan), ThreadPoolExecutor() as pool:
            said = pool.submit(written, ours, verb, body)
            while not plan.hits:
                time.sleep(0.01)
            time.sleep(0.3)  # in which what arrived was committed
            there = others.get(key)
            theirs = others.save(body | {"genre": "Theirs"} | ({"tone": there.content["tone"]} if there else {}))
            assert theirs.consistency is Consistency.FULL
            assert is_unknown(said.result())
        stores.drain()
        record = others.get(key)
        assert record is not None
        arrived = fault is Fault.ANSWER_LOST
        version = 2 if not arrived else 3 if verb == "update" else 1
        tone = "Ours" if arrived and verb == "update" else "Old"
        assert (record.version, record.content["tone"], record.content["genre"]) == (version, tone, "Theirs")
        assert others.check_consistency(key).consistent
        assert direct.book.conflicts() == ()
