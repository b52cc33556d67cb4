"""What is remembered of the stores' health, on both servers: nothing twice, nothing for longer than it is kept."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from contracts.alerts import Ruling
from contracts.health import AlertRule, Message, Operation, Phase, Probe, SyncFigures, Timing
from contracts.vocabulary import Severity, StoreName
from storage.breaker import Saved
from storage.breaker import State as Circuit
from storage.state import State, open_state

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOOK = ("webhook",)


def probe(at: datetime, *, healthy: bool = True) -> Probe:
    """Return a probe of the primary."""
    error, what = (None, "") if healthy else ("Unavailable", "prisma cannot be reached.")
    return Probe(store=StoreName.PRISMA, at=at, healthy=healthy, response_ms=3, error=error, what=what)


def ruling(*, holds: bool, subject: str = "supabase", text: str = "supabase has failed.") -> Ruling:
    """Return what the rule for one failed store says."""
    return Ruling(
        rule=AlertRule.STORE_FAILED,
        subject=subject,
        holds=holds,
        severity=Severity.WARNING,
        text=text if holds else "",
        since=NOW - 30 * MINUTE,
    )


def claimed(state: State, now: datetime, channel: str = "webhook") -> Message:
    """Take the message that is to be sent now."""
    message = state.watch.claim(channel, now=now)
    assert message is not None
    return message


def test_probes_come_back_as_they_were(state: State) -> None:
    """Oldest first, from the asked moment on; one of the same moment replaces the other."""
    kept = (probe(NOW - MINUTE), probe(NOW, healthy=False))
    state.watch.add_probes([probe(NOW), *kept])
    assert state.watch.probes(since=NOW - MINUTE)[StoreName.PRISMA] == kept
    assert state.watch.probes(since=NOW)[StoreName.PRISMA] == kept[1:]
    assert state.watch.probes(since=NOW)[StoreName.SUPABASE] == ()


def test_environments_know_nothing_of_each_other(state_url: str) -> None:
    """Two pairs of stores in one memory have probes, circuits and alerts of their own."""
    with open_state(state_url, environment="one") as one, open_state(state_url, environment="two") as two:
        one.watch.add_probes([probe(NOW)])
        one.watch.keep_circuits({"prisma": Saved()}, now=NOW)
        one.watch.settle([ruling(holds=True)], now=NOW, channels=HOOK)
        assert two.watch.probes(since=NOW)[StoreName.PRISMA] == ()
        assert two.watch.circuits() == {}
        assert two.watch.open_alerts() == ()
        assert two.watch.claim("webhook", now=NOW) is None


def test_circuits_are_handed_on(state_url: str) -> None:
    """The last one that was kept counts, with its failures and its time."""
    saved = Saved(state=Circuit.OPEN, failures=(True, False, True), in_a_row=1, until=NOW + MINUTE)
    with open_state(state_url) as state:
        state.watch.keep_circuits({"supabase": Saved()}, now=NOW)
        state.watch.keep_circuits({"supabase": saved}, now=NOW)
    with open_state(state_url) as state:
        assert state.watch.circuits() == {"supabase": saved}


def test_an_alert_is_sent_once_when_it_begins_and_once_when_it_ends(state_url: str) -> None:
    """Whatever the process that looks: a rule that goes on holding raises nothing new."""
    sent: list[Phase] = []
    for minute, holds in enumerate((True, True, True, False, False, True)):
        with open_state(state_url) as state:
            now = NOW + minute * MINUTE
            state.watch.settle([ruling(holds=holds, text=f"for {minute} min")], now=now, channels=HOOK)
            while message := state.watch.claim("webhook", now=now):
                sent.append(message.phase)
                state.watch.sent(message, now=now)
    assert sent == [Phase.FIRING, Phase.RESOLVED, Phase.FIRING]


def test_an_open_alert_tells_its_latest_text(state: State) -> None:
    """It began once, and says how it is now."""
    state.watch.settle([ruling(holds=True)], now=NOW, channels=())
    state.watch.settle([ruling(holds=True, text="for longer")], now=NOW + MINUTE, channels=())
    (alert,) = state.watch.open_alerts()
    assert (alert.text, alert.since, alert.resolved_at) == ("for longer", NOW - 30 * MINUTE, None)
    state.watch.settle([], now=NOW + 2 * MINUTE, channels=())
    assert state.watch.open_alerts() == (alert,)  # nobody could look: it stays


def test_the_worst_alerts_come_first(state: State) -> None:
    """By severity, then by age."""
    both = Ruling(
        rule=AlertRule.BOTH_FAILED, subject="", holds=True, severity=Severity.CRITICAL, text="both", since=NOW
    )
    state.watch.settle([ruling(holds=True), both], now=NOW, channels=())
    assert [alert.severity for alert in state.watch.open_alerts()] == [Severity.CRITICAL, Severity.WARNING]


def test_several_processes_send_one_message(state_url: str) -> None:
    """Six of them raise the same alert and want its message: one gets it."""

    def watch(_: int) -> bool:
        with open_state(state_url) as state:
            state.watch.settle([ruling(holds=True)], now=NOW, channels=HOOK)
            return state.watch.claim("webhook", now=NOW) is not None

    with open_state(state_url), ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(watch, range(6))) == 1


def test_a_message_that_nobody_confirms_is_sent_again(state: State) -> None:
    """A process that died between taking and sending loses its turn after two minutes."""
    state.watch.settle([ruling(holds=True)], now=NOW, channels=HOOK)
    assert claimed(state, NOW).attempts == 1
    assert state.watch.claim("webhook", now=NOW + MINUTE) is None
    assert claimed(state, NOW + 2 * MINUTE).attempts == 2


def test_a_message_that_is_not_taken_waits_for_longer_each_time(state: State) -> None:
    """A minute, two, four; and it is kept."""
    state.watch.settle([ruling(holds=True)], now=NOW, channels=HOOK)
    now = NOW
    for wait in (1, 2, 4):
        state.watch.not_sent(claimed(state, now), now=now)
        assert state.watch.claim("webhook", now=now + wait * MINUTE - timedelta(seconds=1)) is None
        now += wait * MINUTE
    assert claimed(state, now).attempts == 4


def test_an_end_is_not_told_before_its_beginning(state: State) -> None:
    """An alert that ended while the webhook was down is told in full, in order."""
    state.watch.settle([ruling(holds=True)], now=NOW, channels=HOOK)
    state.watch.not_sent(claimed(state, NOW), now=NOW)
    state.watch.settle([ruling(holds=False)], now=NOW, channels=HOOK)
    assert state.watch.claim("webhook", now=NOW) is None
    first = claimed(state, NOW + MINUTE)
    assert first.phase is Phase.FIRING
    state.watch.sent(first, now=NOW + MINUTE)
    last = claimed(state, NOW + MINUTE)
    assert (last.phase, last.alert.resolved_at) == (Phase.RESOLVED, NOW)


def test_a_place_that_is_set_up_later_gets_open_alerts(state: State) -> None:
    """What ended before is not told there."""
    state.watch.settle([ruling(holds=True, subject="prisma"), ruling(holds=True)], now=NOW, channels=())
    state.watch.settle([ruling(holds=False, subject="prisma"), ruling(holds=True)], now=NOW + MINUTE, channels=HOOK)
    assert claimed(state, NOW + MINUTE).alert.subject == "supabase"
    assert state.watch.claim("webhook", now=NOW + MINUTE) is None


def test_places_are_told_one_by_one(state: State) -> None:
    """One that fails does not keep another from its message, nor is that one told twice."""
    state.watch.settle([ruling(holds=True)], now=NOW, channels=("webhook", "prefect"))
    for channel in ("webhook", "prefect"):
        assert claimed(state, NOW, channel).phase is Phase.FIRING
        assert state.watch.claim(channel, now=NOW) is None


def test_timings_and_figures_are_kept(state: State) -> None:
    """How long operations took, and how far the stores had come; None where nobody could tell."""
    timing = Timing(operation=Operation.SAVE, at=NOW, ms=5001)
    state.watch.add_timings([timing])
    assert state.watch.timings(since=NOW) == (timing,)
    earlier = SyncFigures(dataset="planning", at=NOW, dirty_primary=2, oldest_primary_s=60.5, dead_letters=1)
    later = replace(earlier, at=NOW + MINUTE, dirty_primary=None)
    state.watch.add_sync([later, earlier, later])
    assert state.watch.last_sync(since=NOW) == (later,)
    assert state.watch.last_sync(since=NOW + 2 * MINUTE) == ()


def test_old_probes_and_resolved_alerts_are_forgotten(state: State) -> None:
    """After a week; an alert that is open stays, however old."""
    state.watch.add_probes([probe(NOW - timedelta(days=8)), probe(NOW)])
    state.watch.settle([ruling(holds=True), ruling(holds=True, subject="prisma")], now=NOW, channels=HOOK)
    state.watch.settle([ruling(holds=False)], now=NOW + MINUTE, channels=HOOK)
    later = NOW + timedelta(days=8)
    state.watch.prune(now=later)
    assert state.watch.probes(since=NOW - timedelta(days=30))[StoreName.PRISMA] == ()
    assert [alert.subject for alert in state.watch.open_alerts()] == ["prisma"]
    assert claimed(state, later).alert.subject == "prisma"
    assert state.watch.claim("webhook", now=later) is None


def test_a_memory_that_is_not_durable_judges_too() -> None:
    """Without a place to keep it, alerts hold for as long as the process."""
    with open_state(None) as state:
        state.watch.settle([ruling(holds=True)], now=NOW, channels=HOOK)
        assert claimed(state, NOW).attempts == 1
