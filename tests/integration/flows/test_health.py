"""The watch over real servers: what it sees, remembers, judges and sends, whatever state they are in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from contracts.alerts import Backup, Ruling, Thresholds
from contracts.errors import OutcomeUnknown, Unavailable
from contracts.health import AlertRule, HealthReport, Message, Operation, Timing
from contracts.vocabulary import Channel, Severity, StoreName, Verdict
from flows.health import health_of, make_guards, make_senders, remembered_health, watch_once
from flows.opening import Opened
from flows.settings import Settings
from flows.wiring import Stores, find_stores
from storage.breaker import State as Circuit
from storage.health import storage_health
from storage.replication import adoption
from storage.replication.decisions import resolve
from storage.state import State, open_state
from tests.support.factories import make_dataset, make_report
from tests.support.faulty_proxy import nobody_listens
from tests.support.gateway import serve
from tests.support.hook import Hook, hook
from tests.support.servers import Pair
from tests.support.two_stores import adopted_as_equal, keys, run, settings_of, titled, work_on

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PRISMA, SUPABASE = StoreName


@dataclass
class Scene:
    """A pair of stores whose changes are carried over, its memory and its webhook; time stands still until moved.

    Attributes:
        work: The opened pair.
        memory: The tool's memory.
        hook: The webhook.
        now: The present.
    """

    work: Opened
    memory: State
    hook: Hook
    now: datetime = NOW

    def watch(
        self,
        *,
        stores: Stores | None = None,
        after: timedelta = MINUTE,
        thresholds: Thresholds | None = None,
        backup: Backup | None = None,
        timings: tuple[Timing, ...] = (),
        max_lag_s: float = 900.0,
    ) -> HealthReport:
        """Watch once, some time later."""
        self.now += after
        named = {"webhook_url": SecretStr(self.hook.url), "max_lag_s": max_lag_s}
        settings = self.work.settings.model_copy(update=named)
        return watch_once(
            settings,
            stores or self.work.stores,
            self.memory,
            self.now,
            thresholds=thresholds,
            backup=backup,
            timings=timings,
        )


@pytest.fixture
def scene(seeded_pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """An adopted pair with a memory and a webhook."""
    memory_url = f"sqlite:///{tmp_path}/state.db"
    with (
        work_on(seeded_pair, Channel.SQL, tmp_path / "home", monkeypatch) as work,
        open_state(memory_url) as memory,
        hook() as there,
    ):
        adopted_as_equal(work)
        yield Scene(work=work, memory=memory, hook=there)


def without(stores: Stores, *gone: StoreName, port: int | None) -> Stores:
    """Return the stores with some of them at a port that refuses connections."""
    dead = f"postgresql://app:hunter2@127.0.0.1:{port}/app"
    urls = {store: replace(url, dsn=dead) if store in gone else url for store, url in stores.urls.items()}
    return replace(stores, urls=urls)


def test_all_is_well(scene: Scene) -> None:
    """Both stores answered, nothing waits, nothing is sent, and what was seen is remembered."""
    report = scene.watch()
    assert [store.last is not None and store.last.healthy for store in report.stores] == [True, True]
    assert report.alerts == ()
    assert report.notes == ()
    (status,) = report.sync
    assert (status.dirty_primary, status.dirty_secondary, status.conflicts, status.dead_letters) == (0, 0, 0, 0)
    assert scene.hook.attempts == 0
    assert health_of(scene.memory, scene.now).stores == report.stores
    health = storage_health(report.stores)
    assert health.healthy
    assert (health.prisma.failures, health.prisma.last_failure) == (0, None)


def test_one_store_fails_for_half_an_hour_and_comes_back(scene: Scene) -> None:
    """The warning comes with the 31st failed probe, the end with the first healthy one; each once."""
    with nobody_listens() as url:
        gone = without(scene.work.stores, SUPABASE, port=urlsplit(url).port)
        scene.watch(stores=gone)
        for _ in range(29):
            report = scene.watch(stores=gone)
        assert scene.hook.told() == []
        assert storage_health(report.stores).supabase.failures == 30
        for _ in range(3):
            report = scene.watch(stores=gone)
    assert [alert.rule for alert in report.alerts] == [AlertRule.STORE_FAILED]
    health = storage_health(report.stores)
    assert (health.supabase.is_healthy, health.prisma.is_healthy) == (False, True)
    assert health.supabase.last_failure == round(scene.now.timestamp() * 1000)
    assert scene.hook.told() == [("store_failed", "firing")]
    for _ in range(2):
        report = scene.watch()
    assert report.alerts == ()
    assert scene.hook.told() == [("store_failed", "resolved")]


def test_both_stores_fail(scene: Scene) -> None:
    """Critical at once, with both reasons and no password; once resolved, once told."""
    with nobody_listens() as url:
        gone = without(scene.work.stores, PRISMA, SUPABASE, port=urlsplit(url).port)
        for _ in range(2):
            report = scene.watch(stores=gone)
    (alert,) = report.alerts
    assert alert.rule is AlertRule.BOTH_FAILED
    assert all(store in alert.text for store in StoreName)
    assert report.sync[0].dirty_primary is None
    assert "hunter2" not in str(scene.hook.taken)
    assert scene.hook.told() == [("both_failed", "firing")]
    scene.watch()
    scene.watch()
    assert scene.hook.told() == [("both_failed", "resolved")]


def test_a_gap_in_watching_is_unknown(scene: Scene) -> None:
    """A store that failed before a night without a watch and after it has not failed all night."""
    with nobody_listens() as url:
        gone = without(scene.work.stores, SUPABASE, port=urlsplit(url).port)
        for after in (MINUTE, MINUTE, timedelta(hours=8), MINUTE):
            scene.watch(stores=gone, after=after)
    assert scene.hook.told() == []


def test_something_is_slow(scene: Scene) -> None:
    """A save of six seconds is worth an info; after five minutes with quick ones it is over."""
    slow = Timing(operation=Operation.SAVE, at=scene.now + MINUTE, ms=6000)
    scene.watch(timings=(slow,))
    assert scene.hook.told() == [("slow", "firing")]
    quick = Timing(operation=Operation.SAVE, at=scene.now + 6 * MINUTE, ms=60)
    scene.watch(timings=(quick,), after=6 * MINUTE)
    assert scene.hook.told() == [("slow", "resolved")]


def test_a_probe_is_slow(scene: Scene) -> None:
    """With a limit below what any store needs, both are told of, by name."""
    report = scene.watch(thresholds=Thresholds(probe_s=1e-9))
    assert {alert.subject for alert in report.alerts} <= {"probe of prisma", "probe of supabase"}
    assert report.alerts
    assert set(scene.hook.told()) == {("slow", "firing")}


def test_a_gate_fails_and_passes_again(scene: Scene) -> None:
    """The last run of the dataset counts."""
    for number, verdict in enumerate((Verdict.FAILED, Verdict.PASSED)):
        dataset = make_dataset(name="planning", verdict=verdict)
        run = make_report(
            run_id=f"2026112{number}T000000Z-a", datasets=(dataset,), verdict=verdict, started_at=NOW, finished_at=NOW
        )
        scene.memory.remember(run)
        scene.watch()
    assert scene.hook.told() == [("gate_failed", "firing"), ("gate_failed", "resolved")]


def test_changes_wait_too_long(scene: Scene, seeded_pair: Pair) -> None:
    """As soon as one is older than `TWINSTORE_MAX_LAG_S`, until the relay has carried it over."""
    (key,) = keys(seeded_pair, 1)
    titled(seeded_pair, PRISMA, key, "another title")
    report = scene.watch(max_lag_s=3600.0)
    assert scene.hook.told() == []
    report = scene.watch(max_lag_s=0.0)
    (status,) = report.sync
    assert status.dirty_primary == 1
    assert status.oldest_primary_s is not None
    assert scene.hook.told() == [("dirty_too_old", "firing")]
    scene.work.replications[0].both()[2].drain()
    scene.watch(max_lag_s=0.0)
    assert scene.hook.told() == [("dirty_too_old", "resolved")]


def test_a_change_is_refused_and_given_up(scene: Scene, seeded_pair: Pair) -> None:
    """A record that the secondary cannot hold becomes a dead letter; once it is mended, the alert is over."""
    (key,) = keys(seeded_pair, 1)
    relay = scene.work.replications[0].both()[2]
    run(seeded_pair, PRISMA, "UPDATE public.planning SET version = -1 WHERE id = %s", key)
    relay.drain()
    scene.watch()
    assert scene.hook.told() == [("dead_letters", "firing")]
    run(seeded_pair, PRISMA, "UPDATE public.planning SET version = 7 WHERE id = %s", key)
    relay.drain()
    scene.watch()
    assert scene.hook.told() == [("dead_letters", "resolved")]


def test_both_sides_change_one_record(scene: Scene, seeded_pair: Pair) -> None:
    """The conflict is told of until somebody has decided."""
    (key,) = keys(seeded_pair, 1)
    titled(seeded_pair, PRISMA, key, "ours")
    titled(seeded_pair, SUPABASE, key, "theirs")
    replication = scene.work.replications[0]
    replication.both()[2].drain()
    scene.watch()
    assert scene.hook.told() == [("conflicts", "firing")]
    (conflict,) = replication.book.conflicts()
    resolve(conflict, keep="primary", primary=replication.primary, book=replication.book)
    scene.watch()
    assert scene.hook.told() == [("conflicts", "resolved")]


def test_a_table_is_truncated(scene: Scene, seeded_pair: Pair) -> None:
    """Critical, since nothing is carried over until somebody has looked; adopting again ends it."""
    run(seeded_pair, SUPABASE, "TRUNCATE public.planning CASCADE")
    report = scene.watch()
    assert [alert.rule for alert in report.alerts] == [AlertRule.CAPTURE_GAP]
    assert scene.hook.told() == [("capture_gap", "firing")]
    primary, secondary, _ = scene.work.replications[0].both()
    for doors in (primary, secondary):
        doors.capture(wanted=False)
    scene.watch()
    adoption.begin(primary, secondary, scene.work.replications[0].book)
    scene.watch()
    assert scene.hook.told() == []
    adopted_as_equal(scene.work)
    scene.watch()
    assert scene.hook.told() == [("capture_gap", "resolved")]


def test_no_backup_was_verified(scene: Scene) -> None:
    """The rule is there for those who make backups."""
    scene.watch(backup=Backup(verified_at=None))
    scene.watch(backup=Backup(verified_at=scene.now))
    assert scene.hook.told() == [("backup_unverified", "firing"), ("backup_unverified", "resolved")]


def test_a_webhook_that_is_down_gets_its_messages_later(scene: Scene) -> None:
    """The watch goes on, says so in a note, and neither loses nor repeats a message."""
    scene.hook.answers = [404, 404]
    report = scene.watch(backup=Backup(verified_at=None))
    assert any("status 404" in note for note in report.notes)
    report = scene.watch(backup=Backup(verified_at=None))
    assert any("status 404" in note for note in report.notes)
    scene.watch(backup=Backup(verified_at=scene.now), after=timedelta(seconds=30))
    assert scene.hook.told() == []
    for _ in range(3):
        scene.watch(backup=Backup(verified_at=scene.now))
    assert scene.hook.told() == [("backup_unverified", "firing"), ("backup_unverified", "resolved")]


@dataclass
class Slow:
    """A place that takes twelve seconds for each message, while another process sends what it may."""

    scene: Scene
    seconds: float = 0.0
    told: list[str] = field(default_factory=list)
    channel: str = "webhook"

    def send(self, message: Message) -> None:
        """Send a message, slowly."""
        self.told.append(message.alert.subject)
        self.seconds += 12
        if len(self.told) == 10:
            now = self.scene.now + timedelta(seconds=self.seconds + 1)
            while taken := self.scene.memory.watch.claim(self.channel, now=now):
                self.told.append(taken.alert.subject)
                self.scene.memory.watch.sent(taken, now=now)


def test_a_slow_webhook_gets_each_message_once(scene: Scene) -> None:
    """Two processes that send many messages take them one by one, so that none is overtaken in its turn."""
    many = [f"dataset {number:02}" for number in range(14)]
    told = [
        Ruling(rule=AlertRule.CONFLICTS, subject=name, holds=True, severity=Severity.WARNING, text="x", since=scene.now)
        for name in many
    ]
    scene.memory.watch.settle(told, now=scene.now, channels=["webhook"])
    slow = Slow(scene)
    watch_once(
        scene.work.settings, scene.work.stores, scene.memory, scene.now, senders=[slow], clock=lambda: slow.seconds
    )
    assert sorted(slow.told) == many


def test_circuits_go_on_in_the_next_process(scene: Scene) -> None:
    """What a guard learnt is kept with the watch, shown in its report, and known to the guards made next."""
    guards = make_guards(scene.memory, scene.now)

    def gone() -> None:
        raise OutcomeUnknown("supabase went away.", "Look.", store="supabase")

    for _ in range(3):
        with pytest.raises(Unavailable):
            guards[SUPABASE].call(gone)
    settings = scene.work.settings
    report = watch_once(settings, scene.work.stores, scene.memory, scene.now, guards=guards.values(), senders=())
    assert [store.circuit for store in report.stores] == ["closed", "open"]
    assert not storage_health(report.stores).supabase.is_healthy
    heirs = make_guards(scene.memory, scene.now + MINUTE)
    assert heirs[PRISMA].state is Circuit.CLOSED
    wait_s = heirs[SUPABASE].wait_s
    assert wait_s is not None
    assert 200.0 < wait_s <= 240.0  # of five minutes one has passed; where it was not handed on they would all be left
    assert make_guards(None, scene.now)[SUPABASE].state is Circuit.CLOSED


def test_a_pair_without_our_functions_is_watched(still_empty_pair: Pair, tmp_path: Path) -> None:
    """Both stores are healthy; that nothing can be said of replication is noted."""
    settings = Settings.model_validate(settings_of(still_empty_pair, tmp_path))
    with open_state(None) as memory:
        report = watch_once(settings, find_stores(settings), memory, NOW, senders=())
    assert [store.failures for store in report.stores] == [0, 0]
    assert report.alerts == ()
    assert len(report.notes) == 2


def test_a_primary_alone_is_watched(seeded_pair: Pair, tmp_path: Path) -> None:
    """Without a way to the secondary, that one is not configured, and nobody is alarmed."""
    settings = Settings.model_validate({"DATABASE_URL": seeded_pair.primary, "TWINSTORE_HOME": str(tmp_path)})
    with open_state(None) as memory:
        report = watch_once(settings, find_stores(settings, alone=True), memory, NOW, senders=())
        assert [store.configured for store in report.stores] == [True, False]
        assert report.alerts == ()
        assert report.sync[0].dirty_secondary is None
        assert storage_health(report.stores).supabase.error == "It is not configured."


def test_a_secondary_that_may_only_be_read_is_watched(still_pair: Pair, tmp_path: Path) -> None:
    """With the key of anon alone it is probed; nobody asks it about replication, and nobody notes that."""
    with serve(still_pair.secondary_gate) as rest, open_state(None) as memory:
        named = {"DATABASE_URL": still_pair.primary, "SUPABASE_URL": rest.url, "SUPABASE_ANON_KEY": rest.anon_key}
        settings = Settings.model_validate({**named, "TWINSTORE_HOME": str(tmp_path)})
        report = watch_once(settings, find_stores(settings), memory, NOW, senders=())
    assert [store.last is not None and store.last.healthy for store in report.stores] == [True, True]
    assert [status.dirty_secondary for status in report.sync] == [None]
    assert report.notes == ()


def test_a_report_shows_what_was_watched(scene: Scene) -> None:
    """Where nobody watched there is nothing to show."""
    assert remembered_health(scene.memory, scene.now) is None
    report = scene.watch()
    assert remembered_health(scene.memory, scene.now) == report


def test_messages_go_where_the_settings_say(tmp_path: Path) -> None:
    """Nowhere, to the webhook, to Prefect, or to both."""
    hook, prefect = {"TWINSTORE_WEBHOOK_URL": "https://host/T"}, {"PREFECT_API_URL": "http://127.0.0.1:1/api"}
    for named, channels in (
        ({}, []),
        (hook, ["webhook"]),
        (prefect, ["prefect"]),
        (hook | prefect, ["webhook", "prefect"]),
    ):
        settings = Settings.model_validate({"TWINSTORE_HOME": str(tmp_path), **named})
        assert [sender.channel for sender in make_senders(settings, "production")] == channels
