"""The watch: looks at both stores, remembers what it saw, judges it, and sends what there is to say. Once a minute."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol, TypeVar

from contracts.alerts import Backup, Facts, Thresholds, rulings
from contracts.errors import TwinstoreError
from contracts.health import HealthReport, Message, Timing, figures_of, summed_up
from contracts.replication import SyncStatus
from contracts.vocabulary import StoreName
from flows.probing import configured_stores, probe_stores
from flows.replicating import open_replication, replicated_datasets
from flows.settings import Settings
from flows.sync import ask_status
from flows.wiring import Stores, home

if TYPE_CHECKING:
    from storage.breaker import Guard, Rules
    from storage.state import State

WINDOW_H = 24  # hours over which probes are summed up
T = TypeVar("T")
_log = logging.getLogger("twinstore")


class Sender(Protocol):
    """Sends messages about alerts to one place."""

    @property
    def channel(self) -> str:
        """Its name, under which the memory knows what it sent."""
        ...

    def send(self, message: Message) -> None:
        """Send one message.

        Raises:
            TwinstoreError: It was not taken, and is to be sent again.
        """
        ...


def watch_once(
    settings: Settings,
    stores: Stores,
    state: State,
    now: datetime,
    *,
    clock: Callable[[], float] = time.monotonic,
    guards: Iterable[Guard] = (),
    timings: Sequence[Timing] = (),
    backup: Backup | None = None,
    senders: Sequence[Sender] | None = None,
    thresholds: Thresholds | None = None,
) -> HealthReport:
    """Probe both stores, remember that, raise and resolve alerts, send what there is to send, and return how all is.

    It reads only, and neither a store that is down nor a webhook that refuses ends it.

    Args:
        settings: The settings.
        stores: The pair of stores.
        state: The tool's memory.
        now: The present, UTC.
        clock: Tells a time in seconds that only grows.
        guards: Circuit breakers of this process, which are kept for the next one.
        timings: How long operations of this process took since the last watch.
        backup: What is known about backups; what the memory knows unless given.
        senders: Where messages go; those that the settings name unless given.
        thresholds: From when on something is worth an alert; unless given, as usual, and as long as the settings let a
            change wait.

    Raises:
        ConfigurationError: The address of the webhook cannot be used.
        TwinstoreError: The tool's memory cannot be used.
    """
    outlets = make_senders(settings, stores.environment) if senders is None else senders
    book, began_s = state.watch, clock()
    probes = probe_stores(settings, stores, now, clock=clock)
    sync, notes = _sync(settings, stores, {probe.store for probe in probes if probe.healthy})
    book.add_probes(probes)
    book.add_sync(figures_of(status, now) for status in sync)
    book.add_timings(timings)
    book.keep_circuits({guard.name: guard.save(now) for guard in guards}, now=now)
    facts = Facts(
        now=now,
        probes={store: seen for store, seen in book.probes(since=_since(now)).items() if seen},
        timings=book.timings(since=now - timedelta(hours=1)),
        sync=sync,
        runs=book.last_runs(),
        backup=backup or state.backups.known(now),
    )
    limits = thresholds or Thresholds(dirty=timedelta(seconds=settings.max_lag_s))
    book.settle(rulings(facts, limits), now=now, channels=[sender.channel for sender in outlets])
    for sender in outlets:
        notes += _send(sender, state, now, lambda: timedelta(seconds=clock() - began_s))
    book.prune(now=now)
    return health_of(state, now, configured=configured_stores(stores), notes=tuple(notes))


def health_of(
    state: State,
    now: datetime,
    *,
    configured: Iterable[StoreName] = tuple(StoreName),
    notes: tuple[str, ...] = (),
) -> HealthReport:
    """Return how the stores are, as far as the memory knows; nobody is asked.

    Args:
        state: The tool's memory.
        now: The present, UTC.
        configured: The stores that a setting leads to.
        notes: Sentences about what could not be found out.

    Raises:
        TwinstoreError: The tool's memory cannot be used.
    """
    book, known = state.watch, frozenset(configured)
    seen, circuits = book.probes(since=_since(now)), book.circuits()
    return HealthReport(
        at=now,
        window_h=WINDOW_H,
        stores=tuple(
            summed_up(
                store,
                seen[store],
                circuit=str(circuits[store].state) if store in circuits else None,
                configured=store in known,
            )
            for store in StoreName
        ),
        sync=book.last_sync(since=_since(now)),
        runs=book.last_runs(),
        alerts=book.open_alerts(),
        notes=notes,
    )


def remembered_health(state: State, now: datetime) -> HealthReport | None:
    """Return how the stores did lately, for a report; None where nobody watched them or the memory does not tell."""
    try:
        health = health_of(state, now)
    except TwinstoreError:
        return None
    return health if any(store.probes for store in health.stores) else None


def make_guards(
    state: State | None,
    now: datetime,
    *,
    rules: Rules | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> dict[StoreName, Guard]:
    """Return a circuit breaker for each store, which goes on where the last process stopped.

    Args:
        state: The tool's memory; None for breakers that know of nothing before.
        now: The present, UTC.
        rules: When they open, and for how long.
        clock: Tells a time in seconds that only grows.

    Raises:
        TwinstoreError: The tool's memory cannot be used.
    """
    from storage.breaker import Breaker, Guard, Saved

    kept: Mapping[str, Saved] = {} if state is None else state.watch.circuits()
    return {
        store: Guard(store, Breaker.restored(kept.get(store, Saved()), now=clock(), wall=now, rules=rules), clock=clock)
        for store in StoreName
    }


def make_senders(settings: Settings, environment: str) -> tuple[Sender, ...]:
    """Return where the settings say that messages go.

    Raises:
        ConfigurationError: The address of the webhook cannot be used.
    """
    from flows.prefect_events import PrefectEvents
    from flows.webhook import Webhook

    senders: list[Sender] = []
    if settings.webhook_url is not None:
        senders.append(Webhook(settings.webhook_url, environment=environment))
    if settings.prefect_api_url is not None:
        senders.append(PrefectEvents(environment=environment, home=home(settings)))
    return tuple(senders)


def _sync(settings: Settings, stores: Stores, there: set[StoreName]) -> tuple[tuple[SyncStatus, ...], list[str]]:
    """Ask the stores that are there how far they have come; what cannot be asked is told in a note."""
    found: list[SyncStatus] = []
    notes: list[str] = []
    for name in replicated_datasets():
        try:
            found.append(_status(settings, stores, name, there, notes))
        except TwinstoreError as exc:
            notes.append(f"How far {name} has come could not be asked: {exc.what}")
    return tuple(found), notes


def _status(settings: Settings, stores: Stores, name: str, there: set[StoreName], notes: list[str]) -> SyncStatus:
    from storage.health import PROBE_S

    with open_replication(settings, stores, name) as replication:
        asked = there if replication.secondary is not None else there - {StoreName.SUPABASE}

        def ask(store: StoreName, question: Callable[[], T]) -> T | None:
            if store not in asked:
                return None
            try:
                return question()
            except TwinstoreError as exc:
                notes.append(f"{store} was not asked about {name}: {exc.what}")
                return None

        return ask_status(replication, ask, deadline_s=PROBE_S)


def _send(sender: Sender, state: State, now: datetime, elapsed: Callable[[], timedelta]) -> list[str]:
    """Send what is to be sent, until one message is not taken; return what there is to note.

    They are taken one by one, as time goes on: others send what somebody took and did not send in its turn.
    """
    while (message := state.watch.claim(sender.channel, now=now + elapsed())) is not None:
        try:
            sender.send(message)
        except TwinstoreError as exc:
            state.watch.not_sent(message, now=now)
            _log.warning("%s", exc.what)
            return [exc.what]
        state.watch.sent(message, now=now + elapsed())
    return []


def _since(now: datetime) -> datetime:
    return now - timedelta(hours=WINDOW_H)
