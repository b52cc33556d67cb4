"""A part of the memory: what one environment knows of one matter."""

from __future__ import annotations

from storage.state.opening import Database


class Book:
    """What the memory of one environment knows of one matter.

    Every method may raise the errors of `contracts.errors`.

    Args:
        database: Where it is kept.
        environment: Name of the pair of stores.
    """

    def __init__(self, database: Database, environment: str) -> None:
        self._database = database
        self._environment = environment
