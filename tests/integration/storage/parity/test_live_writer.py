"""Rows that change while they are compared: changes under way are never called differences, real ones always are."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

import psycopg
import pytest

from contracts.vocabulary import DifferenceKind, StoreName, Verdict
from flows import stages
from storage.local.seed import load
from storage.parity.engine import Parity
from storage.parity.recheck import Patience
from tests.support.accounts import url_of
from tests.support.checking import job_of
from tests.support.servers import SEEDED_AT, Pair

ROWS = 5_000
PER_SECOND = 200
LAG_S = 2.0
PATIENCE = Patience()

Change = tuple[str, dict[str, object]]
INSERT = """
INSERT INTO public.planning (id, type, title, content, status, version, created_at, updated_at)
VALUES (%(id)s, 'prompt', %(title)s, %(content)s, 'draft', 1, %(at)s, %(at)s)
"""
UPDATE = "UPDATE public.planning SET title = %(title)s, version = version + 1, updated_at = %(at)s WHERE id = %(id)s"
DELETE = "DELETE FROM public.planning WHERE id = %(id)s"


@dataclass(slots=True)
class Writer:
    """Changes random rows on one store, and makes each change on the other one after a while, in order.

    Attributes:
        pair: The databases.
        first: The store that is changed first.
        keys: The keys of the rows that may be changed.
        late_s: The longest time that a change took to arrive, in seconds.
        changes: How many were made.
        wrote_s: How long it wrote, in seconds.
    """

    pair: Pair
    first: StoreName
    keys: list[str]
    late_s: float = 0.0
    changes: int = 0
    wrote_s: float = 0.0
    _random: Random = field(default_factory=lambda: Random(5))
    _over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Write for as long as the context lasts."""
        thread = threading.Thread(target=self._write)
        thread.start()
        time.sleep(LAG_S)  # from now on changes are under way all the time
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _write(self) -> None:
        urls = url_of(self.pair, self.first), url_of(self.pair, self.first.other)
        under_way: deque[tuple[float, Change]] = deque()
        with psycopg.connect(urls[0], autocommit=True) as here, psycopg.connect(urls[1], autocommit=True) as there:
            for connection in (here, there):
                connection.execute("SET TimeZone = 'UTC'")
            began = time.monotonic()
            while not self._over.is_set():
                self._deliver(there, under_way)
                if self.changes < (time.monotonic() - began) * PER_SECOND:
                    change = self._change()
                    here.execute(change[0].encode(), change[1])
                    under_way.append((time.monotonic(), change))
                    self.changes += 1
                else:
                    time.sleep(0.002)
            self.wrote_s = time.monotonic() - began

    def assert_kept_its_times(self) -> None:
        """Assert that nearly as many changes were made as promised, and that none arrived too late."""
        assert self.changes > 0.9 * PER_SECOND * self.wrote_s, "this machine was too busy to make the changes"
        assert self.late_s < PATIENCE.grace_s, "this machine was too busy to bring the changes over in time"

    def _deliver(self, there: psycopg.Connection, under_way: deque[tuple[float, Change]]) -> None:
        """Bring over what is due; this goes before new changes, so that a busy machine makes fewer, not later ones."""
        while under_way and time.monotonic() - under_way[0][0] >= LAG_S:
            made, (statement, values) = under_way.popleft()
            there.execute(statement.encode(), values)
            self.late_s = max(self.late_s, time.monotonic() - made)

    def _change(self) -> Change:
        (statement,) = self._random.choices((UPDATE, DELETE, INSERT), (80, 10, 10))
        place = self._random.randrange(len(self.keys))
        key = self.keys[place]
        if statement is DELETE:
            self.keys[place] = self.keys[-1]
            self.keys.pop()
        elif statement is INSERT:
            key = str(uuid.UUID(int=self._random.getrandbits(128), version=4))
            self.keys.append(key)
        content = json.dumps({"id": key, "type": "prompt", "finalPrompt": "a street at dawn"})
        at = datetime.now(UTC).isoformat(sep=" ", timespec="milliseconds")
        return statement, {"id": key, "title": f"Change {self.changes}", "content": content, "at": at}


def compared(pair: Pair) -> Parity:
    """Compare the stores with the patience that everybody has by default."""
    job = job_of(pair, grace_s=PATIENCE.grace_s, recheck_rounds=PATIENCE.rounds)
    looks = stages.look_at(job, StoreName.PRISMA), stages.look_at(job, StoreName.SUPABASE)
    comparison = stages.compare_stores(job, looks)
    assert comparison.parity is not None, comparison.error
    return comparison.parity


def assert_adds_up(parity: Parity) -> None:
    """Assert that every row that was counted is accounted for, range by range and side by side."""
    assert all(a.primary.balance == a.secondary.balance == 0 for a in parity.ranges)
    assert sum(a.primary.read for a in parity.ranges) == parity.rows.primary
    assert sum(a.secondary.read for a in parity.ranges) == parity.rows.secondary
    assert parity.rows.deferred == len(parity.deferred)


@pytest.mark.soak  # needs a machine that is free enough for the writer to keep its times
@pytest.mark.parametrize("first", list(StoreName))
def test_changes_under_way_are_no_differences_and_a_real_one_is(pair: Pair, first: StoreName) -> None:
    """With 200 changes a second that arrive 2 s later, checks find the one row that really differs, and no other."""
    load(pair.primary, pair.secondary, ROWS, now=SEEDED_AT)
    with psycopg.connect(pair.primary) as connection:
        keys = [key for (key,) in connection.execute("SELECT id FROM public.planning ORDER BY id")]
    wrong = keys.pop(ROWS // 2)
    writer = Writer(pair, first, keys)
    with writer.writing():
        quiet = compared(pair)
        with psycopg.connect(url_of(pair, first.other)) as connection:
            connection.execute("UPDATE public.planning SET title = 'Really different' WHERE id = %s", [wrong])
        found = compared(pair)
    writer.assert_kept_its_times()
    for parity in (quiet, found):
        assert_adds_up(parity)
        assert parity.rows.settled > PER_SECOND
        assert parity.rows.matched > ROWS * 0.9
    assert quiet.differences == ()
    assert Verdict.FAILED not in {reason.verdict for reason in quiet.reasons}
    assert [(d.key, d.kind) for d in found.differences] == [(wrong, DifferenceKind.DIFFERING)]


@pytest.mark.soak
def test_rows_that_never_stand_still_are_deferred_and_counted(pair: Pair) -> None:
    """Rows that change faster than they arrive are neither equal nor different: deferred, and the run is incomplete."""
    load(pair.primary, pair.secondary, 400, now=SEEDED_AT)
    with psycopg.connect(pair.primary) as connection:
        keys = [key for (key,) in connection.execute("SELECT id FROM public.planning ORDER BY id LIMIT 40")]
    writer = Writer(pair, StoreName.PRISMA, keys)
    with writer.writing():
        parity = compared(pair)
    writer.assert_kept_its_times()
    assert_adds_up(parity)
    assert parity.differences == ()
    assert parity.rows.deferred > 0
    assert [reason.verdict for reason in parity.reasons] == [Verdict.INCOMPLETE]
