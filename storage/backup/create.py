"""Make a backup: one side after the other, each as of one moment, a digest of which is taken while it is dumped."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contracts.backups import Form, KeptSide, Manifest
from contracts.dataset import Dataset
from contracts.errors import ConfigurationError, SchemaMismatch, TwinstoreError
from contracts.replication import Standing
from contracts.vocabulary import Channel, StoreName
from storage.backup.contents import OURS, frozen, read_contents, schemas_of
from storage.backup.dump import Dump
from storage.backup.export import export_rows
from storage.backup.folder import building
from storage.backup.manifest import write_manifest
from storage.backup.programs import connection_environment, find_pg_dump
from storage.migrations.values import Side
from storage.pg_errors import translate
from storage.ports import Reader
from storage.session import Limits

if TYPE_CHECKING:
    import psycopg

Progress = Callable[[str], None]
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_ONE_PROCESS = "SET LOCAL max_parallel_workers_per_gather = 0"  # the others are for pg_dump and for the application
_MOMENT = """
SELECT pg_export_snapshot(), current_setting('server_version'), datctype
FROM pg_database WHERE datname = current_database()
"""
_OF_THE_STORE = ("DateStyle", "IntervalStyle", "TimeZone", "lc_monetary")
_SETTINGS = """
SELECT name, setting FROM pg_settings
WHERE name = ANY (%s) AND source <> 'client'
  AND (name <> 'lc_monetary' OR EXISTS (  -- where what is dumped depends on it: few machines know all of them
    SELECT FROM (SELECT relnamespace, atttypid FROM pg_attribute JOIN pg_class AS c ON c.oid = attrelid
                 WHERE attnum > 0
                 UNION ALL SELECT typnamespace, typbasetype FROM pg_type) AS used (schema, type)
    WHERE type IN ('money'::regtype, 'money[]'::regtype)
      AND schema IN (SELECT oid FROM pg_namespace WHERE nspname = ANY (%s))))
ORDER BY name
"""
_OURS = """
SELECT (SELECT id::text FROM twinstore.identity),
       (SELECT array_agg(name ORDER BY name COLLATE "C") FROM twinstore.migration_log WHERE status = 'applied')
"""
_INSTALLED = (
    "SELECT to_regclass('twinstore.identity') IS NOT NULL AND to_regclass('twinstore.migration_log') IS NOT NULL"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BySql:
    """A store that is dumped.

    Attributes:
        store: The store.
        dsn: Its URL; never shown.
        datasets: The datasets, with the tables as they lie there.
        limits: Time limits.
    """

    store: StoreName
    dsn: str
    datasets: tuple[Dataset, ...]
    limits: Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class OverRest:
    """A store whose rows are exported.

    Attributes:
        store: The store.
        readers: One reader per dataset, by whole rows.
        standings: How replication stands, per dataset that is captured.
        identity: Id of the database, where it could be asked.
    """

    store: StoreName
    readers: tuple[Reader, ...]
    standings: tuple[tuple[str, Standing], ...] = ()
    identity: str | None = None


Source = BySql | OverRest


def create(
    root: Path,
    backup_id: str,
    sources: Sequence[Source],
    *,
    environment: str,
    version: str,
    progress: Progress = lambda _: None,
) -> Manifest:
    """Make a backup of one or both stores; return what it says of itself.

    Earlier backups stay as they are, whatever happens. What is left of an attempt that was killed is no backup, and the
    next attempt removes it.

    Args:
        root: The folder of backups.
        backup_id: Its id.
        sources: The stores, primary first.
        environment: Name of the pair of stores.
        version: Version of twinstore.
        progress: Is told what happens now.

    Raises:
        ConfigurationError: The disk is full, the folder cannot be written, or no pg_dump fits.
        TwinstoreError: A store cannot be read.
    """
    began, clock = datetime.now(UTC), time.monotonic()
    with _said_plainly(root), building(root, backup_id) as folder:
        sides = tuple(_side(source, folder, progress) for source in sources)
        manifest = Manifest(
            id=backup_id,
            environment=environment,
            version=version,
            created_at=began,
            seconds=round(time.monotonic() - clock, 3),
            sides=sides,
        )
        write_manifest(folder, manifest)
    return manifest


def _side(source: Source, folder: Path, progress: Progress) -> KeptSide:
    return _dumped(source, folder, progress) if isinstance(source, BySql) else _exported(source, folder, progress)


def _dumped(source: BySql, folder: Path, progress: Progress) -> KeptSide:
    store, datasets = source.store, source.datasets
    tables = sorted({dataset.tables[store] for dataset in datasets})
    with frozen(source.dsn, store, source.limits, tables=tables) as connection:
        schemas = _existing(connection, store, schemas_of(datasets, store))
        with translate(store):
            connection.execute(_ONE_PROCESS)
            ((snapshot, version, ctype),) = connection.execute(_MOMENT).fetchall()
            settings = _settings(connection, schemas)
        taken_at = datetime.now(UTC)
        program = find_pg_dump(connection.info.server_version // 10000)
        dump = Dump(
            program,
            store,
            environment=connection_environment(connection),
            snapshot=snapshot,
            schemas=schemas,
            target=folder / f"{store}.dump",
            progress=lambda size: progress(f"dump {store}: {size / 1e6:,.0f} MB"),
        )
        with closing(dump):
            contents = read_contents(connection, store, schemas, datasets)
            identity, migrations = _installed(connection, store)
            standings = _standings(connection, store, datasets) if identity else ()
            written = dump.finish()
    return KeptSide(
        store=store,
        channel=Channel.SQL,
        form=Form.DUMP,
        files=((written.name, written.size, written.sha256),),
        taken_at=taken_at,
        server_version=version.split(" ")[0],
        program=program.version,
        ctype=ctype,
        settings=settings,
        identity=identity,
        migrations=migrations,
        schemas=schemas,
        tables=contents.tables,
        datasets=contents.datasets,
        shape=contents.shape,
        outside=contents.outside,
        standings=standings,
    )


def _exported(source: OverRest, folder: Path, progress: Progress) -> KeptSide:
    taken_at = datetime.now(UTC)
    found = [export_rows(reader, folder, progress=progress) for reader in source.readers]
    return KeptSide(
        store=source.store,
        channel=source.readers[0].channel,
        form=Form.EXPORT,
        files=tuple((written.name, written.size, written.sha256) for written, _ in found),
        taken_at=taken_at,
        identity=source.identity,
        datasets=tuple(content for _, content in found),
        standings=source.standings,
    )


def _settings(connection: psycopg.Connection[Any], schemas: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return the settings by which texts are read as values, but for those that the URL or a shell asks for."""
    with connection.transaction(force_rollback=True):  # a savepoint: what follows goes by ours again
        for name in _OF_THE_STORE:
            connection.execute(f"SET LOCAL {name} TO DEFAULT".encode())
        rows = connection.execute(_SETTINGS, [list(_OF_THE_STORE), list(schemas)]).fetchall()
    return tuple((name, value) for name, value in rows)


def _existing(connection: psycopg.Connection[Any], store: StoreName, schemas: tuple[str, ...]) -> tuple[str, ...]:
    """Return the schemas that are there; ours may be missing."""
    with translate(store):
        rows = connection.execute(
            "SELECT nspname FROM pg_namespace WHERE nspname = ANY (%s)", [list(schemas)]
        ).fetchall()
    there = {name for (name,) in rows}
    for missing in sorted({*schemas} - there - {OURS}):
        raise SchemaMismatch(f"{store} has no schema {missing}.", "Name it as the store does.", store=store)
    return tuple(schema for schema in schemas if schema in there)


def _installed(connection: psycopg.Connection[Any], store: StoreName) -> tuple[str | None, tuple[str, ...]]:
    """Return the id of the database and the migrations that were applied, where there are any."""
    with translate(store):
        if connection.execute(_INSTALLED).fetchone() != (True,):
            return None, ()
        ((identity, names),) = connection.execute(_OURS).fetchall()
    return identity, tuple(names or ())


def _standings(
    connection: psycopg.Connection[Any], store: StoreName, datasets: Sequence[Dataset]
) -> tuple[tuple[str, Standing], ...]:
    """Return how replication stood at the moment of the transaction, of the datasets whose writes are captured."""
    from storage.replication.doors import PrimaryDoors, SecondaryDoors

    made = PrimaryDoors if store is StoreName.PRISMA else SecondaryDoors
    side = Side.PRIMARY if store is StoreName.PRISMA else Side.SECONDARY
    found = []
    for dataset in datasets:
        if not dataset.replicated:
            continue
        try:
            standing = made(_InSnapshot(connection, store, dataset, side), dataset).standing()
        except TwinstoreError:
            continue  # functions of another version say nothing that could be kept
        if standing.since is not None:
            found.append((dataset.name, replace(standing, heard=())))  # keys of rows belong into no manifest
    return tuple(found)


class _InSnapshot:
    """Calls a door inside a transaction that is open already."""

    def __init__(self, connection: psycopg.Connection[Any], store: StoreName, dataset: Dataset, side: Side) -> None:
        self.store = store
        self._connection = connection
        self._dataset = dataset
        self._side = side

    def __call__(
        self, door: str, arguments: Mapping[str, Any], *, deadline_s: float | None = None, once: bool = False
    ) -> object:
        """Call a function that only reads; see `storage.replication.doors.Call`."""
        del deadline_s, once
        from psycopg import sql
        from psycopg.types.json import Jsonb

        from storage.migrations.replication_doors import REPLICATION_DOORS

        known = REPLICATION_DOORS[door]
        values = [Jsonb(arguments[name]) if kind == "jsonb" else arguments[name] for name, kind in known.parameters]
        query = sql.SQL("SELECT {}({})").format(
            sql.Identifier(*known.function(self._dataset, self._side)),
            sql.SQL(", ").join(sql.SQL("%s::{}").format(sql.SQL(kind)) for _, kind in known.parameters),
        )
        with translate(self.store), self._connection.transaction():
            ((answer,),) = self._connection.execute(query, values).fetchall()
        return answer

    def close(self) -> None:
        """Do nothing: the transaction is somebody else's."""


@contextmanager
def _said_plainly(root: Path) -> Iterator[None]:
    """Translate errors of the file system."""
    try:
        yield
    except OSError as exc:
        if exc.errno in _FULL:
            raise ConfigurationError(
                f"There is no room for the backup in {root} ({exc.strerror}); earlier backups are as they were.",
                "Make room there, or name another folder in TWINSTORE_BACKUPS.",
            ) from None
        raise ConfigurationError(
            f"The backup cannot be written to {root} ({exc.strerror}).",
            "Name a folder that you may write in TWINSTORE_BACKUPS.",
        ) from None
