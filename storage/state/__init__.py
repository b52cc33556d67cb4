"""The tool's memory across runs: runs, ledger, waivers, baseline, leases. SQLAlchemy is loaded when it is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storage.state.leases import Lease
    from storage.state.memory import State

__all__ = ["Lease", "State", "open_state"]


def open_state(url: str | None, *, environment: str = "default") -> State:
    """Open the tool's memory, making what is not there yet.

    A SQLite file is made for its owner alone, in a folder made for its owner alone. On PostgreSQL everything is in
    the schema `twinstore_state`.

    Args:
        url: A SQLAlchemy URL of SQLite or PostgreSQL. None, or SQLite in memory, gives a memory that is not durable:
            it excludes and defers within the process, and knows nothing of earlier runs.
        environment: Name of the pair of stores. Two pairs may share one database.

    Raises:
        ConfigurationError: The URL is no such URL; the file is damaged, not ours, newer than this program, or cannot
            be written.
        Conflict: Another process keeps writing to it.
        Unavailable: The server cannot be reached.
        Refused: The server refuses us.
    """
    from storage.state.memory import open_memory

    return open_memory(url, environment=environment)


def __getattr__(name: str) -> object:
    if name == "State":
        from storage.state.memory import State

        return State
    if name == "Lease":
        from storage.state.leases import Lease

        return Lease
    raise AttributeError(name)
