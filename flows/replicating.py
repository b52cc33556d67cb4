"""What carries changes between the two stores, built from settings: doors of both sides, book, relay.

Nothing connects before it is asked something, so that a repository can be opened while a store is down.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from contracts.channels import MATRIX, Feature
from contracts.dataset import Dataset
from contracts.errors import ConfigurationError
from contracts.registry import contract_for, known_datasets
from contracts.vocabulary import Channel, StoreName
from flows.settings import Settings
from flows.wiring import Stores

if TYPE_CHECKING:
    from storage.meter import Meter
    from storage.replication.book import Book
    from storage.replication.by_sql import SqlCall
    from storage.replication.doors import Call, PrimaryDoors, SecondaryDoors
    from storage.replication.relay import Relay

MAX_STATEMENT_S = 30.0  # no statement of replication is about a whole table
LOCK_S = 3.0
MAX_ANSWER_S = 60.0

Wrap = Callable[["Call"], "Call"]
"""Puts something around the calls of a store, such as its circuit breaker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replication:
    """What carries the changes of one dataset; a context manager that closes its connections. Threads may share it.

    Attributes:
        dataset: The dataset, as it was installed in the stores.
        channel: How the secondary is reached; None where it is not.
        primary: Doors of the primary.
        secondary: Doors of the secondary; None where no key of service_role leads to it.
        book: What is kept on the primary.
        relay: The relay; None without a secondary.
    """

    dataset: Dataset
    channel: Channel | None
    primary: PrimaryDoors
    secondary: SecondaryDoors | None
    book: Book
    relay: Relay | None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        try:
            self.primary.close()
        finally:
            if self.secondary is not None:
                self.secondary.close()

    def both(self) -> tuple[PrimaryDoors, SecondaryDoors, Relay]:
        """Return the doors of both sides and the relay.

        Raises:
            ConfigurationError: There is no way to the secondary.
        """
        if self.secondary is None or self.relay is None:
            raise ConfigurationError(
                "No key of service_role leads to supabase, so that nothing can be carried over.",
                "Set SUPABASE_SECRET_KEY or SUPABASE_SERVICE_ROLE_KEY beside SUPABASE_URL, or SUPABASE_DB_URL.",
                store=StoreName.SUPABASE,
            )
        return self.primary, self.secondary, self.relay


def open_replication(
    settings: Settings,
    stores: Stores,
    dataset: str,
    *,
    wraps: Mapping[StoreName, Wrap] | None = None,
    patient: bool = True,
    meters: Mapping[StoreName, Meter] | None = None,
) -> Replication:
    """Build what carries the changes of a dataset. Nothing connects before it is asked something.

    Args:
        settings: The settings.
        stores: The pair of stores; where it leads to no secondary, the primary is opened alone.
        dataset: Name of the dataset.
        wraps: What is put around the calls of a store, such as its circuit breaker.
        patient: Let reads over REST be tried again; False where somebody above does so anyway.
        meters: Count what the calls of a store cost.

    Raises:
        ConfigurationError: The dataset is not replicated, or its channel or schema does not allow it.
    """
    from storage.migrations.values import Side
    from storage.replication.book import Book
    from storage.replication.doors import PrimaryDoors, SecondaryDoors
    from storage.replication.relay import Relay

    found = _replicated(dataset)
    _require_schema(stores, found)
    channel = channel_of(settings, stores)
    _require_channel(channel)
    meter = {store: (meters or {}).get(store) for store in StoreName}
    by_primary = _sql_call(settings, stores, found, Side.PRIMARY, meter[StoreName.PRISMA])
    wrap = {store: (wraps or {}).get(store, _as_it_is) for store in StoreName}
    primary = PrimaryDoors(wrap[StoreName.PRISMA](by_primary), found)
    book = Book(by_primary, found)
    if channel is None:
        return Replication(dataset=found, channel=None, primary=primary, secondary=None, book=book, relay=None)
    if channel is Channel.SQL:
        call: Call = _sql_call(settings, stores, found, Side.SECONDARY, meter[StoreName.SUPABASE])
    else:
        call = _rest_call(settings, stores, found, meter[StoreName.SUPABASE], patient=patient)
    secondary = SecondaryDoors(wrap[StoreName.SUPABASE](call), found)
    relay = Relay(primary, secondary, book)
    return Replication(dataset=found, channel=channel, primary=primary, secondary=secondary, book=book, relay=relay)


def replicated_datasets() -> tuple[str, ...]:
    """Return the names of the datasets that may be replicated."""
    return tuple(name for name in known_datasets() if contract_for(name).dataset.replicated)


def channel_of(settings: Settings, stores: Stores) -> Channel | None:
    """Return how the secondary is reached for writing, as far as settings tell; None where it is not.

    With the key of anon alone nobody may write as service_role, so that the primary serves alone.
    """
    if stores.alone or not (stores.embedded or settings.writes_secondary):
        return None
    if stores.rest is None:
        return Channel.SQL
    return Channel.ROWS if settings.channel is Channel.ROWS else Channel.RPC


def _replicated(name: str) -> Dataset:
    dataset = contract_for(name).dataset
    if not dataset.replicated:
        known = ", ".join(replicated_datasets()) or "none"
        raise ConfigurationError(
            f"The dataset {name} is not replicated.",
            f"Use one that is ({known}), or say `replicated=True` in its contract and run `twinstore migrate`.",
        )
    return dataset


def _require_schema(stores: Stores, dataset: Dataset) -> None:
    """Refuse a primary whose table lies where no functions of ours were made for it."""
    ours = dataset.tables[StoreName.PRISMA][0]
    named = stores.dataset(dataset).tables[StoreName.PRISMA][0]
    if named != ours:
        raise ConfigurationError(
            f"DATABASE_URL names the schema {named}, but {dataset.name} is replicated in the schema {ours} only.",
            f"Name the schema in the contract of the dataset, then run `twinstore migrate`; or use {ours}.",
            store=StoreName.PRISMA,
        )


def _require_channel(channel: Channel | None) -> None:
    if channel is not None and Feature.REPLICATE not in MATRIX[channel]:
        raise ConfigurationError(
            f"The channel {channel} does not allow to {Feature.REPLICATE}.",
            "Set SUPABASE_DB_URL, or install our functions (`twinstore migrate --print --side secondary`) and let "
            "TWINSTORE_CHANNEL be rpc.",
            store=StoreName.SUPABASE,
        )


def _sql_call(settings: Settings, stores: Stores, dataset: Dataset, side: Any, meter: Meter | None) -> SqlCall:
    from storage.replication.by_sql import SqlCall
    from storage.session import Limits

    statement_s = min(MAX_STATEMENT_S, settings.statement_timeout_s)
    limits = Limits(connect_s=settings.connect_timeout_s, statement_s=statement_s, lock_s=LOCK_S)
    return SqlCall(stores.sql(side.store).dsn, dataset, side, limits=limits, meter=meter)


def _rest_call(settings: Settings, stores: Stores, dataset: Dataset, meter: Meter | None, *, patient: bool) -> Call:
    from storage.replication.by_rest import RestCall
    from storage.rest.client import RestClient, RestLimits
    from storage.rest.patience import Patience

    if stores.rest is None:  # the channel says otherwise
        raise ConfigurationError("SUPABASE_URL is not set.", "See env.example.", store=StoreName.SUPABASE)
    usual = RestLimits()
    answer_s = min(MAX_ANSWER_S, settings.statement_timeout_s)
    limits = replace(usual, connect_s=settings.connect_timeout_s, read_s=min(usual.read_s, answer_s), answer_s=answer_s)
    patience = Patience() if patient else Patience(attempts=1)
    return RestCall(RestClient(stores.rest, limits=limits, meter=meter, patience=patience), dataset)


def _as_it_is(call: Call) -> Call:
    return call
