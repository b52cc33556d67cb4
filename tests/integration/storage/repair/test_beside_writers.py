"""A plan is applied while applications write both stores: nothing of theirs is lost, and what moved is listed."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from contracts.repair import Mended
from storage.migrations.values import Side
from tests.support.mending import PRISMA, SUPABASE, Repairing, copies, plan_of, sides_of
from tests.support.replication import AT, World, keys

RATE = 500  # changes per second, on each side
BEFORE = 100  # changes of each before the plan is applied
STEPS = 2_000
MANY = 20_000
_LEFT = frozenset({Mended.MOVED, Mended.WAITING, Mended.LOCKED})
_LAY = """
INSERT INTO public.planning (id, type, title, content, status, version, created_at, updated_at)
SELECT id, 'story', %s, '{{"id": "x", "type": "story"}}', 'draft', 1, %s, %s FROM unnest(%s::{}[]) AS given(id)
ON CONFLICT (id) DO NOTHING
"""


@dataclass(slots=True)
class Writer:
    """An application that writes one store, one change after the other; it knows its last word on every record.

    Attributes:
        side: The store.
        dsn: Its URL.
        keys: The records.
        said: The last title that it gave a record; None where it deleted it.
        touched: What it wrote, also where that changed nothing.
    """

    side: Side
    dsn: str
    keys: list[str]
    said: dict[str, str | None] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    changes: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Write until it is over, at the rate of these tests where the machine allows it."""
        rolls = random.Random(self.side.value)
        begun = time.monotonic()
        with psycopg.connect(self.dsn, autocommit=True) as app:
            while not self.over.is_set():
                key = rolls.choice(self.keys)
                self._write(app, key, rolls.random())
                self.changes += 1
                time.sleep(max(0.0, begun + self.changes / RATE - time.monotonic()))

    def _write(self, app: psycopg.Connection[Any], key: str, roll: float) -> None:
        title = f"{self.side.value} {self.changes}"
        if roll < 0.75:
            if app.execute("UPDATE public.planning SET title = %s WHERE id = %s", [title, key]).rowcount:
                self._said(key, title)
        elif roll < 0.85:
            if app.execute("DELETE FROM public.planning WHERE id = %s", [key]).rowcount:
                self._said(key, None)
        elif roll < 0.95:
            kind = "text" if self.side is Side.PRIMARY else "uuid"
            if app.execute(_LAY.format(kind).encode(), [title, AT, AT, [key]]).rowcount:
                self._said(key, title)
        elif app.execute("UPDATE public.planning SET title = title WHERE id = %s", [key]).rowcount:
            self.touched.add(key)

    def _said(self, key: str, title: str | None) -> None:
        self.said[key] = title
        self.touched.add(key)


@contextmanager
def writing(world: World, some: list[str]) -> Iterator[list[Writer]]:
    """Let an application write each store for as long as the block runs."""
    writers = [Writer(side, world.dsn(side), some) for side in Side]
    threads = [threading.Thread(target=writer.run, name=f"{writer.side} writer") for writer in writers]
    for thread in threads:
        thread.start()
    try:
        while any(thread.is_alive() for thread in threads) and min(writer.changes for writer in writers) < BEFORE:
            time.sleep(0.01)
        yield writers
    finally:
        for writer in writers:
            writer.over.set()
        for thread in threads:
            thread.join()


def lay(world: World, some: list[str]) -> None:
    """Lay rows that differ on both stores, as if replication had been idle."""
    for side, title in ((Side.PRIMARY, "right"), (Side.SECONDARY, "wrong")):
        kind = "text" if side is Side.PRIMARY else "uuid"
        world.run(side, _LAY.format(kind), title, AT, AT, some)
        world.run(side, "DELETE FROM twinstore.change")


def titles(world: World, side: Side) -> dict[str, str | None]:
    """Return the title of every row."""
    return dict(world.ask(side, "SELECT id::text, title FROM public.planning"))


def judge(world: World, writers: list[Writer], early: set[str], *repairs: Repairing) -> Counter[Mended]:
    """Hold what stands against what the applications said last; return how many steps ended how."""
    touched = set[str]().union(*(writer.touched for writer in writers))
    outcomes: Counter[Mended] = Counter()
    for repair in repairs:
        for step, outcome in zip(repair.plan.steps, repair.outcomes, strict=True):
            outcomes[outcome] += 1
            if step.key in early:
                assert outcome in _LEFT, "what had been written before was overwritten"
            elif outcome is not Mended.WRITTEN:
                assert outcome in _LEFT
                assert step.key in touched, "what nobody had touched was left"
    for writer in writers:
        found = titles(world, writer.side)
        lost = [key for key, title in writer.said.items() if found.get(key) != title]
        assert lost == [], f"changes of an application of {writer.side} were lost"
    return outcomes


def both_ways(world: World, some: list[str], folder: Path) -> Repairing:
    """Plan to write each store from the other, half of the rows each."""
    half = len(some) // 2
    changes = [
        change
        for start in range(0, half, 500)
        for store, offset in ((SUPABASE, 0), (PRISMA, half))
        for change in copies(world, store, *some[offset + start : offset + start + min(500, half - start)])
    ]
    return Repairing(world=world, plan=plan_of(sides_of(world), changes), folder=folder / "repair")


def test_no_change_of_a_writer_is_lost(here: World, tmp_path: Path) -> None:
    """Updated, deleted, inserted, deleted and made again, on the store that is written or on the other one."""
    some = keys(STEPS)
    lay(here, some)
    repair = both_ways(here, some, tmp_path)
    with writing(here, some[::2]) as writers:
        early = set[str]().union(*(writer.touched.copy() for writer in writers))
        repair.apply(wait=time.sleep)
    outcomes = judge(here, writers, early, repair)
    assert early
    assert outcomes[Mended.WRITTEN] >= STEPS // 2  # what nobody touched, however long it took
    assert sum(outcomes[left] for left in _LEFT) >= len(early)


@pytest.mark.soak
def test_no_change_of_a_writer_is_lost_in_a_long_repair_and_its_undo(both: World, tmp_path: Path) -> None:
    """Likewise for as long as a large plan takes, and while it is taken back."""
    some = keys(MANY)
    lay(both, some)
    repair = both_ways(both, some, tmp_path)
    with writing(both, some) as writers:
        early = set[str]().union(*(writer.touched.copy() for writer in writers))
        repair.apply(wait=time.sleep)
        undo = repair.undo(tmp_path / "undo")
        undo.apply(wait=time.sleep)
    outcomes = judge(both, writers, early, repair)
    judge(both, writers, set(), undo)
    assert outcomes[Mended.WRITTEN] > 0
    assert min(writer.changes for writer in writers) > RATE
