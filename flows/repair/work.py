"""What every step of a repair works with: settings, stores, memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contracts.repair import Caps
from flows.settings import Settings
from flows.wiring import Stores, find_stores, open_memory

if TYPE_CHECKING:
    from storage.state import State

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a repair works with.

    Attributes:
        settings: The settings.
        stores: The pair of stores.
        memory: The tool's memory.
        progress: Is told what happens now.
    """

    settings: Settings
    stores: Stores
    memory: State
    progress: Progress = lambda _: None

    @property
    def caps(self) -> Caps:
        """How much a repair may do before somebody has to say that so much is meant."""
        return Caps(rows=self.settings.repair_max_rows, deletes=self.settings.repair_max_deletes)


@contextmanager
def remembering(settings: Settings) -> Iterator[State]:
    """Open the memory of the pair that the settings name, for what needs no store.

    Raises:
        TwinstoreError: The memory cannot be used.
    """
    own = "embedded" if settings.embedded else "default"
    with open_memory(settings, settings.environment or own) as memory:
        yield memory


@contextmanager
def at_work(settings: Settings, *, progress: Progress = lambda _: None) -> Iterator[Work]:
    """Find the stores and open the memory, for as long as the block runs.

    Raises:
        TwinstoreError: The settings do not allow it, or the memory cannot be used.
    """
    stores = find_stores(settings, progress=progress)
    with open_memory(settings, stores.environment) as memory:
        yield Work(settings=settings, stores=stores, memory=memory, progress=progress)
