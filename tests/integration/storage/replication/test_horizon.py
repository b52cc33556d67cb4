"""Lines that are added without the lock of their row: older transactions, whose lines may be smaller, come first."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from contracts.replication import Judged
from contracts.vocabulary import Channel, StoreName
from flows.sync import carry
from storage.replication.messages import Item
from tests.support.servers import Pair
from tests.support.two_stores import TABLE, adopted_as_equal, keys, titled, titles, work_on

PRISMA, SUPABASE = StoreName


def test_a_decision_waits_for_a_transaction_that_began_last_before_it(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also on a quiet server, where no later transaction has ended; then nothing of what it wrote is lost."""
    (key,) = keys(seeded_pair, 1)
    with work_on(seeded_pair, Channel.SQL, home, monkeypatch) as work:
        adopted_as_equal(work)
        replication = work.replications[0]
        with psycopg.connect(seeded_pair.primary) as older:
            older.execute(f"UPDATE {TABLE} SET title = 'written meanwhile' WHERE id = %s", [key])
            replication.book.touch([key])
            assert not replication.primary.look([key])[key].ready
            carry(replication.both()[2])
        carry(replication.both()[2])
        assert replication.primary.look([key])[key].change is None
    assert titles(seeded_pair, SUPABASE)[key] == "written meanwhile"


def test_a_verdict_waits_for_a_transaction_that_began_last_before_it(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line by which the secondary hears of a lost change is no different."""
    (key,) = keys(seeded_pair, 1)
    with work_on(seeded_pair, Channel.SQL, home, monkeypatch) as work:
        adopted_as_equal(work)
        replication = work.replications[0]
        titled(seeded_pair, PRISMA, key, "ours")
        carry(replication.both()[2])
        row = replication.primary.look([key])[key].row
        assert row is not None
        late = Item(
            key=key,
            change=1,
            since=None,
            rev=0,
            seen=0,
            known=True,
            row={**row, "title": "theirs"},
            adoption=replication.primary.standing().adoption,
        )
        with psycopg.connect(seeded_pair.primary) as older:
            older.execute("SELECT pg_current_xact_id()")
            (verdict,) = replication.primary.judge([late])
            assert verdict.outcome == Judged.CONFLICT
            assert not replication.primary.look([key])[key].ready
        assert replication.primary.look([key])[key].ready
