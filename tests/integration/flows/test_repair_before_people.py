"""What is for people to decide is left to them, also where it became so after the run that a plan rests on."""

from __future__ import annotations

from pathlib import Path

import pytest

from contracts.vocabulary import Channel, StoreName
from tests.support.repairing import Said, environment_of, remember_run, say
from tests.support.servers import Pair
from tests.support.two_stores import keys, run, titled, titles

PRISMA, SUPABASE = StoreName
WRONG = "somebody else's title"
CONFLICT = "INSERT INTO twinstore.conflict (dataset, key, kind, rev, lseq) VALUES ('planning', %s, 'adopted', 1, 1)"
EARLIER = "UPDATE twinstore.capture SET since = since - interval '2 hours'"
SOURCE = "UPDATE public.planning SET source = %s WHERE id::text = %s"
HALF_AN_HOUR = 0.5


def test_a_conflict_that_came_later_is_not_repaired_over(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Adopting makes one of what a run found: neither is it planned from that run, nor carried out once it was."""
    with environment_of(seeded_pair, Channel.SQL, home, monkeypatch):
        first, second = keys(seeded_pair, 2)
        for key in (first, second):
            titled(seeded_pair, SUPABASE, key, WRONG)
        run_id = remember_run(home, {first: "differing", second: "differing"})
        made = say("repair", "plan", "--run", run_id, "--json").document
        run(seeded_pair, PRISMA, CONFLICT, first)
        again = say("repair", "plan", "--run", run_id, "--json").document
        left = {one["why"]: one["rows"] for one in again["left_to_people"]}
        assert (made["steps"], again["steps"], left) == (2, 1, {"in_conflict": 1})
        done = say("repair", "apply", made["id"], "--approve", made["plan_hash"], "--json")
        assert (done.code, done.document["outcomes"]) == (1, {"waiting": 1, "written": 1})
        there = titles(seeded_pair, SUPABASE)
        assert (there[first], there[second] != WRONG) == (WRONG, True)


def test_the_side_that_changed_is_known_under_one_capture_only(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a check that saw both agree; not once capture was off in between, for nobody saw what was written then."""

    def planned(run_id: str) -> Said:
        return say("repair", "plan", "--run", run_id, "--mode", "three-way", "--json")

    with environment_of(seeded_pair, Channel.SQL, home, monkeypatch):
        (key,) = keys(seeded_pair, 1)
        for store in StoreName:
            run(seeded_pair, store, SOURCE, "as it was", key)
        assert say("capture", "on").code == 0
        for store in StoreName:
            run(seeded_pair, store, EARLIER)
        run(seeded_pair, PRISMA, SOURCE, "the newer one", key)
        found = remember_run(home, {key: "differing"}, ago_h=0)
        assert planned(found).document["steps"] == 0
        for file in home.glob("state.sqlite*"):
            file.unlink()  # a memory takes no run in after a later one
        remember_run(home, {}, ago_h=HALF_AN_HOUR)
        found = remember_run(home, {key: "differing"}, ago_h=0)
        assert planned(found).document["steps"] == 1
        assert say("capture", "off", "--yes").code == 0
        run(seeded_pair, SUPABASE, SOURCE, "newer still", key)
        assert say("capture", "on").code == 0
        assert planned(found).document["steps"] == 0
