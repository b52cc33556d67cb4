"""What every command of replication opens: settings, stores, memory, and the replication of datasets that are meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contracts.errors import ConfigurationError, TwinstoreError
from contracts.vocabulary import StoreName
from flows.replicating import Replication, Wrap, open_replication, replicated_datasets
from flows.settings import Settings, load_settings
from flows.wiring import Stores, find_stores, open_memory

if TYPE_CHECKING:
    from storage.breaker import Guard
    from storage.state import State

RELAY_OPEN_S = 10.0
"""For how long a circuit of the relay stays open: nobody waits for its calls, and its probes find out who is back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What a command works with.

    Attributes:
        settings: The settings.
        stores: The pair of stores.
        replications: One per dataset.
        memory: The tool's memory; None when it was not asked for, or cannot be used.
    """

    settings: Settings
    stores: Stores
    replications: tuple[Replication, ...]
    memory: State | None = None


@contextmanager
def opened(
    dataset: str | None,
    *,
    alone: bool = False,
    remembering: bool = False,
    guards: Mapping[StoreName, Guard] | None = None,
) -> Iterator[Opened]:
    """Open what a command of replication needs, for as long as the block runs.

    Args:
        dataset: Name of the dataset; all that are replicated unless given.
        alone: Accept a primary without a secondary.
        remembering: Open the memory, too.
        guards: The circuit breakers of the stores, where their calls go through them.

    Raises:
        ConfigurationError: The settings, or the dataset, do not allow it.
    """
    settings = load_settings()
    names = (dataset,) if dataset is not None else replicated_datasets()
    if not names:
        raise ConfigurationError("No dataset is replicated.", "Say `replicated=True` in the contract of one.")
    stores = find_stores(settings, alone=alone)
    wraps = {store: _guarded(guard) for store, guard in (guards or {}).items()}
    with ExitStack() as stack:
        replications = []
        for name in names:
            replication = open_replication(settings, stores, name, wraps=wraps)
            stack.callback(replication.close)
            replications.append(replication)
        memory = _memory(settings, stores, stack) if remembering else None
        yield Opened(settings=settings, stores=stores, replications=tuple(replications), memory=memory)


def make_guards() -> dict[StoreName, Guard]:
    """Return a circuit breaker for each store, as the relay needs them."""
    from storage.breaker import Breaker, Guard, Rules

    return {store: Guard(store, Breaker(Rules(open_s=RELAY_OPEN_S))) for store in StoreName}


def _guarded(guard: Guard) -> Wrap:
    from storage.replication.guarded import GuardedCall

    return lambda call: GuardedCall(call, guard)


def _memory(settings: Settings, stores: Stores, stack: ExitStack) -> State | None:
    """Open the memory; without it the relay works as well, only not in turns with others."""
    try:
        return stack.enter_context(open_memory(settings, stores.environment))
    except TwinstoreError:
        return None
