"""How far two stores have come, in words and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from contracts.health import HealthReport, StoreState
from contracts.replication import Standing, waiting
from contracts.vocabulary import StoreName
from flows.replicating import Replication
from flows.sync import Conclusion, Survey, todos
from reports.text import count

WORDS = {
    Conclusion.FINE: "fine",
    Conclusion.WAITS: "something waits for a person",
    Conclusion.UNKNOWN: "could not tell",
}
_HELD = (
    "; some until every transaction has ended that was open on this server before, in whatever database"
    " (`pg_stat_activity` and `pg_prepared_xacts` show them)"
)
STYLES = {Conclusion.FINE: "green", Conclusion.WAITS: "yellow", Conclusion.UNKNOWN: "red"}


def worst(surveys: list[Survey]) -> Conclusion:
    """Return the conclusion that weighs most."""
    return max((survey.conclusion for survey in surveys), key=lambda c: c.exit_code, default=Conclusion.UNKNOWN)


def as_document(replication: Replication, survey: Survey) -> dict[str, Any]:
    """Return the state of one dataset for machines."""
    status = survey.status
    return {
        "dataset": status.dataset,
        "channel": replication.channel,
        "conclusion": survey.conclusion,
        "ready": status.ready,
        "primary": _side(status.primary),
        "secondary": _side(status.secondary),
        "conflicts": status.conflicts,
        "dead_letters": status.dead_letters,
        "failing": status.failing,
        "todo": list(todos(status)),
        "errors": [{"store": e.store, "what": e.what, "todo": e.todo} for e in survey.errors],
    }


def lines(replication: Replication, survey: Survey) -> Iterator[str]:
    """Yield the state of one dataset in words, its conclusion first."""
    status = survey.status
    over = f" over {replication.channel}" if replication.channel else ""
    yield f"{status.dataset}{over}: {WORDS[survey.conclusion]}"
    for store, side in ((StoreName.PRISMA, status.primary), (StoreName.SUPABASE, status.secondary)):
        if side is not None:
            yield f"  {store:9} {_capture(side)}; {waiting_text(side)}"
    for error in survey.errors:
        yield f"  {error.store or 'error':9} {error.what} {error.todo}"
    if status.conflicts is not None:
        kept = f"{count(status.conflicts, 'conflict')}, {count(status.dead_letters or 0, 'dead letter')}"
        failing = count(
            status.failing or 0, "change that failed and is tried again", "changes that failed and are tried again"
        )
        yield f"  {'kept':9} {kept}, {failing}"
    for todo in todos(status):
        yield f"  {todo}"


def health_document(report: HealthReport | None) -> dict[str, Any]:
    """Return for machines how both stores are, as the watch of the following process saw them."""
    if report is None:
        return {"stores": [], "alerts": []}
    return {
        "stores": [
            {
                "store": state.store,
                "healthy": state.last and state.last.healthy,
                "probed_at": state.last and state.last.at.isoformat(),
                "response_ms": state.last and state.last.response_ms,
                "p95_ms": state.p95_ms,
                "error_rate": state.error_rate,
                "failing_since": state.failing_since and state.failing_since.isoformat(),
                "circuit": state.circuit,
            }
            for state in report.stores
            if state.configured
        ],
        "alerts": [
            {
                "rule": alert.rule,
                "subject": alert.subject,
                "severity": alert.severity,
                "since": alert.since.isoformat(),
                "text": alert.text,
            }
            for alert in report.alerts
        ],
    }


def health_lines(report: HealthReport | None, now: datetime) -> Iterator[str]:
    """Yield in words how both stores are, as the watch of the following process saw them."""
    for state in report.stores if report else ():
        if state.configured:
            yield f"{state.store:9} {_health(state, now)}"
    for alert in report.alerts if report else ():
        yield f"alert     {alert.severity}, since {moment(alert.since)}: {alert.text}"


def waiting_text(side: Standing) -> str:
    """Return what waits on a store, for how long, and for what where it is not only for its turn."""
    if not side.dirty:
        return "nothing waits"
    text = f"{waiting(side.dirty)}, the oldest for {side.oldest_s:,.0f} s"
    return f"{text}{_HELD}" if side.held else text


def moment(at: datetime | None) -> str | None:
    """Return an instant to the second, UTC."""
    return None if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _side(side: Standing | None) -> dict[str, Any] | None:
    if side is None:
        return None
    return {
        "captured_since": side.since and side.since.isoformat(),
        "adopted_at": side.adopted_at and side.adopted_at.isoformat(),
        "gap": side.gap,
        "gap_at": side.gap_at and side.gap_at.isoformat(),
        "dirty": side.dirty,
        "held": side.held,
        "oldest_s": round(side.oldest_s, 3),
    }


def _capture(side: Standing) -> str:
    if side.since is None:
        return "writes are not captured"
    adopted = f", adopted {moment(side.adopted_at)}" if side.adopted_at else ""
    return f"writes are captured since {moment(side.since)}{adopted}"


def _health(state: StoreState, now: datetime) -> str:
    if state.last is None:
        return "not watched: `twinstore sync run --follow` looks at it once a minute"
    ago = f"{(now - state.last.at).total_seconds():,.0f} s ago"
    parts = [f"answered in {state.last.response_ms:,} ms, {ago}" if state.last.healthy else f"failed {ago}"]
    if state.failing_since is not None:
        parts.append(f"failing since {moment(state.failing_since)}")
    if state.error_rate:
        parts.append(f"{state.error_rate:.1%} of {state.probes:,} probes failed")
    if state.circuit not in (None, "closed"):
        parts.append(f"circuit {state.circuit}")
    return ", ".join(parts)
