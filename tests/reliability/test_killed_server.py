"""The primary's server is killed while threads write: no acknowledged write is lost, no outcome is misreported."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import psycopg
import pytest

from contracts.planning import PLANNING
from contracts.results import Outcome
from storage.dual import DualRepository
from storage.migrations.values import Side
from storage.replication.doors import PrimaryDoors
from tests.support.crashing import SteppingSql, Steps
from tests.support.dual import new_id, scenario
from tests.support.interrupted import canonical, drained
from tests.support.lives import proven_equal
from tests.support.mortal import Load, Mortal, misreported, mortal, repository_of
from tests.support.servers import Servers

TIMES = 20
TRIES = 10
AGAIN = "undone, and its number given again"


@pytest.fixture(scope="module")
def pair_with_a_mortal(servers: Servers, _migrated_template: str) -> Iterator[Mortal]:
    """Two stores that replicate; the server of the primary may be killed."""
    with mortal(servers, _migrated_template) as found:
        yield found


def killed_under_load(stores: Mortal, seed: int) -> Counter[str]:
    """Kill the server while threads write, start it again, carry everything over; return what callers were told."""
    random = Random(seed)
    with stores.reached() as sides:
        repository = repository_of(sides, guarded=seed % 2 == 1)
        shared = [new_id() for _ in range(5)]
        for key in shared:
            assert repository.save(scenario(key)).success
        load = Load(repository, shared, seed=seed)
        with load.going_on():
            time.sleep(random.uniform(0.2, 0.5))
            stores.kill()
            time.sleep(random.uniform(0.0, 0.3))
            stores.start()
            time.sleep(0.3)
    assert load.errors == []
    with stores.reached() as sides:
        drained(sides.primary, sides.secondary, sides.book)
        assert list(misreported(load.written, sides)) == []
        assert sides.book.counts()[1:] == (0, 0)
    proven_equal(stores.pair)
    return Counter(
        "there only" if each.result.success and not each.result.prisma_success else str(each.result.outcome)
        for each in load.written
    )


def test_the_server_of_the_primary_is_killed_under_load(pair_with_a_mortal: Mortal) -> None:
    """What was acknowledged is on both stores or a named conflict; what failed is nowhere."""
    told = killed_under_load(pair_with_a_mortal, 0)
    assert told[Outcome.CREATED] > 0
    assert told["there only"] > 0


class AtCommit(Steps):
    """Does something in place of the COMMIT of a write.

    Args:
        do: What; it is given the connection.
    """

    def __init__(self, do: Callable[[psycopg.Connection[Any]], None]) -> None:
        super().__init__(lambda _: None, None)
        self._do = do

    def commit(self, connection: psycopg.Connection[Any]) -> None:
        """Do it once, at the COMMIT of `put`."""
        if self._act == "primary.put":
            self._act = None
            self._do(connection)


@pytest.mark.parametrize("alone", [False, True], ids=["the server dies", "one process dies"])
@pytest.mark.parametrize("fate", ["undone", AGAIN, "carried out"])
def test_a_commit_whose_server_dies_is_told_as_it_is(pair_with_a_mortal: Mortal, fate: str, *, alone: bool) -> None:
    """A server that crashed gives the numbers of lost transactions once more: no other one is taken for ours."""
    for _ in range(TRIES):
        if died_at_commit(pair_with_a_mortal, fate, alone=alone) or fate != AGAIN:
            return
    pytest.fail("no number was given again")


def died_at_commit(stores: Mortal, fate: str, *, alone: bool) -> bool:
    """Let the server die at a COMMIT; tell whether the transaction's number was given again.

    It is not where the server happened to write its log just before.
    """
    numbers: list[str] = []

    def crash(connection: psycopg.Connection[Any]) -> None:
        numbers.append(number_of(connection))
        if fate == "carried out":
            psycopg.Connection.execute(connection, "COMMIT")
        if alone:
            stores.lose(connection.info.backend_pid)
        else:
            stores.kill()
            stores.start()
        if fate == AGAIN:
            with psycopg.connect(stores.pair.primary) as other:
                numbers.append(number_of(other))

    key = new_id()
    with stores.reached() as sides:
        call = SteppingSql(stores.pair.primary, PLANNING, Side.PRIMARY, steps=AtCommit(crash), tell=lambda _: None)
        primary = PrimaryDoors(call, PLANNING)
        result = DualRepository(primary, sides.secondary, None).save(scenario(key))
        primary.close()
        assert (result.success, result.prisma_success, result.supabase_success) == (True, False, True)
        assert result.details is not None
        given_again = len(numbers) > len(set(numbers))
        if given_again or fate == "carried out":
            assert result.details.prisma.outcome == Outcome.UNKNOWN
        drained(sides.primary, sides.secondary, sides.book)
        ours, theirs = (canonical(doors.look([key])[key].row) for doors in (sides.primary, sides.secondary))
        assert ours == theirs is not None
        assert sides.book.conflicts(keys=[key]) == ()
    return given_again


def number_of(connection: psycopg.Connection[Any]) -> str:
    """Return the number of a transaction."""
    ((number,),) = psycopg.Connection.execute(connection, "SELECT pg_current_xact_id()::text").fetchall()
    return str(number)


@pytest.mark.soak
def test_the_server_of_the_primary_is_killed_again_and_again(pair_with_a_mortal: Mortal) -> None:
    """Likewise, with circuit breakers and without."""
    told: Counter[str] = Counter()
    for seed in range(1, TIMES + 1):
        told += killed_under_load(pair_with_a_mortal, seed)
    assert told["there only"] > TIMES
