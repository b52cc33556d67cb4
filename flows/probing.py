"""One look at every store that is configured: by SQL or over REST, never a write, and a value whatever comes of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime

from contracts.dataset import Dataset
from contracts.health import Probe
from contracts.registry import contract_for, known_datasets
from contracts.vocabulary import StoreName
from flows.settings import Settings
from flows.wiring import Stores


def probe_stores(
    settings: Settings, stores: Stores, now: datetime, *, clock: Callable[[], float] = time.monotonic
) -> tuple[Probe, ...]:
    """Look once at every store that is configured. Reads only, and raises nothing."""
    return tuple(_probe(store, settings, stores, now, clock) for store in configured_stores(stores))


def configured_stores(stores: Stores) -> tuple[StoreName, ...]:
    """Return the stores that a setting leads to."""
    return (StoreName.PRISMA,) if stores.alone else tuple(StoreName)


def _probe(store: StoreName, settings: Settings, stores: Stores, now: datetime, clock: Callable[[], float]) -> Probe:
    from storage.health import probe

    dataset = stores.dataset(contract_for(known_datasets()[0]).dataset)
    ask = _by_sql if stores.by_sql(store) else _over_rest
    seen, _ = probe(store, lambda: ask(store, settings, stores, dataset), at=now, clock=clock)
    return seen


def _by_sql(store: StoreName, settings: Settings, stores: Stores, dataset: Dataset) -> None:
    from storage.health import PROBE_S, asks_sql
    from storage.migrations.values import Side
    from storage.replication.by_sql import SqlCall
    from storage.session import Limits

    limits = Limits(connect_s=min(PROBE_S, settings.connect_timeout_s), statement_s=PROBE_S, lock_s=PROBE_S)
    with closing(SqlCall(stores.sql(store).dsn, dataset, Side.of(store), limits=limits)) as call:
        asks_sql(call)()


def _over_rest(store: StoreName, settings: Settings, stores: Stores, dataset: Dataset) -> None:
    from storage.health import PROBE_S, asks_rest
    from storage.rest.client import RestClient, RestLimits
    from storage.rest.patience import Patience

    if stores.rest is None:
        return
    connect_s = min(PROBE_S, settings.connect_timeout_s)
    limits = RestLimits(connect_s=connect_s, read_s=PROBE_S, write_s=PROBE_S, answer_s=PROBE_S)
    with RestClient(stores.rest, store=store, limits=limits, patience=Patience(attempts=1)) as client:
        asks_rest(client, dataset)()
