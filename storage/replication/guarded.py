"""The calls of a side behind its circuit breaker, so that a store that is away is asked as a probe only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts.vocabulary import StoreName
from storage.breaker import Guard
from storage.replication.doors import Call


class GuardedCall:
    """Calls the functions of one side unless its circuit is open. Threads may share it.

    Args:
        call: The calls themselves; closed with this.
        guard: The guard of that store.
    """

    def __init__(self, call: Call, guard: Guard) -> None:
        self._call = call
        self._guard = guard

    @property
    def store(self) -> StoreName:
        """The store that has the functions."""
        return self._call.store

    def __call__(
        self, door: str, arguments: Mapping[str, Any], *, deadline_s: float | None = None, once: bool = False
    ) -> object:
        """Call one function; see `storage.replication.doors.Call`.

        Raises:
            CircuitOpen: The circuit is open; nothing was sent.
            TwinstoreError: As the call itself.
        """
        return self._guard.call(lambda: self._call(door, arguments, deadline_s=deadline_s, once=once))

    def close(self) -> None:
        """Close the connections."""
        self._call.close()
