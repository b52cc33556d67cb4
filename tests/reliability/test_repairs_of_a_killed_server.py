"""The server of a store is killed while it is repaired: the repair stops with a true journal, and ends as planned."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.errors import TwinstoreError
from contracts.repair import Mended
from storage.migrations.values import Side
from tests.support.mending import PRISMA, SUPABASE, Repairing, copies, plan_of, sides_of
from tests.support.mortal import Mortal, mortal
from tests.support.replication import AT, World, keys, world
from tests.support.servers import Servers

ROWS = 3_000
TIMES = 6
TRIES = 50
_LAY = """
INSERT INTO public.planning (id, type, title, content, status, version, created_at, updated_at)
SELECT id, 'story', %s, '{{"id": "x", "type": "story"}}', 'draft', 1, %s, %s FROM unnest(%s::{}[]) AS given(id)
"""


def lay(stores: World, some: list[str]) -> None:
    """Lay rows that differ."""
    for side, title, kind in ((Side.PRIMARY, "right", "text"), (Side.SECONDARY, "wrong", "uuid")):
        stores.run(side, "DELETE FROM public.planning")
        stores.run(side, _LAY.format(kind), title, AT, AT, some)
        stores.run(side, "DELETE FROM twinstore.change")


def restart(found: Mortal) -> None:
    """Kill the server, and start it again."""
    found.kill()
    found.start()


def killed_while_repaired(found: Mortal, folder: Path, seed: int) -> bool:
    """Kill the server in the middle, apply until it ends, and judge; return whether the repair noticed."""
    rolls, some = random.Random(seed), keys(ROWS)
    noticed = False
    with world(found.pair) as stores:
        lay(stores, some)
        half = ROWS // 2
        changes = [
            change
            for start in range(0, half, 500)
            for store, offset in ((PRISMA, 0), (SUPABASE, half))
            for change in copies(stores, store, *some[offset + start : offset + start + 500])
        ]
        repair = Repairing(world=stores, plan=plan_of(sides_of(stores), changes), folder=folder)
        death = threading.Timer(rolls.uniform(0.05, 0.8), restart, [found])
        death.start()
        for _ in range(TRIES):
            try:
                repair.apply()
                break
            except TwinstoreError:
                noticed = True
                time.sleep(0.1)
        death.join()
        assert repair.journal.intended == set()
        assert set(repair.outcomes) == {Mended.WRITTEN}
    with world(found.pair) as stores:
        for side in Side:
            titles = dict(stores.ask(side, "SELECT id::text, title FROM public.planning"))
            assert titles == {key: "wrong" if at < half else "right" for at, key in enumerate(some)}
    return noticed


@pytest.fixture(scope="module")
def pair_with_a_mortal(servers: Servers, _migrated_template: str) -> Iterator[Mortal]:
    """Two stores that replicate; the server of the primary may be killed."""
    with mortal(servers, _migrated_template) as found:
        yield found


@pytest.mark.soak
def test_the_server_of_the_primary_is_killed_while_it_is_repaired(pair_with_a_mortal: Mortal, tmp_path: Path) -> None:
    """What was written before is known, what was not is written afterwards, and nothing twice."""
    assert sum(killed_while_repaired(pair_with_a_mortal, tmp_path / f"{seed}", seed) for seed in range(TIMES)) > 0
