"""Taking over two stores that were there before, on both channels that allow it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from contracts.errors import Conflict
from contracts.vocabulary import Channel, StoreName
from flows.adopting import Adoption, adopt
from flows.check import threads
from flows.deciding import resolve_all
from flows.opening import Opened
from flows.sync import carry, survey
from storage.replication import adoption
from tests.support.servers import SEEDED, Pair
from tests.support.two_stores import TABLE, keys, run, titled, titles, work_on

PRISMA, SUPABASE = StoreName


def adopted(work: Opened, accepted: int = 0) -> Adoption:
    """Adopt the one dataset of the pair."""
    with threads() as conductor:
        return adopt(work, work.replications[0], conductor, accepted=accepted)


@pytest.mark.parametrize("channel", [Channel.SQL, Channel.RPC])
def test_what_differs_is_kept_and_what_is_equal_is_carried_over(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch, channel: Channel
) -> None:
    """Two records that differ become conflicts and stay as they are; a later write to another one is delivered."""
    one, other, third = keys(seeded_pair, 3)
    titled(seeded_pair, SUPABASE, one, "theirs")
    run(seeded_pair, SUPABASE, f"DELETE FROM {TABLE} WHERE id::text = %s", other)
    with work_on(seeded_pair, channel, home, monkeypatch) as work:
        done = adopted(work)
        assert (done.refusal, done.differences, done.conflicts) == (None, 2, 2)
        found_then = json.loads((done.report / "report.json").read_text(encoding="utf-8"))["datasets"][0]
        assert found_then["replication"]["state"] == "starting"
        assert "adopted" not in str(found_then["reasons"])
        assert "nobody adopted" not in (done.report / "report.html").read_text(encoding="utf-8")
        replication = work.replications[0]
        assert {c.key: c.loser is None for c in replication.book.conflicts()} == {one: False, other: True}
        titled(seeded_pair, PRISMA, third, "ours")
        carry(replication.both()[2])
        found = survey(replication)
    assert found.status.ready
    assert found.status.conflicts == 2
    there = titles(seeded_pair, SUPABASE)
    assert (there[one], there[third], other in there) == ("theirs", "ours", False)


def test_an_empty_secondary_is_filled_when_that_is_accepted(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the number of its rows it is refused, since an empty store is mostly an accident; then it is filled."""
    run(seeded_pair, SUPABASE, f"DELETE FROM {TABLE}")
    with work_on(seeded_pair, Channel.SQL, home, monkeypatch) as work:
        refused = adopted(work)
        assert refused.refusal is not None
        assert "supabase is empty" in refused.refusal.what
        assert f"--accept-differences {SEEDED}" in refused.refusal.todo
        assert not survey(work.replications[0]).status.ready
        done = adopted(work, accepted=SEEDED)
        assert (done.refusal, done.filled, done.conflicts) == (None, SEEDED, 0)
        carry(work.replications[0].both()[2])
    assert titles(seeded_pair, SUPABASE) == titles(seeded_pair, PRISMA)


def test_a_side_that_looks_cut_short_is_refused(seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A primary that lost most of its rows is not made the one that counts."""
    run(seeded_pair, PRISMA, f"DELETE FROM {TABLE} WHERE id::text > '2'")
    with work_on(seeded_pair, Channel.SQL, home, monkeypatch) as work:
        refused = adopted(work)
        assert refused.refusal is not None
        assert "prisma looks cut short" in refused.refusal.what
        assert refused.refusal.exit_code == 1
        assert not work.replications[0].book.conflicts()


def test_what_happens_to_capture_during_the_comparison_is_noticed(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A TRUNCATE during the comparison leaves the stores unadopted, even if somebody else ended the gap meanwhile."""
    with work_on(seeded_pair, Channel.SQL, home, monkeypatch) as work:
        primary, secondary, _ = work.replications[0].both()

        def meanwhile(what: str) -> None:
            if what == "write the report":
                run(seeded_pair, SUPABASE, f"TRUNCATE {TABLE}")
                primary.capture(wanted=True)
                secondary.capture(wanted=True)

        with threads() as conductor, pytest.raises(Conflict, match="may have passed by"):
            adopt(work, work.replications[0], conductor, accepted=0, progress=meanwhile)
        assert not survey(work.replications[0]).status.ready


@pytest.mark.soak
@pytest.mark.parametrize("moment", ["write the report", "keep what differs"])
def test_another_adoption_that_begins_meanwhile_is_noticed(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """The later one compares all rows once more; what the earlier one found says nothing about that."""
    titled(seeded_pair, SUPABASE, keys(seeded_pair, 1)[0], "theirs")
    with work_on(seeded_pair, Channel.SQL, home, monkeypatch) as work:
        (replication,) = work.replications
        primary, secondary, _ = replication.both()

        def meanwhile(what: str) -> None:
            if what.startswith(moment):
                adoption.begin(primary, secondary, replication.book)

        with threads() as conductor, pytest.raises(Conflict, match="Another adoption"):
            adopt(work, replication, conductor, accepted=0, progress=meanwhile)
        assert not survey(replication).status.ready


@pytest.mark.soak
def test_what_was_written_while_the_stores_were_adopted_is_kept_by_the_side_that_wrote_it(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kind of its conflict says which side that is, as `docs/replication.md` does: no write has to be lost."""
    ours, theirs = keys(seeded_pair, 2)
    with work_on(seeded_pair, Channel.SQL, home, monkeypatch) as work:
        (replication,) = work.replications
        begun: list[str] = []

        def meanwhile(what: str) -> None:
            begun.append(what)
            if len(begun) == 2:  # the first one comes before capture is on
                titled(seeded_pair, PRISMA, ours, "written on prisma")
                titled(seeded_pair, SUPABASE, theirs, "written on supabase")

        with threads() as conductor:
            done = adopt(work, replication, conductor, accepted=0, progress=meanwhile)
        assert done.differences == 2
        carry(replication.both()[2])
        found = {conflict.key: conflict for conflict in replication.book.conflicts()}
        assert {key: conflict.kind for key, conflict in found.items()} == {ours: "adopted", theirs: "concurrent"}
        for key, keep in ((ours, "primary"), (theirs, "secondary")):
            assert resolve_all(replication, [key], keep=keep) == 1
        carry(replication.both()[2])
    for store in StoreName:
        now = titles(seeded_pair, store)
        assert (now[ours], now[theirs]) == ("written on prisma", "written on supabase")
