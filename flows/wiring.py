"""The composition root: from settings to readers, memory and folders. Nothing connects before it is called."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.dataset import Dataset
from contracts.errors import ConfigurationError
from contracts.verdicts.run import PLACED
from contracts.vocabulary import Channel, StoreName
from flows.settings import Settings
from storage.urls import PROJECT_DATABASE, StoreUrl, parse_url, project_of

if TYPE_CHECKING:
    from contracts.verdicts import StoreFacts
    from storage.local import RestInfo
    from storage.meter import Meter
    from storage.ports import Reader
    from storage.postgres import PostgresReader
    from storage.rest.client import RestAccess
    from storage.state import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """The pair of stores of a run.

    Attributes:
        urls: Connection URL of every store that can be reached by SQL: the primary always, the secondary perhaps.
        environment: Name of the pair.
        embedded: True for the pair that twinstore runs itself.
        rest: Where the secondary is read over REST; None when it is read by SQL.
    """

    urls: dict[StoreName, StoreUrl]
    environment: str
    embedded: bool
    rest: RestAccess | None = None

    def by_sql(self, store: StoreName) -> bool:
        """Tell whether a store is read by SQL."""
        return store is StoreName.PRISMA or self.rest is None

    @property
    def alone(self) -> bool:
        """True when nothing leads to the secondary, so that the primary serves alone."""
        return self.rest is None and StoreName.SUPABASE not in self.urls

    def sql(self, store: StoreName) -> StoreUrl:
        """Return the connection URL of a store.

        Raises:
            ConfigurationError: It can be reached over REST only.
        """
        if store not in self.urls:
            raise ConfigurationError(
                f"{store} is reached over REST, which does not allow this.",
                "Set SUPABASE_DB_URL, or let psql run what `twinstore migrate --print --side secondary` prints.",
                store=store,
            )
        return self.urls[store]

    @property
    def dsns(self) -> tuple[str, str]:
        """Connection strings of primary and secondary.

        Raises:
            ConfigurationError: The secondary can be reached over REST only.
        """
        return self.sql(StoreName.PRISMA).dsn, self.sql(StoreName.SUPABASE).dsn

    def project(self, store: StoreName) -> str | None:
        """Return the Supabase project that a store is read from; None where its address does not tell."""
        if self.rest is not None and not self.by_sql(store):
            return project_of(self.rest.url)
        return project_of(self.urls[store].dsn) if store in self.urls else None

    def where(self, store: StoreName) -> str:
        """Return where a store is, for people: host and database, or the URL of the project."""
        if self.rest is not None and not self.by_sql(store):
            return self.rest.url
        return f"{self.urls[store].host}/{self.urls[store].database}"

    def known_as(self, store: StoreName, facts: StoreFacts) -> str:
        """Return by what a database is known again: its id, or for one that shows none where it is."""
        if facts.identity:
            return facts.identity
        project = self.project(store)
        if project is not None and self.by_sql(store) and self.urls[store].database != PROJECT_DATABASE:
            project = f"{project}:{self.urls[store].database}"  # one that somebody made beside
        return f"{PLACED}{project or self.where(store)}"

    def dataset(self, dataset: Dataset) -> Dataset:
        """Return the dataset with its primary table in the schema that the URL names."""
        schema = self.urls[StoreName.PRISMA].schema
        tables = {**dataset.tables, StoreName.PRISMA: (schema, dataset.tables[StoreName.PRISMA][1])}
        return replace(dataset, tables=tables)


def find_stores(
    settings: Settings,
    *,
    migrated: bool = True,
    alone: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Stores:
    """Return the stores that the settings name; with none named, start the embedded pair.

    Args:
        settings: The settings.
        migrated: Bring the embedded pair up to date, too. Stores of the user's own are never migrated here.
        alone: Accept a primary without a secondary that may be written to: a repository goes on with it.
        progress: Is told what happens now.

    Raises:
        ConfigurationError: Only one store is named, or a URL cannot be used.
        TwinstoreError: The embedded pair does not start.
    """
    if settings.embedded:
        return _embedded(settings, progress, migrated=migrated)
    if settings.database_url is None:
        raise ConfigurationError("DATABASE_URL is not set.", "Set it to the primary's PostgreSQL URL; see env.example.")
    urls = {StoreName.PRISMA: parse_url(settings.database_url.get_secret_value(), "DATABASE_URL")}
    if settings.supabase_db_url is not None:
        urls[StoreName.SUPABASE] = parse_url(settings.supabase_db_url.get_secret_value(), "SUPABASE_DB_URL")
    rest = None if alone and not settings.writes_secondary else _rest(settings)
    stores = Stores(urls=urls, environment=settings.environment or "default", embedded=False, rest=rest)
    primary, secondary = (stores.project(store) for store in StoreName)
    if primary is not None and primary == secondary:
        raise ConfigurationError(
            "DATABASE_URL and the settings of Supabase lead to the same project.",
            "Point one of them at the other store; a store cannot be compared with itself.",
        )
    return stores


def _rest(settings: Settings) -> RestAccess | None:
    """Return how the secondary is read over REST, or None when it is read by SQL.

    Raises:
        ConfigurationError: What was asked for needs a setting that is not there.
    """
    from storage.rest.client import RestAccess

    by_sql = settings.supabase_db_url is not None if settings.channel is None else settings.channel is Channel.SQL
    if by_sql and settings.supabase_db_url is None:
        raise ConfigurationError(
            "TWINSTORE_CHANNEL asks for sql, but SUPABASE_DB_URL is not set.",
            "Set it to the project's database URL, or ask for rpc or rows.",
        )
    if by_sql:
        return None
    if settings.supabase_url is None:
        raise ConfigurationError(
            "Neither SUPABASE_URL nor SUPABASE_DB_URL leads to Supabase.",
            "Set SUPABASE_URL and a key, or SUPABASE_DB_URL; see env.example.",
        )
    if settings.supabase_key is None:
        raise ConfigurationError(
            "SUPABASE_URL is set without a key.", "Set SUPABASE_SERVICE_ROLE_KEY or SUPABASE_SECRET_KEY."
        )
    return RestAccess(url=settings.supabase_url, key=settings.supabase_key.get_secret_value())


def _embedded(settings: Settings, progress: Callable[[str], None], *, migrated: bool) -> Stores:
    from storage.local import LocalPair
    from storage.migrations import Side, migrate

    progress("start the embedded pair of stores")
    info = LocalPair(settings.home).up()
    dsns = {StoreName.PRISMA: info.primary.dsn, StoreName.SUPABASE: info.secondary.dsn}
    urls = {}
    for store, dsn in dsns.items():
        if dsn is None:
            raise ConfigurationError(f"The embedded {store} has no URL.", "Run `twinstore stack down` and `stack up`.")
        if migrated:
            migrate(dsn.get_secret_value(), Side.of(store))
        urls[store] = parse_url(dsn.get_secret_value(), f"URL of the embedded {store}")
    rest = None if settings.channel is Channel.SQL or info.rest is None else _access_of(info.rest)
    return Stores(urls=urls, environment=settings.environment or "embedded", embedded=True, rest=rest)


def _access_of(rest: RestInfo) -> RestAccess:
    """Return how the embedded secondary is reached: as a user of a hosted project would."""
    from storage.rest.client import RestAccess

    return RestAccess(url=rest.url, key=rest.secret_key.get_secret_value())


def make_meter(settings: Settings) -> Meter:
    """Return a meter with the budget that the settings allow."""
    from storage.meter import Meter

    max_bytes = None if settings.max_mb is None else settings.max_mb * 1_000_000
    return Meter(max_requests=settings.max_requests, max_bytes=max_bytes)


def make_reader(settings: Settings, stores: Stores, store: StoreName, dataset: Dataset, meter: Meter) -> Reader:
    """Return the reader of one dataset in one store.

    By SQL it connects when it is asked something. Over REST the project is asked whether it has our functions, unless
    the settings name the channel.

    Raises:
        TwinstoreError: The project cannot be reached over REST.
    """
    if stores.rest is not None and not stores.by_sql(store):
        return _rest_reader(settings, stores.rest, dataset, meter)
    return sql_reader(settings, stores, store, dataset, meter)


def sql_reader(settings: Settings, stores: Stores, store: StoreName, dataset: Dataset, meter: Meter) -> PostgresReader:
    """Return the reader of one dataset in a store that can be reached by SQL."""
    from storage.postgres import PostgresReader
    from storage.session import Limits

    limits = Limits(connect_s=settings.connect_timeout_s, statement_s=settings.statement_timeout_s)
    return PostgresReader(stores.sql(store).dsn, store, dataset, limits=limits, meter=meter)


def _rest_reader(settings: Settings, access: RestAccess, dataset: Dataset, meter: Meter) -> Reader:
    from storage.rest.client import RestLimits
    from storage.rest.rows_reader import RestRowsReader
    from storage.rest.rpc_reader import RestRpcReader, doors_answer

    usual = RestLimits()
    read_s = min(usual.read_s, settings.statement_timeout_s)
    limits = replace(usual, connect_s=settings.connect_timeout_s, read_s=read_s, answer_s=2 * read_s)
    with_doors = settings.channel is Channel.RPC
    if settings.channel is None:
        with_doors = doors_answer(access, dataset, limits=limits, meter=meter)
    kind = RestRpcReader if with_doors else RestRowsReader
    return kind(access, dataset, limits=limits, meter=meter)


def open_memory(settings: Settings, environment: str) -> State:
    """Open the tool's memory: the state URL of the settings, else SQLite in the home folder."""
    from storage.state import open_state

    if settings.state_url is not None:
        return open_state(settings.state_url.get_secret_value(), environment=environment)
    return open_state(f"sqlite:///{home(settings) / 'state.sqlite'}", environment=environment)


def home(settings: Settings) -> Path:
    """Return the home folder, made if it was not there: closed to others, as root open to those who know a name in it.

    Raises:
        ConfigurationError: It cannot be made.
    """
    from storage.files import make_folder

    path = settings.home.absolute()
    try:
        return make_folder(path)
    except OSError as exc:
        raise ConfigurationError(
            f"The folder {path} cannot be made ({exc.strerror}).", "Set TWINSTORE_HOME to a folder that you may write."
        ) from None


def runs_folder(settings: Settings) -> Path:
    """Return the folder below which every run has its own."""
    return home(settings) / "runs"


def mask_key(settings: Settings) -> bytes:
    """Return the secret key with which masked values are hashed; made once, readable by its owner alone."""
    from storage.files import make_private

    path = home(settings) / "mask.key"
    if not path.exists():
        make_private(path, secrets.token_bytes(32))  # where another process was first, its key counts
    return path.read_bytes()
