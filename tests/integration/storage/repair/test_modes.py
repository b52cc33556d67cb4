"""Whatever a plan may do, what it did is taken back: each record is, to the letter, what it was before."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from contracts.planning import PLANNING
from contracts.repair import Mended, Mode, Plan
from contracts.vocabulary import DifferenceKind, StoreName
from storage.migrations.values import Side
from storage.repair.agreeing import Agreed
from storage.repair.planning import make_plan
from storage.repair.wanted import Found, Wanted
from tests.support.mending import PRISMA, Repairing, canonical, sides_of
from tests.support.repair_plans import MADE, make_header
from tests.support.replication import World, keys

A, B, C, D, E, F = keys(6)
ODD = "an-id-of-old"
BODY = '{{"id": "{key}", "type": "story", "title": "T", "content": "Once.", "metadata": {metadata}}}'
METADATA = '{"userId": null, "status": "draft", "createdAt": 1, "updatedAt": 1, "version": 1}'
LONG_AGO = MADE - timedelta(days=1)
AGREED = Agreed(
    captured=LONG_AGO - timedelta(hours=1),
    looked=((LONG_AGO, LONG_AGO),),
    differed={},
    ahead=dict.fromkeys(StoreName, timedelta(0)),
)
MODES = [mode for mode in Mode if mode is not Mode.UNDO]


def lay(world: World) -> None:
    """Lay valid records that differ in many ways: one store lacks them, other values, none, a body within a text."""
    for side in Side:
        world.insert(side, *([A, B, D, E, F, ODD] if side is Side.PRIMARY else [A, C, D, E, F]))
        for (key,) in world.ask(side, "SELECT id::text FROM public.planning"):
            body = BODY.format(key=key, metadata=METADATA)
            world.run(side, "UPDATE public.planning SET content = %s, updated_at = updated_at WHERE id = %s", body, key)
        world.run(side, "DELETE FROM twinstore.change")
    world.titled(Side.PRIMARY, A, "right")
    world.titled(Side.SECONDARY, F, "right")
    world.run(Side.PRIMARY, "UPDATE public.planning SET source = 'web' WHERE id = %s", D)
    world.run(Side.PRIMARY, "UPDATE public.planning SET content = to_jsonb(content::text) WHERE id = %s", E)


def planned(world: World, mode: Mode) -> Plan:
    """Plan a repair of all of them."""
    source = None if mode is Mode.THREE_WAY else PRISMA
    wanted = Wanted(mode=mode, source=source, rename=mode is Mode.SOURCE_OF_TRUTH)
    kinds = dict.fromkeys((A, D, E, F), DifferenceKind.DIFFERING)
    kinds |= {B: DifferenceKind.ONLY_PRIMARY, C: DifferenceKind.ONLY_SECONDARY}
    found = [Found(key=key, kind=kind, runs_seen=2) for key, kind in kinds.items()]
    return make_plan(
        PLANNING,
        wanted,
        found,
        sides_of(world),
        header=replace(make_header(), mode=mode, source=source),
        excluded=[ODD],
        adopted=False,
        agreed=AGREED,
    )


@pytest.mark.parametrize("mode", MODES)
def test_what_a_mode_did_is_taken_back(here: World, tmp_path: Path, mode: Mode) -> None:
    """Applied, verified, undone, verified: both stores hold what they held, row for row."""
    lay(here)
    before = canonical(here)
    if mode is not Mode.THREE_WAY:
        for side in Side:
            here.run(side, "DELETE FROM twinstore.change")
    repair = Repairing(world=here, plan=planned(here, mode), folder=tmp_path / "repair")
    assert repair.plan.steps
    repair.apply()
    assert set(repair.outcomes) == {Mended.WRITTEN}
    verified = repair.verify()
    assert (verified.moved, verified.unconverged) == ((), ())
    assert verified.agree
    undo = repair.undo(tmp_path / "undo")
    assert (undo.plan.left, len(undo.plan.steps)) == ((), len(repair.plan.steps))
    undo.apply()
    assert set(undo.outcomes) == {Mended.WRITTEN}
    assert canonical(here) == before
    assert undo.verify().unconverged == ()
