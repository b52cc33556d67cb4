"""The loop that follows both stores: what it carries, how it waits, what it tells."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event as Flag

import psycopg
import pytest

from contracts.vocabulary import Channel, StoreName
from flows.follow import Follower, News, Pauses, Told, tell_of_breakers
from flows.follow_process import Chore, Turns, follow
from flows.opening import Opened, opened
from storage.breaker import State
from storage.rest.errors import Lost
from tests.support.faulty_proxy import Fault, Plan, faulty_proxy
from tests.support.gateway import serve
from tests.support.prefect_api import until
from tests.support.servers import Pair
from tests.support.two_stores import TABLE, adopted_as_equal, keys, run, settings_of, titled, titles, work_on

PRISMA, SUPABASE = StoreName
PAUSES = Pauses(interval_s=0.5, longest_s=8.0, refused_s=30.0, look_again_s=30.0, turn_s=1.0)


@dataclass
class Heard:
    """The news that were told, and a clock that is set by hand."""

    news: list[News] = field(default_factory=list)
    now: float = 0.0

    def told(self) -> list[Told]:
        """Return the kinds of news, and forget them."""
        kinds = [news.told for news in self.news]
        self.news.clear()
        return kinds


def follower(work: Opened, heard: Heard, turn: object = None) -> Follower:
    """Return the loop of the one dataset, which takes no turns unless they are given."""
    return Follower(
        work.replications[0],
        turn or nullcontext,  # type: ignore[arg-type]  # any context will do
        tell=heard.news.append,
        stop=Flag(),
        pauses=PAUSES,
        clock=lambda: heard.now,
        chance=lambda: 1.0,
    )


@contextmanager
def behind_a_proxy(
    pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch, *, guarded: bool = False
) -> Iterator[tuple[Opened, Plan, Heard]]:
    """Open a pair whose secondary is reached over REST through a proxy, and let its stores count as adopted.

    Its circuits open only when the pair is `guarded`.
    """
    plan, heard = Plan(), Heard()
    with serve(pair.secondary_gate) as rest, faulty_proxy(rest.url, plan) as url:
        for name, value in (settings_of(pair, home, rest) | {"SUPABASE_URL": url}).items():
            monkeypatch.setenv(name, value)
        with opened(None, guarded=True, patient=False) as work:
            for guard in work.guards.values():
                guard.force(State.CLOSED if guarded else State.METRICS_ONLY)
            tell_of_breakers(work.guards, heard.news.append)
            adopted_as_equal(work)
            yield work, plan, heard


@pytest.mark.parametrize("channel", [Channel.SQL, Channel.RPC])
def test_changes_of_both_sides_are_carried_over_and_told_in_numbers(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch, channel: Channel
) -> None:
    """A step that carries something tells how much; one without anything to do tells nothing and waits its time."""
    heard = Heard()
    one, other = keys(seeded_pair, 2)
    with work_on(seeded_pair, channel, home, monkeypatch) as work:
        adopted_as_equal(work)
        loop = follower(work, heard)
        assert (loop.step(), heard.told()) == (PAUSES.interval_s, [])
        titled(seeded_pair, PRISMA, one, "ours")
        titled(seeded_pair, SUPABASE, other, "theirs")
        assert loop.step() == PAUSES.interval_s
        (news,) = heard.news
        assert news.told is Told.CARRIED
        assert (news.facts["accepted"], news.facts["given_up"]) == (1, 0)
        assert "ours" not in str(news)
    for store in StoreName:
        there = titles(seeded_pair, store)
        assert (there[one], there[other]) == ("ours", "theirs")


def test_a_store_that_is_away_is_waited_for(seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told once; the waits grow up to a limit; when it is back, what waited is carried over."""
    (key,) = keys(seeded_pair, 1)
    with behind_a_proxy(seeded_pair, home, monkeypatch) as (work, plan, heard):
        loop = follower(work, heard)
        plan.fault = Fault.CLOSED_AT_ONCE
        titled(seeded_pair, PRISMA, key, "ours")
        assert [loop.step() for _ in range(6)] == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0]
        assert heard.told() == [Told.UNAVAILABLE]
        heard.now, plan.fault = 60.0, None
        assert loop.step() == PAUSES.interval_s
        assert heard.told() == [Told.CARRIED, Told.RESUMED]
    assert titles(seeded_pair, SUPABASE)[key] == "ours"


def test_a_store_that_asks_for_patience_gets_it(seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """429 with Retry-After is waited for as long as it says."""
    with behind_a_proxy(seeded_pair, home, monkeypatch) as (work, plan, heard):
        plan.fault, plan.retry_after_s = Fault.TOO_MANY, 47.0
        assert follower(work, heard).step() == 47.0
        (news,) = heard.news
        assert (news.told, news.facts["wait_s"]) == (Told.UNAVAILABLE, 47.0)


def test_a_page_of_html_is_an_outage_and_not_the_end(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A portal that answers in place of the project is told as such, and waited out."""
    with behind_a_proxy(seeded_pair, home, monkeypatch) as (work, plan, heard):
        loop = follower(work, heard)
        plan.fault = Fault.HTML_CALLED_JSON
        assert loop.step() == 0.5
        assert heard.told() == [Told.UNAVAILABLE]
        plan.fault = None
        assert (loop.step(), heard.told()) == (0.5, [Told.RESUMED])


def test_the_circuit_opens_and_the_loop_probes(seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After three failures no request is sent; the loop waits until a probe may pass, which closes the circuit."""
    with behind_a_proxy(seeded_pair, home, monkeypatch, guarded=True) as (work, plan, heard):
        loop = follower(work, heard)
        plan.fault = Fault.CLOSED_AT_ONCE
        for _ in range(3):
            loop.step()
        assert heard.told() == [Told.UNAVAILABLE, Told.BREAKER]
        before, longest_s = plan.requests, work.guards[SUPABASE].wait_s
        waits_s, left_s = loop.step(), work.guards[SUPABASE].wait_s
        assert longest_s is not None
        assert left_s is not None
        assert left_s <= waits_s <= max(longest_s, PAUSES.longest_s)
        assert (plan.requests, heard.told()) == (before, [])


def test_a_gap_is_told_once_and_the_loop_goes_on_after_it_was_mended(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TRUNCATE stops the loop with one alert that says what to do; after an adoption it carries over again."""
    heard = Heard()
    with work_on(seeded_pair, Channel.SQL, home, monkeypatch) as work:
        adopted_as_equal(work)
        loop = follower(work, heard)
        run(seeded_pair, PRISMA, f"TRUNCATE {TABLE}")
        assert [loop.step(), loop.step()] == [PAUSES.refused_s] * 2
        (news,) = heard.news
        assert news.told is Told.REFUSED
        assert "TRUNCATE" in news.what
        assert "twinstore adopt" in news.todo
        assert len(titles(seeded_pair, SUPABASE)) == 300
        adopted_as_equal(work)
        heard.news.clear()
        assert (loop.step(), heard.told()) == (PAUSES.interval_s, [Told.RESUMED])


def test_what_failed_is_left_alone_until_its_time(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dead letter is not read again every second; a change of another key, or time, makes the loop look again."""
    heard = Heard()
    one, other = keys(seeded_pair, 2)
    with work_on(seeded_pair, Channel.SQL, home, monkeypatch) as work:
        adopted_as_equal(work)
        loop = follower(work, heard)
        run(seeded_pair, PRISMA, f"UPDATE {TABLE} SET status = 'no such status' WHERE id = %s", one)
        loop.step()
        assert heard.news[0].facts["given_up"] == 1
        heard.news.clear()
        loop.step()
        assert (loop.step(), heard.told()) == (PAUSES.interval_s, [])
        titled(seeded_pair, PRISMA, other, "ours")
        loop.step()
        assert heard.told() == [Told.CARRIED]
        run(seeded_pair, PRISMA, f"UPDATE {TABLE} SET status = 'draft' WHERE id = %s", one)
        loop.step()
        assert heard.told() == [Told.CARRIED]
        assert work.replications[0].book.counts() == (0, 0, 0)


def test_a_record_that_somebody_holds_is_left_to_the_next_time(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is tried again soon, and less often the longer it lasts; the other records go on meanwhile."""
    heard = Heard()
    one, other = keys(seeded_pair, 2)
    with work_on(seeded_pair, Channel.SQL, home, monkeypatch) as work:
        adopted_as_equal(work)
        loop = follower(work, heard)
        with psycopg.connect(seeded_pair.secondary) as blocker:
            blocker.execute(f"SELECT FROM {TABLE} WHERE id::text = %s FOR UPDATE", [one])
            titled(seeded_pair, PRISMA, one, "ours")
            titled(seeded_pair, PRISMA, other, "ours, too")
            loop.step()
            assert heard.news[0].facts["locked"] == 2  # looked at again while something moved
            assert titles(seeded_pair, SUPABASE)[other] == "ours, too"
            loop.step()
            heard.now += 0.9
            before = work.replications[0].primary.standing().dirty
            assert (loop.step(), before) == (PAUSES.interval_s, 1)
        heard.now += 30.0
        heard.news.clear()
        loop.step()
        assert heard.told() == [Told.CARRIED]
    assert titles(seeded_pair, SUPABASE)[one] == "ours"


def test_a_line_that_an_older_transaction_may_overtake_is_looked_at_again_soon(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A decision waits for transactions in flight, not for half a minute."""
    heard = Heard()
    (key,) = keys(seeded_pair, 1)
    with work_on(seeded_pair, Channel.SQL, home, monkeypatch) as work:
        adopted_as_equal(work)
        loop = follower(work, heard)
        with psycopg.connect(seeded_pair.primary) as older:
            older.execute("SELECT pg_current_xact_id()")
            work.replications[0].book.touch([key])
            loop.step()
            assert heard.told() == []
        heard.now += 2.0
        loop.step()
        assert heard.told() == [Told.CARRIED]


def test_two_processes_take_turns(seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a check holds the lease nothing is carried over, and that is told once; afterwards it is."""
    heard = Heard()
    (key,) = keys(seeded_pair, 1)
    with work_on(seeded_pair, Channel.SQL, home, monkeypatch, remembering=True) as work:
        assert work.memory is not None
        adopted_as_equal(work)
        loop = follower(work, heard, Turns(work.memory, "planning", owner="a test"))
        with work.memory.lease("planning", "check", owner="another", now=lambda: datetime.now(UTC)):
            titled(seeded_pair, PRISMA, key, "ours")
            assert [loop.step(), loop.step()] == [PAUSES.turn_s] * 2
            assert heard.told() == [Told.WAITING]
        loop.step()
        assert heard.told() == [Told.CARRIED, Told.RESUMED]
        with work.memory.lease("planning", "check", owner="another", now=lambda: datetime.now(UTC)):
            pass  # it was given back


def test_a_loop_that_hangs_is_left_alone_and_its_lease_given_back(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asks the process to end waits for some seconds, not for a store."""
    plan, heard, stop = Plan(), Heard(), Flag()
    (key,) = keys(seeded_pair, 1)
    with serve(seeded_pair.secondary_gate) as rest, faulty_proxy(rest.url, plan) as url:
        for name, value in (settings_of(seeded_pair, home, rest) | {"SUPABASE_URL": url}).items():
            monkeypatch.setenv(name, value)
        with opened(None, remembering=True) as work:
            assert work.memory is not None
            adopted_as_equal(work)
            titled(seeded_pair, PRISMA, key, "ours")
            plan.first, plan.fault = plan.requests + 2, Fault.SILENT  # what is read passes, what is written hangs
            turns = Turns(work.memory, "planning", owner="a test")
            loop = Follower(work.replications[0], turns, tell=heard.news.append, stop=stop, pauses=PAUSES)

            def ends() -> None:
                until(lambda: plan.requests > plan.first or None, "a request that hangs")
                stop.set()

            in_order = follow(
                [(loop, turns)], [Chore(name="end", every_s=9, work=ends)], tell=print, stop=stop, end_s=0.2
            )
            assert not in_order
            with work.memory.lease("planning", "check", owner="another", now=lambda: datetime.now(UTC)):
                pass


def test_a_chore_that_fails_is_told_once_and_tried_again() -> None:
    """Its error ends nothing."""
    heard, stop, tries = Heard(), Flag(), []

    def fail() -> None:
        tries.append(1)
        if len(tries) == 3:
            stop.set()
        raise Lost("It is away.", "Wait.", store="supabase")

    assert follow([], [Chore(name="watch", every_s=0.0, work=fail)], tell=heard.news.append, stop=stop)
    assert [news.what for news in heard.news if news.told is Told.UNAVAILABLE] == ["It is away."]
