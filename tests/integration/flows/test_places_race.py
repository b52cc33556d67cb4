"""Keys that are carried over while they are looked at: never called lost, never called equal when they are not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random

import psycopg
import pytest

from contracts.planning import PLANNING
from contracts.replication import Place
from contracts.verdicts import CheckResult
from contracts.vocabulary import Channel, CheckStatus, StoreName, Verdict
from flows.replicating import Replication
from storage.local.faults import fault, inject_adopted
from storage.migrations.values import Side
from storage.parity.candidates import Candidate
from storage.parity.recheck import Checked, Outcome
from storage.parity.standing import Placed
from storage.replication.by_sql import SqlCall
from storage.replication.doors import PrimaryDoors
from storage.replication.messages import Item
from storage.replication.places import ROUNDS, Places
from tests.support.accounts import url_of
from tests.support.checking import check, job_of, over
from tests.support.replicating import replicating
from tests.support.servers import Pair

Action = Callable[[], None]


class Interrupted(PrimaryDoors):
    """The doors of the primary; something happens after each of the first looks through them."""

    def __init__(self, pair: Pair, actions: Sequence[Action]) -> None:
        super().__init__(SqlCall(pair.primary, PLANNING, Side.PRIMARY), PLANNING)
        self._actions = iter(actions)

    def look(self, keys: Sequence[str], *, deadline_s: float | None = None) -> dict[str, Item]:
        """Look, and let the next thing happen before anybody sees the answer."""
        found = super().look(keys, deadline_s=deadline_s)
        next(self._actions, lambda: None)()
        return found


class Blind(Interrupted):
    """The same, and whoever looks a second time sees what was there before."""

    def __init__(self, pair: Pair, actions: Sequence[Action]) -> None:
        super().__init__(pair, actions)
        self._before: dict[str, Item] = {}

    def look(self, keys: Sequence[str], *, deadline_s: float | None = None) -> dict[str, Item]:
        """Look once."""
        self._before = self._before or super().look(keys, deadline_s=deadline_s)
        return self._before


@dataclass(frozen=True, kw_only=True)
class Scene:
    """An adopted pair and one of its keys."""

    pair: Pair
    replication: Replication
    key: str

    def title(self, store: StoreName, text: str) -> Action:
        """Return what writes a title, as an application does."""

        def write() -> None:
            with psycopg.connect(url_of(self.pair, store), autocommit=True) as connection:
                connection.execute("UPDATE public.planning SET title = %s WHERE id::text = %s", [text, self.key])

        return write

    def past_capture(self, store: StoreName, text: str) -> Action:
        """Return what writes a title while capture is off."""

        def write() -> None:
            with psycopg.connect(url_of(self.pair, store)) as connection:
                connection.execute("ALTER TABLE public.planning DISABLE TRIGGER twinstore_capture")
                connection.execute(
                    "UPDATE public.planning SET title = %s, updated_at = updated_at WHERE id::text = %s",
                    [text, self.key],
                )
                connection.execute("ALTER TABLE public.planning ENABLE ALWAYS TRIGGER twinstore_capture")

        return write

    def relay(self) -> None:
        """Carry over what waits."""
        self.replication.both()[2].drain()

    def placed(self, *actions: Action, through: type[Interrupted] = Interrupted) -> Placed:
        """Look how the key stands; after the first looks at the primary these things happen."""
        standings = {StoreName.PRISMA: self.replication.primary.standing()}
        _, secondary, _ = self.replication.both()
        standings[StoreName.SUPABASE] = secondary.standing()
        primary = through(self.pair, actions)
        try:
            places = Places(
                primary,
                secondary,
                self.replication.book,
                dataset=PLANNING,
                standings=standings,
                asked_at=time.monotonic(),
                max_lag_s=900.0,
                wait=lambda _: None,
            )
            (placed,) = places.place([Checked(Candidate(self.key, None, None), Outcome.CONFIRMED, None, None)])
        finally:
            primary.close()
        return placed


@pytest.fixture(params=[Channel.SQL, Channel.RPC])
def scene(seeded_pair: Pair, request: pytest.FixtureRequest) -> Iterator[Scene]:
    """An adopted pair over each channel that has our functions."""
    with psycopg.connect(seeded_pair.primary) as connection:
        ((key,),) = connection.execute("SELECT min(id) FROM public.planning").fetchall()
    with over(seeded_pair, request.param) as rest, replicating(seeded_pair, rest) as replication:
        yield Scene(pair=seeded_pair, replication=replication, key=key)


def together(*actions: Action) -> Action:
    """Return all of them, one after the other."""

    def act() -> None:
        for action in actions:
            action()

    return act


@pytest.mark.parametrize("store", list(StoreName))
def test_what_is_carried_over_between_two_looks_is_not_lost(scene: Scene, store: StoreName) -> None:
    """The primary is seen before the change and the secondary after it: both clean, and unequal only to us."""
    placed = scene.placed(together(scene.title(store, "changed"), scene.relay))
    assert (placed.checked.outcome, placed.place) == (Outcome.SETTLED, None)


def test_without_the_second_look_it_would_be_called_lost(scene: Scene) -> None:
    """The race is real: it is the second look at the primary that tells."""
    change = together(scene.title(StoreName.PRISMA, "changed"), scene.relay)
    assert scene.placed(change, through=Blind).place is Place.LOST


def test_what_was_lost_and_is_carried_over_meanwhile_is_gone(scene: Scene) -> None:
    """A later write mends it; nothing is reported then."""
    scene.past_capture(StoreName.SUPABASE, "lost")()
    placed = scene.placed(together(scene.title(StoreName.PRISMA, "mended"), scene.relay))
    assert (placed.checked.outcome, placed.place) == (Outcome.SETTLED, None)


def test_rows_that_only_look_equal_are_not(scene: Scene) -> None:
    """The secondary takes the row that the primary had, just when the primary gets another: they never agreed."""
    scene.title(StoreName.PRISMA, "first")()
    scene.relay()
    scene.past_capture(StoreName.SUPABASE, "lost")()
    swap = together(scene.past_capture(StoreName.PRISMA, "second"), scene.past_capture(StoreName.SUPABASE, "first"))
    placed = scene.placed(swap)
    assert (placed.checked.outcome, placed.place) == (Outcome.CONFIRMED, Place.LOST)
    assert placed.checked.primary is not None
    assert placed.checked.secondary is not None
    assert (placed.checked.primary.row["title"], placed.checked.secondary.row["title"]) == ("second", "first")


def test_a_change_while_we_look_is_under_way(scene: Scene) -> None:
    """Rows that agree when they are seen and no longer do when we make sure of it are looked at again."""
    placed = scene.placed(scene.title(StoreName.PRISMA, "latest"))
    assert (placed.checked.outcome, placed.place) == (Outcome.PENDING, None)
    assert placed.waiting_s is not None


def test_a_key_that_never_stands_still_is_deferred(scene: Scene) -> None:
    """Carried over between any two looks, it is neither equal nor lost in the end."""
    changes = [together(scene.title(StoreName.PRISMA, f"change {number}"), scene.relay) for number in range(2 * ROUNDS)]
    placed = scene.placed(*changes)
    assert (placed.checked.outcome, placed.place) == (Outcome.DEFERRED, None)


def test_a_conflict_that_is_decided_meanwhile_is_no_loss(scene: Scene) -> None:
    """Once the primary's row was kept and carried over there is nothing to report."""
    scene.past_capture(StoreName.SUPABASE, "before adoption")()
    book = scene.replication.book
    book.keep("adopted", {scene.key: None})
    assert scene.placed().place is Place.CONFLICT
    (conflict,) = book.conflicts(keys=[scene.key])

    def decide() -> None:
        with book.deciding(conflict, keep="primary") as undecided:
            assert undecided

    placed = scene.placed(decide)
    assert placed.checked.outcome is Outcome.PENDING
    scene.relay()
    assert scene.placed().checked.outcome is Outcome.SETTLED


@dataclass(slots=True)
class Traffic:
    """Writers on both stores and a relay, all at once, for as long as the context lasts."""

    pair: Pair
    replication: Replication
    keys: list[str]
    writes: int = 0
    carried: int = 0
    failed: list[BaseException] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Write and carry over."""
        works = [self._relay, lambda: self._write(StoreName.PRISMA), lambda: self._write(StoreName.SUPABASE)]
        threads = [threading.Thread(target=self._guarded, args=(work,)) for work in works]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in threads:
                thread.join()
        assert self.failed == []

    def _guarded(self, work: Action) -> None:
        try:
            work()
        except BaseException as exc:  # noqa: BLE001 - a thread's error fails the test
            self.failed.append(exc)

    def _relay(self) -> None:
        relay, random = self.replication.both()[2], Random(3)
        while not self._over.is_set():
            self.carried += sum(part.carried for part in relay.passing())
            time.sleep(random.choice((0.0, 0.01, 0.2, 0.6)))

    def _write(self, store: StoreName) -> None:
        random = Random(str(store))
        mine = self.keys[::2] if store is StoreName.PRISMA else self.keys[1::2]
        with psycopg.connect(url_of(self.pair, store), autocommit=True) as connection:
            while not self._over.is_set():
                key, title = random.choice(mine), f"{store} {random.random()}"
                connection.execute("UPDATE public.planning SET title = %s WHERE id::text = %s", [title, key])
                self.writes += 1
                time.sleep(0.002)


@pytest.mark.parametrize("channel", [Channel.SQL, pytest.param(Channel.RPC, marks=pytest.mark.soak)])
def test_under_traffic_only_what_was_lost_is_lost(
    seeded_pair: Pair, clean_suite: tuple[CheckResult, ...], channel: Channel
) -> None:
    """Checks without any grace, beside writers on both stores and a relay, find three lost rows, and no other."""
    live_traffic(seeded_pair, clean_suite, channel, checks=6)


@pytest.mark.soak
@pytest.mark.parametrize("channel", [Channel.SQL, Channel.RPC])
def test_under_traffic_for_long_only_what_was_lost_is_lost(
    seeded_pair: Pair, clean_suite: tuple[CheckResult, ...], channel: Channel
) -> None:
    """The same of many more checks."""
    live_traffic(seeded_pair, clean_suite, channel, checks=100)


def live_traffic(pair: Pair, suite: tuple[CheckResult, ...], channel: Channel, *, checks: int) -> None:
    """Check again and again while rows are written and carried over."""
    with over(pair, channel) as rest, replicating(pair, rest) as replication:
        (planted,) = inject_adopted(
            pair.primary_superuser, pair.secondary_superuser, [fault("lost_supabase")], relay=lambda: None
        )
        with psycopg.connect(pair.primary) as connection:
            found = connection.execute("SELECT id FROM public.planning WHERE id <> ALL(%s)", [list(planted.keys)])
            keys = [key for (key,) in found]
        traffic = Traffic(pair, replication, keys)
        looked_at, under_way = 0, 0
        with traffic.running():
            time.sleep(0.3)
            for number in range(10 * checks):
                report = check(job_of(pair, rest=rest, channel=channel), suite=suite)
                assert {(d.key, d.place) for d in report.differences} == {(key, Place.LOST) for key in planted.keys}
                assert all(a.primary.balance == a.secondary.balance == 0 for a in report.ranges)
                assert not any(c.status is CheckStatus.FAILED for c in report.checks if "capture" in c.id)
                assert Verdict.ERRORED not in {reason.verdict for reason in report.reasons}, report.reasons
                looked_at += report.rows.settled + report.rows.pending + report.rows.deferred
                under_way += report.rows.pending
                if number + 1 >= checks and min(traffic.writes, traffic.carried) > 100 and looked_at and under_way:
                    break  # on a busy machine it takes some more of them
        assert traffic.writes > 100
        assert traffic.carried > 100
        assert looked_at > 0
        assert under_way > 0
        replication.both()[2].drain()
        report = check(job_of(pair, rest=rest, channel=channel), suite=suite)
    assert {(d.key, d.place) for d in report.differences} == {(key, Place.LOST) for key in planted.keys}
    assert (report.rows.pending, report.rows.deferred) == (0, 0)
