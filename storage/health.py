"""How a store is at this moment: one cheap read, never a write, and a value whatever comes of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from contracts.dataset import Dataset
from contracts.errors import TwinstoreError
from contracts.health import Probe, StoreState
from contracts.vocabulary import StoreName
from storage.breaker import State

if TYPE_CHECKING:
    from contracts.results import StorageHealth, StoreHealth
    from storage.replication.by_sql import SqlCall
    from storage.rest.client import RestClient

T = TypeVar("T")

PROBE_S = 5.0  # seconds that a store has to answer
FAILURES = 3  # from so many failures in a row on a store counts as unhealthy, whatever its circuit says
NOT_CONFIGURED = "It is not configured."
_UNHEALTHY_CIRCUITS = (State.OPEN, State.FORCED_OPEN)


def probe(
    store: StoreName, ask: Callable[[], T], *, at: datetime, clock: Callable[[], float] = time.monotonic
) -> tuple[Probe, T | None]:
    """Look at a store once; return what was seen, and the answer where there was one.

    No error leaves it: one of a kind that nobody expects makes the store unhealthy, too, and is named by its class.

    Args:
        store: The store.
        ask: Reads something cheap from it.
        at: The present, UTC.
        clock: Tells a time in seconds that only grows.
    """
    started = clock()
    answer, error, what = None, None, ""
    try:
        answer = ask()
    except TwinstoreError as exc:
        error, what = type(exc).__name__, exc.what
    except Exception as exc:  # noqa: BLE001 - a probe tells, whatever happens; the text could hold anything
        error, what = type(exc).__name__, f"{store} could not be asked ({type(exc).__name__})."
    response_ms = max(0, round((clock() - started) * 1000))
    seen = Probe(store=store, at=at, healthy=error is None, response_ms=response_ms, error=error, what=what)
    return seen, answer


def asks_sql(call: SqlCall) -> Callable[[], object]:
    """Return what asks a store that is reached by SQL for nothing but an answer."""

    def ask() -> object:
        with call.session() as session:
            return session.execute("SELECT 1").fetchone()

    return ask


def asks_rest(client: RestClient, dataset: Dataset) -> Callable[[], object]:
    """Return what asks a project for no row of a table, over REST."""
    from storage.rest.table import RestTable

    return RestTable(client, dataset, dataset.key_columns).probe


def storage_health(stores: Iterable[StoreState]) -> StorageHealth:
    """Return the health of both stores as applications know it.

    A store is healthy when its last probe was answered, it did not fail three times in a row, and its circuit is not
    open. One without a probe is not known to be healthy.
    """
    from contracts.results import StorageHealth

    by_store = {state.store: _health(state) for state in stores}
    return StorageHealth(prisma=by_store[StoreName.PRISMA], supabase=by_store[StoreName.SUPABASE])


def _health(state: StoreState) -> StoreHealth:
    from contracts.results import StoreHealth

    answered = state.last is not None and state.last.healthy
    error = state.last.what or state.last.error if state.last is not None else "It was not asked yet."
    if not state.configured:
        error = NOT_CONFIGURED
    return StoreHealth(
        failures=state.failures,
        last_failure=None if state.last_failure is None else round(state.last_failure.timestamp() * 1000),
        is_healthy=answered and state.failures < FAILURES and state.circuit not in _UNHEALTHY_CIRCUITS,
        state=state.circuit,
        response_ms=None if state.last is None else state.last.response_ms,
        error=None if answered else error,
    )
