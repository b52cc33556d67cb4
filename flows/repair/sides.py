"""Both stores as repair reads and writes them, and how they stand: their rows, and which databases they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contracts.channels import MATRIX, Feature
from contracts.dataset import Dataset
from contracts.errors import ConfigurationError
from contracts.registry import contract_for
from contracts.vocabulary import Channel, StoreName
from flows.replicating import channel_of, open_replication, replicated_datasets
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
    """

    dataset: Dataset
    sides: Mapping[StoreName, RepairSide]
    channels: Mapping[StoreName, Channel]
    adopted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How both stores stand now.

    Attributes:
        rows: Number of rows per store.
        identities: Id of the very database per store; empty where a store has none.
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
        ConfigurationError: The dataset, or the channel, does not allow it.
    """
    from storage.repair.doors import DoorSide

    repairable(name)
    channel = channel_of(settings, stores)
    if channel is not None and Feature.REPAIR not in MATRIX[channel]:
        raise ConfigurationError(
            f"The channel {channel} does not allow to repair.",
            "Set SUPABASE_DB_URL, or install our functions (`twinstore migrate --print --side secondary`) and let "
            "TWINSTORE_CHANNEL be rpc.",
            store=StoreName.SUPABASE,
        )
    with open_replication(settings, stores, name) as replication:
        primary, secondary, _ = replication.both()
        yield Pair(
            dataset=replication.dataset,
            sides={StoreName.PRISMA: DoorSide(primary), StoreName.SUPABASE: DoorSide(secondary)},
            channels={StoreName.PRISMA: Channel.SQL, StoreName.SUPABASE: replication.channel or Channel.SQL},
            adopted=primary.standing().adopted_at is not None,
        )


def standing(settings: Settings, stores: Stores, name: str) -> Standing:
    """Count the rows of both stores, and ask which databases they are.

    Raises:
        TwinstoreError: A store cannot be asked.
    """
    from storage.ports import HashKind

    rows: dict[StoreName, int] = {}
    identities: dict[StoreName, str] = {}
    for store in StoreName:
        dataset = stores.dataset(contract_for(name).dataset)
        with closing(make_reader(settings, stores, store, dataset, make_meter(settings))) as reader:
            identities[store] = reader.facts().identity
            with reader.snapshot(HashKind.TEXT) as snapshot:
                rows[store] = sum(found.total for found in snapshot.count().values())
    return Standing(rows=rows, identities=identities)
