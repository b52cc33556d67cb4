"""What is remembered of the stores' health: probes, figures and circuit breakers, and which alerts are open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta

from sqlalchemy import Connection, Table, and_, delete, func, insert, select

from contracts.alerts import Ruling
from contracts.health import Alert, LastRun, Message, Operation, Probe, SyncFigures, Timing
from contracts.vocabulary import StoreName, Verdict
from storage.breaker.values import Saved, State
from storage.state import alerting
from storage.state.book import Book
from storage.state.tables import DATASET_RUNS, DATASETS
from storage.state.watch_tables import CIRCUITS, PROBES, SYNC_FIGURES, TIMINGS

KEPT = timedelta(days=7)
WHAT_MAX = 300  # characters of an error's sentence that are kept


class Watchbook(Book):
    """What the memory of one environment knows about the health of its stores."""

    def add_probes(self, probes: Iterable[Probe]) -> None:
        """Keep probes; one of the same store and moment replaces the other."""
        with self._database.writing() as connection:
            for probe in probes:
                key = {"store": str(probe.store), "at": probe.at}
                rest = {"healthy": probe.healthy, "response_ms": probe.response_ms, "error": probe.error}
                self._put(connection, PROBES, key, {**rest, "what": probe.what[:WHAT_MAX]})

    def probes(self, *, since: datetime) -> dict[StoreName, tuple[Probe, ...]]:
        """Return the probes of both stores since a moment, oldest first."""
        found: dict[StoreName, list[Probe]] = {store: [] for store in StoreName}
        wanted = and_(PROBES.c.environment == self._environment, PROBES.c.at >= since)
        with self._database.reading() as connection:
            for row in connection.execute(select(PROBES).where(wanted).order_by(PROBES.c.at)):
                store = StoreName(row.store)
                found[store].append(
                    Probe(
                        store=store,
                        at=row.at,
                        healthy=row.healthy,
                        response_ms=row.response_ms,
                        error=row.error,
                        what=row.what,
                    )
                )
        return {store: tuple(probes) for store, probes in found.items()}

    def add_timings(self, timings: Iterable[Timing]) -> None:
        """Keep how long operations took."""
        with self._database.writing() as connection:
            for timing in timings:
                key = {"operation": str(timing.operation), "at": timing.at}
                self._put(connection, TIMINGS, key, {"ms": timing.ms})

    def timings(self, *, since: datetime) -> tuple[Timing, ...]:
        """Return how long operations took since a moment, oldest first."""
        wanted = and_(TIMINGS.c.environment == self._environment, TIMINGS.c.at >= since)
        with self._database.reading() as connection:
            rows = connection.execute(select(TIMINGS).where(wanted).order_by(TIMINGS.c.at)).all()
        return tuple(Timing(operation=Operation(row.operation), at=row.at, ms=row.ms) for row in rows)

    def add_sync(self, figures: Iterable[SyncFigures]) -> None:
        """Keep how far the stores have come; figures of the same dataset and moment replace the others."""
        with self._database.writing() as connection:
            for found in figures:
                values = asdict(found)
                key = {name: values.pop(name) for name in ("dataset", "at")}
                self._put(connection, SYNC_FIGURES, key, values)

    def last_sync(self, *, since: datetime) -> tuple[SyncFigures, ...]:
        """Return how far the stores had come when they were asked last since a moment, per dataset."""
        columns = [column for column in SYNC_FIGURES.c if column.name != "environment"]
        wanted = and_(SYNC_FIGURES.c.environment == self._environment, SYNC_FIGURES.c.at >= since)
        with self._database.reading() as connection:
            rows = connection.execute(select(*columns).where(wanted).order_by(SYNC_FIGURES.c.at)).mappings().all()
        last = {row["dataset"]: SyncFigures(**row) for row in rows}
        return tuple(last[name] for name in sorted(last))

    def keep_circuits(self, circuits: Mapping[str, Saved], *, now: datetime) -> None:
        """Keep circuit breakers for the next process, by name."""
        with self._database.writing() as connection:
            for name, saved in circuits.items():
                values = {
                    "state": str(saved.state),
                    "failures": "".join("1" if failed else "0" for failed in saved.failures),
                    "in_a_row": saved.in_a_row,
                    "until": saved.until,
                    "saved_at": now,
                }
                self._put(connection, CIRCUITS, {"name": name}, values)

    def circuits(self) -> dict[str, Saved]:
        """Return the circuit breakers as they were kept last, by name."""
        with self._database.reading() as connection:
            rows = connection.execute(select(CIRCUITS).where(CIRCUITS.c.environment == self._environment)).all()
        return {
            row.name: Saved(
                state=State(row.state),
                failures=tuple(digit == "1" for digit in row.failures),
                in_a_row=row.in_a_row,
                until=row.until,
            )
            for row in rows
        }

    def last_runs(self) -> tuple[LastRun, ...]:
        """Return the last run of each dataset, by name."""
        newest = select(DATASET_RUNS.c.dataset_id, func.max(DATASET_RUNS.c.run_id).label("run_id"))
        last = newest.group_by(DATASET_RUNS.c.dataset_id).subquery()
        same = and_(DATASET_RUNS.c.dataset_id == last.c.dataset_id, DATASET_RUNS.c.run_id == last.c.run_id)
        query = (
            select(DATASETS.c.name, DATASET_RUNS)
            .join(last, same)
            .join(DATASETS, DATASETS.c.id == DATASET_RUNS.c.dataset_id)
            .where(DATASETS.c.environment == self._environment)
            .order_by(DATASETS.c.name)
        )
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return tuple(
            LastRun(
                dataset=row.name,
                run_id=row.run_id,
                at=row.started_at,
                verdict=Verdict(row.verdict),
                differences=row.differences,
            )
            for row in rows
        )

    def settle(self, rulings: Iterable[Ruling], *, now: datetime, channels: Iterable[str]) -> None:
        """Raise and resolve alerts as the rules say, and note for each channel what is to be sent about them.

        Several processes may do so at once: each alert is raised and resolved once.

        Args:
            rulings: What the rules say.
            now: The present, UTC.
            channels: Where messages are sent; with none, nothing is noted.
        """
        with self._database.writing() as connection:
            alerting.settle(connection, self._environment, rulings, now=now, channels=tuple(channels))

    def open_alerts(self) -> tuple[Alert, ...]:
        """Return the alerts that are open, the worst and oldest first."""
        with self._database.reading() as connection:
            return alerting.open_alerts(connection, self._environment)

    def claim(self, channel: str, *, now: datetime) -> Message | None:
        """Take the oldest message that is to be sent now, None when there is none; for a while nobody else gets it.

        Whoever takes it says afterwards what became of it, by `sent` or `not_sent`; else its turn lapses.
        """
        with self._database.writing() as connection:
            return alerting.claim(connection, self._environment, channel, now=now)

    def sent(self, message: Message, *, now: datetime) -> None:
        """Note that a message was sent."""
        with self._database.writing() as connection:
            alerting.mark(connection, self._environment, message, sent_at=now, next_at=now)

    def not_sent(self, message: Message, *, now: datetime) -> None:
        """Note that a message could not be sent; it is tried again later, after twice as long each time."""
        next_at = now + alerting.wait_after(message.attempts)
        with self._database.writing() as connection:
            alerting.mark(connection, self._environment, message, sent_at=None, next_at=next_at)

    def prune(self, *, now: datetime, kept: timedelta = KEPT) -> None:
        """Forget probes, figures and resolved alerts that are older than `kept`; open alerts stay."""
        with self._database.writing() as connection:
            for table in (PROBES, TIMINGS, SYNC_FIGURES):
                old = and_(table.c.environment == self._environment, table.c.at < now - kept)
                connection.execute(delete(table).where(old))
            alerting.forget(connection, self._environment, before=now - kept)

    def _put(self, connection: Connection, table: Table, key: dict[str, object], values: dict[str, object]) -> None:
        key = {"environment": self._environment, **key}
        connection.execute(delete(table).where(*(table.c[name] == value for name, value in key.items())))
        connection.execute(insert(table).values(**key, **values))
