"""What every command of replication opens: settings, stores, memory, and the replication of datasets that are meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from contracts.errors import ConfigurationError, TwinstoreError
from contracts.vocabulary import StoreName
from flows.health import make_guards
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
        guards: The circuit breakers through which the stores are called; none where there are none.
    """

    settings: Settings
    stores: Stores
    replications: tuple[Replication, ...]
    memory: State | None = None
    guards: Mapping[StoreName, Guard] = field(default_factory=dict)


@contextmanager
def opened(
    dataset: str | None,
    *,
    alone: bool = False,
    remembering: bool = False,
    guarded: bool = False,
    patient: bool = True,
) -> Iterator[Opened]:
    """Open what a command of replication needs, for as long as the block runs.

    Circuit breakers begin as the memory has them, and are kept in it at the end.

    Args:
        dataset: Name of the dataset; all that are replicated unless given.
        alone: Accept a primary without a secondary.
        remembering: Open the memory, too.
        guarded: Call the stores through circuit breakers.
        patient: Let reads over REST be tried again; False for whoever comes back anyway.

    Raises:
        ConfigurationError: The settings, or the dataset, do not allow it.
    """
    settings = load_settings()
    names = (dataset,) if dataset is not None else replicated_datasets()
    if not names:
        raise ConfigurationError("No dataset is replicated.", "Say `replicated=True` in the contract of one.")
    stores = find_stores(settings, alone=alone)
    with ExitStack() as stack:
        memory = _memory(settings, stores, stack) if remembering else None
        guards = _guards(memory) if guarded else {}
        if memory is not None:
            stack.callback(_keep, memory, guards)
        wraps = {store: _guarded(guard) for store, guard in guards.items()}
        replications = []
        for name in names:
            replication = open_replication(settings, stores, name, wraps=wraps, patient=patient)
            stack.callback(replication.close)
            replications.append(replication)
        yield Opened(settings=settings, stores=stores, replications=tuple(replications), memory=memory, guards=guards)


def _guards(memory: State | None) -> dict[StoreName, Guard]:
    """Return a circuit breaker for each store, as the relay needs them; a memory that went away knows nothing."""
    from storage.breaker import Rules

    make = partial(make_guards, rules=Rules(open_s=RELAY_OPEN_S))
    now = datetime.now(UTC)
    try:
        return make(memory, now)
    except TwinstoreError:
        return make(None, now)


def _keep(memory: State, guards: Mapping[StoreName, Guard]) -> None:
    """Keep the circuit breakers for the next process; without them it learns for itself."""
    now = datetime.now(UTC)
    with suppress(TwinstoreError):
        memory.watch.keep_circuits({guard.name: guard.save(now) for guard in guards.values()}, now=now)


def _guarded(guard: Guard) -> Wrap:
    from storage.replication.guarded import GuardedCall

    return lambda call: GuardedCall(call, guard)


def _memory(settings: Settings, stores: Stores, stack: ExitStack) -> State | None:
    """Open the memory; without it the relay works as well, only not in turns with others."""
    try:
        return stack.enter_context(open_memory(settings, stores.environment))
    except TwinstoreError:
        return None
