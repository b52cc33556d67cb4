"""The tables of the memory that hold how the stores were: probes, figures, circuits, alerts, messages about them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, Table, Text

from storage.state.tables import METADATA, Instant


def _key(name: str, kind: type = Text) -> Column[str]:
    return Column(name, kind, primary_key=True)


PROBES = Table(
    "probes",
    METADATA,
    _key("environment"),
    _key("store"),
    _key("at", Instant),
    Column("healthy", Boolean, nullable=False),
    Column("response_ms", BigInteger, nullable=False),
    Column("error", Text),
    Column("what", Text, nullable=False),
)

# How long operations took, as whoever made them measured it.
TIMINGS = Table(
    "timings",
    METADATA,
    _key("environment"),
    _key("operation"),
    _key("at", Instant),
    Column("ms", BigInteger, nullable=False),
)

# How far the stores had come; NULL where nobody could tell.
SYNC_FIGURES = Table(
    "sync_figures",
    METADATA,
    _key("environment"),
    _key("dataset"),
    _key("at", Instant),
    Column("dirty_primary", BigInteger),
    Column("oldest_primary_s", Float),
    Column("dirty_secondary", BigInteger),
    Column("oldest_secondary_s", Float),
    Column("dead_letters", BigInteger),
    Column("conflicts", BigInteger),
    Column("failing", BigInteger),
)

# The circuit breakers as the last process that had them left them.
CIRCUITS = Table(
    "circuits",
    METADATA,
    _key("environment"),
    _key("name"),
    Column("state", Text, nullable=False),
    Column(
        "failures", Text, nullable=False
    ),  # the last calls, oldest first: 1 for one that failed, 0 for one that did not
    Column("in_a_row", Integer, nullable=False),
    Column("until", Instant),
    Column("saved_at", Instant, nullable=False),
)

ALERTS = Table(
    "alerts",
    METADATA,
    _key("environment"),
    _key("rule"),
    _key("subject"),
    _key("raised_at", Instant),  # when it was noticed, which may be later than it began
    Column("severity", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("since", Instant, nullable=False),
    Column("resolved_at", Instant),
)

_open = ALERTS.c.resolved_at.is_(None)
Index(
    "one_open_alert",
    ALERTS.c.environment,
    ALERTS.c.rule,
    ALERTS.c.subject,
    unique=True,
    sqlite_where=_open,
    postgresql_where=_open,
)

# Each message is sent once; `next_at` is the end of somebody's turn to send it, or of the wait after a failure.
ALERT_MESSAGES = Table(
    "alert_messages",
    METADATA,
    _key("environment"),
    _key("rule"),
    _key("subject"),
    _key("raised_at", Instant),
    _key("phase"),
    _key("channel"),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Instant, nullable=False),
    Column("sent_at", Instant),
)
