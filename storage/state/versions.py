"""The version of the memory's tables: made at once when new, brought forward when old, refused when newer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, inspect, literal, select, text, update

from contracts.errors import ConfigurationError
from storage.state import backup_tables, repair_tables, watch_tables
from storage.state.tables import META

SCHEMA = "twinstore_state"  # on PostgreSQL; Prisma drops what it finds in its own
_METADATA = {
    table.metadata for table in (backup_tables.BACKUPS, repair_tables.REPAIRS, watch_tables.ALERTS)
}  # one, which knows what was imported
_LOCK = 7_305_921_664  # any number that nobody else locks


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What brings the tables from the version before to `version`."""

    version: int
    apply: Callable[[Connection], None]


def _name_who_accepts(connection: Connection) -> None:
    """Keep with a baseline who accepted it and why, and how many rows failed each of its checks.

    A baseline that was accepted before has no owner, and therefore counts no longer.
    """
    schema = f"{SCHEMA}." if connection.dialect.name == "postgresql" else ""
    for table in ("failing_checks", "baseline_checks"):
        connection.execute(text(f"ALTER TABLE {schema}{table} ADD COLUMN failing_rows BIGINT DEFAULT 0 NOT NULL"))
    connection.execute(
        text(
            f"CREATE TABLE {schema}baselines (dataset_id INTEGER NOT NULL PRIMARY KEY REFERENCES {schema}datasets (id),"
            " run_id TEXT NOT NULL, owner TEXT NOT NULL, reason TEXT NOT NULL,"
            " accepted_at TIMESTAMP WITH TIME ZONE NOT NULL)"
        )
    )


def _remember_audits(connection: Connection) -> None:
    """Add up what was audited."""
    schema = f"{SCHEMA}." if connection.dialect.name == "postgresql" else ""
    connection.execute(
        text(
            f"CREATE TABLE {schema}audits (dataset_id INTEGER NOT NULL PRIMARY KEY REFERENCES {schema}datasets (id),"
            " form TEXT NOT NULL, since TIMESTAMP WITH TIME ZONE NOT NULL, rows BIGINT NOT NULL,"
            " last_run_id TEXT NOT NULL)"
        )
    )


_WATCH = """
CREATE TABLE {s}probes (environment TEXT NOT NULL, store TEXT NOT NULL, at {t} NOT NULL, healthy BOOLEAN NOT NULL,
    response_ms BIGINT NOT NULL, error TEXT, what TEXT NOT NULL, PRIMARY KEY (environment, store, at));
CREATE TABLE {s}timings (environment TEXT NOT NULL, operation TEXT NOT NULL, at {t} NOT NULL, ms BIGINT NOT NULL,
    PRIMARY KEY (environment, operation, at));
CREATE TABLE {s}sync_figures (environment TEXT NOT NULL, dataset TEXT NOT NULL, at {t} NOT NULL, dirty_primary BIGINT,
    oldest_primary_s DOUBLE PRECISION, dirty_secondary BIGINT, oldest_secondary_s DOUBLE PRECISION, dead_letters BIGINT,
    conflicts BIGINT, failing BIGINT, PRIMARY KEY (environment, dataset, at));
CREATE TABLE {s}circuits (environment TEXT NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL, failures TEXT NOT NULL,
    in_a_row INTEGER NOT NULL, until {t}, saved_at {t} NOT NULL, PRIMARY KEY (environment, name));
CREATE TABLE {s}alerts (environment TEXT NOT NULL, rule TEXT NOT NULL, subject TEXT NOT NULL, raised_at {t} NOT NULL,
    severity TEXT NOT NULL, text TEXT NOT NULL, since {t} NOT NULL, resolved_at {t},
    PRIMARY KEY (environment, rule, subject, raised_at));
CREATE UNIQUE INDEX one_open_alert ON {s}alerts (environment, rule, subject) WHERE resolved_at IS NULL;
CREATE TABLE {s}alert_messages (environment TEXT NOT NULL, rule TEXT NOT NULL, subject TEXT NOT NULL,
    raised_at {t} NOT NULL, phase TEXT NOT NULL, channel TEXT NOT NULL, attempts INTEGER NOT NULL, next_at {t} NOT NULL,
    sent_at {t}, PRIMARY KEY (environment, rule, subject, raised_at, phase, channel))
"""


def _remember_health(connection: Connection) -> None:
    """Keep how the stores were, and which alerts are open."""
    _make(connection, _WATCH)


_REPAIRS = """
CREATE TABLE {s}repairs (environment TEXT NOT NULL, id TEXT NOT NULL, dataset TEXT NOT NULL, mode TEXT NOT NULL,
    plan_hash TEXT NOT NULL, made_at {t} NOT NULL, run_id TEXT, steps BIGINT NOT NULL, left_over BIGINT NOT NULL,
    ended TEXT NOT NULL, begun_at {t}, ended_at {t}, approved_by TEXT, overrides TEXT NOT NULL, outcomes TEXT NOT NULL,
    agree BIGINT, unconverged BIGINT, undoes TEXT, PRIMARY KEY (environment, id));
CREATE TABLE {s}unsteady_keys (environment TEXT NOT NULL, dataset TEXT NOT NULL, key TEXT NOT NULL, why TEXT NOT NULL,
    repair_id TEXT NOT NULL, at {t} NOT NULL, PRIMARY KEY (environment, dataset, key))
"""


def _remember_repairs(connection: Connection) -> None:
    """Keep which repairs there were, and which keys did not stay repaired."""
    _make(connection, _REPAIRS)


def _remember_backups(connection: Connection) -> None:
    """Keep which backups there are, and when they were verified."""
    schema = f"{SCHEMA}." if connection.dialect.name == "postgresql" else ""
    connection.execute(
        text(
            f"CREATE TABLE {schema}backups (environment TEXT NOT NULL, id TEXT NOT NULL,"
            " made_at TIMESTAMP WITH TIME ZONE NOT NULL, verified_at TIMESTAMP WITH TIME ZONE,"
            " PRIMARY KEY (environment, id))"
        )
    )


_UNDONE = """
ALTER TABLE {s}repairs ADD COLUMN before_undo TEXT;
ALTER TABLE {s}repairs ADD COLUMN deletes BIGINT
"""


def _remember_what_was_undone(connection: Connection) -> None:
    """Keep how a repair had ended before it was taken back, and how many rows it deletes."""
    _make(connection, _UNDONE)


def _remember_lost_windows(connection: Connection) -> None:
    """Keep which rows were lost with all others of their time: later such a window cannot be told any more."""
    _make(connection, "ALTER TABLE {s}differences ADD COLUMN lost_window BOOLEAN")


_PAIRS = """
ALTER TABLE {s}dataset_runs ADD COLUMN known_primary TEXT;
ALTER TABLE {s}dataset_runs ADD COLUMN known_secondary TEXT
"""


def _remember_pairs(connection: Connection) -> None:
    """Keep which databases a run looked at: what it saw says nothing about others."""
    _make(connection, _PAIRS)


def _make(connection: Connection, script: str) -> None:
    """Run the statements of a script that names our schema `{s}` and the type of instants `{t}`."""
    schema = f"{SCHEMA}." if connection.dialect.name == "postgresql" else ""
    for statement in script.format(s=schema, t="TIMESTAMP WITH TIME ZONE").split(";"):
        connection.execute(text(statement))


STEPS: tuple[Step, ...] = (
    Step(version=2, apply=_name_who_accepts),
    Step(version=3, apply=_remember_audits),
    Step(version=4, apply=_remember_health),
    Step(version=5, apply=_remember_repairs),
    Step(version=6, apply=_remember_backups),
    Step(version=7, apply=_remember_what_was_undone),
    Step(version=8, apply=_remember_lost_windows),
    Step(version=9, apply=_remember_pairs),
)
"""Forward only, in order. A step is never changed once released; `tables.py` is what they all lead to."""


def current(steps: Sequence[Step] = STEPS) -> int:
    """Return the version that this program works with; the first is 1."""
    return steps[-1].version if steps else 1


def bring_forward(connection: Connection, place: str, steps: Sequence[Step] = STEPS) -> None:
    """Make the tables, or apply the steps that they lack, inside the caller's transaction.

    Raises:
        ConfigurationError: The tables are newer than this program, or the file belongs to something else.
    """
    _exclude_others(connection)
    found = _version(connection, place)
    if found is None:
        for metadata in _METADATA:
            metadata.create_all(connection)
        connection.execute(insert(META).values(id=1, version=current(steps)))
        return
    if found > current(steps):
        raise ConfigurationError(
            f"The state at {place} was written by a newer twinstore (version {found}, we know {current(steps)}).",
            "Use the newer twinstore, or point TWINSTORE_STATE_URL elsewhere.",
        )
    for step in steps:
        if step.version > found:
            step.apply(connection)
            connection.execute(update(META).values(version=step.version))


def _exclude_others(connection: Connection) -> None:
    """Let one process at a time make the tables. On SQLite the transaction does that by itself."""
    if connection.dialect.name != "postgresql":
        return
    connection.execute(select(func.pg_advisory_xact_lock(literal(_LOCK))))
    known = text("SELECT 1 FROM pg_namespace WHERE nspname = :name")
    if connection.execute(known, {"name": SCHEMA}).first() is None:  # creating needs a grant that using does not
        connection.execute(text(f"CREATE SCHEMA {SCHEMA}"))


def _version(connection: Connection, place: str) -> int | None:
    schema = SCHEMA if connection.dialect.name == "postgresql" else None
    tables = set(inspect(connection).get_table_names(schema=schema))
    if not tables:
        return None
    version = connection.execute(select(META.c.version)).scalar() if META.name in tables else None
    if version is None:
        raise ConfigurationError(
            f"The database at {place} holds other tables than the state of twinstore.",
            "Point TWINSTORE_STATE_URL at a database of its own.",
        )
    return int(version)
