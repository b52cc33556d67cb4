"""The tables of the tool's memory. They hold keys, fields and counts, never a value of a record."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)


class Instant(TypeDecorator[datetime]):
    """A moment in UTC; a naive datetime is refused. SQLite keeps it as text without zone, which sorts by time."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Bring `value` to UTC.

        Raises:
            ValueError: It has no time zone.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            msg = "an instant needs a time zone"
            raise ValueError(msg)
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give `value` its zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


METADATA = MetaData()

_SERIAL = BigInteger().with_variant(Integer, "sqlite")


def _dataset(*, primary_key: bool = False) -> Column[int]:
    return Column("dataset_id", ForeignKey("datasets.id"), primary_key=primary_key, nullable=False)


# One row. Every writing transaction locks it first, so that there is one writer at a time on any server.
META = Table(
    "twinstore_version",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
)

DATASETS = Table(
    "datasets",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("environment", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("deferred_run_id", Text),  # the last run that told its deferred keys
    UniqueConstraint("environment", "name"),
)

RUNS = Table(
    "runs",
    METADATA,
    Column("run_id", Text, primary_key=True),
    Column("environment", Text, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("version", Text, nullable=False),
)

DATASET_RUNS = Table(
    "dataset_runs",
    METADATA,
    _dataset(primary_key=True),
    Column("run_id", Text, ForeignKey("runs.run_id", ondelete="CASCADE"), primary_key=True),
    Column("started_at", Instant, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("trusted", Boolean, nullable=False),  # it looked everywhere and nothing errored
    Column("compared", Boolean, nullable=False),  # later runs are compared with it
    Column("rows_primary", BigInteger, nullable=False),
    Column("rows_secondary", BigInteger, nullable=False),
    Column("differences", BigInteger, nullable=False),
    Column("known_primary", Text),  # by what the databases are known again; NULL: nothing tells
    Column("known_secondary", Text),
)

# One row per identity that was ever seen. It is open while gone_run_id is NULL. The key leads the only index: without
# statistics PostgreSQL takes a dataset for a few rows, and would read all of it for every thousand keys (measured: 100
# ms instead of 3). What needs whole datasets happens once a run.
DIFFERENCES = Table(
    "differences",
    METADATA,
    Column("id", _SERIAL, primary_key=True),
    _dataset(),
    Column("key", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("fields", Text, nullable=False),  # a JSON list, sorted
    Column("first_seen", Instant, nullable=False),
    Column("opened_run_id", Text, nullable=False),  # the run since which it is there without a gap
    Column("last_run_id", Text, nullable=False),
    Column("runs_seen", Integer, nullable=False),  # since it was opened
    Column("openings", Integer, nullable=False),
    Column("returned_at", Instant),  # the last three times that it came back, latest first
    Column("returned_before", Instant),
    Column("returned_first", Instant),
    Column("gone_at", Instant),
    Column("gone_run_id", Text),
    Column("lost_window", Boolean),  # since it was opened: ever lost with all of its time? NULL: a run could not tell
    UniqueConstraint("key", "dataset_id", "kind", "fields"),
)

# The same for checks that fail, waived ones included.
FAILING_CHECKS = Table(
    "failing_checks",
    METADATA,
    _dataset(primary_key=True),
    Column("check_id", Text, primary_key=True),
    Column("store", Text, primary_key=True),
    Column("first_seen", Instant, nullable=False),
    Column("opened_run_id", Text, nullable=False),
    Column("last_run_id", Text, nullable=False),
    Column("failing_rows", BigInteger, nullable=False, server_default="0"),  # in the last run that saw it fail
    Column("gone_at", Instant),
    Column("gone_run_id", Text),
)

# The keys that the dataset's last run deferred, and for how many runs in a row.
DEFERRED_KEYS = Table(
    "deferred_keys",
    METADATA,
    _dataset(primary_key=True),
    Column("key", Text, primary_key=True),
    Column("streak", Integer, nullable=False),
)

WAIVERS = Table(
    "waivers",
    METADATA,
    _dataset(primary_key=True),
    Column("target", Text, primary_key=True),
    Column("store", Text, primary_key=True),  # empty for both
    Column("owner", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("expires", Date, nullable=False),
)

# Who accepted what a run had found of a dataset; the findings are in the two tables below.
BASELINES = Table(
    "baselines",
    METADATA,
    _dataset(primary_key=True),
    Column("run_id", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("accepted_at", Instant, nullable=False),
)

BASELINE_DIFFERENCES = Table(
    "baseline_differences",
    METADATA,
    _dataset(primary_key=True),
    Column("key", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("fields", Text, primary_key=True),
)

BASELINE_CHECKS = Table(
    "baseline_checks",
    METADATA,
    _dataset(primary_key=True),
    Column("check_id", Text, primary_key=True),
    Column("store", Text, primary_key=True),
    Column("failing_rows", BigInteger, nullable=False, server_default="0"),
)

# How many rows that were called equal were compared field by field, in all runs since the way of reading them changed.
AUDITS = Table(
    "audits",
    METADATA,
    _dataset(primary_key=True),
    Column("form", Text, nullable=False),  # that way; the audits of another one do not count
    Column("since", Instant, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("last_run_id", Text, nullable=False),
)

LEASES = Table(
    "leases",
    METADATA,
    _dataset(primary_key=True),
    Column("kind", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("token", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("space", Text, nullable=False),  # the process table in which the pid counts: boot and pid namespace
    Column("pid", Integer, nullable=False),
    Column("born", Text, nullable=False),  # when the process started, so that a reused pid is not taken for it
    Column("taken_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
)
