"""How the stores did lately, in words: probes, circuit breakers, what waits between them, and open alerts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from contracts.health import Alert, HealthReport, Probe, StoreState, SyncFigures
from contracts.replication import waiting
from contracts.vocabulary import Severity, StoreName
from reports.text import NONE, count, duration, moment, number

ALERTS_MAX = 20
_STATUS_OF = {Severity.CRITICAL: "failed", Severity.WARNING: "warned", Severity.INFO: "skipped"}


class StoreLine(NamedTuple):
    """One store: whether it is healthy, as a status that has a symbol and as a word, and what is known of it."""

    store: StoreName
    status: str
    word: str
    facts: tuple[tuple[str, str], ...]


class AlertLine(NamedTuple):
    """One open alert with the status that stands for its severity."""

    alert: Alert
    status: str


def store_lines(health: HealthReport) -> tuple[StoreLine, ...]:
    """Return both stores, ready to be drawn."""
    return tuple(StoreLine(state.store, *_standing(state), tuple(_facts(state, health))) for state in health.stores)


def alert_lines(health: HealthReport) -> tuple[AlertLine, ...]:
    """Return the open alerts, the worst first; at most `ALERTS_MAX`."""
    return tuple(AlertLine(alert, _STATUS_OF[alert.severity]) for alert in health.alerts[:ALERTS_MAX])


def sync_sentence(figures: SyncFigures) -> str:
    """Return how far the stores had come with one dataset."""
    sides = (
        (StoreName.PRISMA, figures.dirty_primary, figures.oldest_primary_s),
        (StoreName.SUPABASE, figures.dirty_secondary, figures.oldest_secondary_s),
    )
    waits = [_waiting(store, dirty, oldest_s) for store, dirty, oldest_s in sides]
    counted = [
        f"{noun}s unknown" if found is None else count(found, noun)
        for found, noun in ((figures.dead_letters, "dead letter"), (figures.conflicts, "conflict"))
    ]
    return f"{', '.join([*waits, *counted])} (asked {moment(figures.at)})"


def health_sentence(health: HealthReport) -> str:
    """Return all of it on one line, for a summary."""
    stores = [f"{state.store} {_standing(state)[1]}" for state in health.stores]
    return f"{', '.join(stores)}; {count(len(health.alerts), 'open alert')}"


def health_document(health: HealthReport) -> dict[str, Any]:
    """Return all of it as JSON values."""
    return {
        "at": _plain(health.at),
        "window_h": health.window_h,
        "stores": [_store(state) for state in health.stores],
        "sync": [_members(figures, SyncFigures.__slots__) for figures in health.sync],
        "alerts": [_members(alert, ("rule", "subject", "severity", "text", "since")) for alert in health.alerts],
        "notes": list(health.notes),
    }


def _store(state: StoreState) -> dict[str, Any]:
    names = [name for name in StoreState.__slots__ if name != "last"]
    last = None if state.last is None else _members(state.last, Probe.__slots__)
    return _members(state, names) | {"last": last}


def _members(value: object, names: Iterable[str]) -> dict[str, Any]:
    return {name: _plain(getattr(value, name)) for name in names}


def _plain(value: Any) -> Any:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value


def _standing(state: StoreState) -> tuple[str, str]:
    if not state.configured:
        return "skipped", "not configured"
    if state.last is None:
        return "incomplete", "unknown"
    return ("passed", "healthy") if state.last.healthy else ("failed", "failing")


def _facts(state: StoreState, health: HealthReport) -> list[tuple[str, str]]:
    facts = [("Last probe", _probe(state.last))]
    if state.failing_since is not None:
        facts.append(("Failing since", f"{moment(state.failing_since)}, {count(state.failures, 'probe')}"))
    if state.probes:
        facts.append((f"Last {health.window_h} h", f"{count(state.probes, 'probe')}, {_share(state)} failed"))
    if state.mean_ms is not None and state.p95_ms is not None:
        times = f"{number(round(state.mean_ms))} ms on average, 95 of 100 within {number(state.p95_ms)} ms"
        facts.append(("Response time", times))
    facts.append(("Circuit breaker", "unknown" if state.circuit is None else state.circuit.replace("_", "-")))
    return facts


def _probe(probe: Probe | None) -> str:
    if probe is None:
        return NONE
    if probe.healthy:
        return f"answered in {number(probe.response_ms)} ms, {moment(probe.at)}"
    return f"{probe.what or probe.error} ({moment(probe.at)})"


def _share(state: StoreState) -> str:
    share = state.error_rate or 0.0
    if 0 < share < 0.001:  # noqa: PLR2004 - what would read as nothing
        return "< 0.1 %"
    return f"{share:.1%}".replace("%", " %").replace(".0 ", " ")


def _waiting(store: StoreName, dirty: int | None, oldest_s: float | None) -> str:
    if dirty is None:
        return f"{store} unknown"
    age = f", the oldest for {duration(oldest_s)}" if dirty and oldest_s is not None else ""
    return f"{waiting(dirty)} on {store}{age}"
