"""The dual repository as applications get it: both stores, the relay between them, a circuit breaker for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.vocabulary import StoreName
from flows.replicating import open_replication
from flows.settings import Settings
from flows.wiring import Stores

if TYPE_CHECKING:
    from storage.dual import DualRepository


def make_repository(settings: Settings, stores: Stores) -> DualRepository:
    """Build the repository of planning records. Nothing connects before it is asked something.

    Args:
        settings: The settings.
        stores: The pair of stores; where it leads to no secondary, the primary serves alone.

    Raises:
        ConfigurationError: The channel or the schema does not allow it.
    """
    from storage.breaker import Breaker, Guard
    from storage.dual import DualRepository

    found = open_replication(settings, stores, "planning")
    return DualRepository(
        found.primary,
        found.secondary,
        found.relay,
        book=found.book,
        guards={store: Guard(store, Breaker()) for store in StoreName},
        close=found.close,
    )
