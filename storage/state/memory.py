"""The tool's memory as everybody else uses it: one object, one transaction per call."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from sqlalchemy import Connection

from contracts.baseline import Baseline
from contracts.errors import ConfigurationError
from contracts.ledger import Identity, Sighting
from contracts.verdicts import DatasetReport, RunReport, StoreFacts
from contracts.vocabulary import StoreName
from contracts.waivers import Waiver
from storage.state import acceptance, annotation, deferred, ledger, pairs, runs
from storage.state.annotation import TREND_RUNS, gather
from storage.state.backupbook import Backupbook
from storage.state.leases import NO_PATIENCE, Claim, Lease, hold, new_token
from storage.state.lookbook import Lookbook
from storage.state.opening import Database, open_database
from storage.state.repairbook import Repairbook
from storage.state.watchbook import Watchbook

LEASE_TTL = timedelta(minutes=2)
_NOBODY = -1


def open_memory(url: str | None, *, environment: str) -> State:
    """Open the memory; `storage.state.open_state` tells the rest."""
    return State(open_database(url), environment=environment)


class State:
    """What the tool remembers across runs, for one environment.

    Every method may raise the errors of `contracts.errors`: the state can be unreachable, full or damaged.

    Args:
        database: Where it is kept.
        environment: Name of the pair of stores; two environments may share one database.
    """

    def __init__(self, database: Database, *, environment: str) -> None:
        self._database = database
        self._environment = environment

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    @property
    def durable(self) -> bool:
        """False when all is forgotten at the end of the process: then nothing is known of earlier runs."""
        return self._database.durable

    def close(self) -> None:
        """Close the connections; a memory that is not durable is removed."""
        self._database.close()

    @property
    def watch(self) -> Watchbook:
        """What is remembered of the stores' health."""
        return Watchbook(self._database, self._environment)

    @property
    def repairs(self) -> Repairbook:
        """What is remembered of repairs."""
        return Repairbook(self._database, self._environment)

    @property
    def looks(self) -> Lookbook:
        """When runs looked everywhere, and since when keys were seen to differ."""
        return Lookbook(self._database, self._environment)

    @property
    def backups(self) -> Backupbook:
        """What is remembered of backups."""
        return Backupbook(self._database, self._environment)

    def annotate(
        self, report: DatasetReport, *, run_id: str, now: datetime, sightings: Iterable[Sighting] | None = None
    ) -> DatasetReport:
        """Return `report` with the age of its differences and clusters, and what changed since the run before.

        Reads only. It gives the same answer before and after `remember` took the run in.

        Args:
            report: What the run found.
            run_id: The run.
            now: When the run began, UTC.
            sightings: All differences, when the report does not list all of them. Where they are fewer than the
                report counts, what is new or gone stays unknown.
        """
        if not self.durable:
            return report
        seen = gather(report, sightings)
        with self._database.reading() as connection:
            number = self._number(connection, report.name)
            return annotation.annotate(connection, number, report, run_id=run_id, now=now, seen=seen)

    def remember(self, report: RunReport, *, sightings: Mapping[str, Iterable[Sighting]] | None = None) -> None:
        """Take a run in, in one transaction. A run that is there already is left as it is.

        Only a run that looked everywhere marks what it did not see as gone.

        Args:
            report: The run.
            sightings: Per dataset, all its differences, where the report does not list all of them. Where they are
                fewer than the report counts, nothing is marked as gone.
        """
        with self._database.writing() as connection:
            if not runs.insert_run(connection, self._environment, report):
                return
            for dataset in report.datasets:
                number = runs.ensure_dataset(connection, self._environment, dataset.name)
                seen = gather(dataset, (sightings or {}).get(dataset.name))
                annotation.take_in(
                    connection, number, dataset, run_id=report.run_id, started_at=report.started_at, seen=seen
                )

    def row_counts(
        self, dataset: str, store: StoreName, *, known_as: str | None = None, limit: int = TREND_RUNS
    ) -> tuple[int, ...]:
        """Return the rows of one store in the last `limit` runs that looked everywhere, oldest first.

        Args:
            dataset: The dataset.
            store: The store.
            known_as: By what its database is known again; counts of others are left out.
            limit: The number of runs.
        """
        with self._database.reading() as connection:
            number = self._number(connection, dataset)
            return runs.row_counts(connection, number, store, known_as=known_as, limit=limit)

    def deferred(
        self, dataset: str, keys: Collection[str], run_id: str, *, stores: Iterable[StoreFacts] = ()
    ) -> frozenset[str]:
        """Record all deferred keys of this run; return those deferred in three runs in a row, this one included.

        Call it once per run that compared the dataset, with no keys too: a run without them ends every row, and so
        does one whose `stores` are other databases than those of the runs before.
        """
        with self._database.writing() as connection:
            number = runs.ensure_dataset(connection, self._environment, dataset)
            kin = pairs.kin_of(connection, number, pairs.pair_of(stores), run_id=run_id)
            return deferred.defer(connection, number, keys, run_id=run_id, anew=kin is pairs.Kin.OTHER)

    def flapping(self, dataset: str, *, now: datetime) -> frozenset[Identity]:
        """Return the differences that were gone and came back three times or more within 30 days."""
        with self._database.reading() as connection:
            return ledger.fetch_flapping(connection, self._number(connection, dataset), now=now)

    @contextmanager
    def lease(
        self,
        dataset: str,
        kind: str,
        *,
        owner: str,
        now: Callable[[], datetime],
        ttl: timedelta = LEASE_TTL,
        patience_s: Mapping[str, float] = NO_PATIENCE,
    ) -> Iterator[Lease]:
        """Hold the lease of a dataset while the block runs.

        It is renewed in the background. The lease of a process that died on this machine is taken over at once, of
        any other one when it has lapsed.

        Args:
            dataset: The dataset.
            kind: check, repair, relay or restore.
            owner: Who asks, for the message that others get: a command and its run, never a secret.
            now: The clock, UTC.
            ttl: Time after which a lease that nobody renews lapses.
            patience_s: For how many seconds to wait for a holder, by the kind of its work; not at all unless given.

        Raises:
            Held: Somebody else holds it; the message says who, and since when.
        """
        with self._database.writing() as connection:
            number = runs.ensure_dataset(connection, self._environment, dataset)
        claim = Claim(dataset_id=number, dataset=dataset, kind=kind, owner=owner, ttl=ttl, token=new_token())
        with hold(self._database, claim, now, patience_s) as lease:
            yield lease

    def waivers(self, dataset: str) -> tuple[Waiver, ...]:
        """Return the waivers of a dataset, expired ones included."""
        with self._database.reading() as connection:
            return acceptance.fetch_waivers(connection, self._number(connection, dataset), dataset)

    def add_waiver(self, waiver: Waiver) -> None:
        """Store a waiver, in place of an older one with the same target and store.

        Raises:
            ConfigurationError: There is no durable state.
        """
        self._needs_durable("A waiver")
        with self._database.writing() as connection:
            number = runs.ensure_dataset(connection, self._environment, waiver.dataset)
            acceptance.put_waiver(connection, number, waiver)

    def remove_waiver(self, dataset: str, target: str, store: StoreName | None = None) -> bool:
        """Remove a waiver; False when there is none with this target and store."""
        with self._database.writing() as connection:
            return acceptance.drop_waiver(connection, self._number(connection, dataset), target, store)

    def accept_baseline(self, run_id: str, *, owner: str, reason: str, now: datetime) -> int:
        """Make what run `run_id` found the baseline of its datasets; return how many findings that are.

        Args:
            run_id: The run.
            owner: Who accepts it.
            reason: Why, in one sentence.
            now: When, UTC.

        Raises:
            ConfigurationError: The run is unknown, could not look everywhere, or is not the last; owner or reason is
                blank; or the state is not durable.
        """
        self._needs_durable("A baseline")
        with self._database.writing() as connection:
            return acceptance.accept_run(connection, run_id, owner=owner, reason=reason, now=now)

    def baseline(self, dataset: str) -> Baseline | None:
        """Return what was accepted of a dataset; None when nothing was."""
        with self._database.reading() as connection:
            return acceptance.fetch_baseline(connection, self._number(connection, dataset))

    def prune(self, *, now: datetime, keep_runs: int = 400, keep_days: int = 400) -> int:
        """Forget runs beyond the newest `keep_runs` of a dataset or older than `keep_days`; return how many.

        Differences and checks that have been gone for `keep_days` are forgotten too; open ones never.
        """
        with self._database.writing() as connection:
            return runs.prune(connection, self._environment, now=now, keep_runs=keep_runs, keep_days=keep_days)

    def _number(self, connection: Connection, dataset: str) -> int:
        """Return the number of a dataset, or one that no dataset has when it was never heard of."""
        known = runs.dataset_id(connection, self._environment, dataset)
        return _NOBODY if known is None else known

    def _needs_durable(self, what: str) -> None:
        if not self.durable:
            raise ConfigurationError(
                f"{what} would be forgotten at once: there is no durable state.",
                "Set TWINSTORE_STATE_URL to a database that stays.",
            )
