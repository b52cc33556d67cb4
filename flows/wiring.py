"""The composition root: from settings to readers, memory and folders. Nothing connects before it is called."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.dataset import Dataset
from contracts.errors import ConfigurationError
from contracts.vocabulary import StoreName
from flows.settings import Settings
from storage.urls import StoreUrl, parse_url

if TYPE_CHECKING:
    from storage.meter import Meter
    from storage.postgres import PostgresReader
    from storage.state import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """The pair of stores of a run.

    Attributes:
        urls: Connection URL per store.
        environment: Name of the pair.
        embedded: True for the pair that twinstore runs itself.
    """

    urls: dict[StoreName, StoreUrl]
    environment: str
    embedded: bool

    def dataset(self, dataset: Dataset) -> Dataset:
        """Return the dataset with its primary table in the schema that the URL names."""
        schema = self.urls[StoreName.PRISMA].schema
        tables = {**dataset.tables, StoreName.PRISMA: (schema, dataset.tables[StoreName.PRISMA][1])}
        return replace(dataset, tables=tables)


def find_stores(
    settings: Settings, *, migrated: bool = True, progress: Callable[[str], None] = lambda _: None
) -> Stores:
    """Return the stores that the settings name; with none named, start the embedded pair.

    Args:
        settings: The settings.
        migrated: Bring the embedded pair up to date, too. Stores of the user's own are never migrated here.
        progress: Is told what happens now.

    Raises:
        ConfigurationError: Only one store is named, or a URL cannot be used.
        TwinstoreError: The embedded pair does not start.
    """
    if settings.embedded:
        return _embedded(settings, progress, migrated=migrated)
    if settings.database_url is None:
        raise ConfigurationError("DATABASE_URL is not set.", "Set it to the primary's PostgreSQL URL; see env.example.")
    if settings.supabase_db_url is None:
        raise ConfigurationError(
            "SUPABASE_DB_URL is not set.", "This version reaches Supabase by SQL; set it to the project's database URL."
        )
    urls = {
        StoreName.PRISMA: parse_url(settings.database_url.get_secret_value(), "DATABASE_URL"),
        StoreName.SUPABASE: parse_url(settings.supabase_db_url.get_secret_value(), "SUPABASE_DB_URL"),
    }
    return Stores(urls=urls, environment=settings.environment or "default", embedded=False)


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
            migrate(dsn.get_secret_value(), Side.PRIMARY if store is StoreName.PRISMA else Side.SECONDARY)
        urls[store] = parse_url(dsn.get_secret_value(), f"URL of the embedded {store}")
    return Stores(urls=urls, environment=settings.environment or "embedded", embedded=True)


def make_reader(settings: Settings, stores: Stores, store: StoreName, dataset: Dataset, meter: Meter) -> PostgresReader:
    """Return the reader of one dataset in one store; it connects when it is asked something."""
    from storage.postgres import PostgresReader
    from storage.session import Limits

    limits = Limits(connect_s=settings.connect_timeout_s, statement_s=settings.statement_timeout_s)
    return PostgresReader(stores.urls[store].dsn, store, dataset, limits=limits, meter=meter)


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
    from storage.local.files import make_folder

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
    path = home(settings) / "mask.key"
    if not path.exists():
        descriptor, name = tempfile.mkstemp(prefix=".mask.key-", dir=path.parent)  # mode 0600
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(32))
        with suppress(FileExistsError):  # another process was first: its key counts
            os.link(name, path)
        Path(name).unlink()
    return path.read_bytes()
