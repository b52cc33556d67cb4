"""Both stores as repair reads and writes them, and how they stand: their rows, and which databases they are."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from contracts.dataset import Dataset
from contracts.errors import ConfigurationError, Refused
from contracts.registry import contract_for
from contracts.repair import Header, strange_pair
from contracts.replication import Place
from contracts.vocabulary import Channel, StoreName
from flows.replicating import Replication, channel_of, open_replication, replicated_datasets
from flows.settings import Settings
from flows.wiring import Stores, make_meter, make_reader

if TYPE_CHECKING:
    from storage.repair.ports import RepairSide


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Both stores of one dataset, as repair uses them.

    Attributes:
        dataset: The dataset, as it lies in these stores.
        sides: Each store, to be looked at and written.
        channels: How each store is reached.
        adopted: Whether a relay carries over what waits.
        replication: What replication keeps about them; without the secondary where that has no functions of ours.
    """

    dataset: Dataset
    sides: Mapping[StoreName, RepairSide]
    channels: Mapping[StoreName, Channel]
    adopted: bool
    replication: Replication

    def require_sight(self) -> None:
        """Refuse to repair where a relay carries over what waits and nobody sees what does.

        Raises:
            ConfigurationError: The stores were adopted, and the secondary is reached over rows.
        """
        if self.adopted and self.channels[StoreName.SUPABASE] is Channel.ROWS:
            raise ConfigurationError(
                "The stores were adopted, and over rows nobody sees which changes of supabase wait to be carried over: "
                "a repair might overwrite one.",
                "Let TWINSTORE_CHANNEL be rpc or sql and make a new plan; or turn capture off first, with `twinstore "
                "capture off`.",
                store=StoreName.SUPABASE,
            )

    def disputed(self, keys: Collection[str]) -> frozenset[str]:
        """Return, of these keys, those in conflict, about which somebody has to decide."""
        return self.replication.book.disputed(keys)

    def places(self, keys: Collection[str]) -> dict[str, Place]:
        """Return, of these keys, those that stand in conflict or whose change was given up."""
        letters = {key: Place.DEAD_LETTER for key, _ in self.replication.book.dead(keys)}
        return letters | dict.fromkeys(self.disputed(keys), Place.CONFLICT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How both stores stand now.

    Attributes:
        rows: Number of rows per store.
        identities: Per store, which very database it is: its id, or where it is for one that shows none.
    """

    rows: Mapping[StoreName, int]
    identities: Mapping[StoreName, str]


def repairable(name: str) -> Dataset:
    """Return a dataset that may be repaired.

    Raises:
        ConfigurationError: It is unknown, or not one whose stores have the functions that repair needs.
    """
    dataset = contract_for(name).dataset
    if not dataset.replicated:
        known = ", ".join(replicated_datasets()) or "none"
        raise ConfigurationError(
            f"The dataset {name} cannot be repaired: its stores have no functions of ours for it.",
            f"Use one that can ({known}), or say `replicated=True` in its contract and run `twinstore migrate`.",
        )
    return dataset


@contextmanager
def open_pair(settings: Settings, stores: Stores, name: str) -> Iterator[Pair]:
    """Open both stores of a dataset for repair, for as long as the block runs.

    Raises:
        ConfigurationError: The dataset, or what the settings lead to, does not allow it.
    """
    from storage.repair.doors import DoorSide

    dataset = repairable(name)
    channel = _channel(settings, stores, dataset)
    if channel is Channel.ROWS:
        with _over_rows(settings, stores, name) as pair:
            yield pair
        return
    with open_replication(settings, stores, name) as replication:
        primary, secondary, _ = replication.both()
        yield Pair(
            dataset=replication.dataset,
            sides={StoreName.PRISMA: DoorSide(primary), StoreName.SUPABASE: DoorSide(secondary)},
            channels={StoreName.PRISMA: Channel.SQL, StoreName.SUPABASE: channel or Channel.SQL},
            adopted=primary.standing().adopted_at is not None,
            replication=replication,
        )


def _channel(settings: Settings, stores: Stores, dataset: Dataset) -> Channel | None:
    """Return how the secondary is reached; a project without our functions by its rows, as a check reads it."""
    channel = channel_of(settings, stores)
    if channel is not Channel.RPC or settings.channel is not None:
        return channel
    with closing(make_reader(settings, stores, StoreName.SUPABASE, dataset, make_meter(settings))) as reader:
        return reader.channel


@contextmanager
def _over_rows(settings: Settings, stores: Stores, name: str) -> Iterator[Pair]:
    """Open a pair whose secondary has no functions of ours: its rows are written one request each."""
    from storage.repair.by_rows import RowsSide
    from storage.repair.doors import DoorSide
    from storage.rest.client import RestClient

    if stores.rest is None:  # the channel says otherwise
        raise ConfigurationError("SUPABASE_URL is not set.", "See env.example.", store=StoreName.SUPABASE)
    alone = replace(stores, urls={StoreName.PRISMA: stores.sql(StoreName.PRISMA)}, rest=None)
    with (
        open_replication(settings, alone, name) as replication,
        RestClient(stores.rest, meter=make_meter(settings)) as client,
    ):
        yield Pair(
            dataset=replication.dataset,
            sides={
                StoreName.PRISMA: DoorSide(replication.primary),
                StoreName.SUPABASE: RowsSide(client, replication.dataset),
            },
            channels={StoreName.PRISMA: Channel.SQL, StoreName.SUPABASE: Channel.ROWS},
            adopted=replication.primary.standing().adopted_at is not None,
            replication=replication,
        )


def standing(settings: Settings, stores: Stores, name: str) -> Standing:
    """Count the rows of both stores, and ask which databases they are.

    Raises:
        TwinstoreError: A store cannot be asked.
    """
    from storage.ports import HashKind

    rows: dict[StoreName, int] = {}
    known_as: dict[StoreName, str] = {}
    for store in StoreName:
        dataset = stores.dataset(contract_for(name).dataset)
        with closing(make_reader(settings, stores, store, dataset, make_meter(settings))) as reader:
            known_as[store] = stores.known_as(store, reader.facts())
            with reader.snapshot(HashKind.TEXT) as snapshot:
                rows[store] = sum(found.total for found in snapshot.count().values())
    return Standing(rows=rows, identities=known_as)


def identities(settings: Settings, stores: Stores, name: str) -> dict[StoreName, str]:
    """Ask both stores which databases they are.

    Raises:
        TwinstoreError: A store cannot be asked.
    """
    found: dict[StoreName, str] = {}
    dataset = stores.dataset(contract_for(name).dataset)
    for store in StoreName:
        with closing(make_reader(settings, stores, store, dataset, make_meter(settings))) as reader:
            found[store] = stores.known_as(store, reader.facts())
    return found


def require_same_pair(settings: Settings, stores: Stores, header: Header) -> bool:
    """Refuse to look for what a plan wrote, or to take it back, in other stores than those that it was made for.

    Returns:
        Whether they are proven to be the same. Where nothing is proven, each row is compared with what it was and what
        it became, as everywhere.

    Raises:
        ConfigurationError: The settings lead to other stores.
        TwinstoreError: A store cannot be asked.
    """
    strange = strange_pair(header, identities(settings, stores, header.dataset), stores.environment)
    if strange is not None and strange.proven:
        todo = "Let the settings lead to the stores that it wrote to, then say it again."
        raise ConfigurationError(strange.what, todo)
    return strange is None


def hung_on(settings: Settings, stores: Stores, name: str, keys: Collection[str]) -> dict[StoreName, frozenset[str]]:
    """Return, per store, the keys on which rows of other tables hang, as far as it can be reached by SQL.

    Where nothing tells, as over REST or without the right to read those tables, the doors refuse what would reach
    further.

    Raises:
        TwinstoreError: A store cannot be asked.
    """
    from storage.migrations.values import Side
    from storage.repair.references import referenced
    from storage.replication.by_sql import SqlCall
    from storage.session import Limits

    found: dict[StoreName, frozenset[str]] = {}
    dataset = stores.dataset(contract_for(name).dataset)
    for side in Side:
        if side.store not in stores.urls or not keys:
            continue
        limits = Limits(connect_s=settings.connect_timeout_s, statement_s=settings.statement_timeout_s)
        call = SqlCall(stores.sql(side.store).dsn, dataset, side, limits=limits)
        with closing(call), suppress(Refused):
            found[side.store] = referenced(call, dataset, keys)
    return found
