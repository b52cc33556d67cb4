"""Which alerts are open, and what is to be sent about them: each begin and each end once, however many look.

Every function runs in a transaction of the caller's, beside which nobody else writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, insert, or_, select, update

from contracts.alerts import Ruling
from contracts.health import Alert, AlertRule, Message, Phase
from contracts.vocabulary import Severity
from storage.state.watch_tables import ALERT_MESSAGES, ALERTS

TURN = timedelta(minutes=2)  # for which nobody else sends a message that somebody took: longer than sending one takes
_FIRST_WAIT = timedelta(minutes=1)
_LONGEST_WAIT = timedelta(hours=1)
_DOUBLINGS = 10
_A, _M = ALERTS.c, ALERT_MESSAGES.c
_SAME_ALERT = and_(
    _A.environment == _M.environment,
    _A.rule == _M.rule,
    _A.subject == _M.subject,
    _A.raised_at == _M.raised_at,
)
_KEY = ("environment", "rule", "subject", "raised_at")
_RANK = list(Severity)


def settle(
    connection: Connection, environment: str, rulings: Iterable[Ruling], *, now: datetime, channels: tuple[str, ...]
) -> None:
    """Raise and resolve alerts as the rules say, and note what is to be sent about them."""
    is_open = and_(_A.environment == environment, _A.resolved_at.is_(None))
    known = {(row.rule, row.subject): row for row in connection.execute(select(ALERTS).where(is_open))}
    for ruling in rulings:
        row = known.get((ruling.rule, ruling.subject))
        if ruling.holds:
            key = _raise(connection, environment, ruling, now) if row is None else _key(row)
            if row is not None and row.text != ruling.text:
                connection.execute(update(ALERTS).where(_is(ALERTS, key)).values(text=ruling.text))
            for channel in channels:  # one that was set up later gets the open alerts, too
                _note(connection, key, Phase.FIRING, channel, now)
        elif row is not None:
            _resolve(connection, _key(row), now)


def open_alerts(connection: Connection, environment: str) -> tuple[Alert, ...]:
    """Return the alerts that are open, the worst and oldest first."""
    is_open = and_(_A.environment == environment, _A.resolved_at.is_(None))
    found = [_alert(row) for row in connection.execute(select(ALERTS).where(is_open))]
    return tuple(sorted(found, key=lambda alert: (_RANK.index(alert.severity), alert.since, alert.rule, alert.subject)))


def claim(connection: Connection, environment: str, channel: str, *, now: datetime) -> Message | None:
    """Take the oldest message that is to be sent now; an alert's end is not told before its beginning."""
    mine = and_(_M.environment == environment, _M.channel == channel, _M.sent_at.is_(None))
    first = ALERT_MESSAGES.alias()
    told = select(first.c.sent_at).where(
        *(first.c[name] == _M[name] for name in (*_KEY, "channel")), first.c.phase == str(Phase.FIRING)
    )
    in_turn = or_(_M.phase == str(Phase.FIRING), told.scalar_subquery().is_not(None))
    query = (
        select(ALERTS, _M.phase, _M.attempts)
        .join(ALERT_MESSAGES, _SAME_ALERT)
        .where(mine, _M.next_at <= now, in_turn)
        .order_by(_M.raised_at, _M.phase, _M.rule, _M.subject)
        .limit(1)
    )
    row = connection.execute(query).first()
    if row is None:
        return None
    this = _is(ALERT_MESSAGES, {**_key(row), "phase": row.phase, "channel": channel})
    attempts = row.attempts + 1
    connection.execute(update(ALERT_MESSAGES).where(this).values(next_at=now + TURN, attempts=attempts))
    return Message(
        alert=_alert(row), phase=Phase(row.phase), channel=channel, attempts=attempts, raised_at=row.raised_at
    )


def mark(
    connection: Connection, environment: str, message: Message, *, sent_at: datetime | None, next_at: datetime
) -> None:
    """Note what became of a message that somebody took."""
    this = {
        "environment": environment,
        "rule": str(message.alert.rule),
        "subject": message.alert.subject,
        "raised_at": message.raised_at,
        "phase": str(message.phase),
        "channel": message.channel,
    }
    connection.execute(update(ALERT_MESSAGES).where(_is(ALERT_MESSAGES, this)).values(sent_at=sent_at, next_at=next_at))


def wait_after(attempts: int) -> timedelta:
    """Return how long to wait after so many attempts to send a message."""
    doublings: int = min(max(attempts - 1, 0), _DOUBLINGS)
    return min(_LONGEST_WAIT, _FIRST_WAIT * (1 << doublings))


def forget(connection: Connection, environment: str, *, before: datetime) -> None:
    """Forget alerts that were resolved before a moment, with what was to be sent about them."""
    old = and_(_A.environment == environment, _A.resolved_at < before)
    for row in connection.execute(select(ALERTS).where(old)).all():
        for table in (ALERT_MESSAGES, ALERTS):
            connection.execute(delete(table).where(_is(table, _key(row))))


def _raise(connection: Connection, environment: str, ruling: Ruling, now: datetime) -> dict[str, Any]:
    key = {"environment": environment, "rule": str(ruling.rule), "subject": ruling.subject, "raised_at": now}
    values = {"severity": str(ruling.severity), "text": ruling.text, "since": ruling.since}
    connection.execute(insert(ALERTS).values(**key, **values))
    return key


def _resolve(connection: Connection, key: Mapping[str, Any], now: datetime) -> None:
    connection.execute(update(ALERTS).where(_is(ALERTS, key)).values(resolved_at=now))
    told = select(_M.channel).where(_is(ALERT_MESSAGES, {**key, "phase": str(Phase.FIRING)}))
    for channel in connection.execute(told).scalars().all():
        _note(connection, key, Phase.RESOLVED, channel, now)


def _note(connection: Connection, key: Mapping[str, Any], phase: Phase, channel: str, now: datetime) -> None:
    this = {**key, "phase": str(phase), "channel": channel}
    if connection.execute(select(_M.attempts).where(_is(ALERT_MESSAGES, this))).first() is None:
        connection.execute(insert(ALERT_MESSAGES).values(**this, attempts=0, next_at=now))


def _is(table: Any, key: Mapping[str, Any]) -> ColumnElement[bool]:
    return and_(*(table.c[name] == value for name, value in key.items()))


def _key(row: Row[Any]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _KEY}


def _alert(row: Row[Any]) -> Alert:
    return Alert(
        rule=AlertRule(row.rule),
        subject=row.subject,
        severity=Severity(row.severity),
        text=row.text,
        since=row.since,
        resolved_at=row.resolved_at,
    )
