"""One check of one dataset: what its stages share."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from contracts.dataset import Dataset
from contracts.registry import contract_for
from contracts.vocabulary import StoreName
from flows.settings import Settings
from flows.wiring import Stores, make_reader
from storage.meter import Meter
from storage.parity.engine import ParityOptions
from storage.parity.recheck import Patience
from storage.ports import Reader

if TYPE_CHECKING:
    from flows.replicating import Replication


@dataclass(frozen=True)
class Job:
    """One check of one dataset.

    Attributes:
        settings: The settings.
        stores: The pair of stores.
        name: Name of the dataset.
        run_id: The run.
        now: When the run began, UTC.
        meters: Costs per store, counted as the run goes.
        adopting: True for the comparison that an adoption rests on.
        progress: Is told what happens now.
    """

    settings: Settings
    stores: Stores
    name: str
    run_id: str
    now: datetime
    meters: dict[StoreName, Meter] = field(default_factory=lambda: {store: Meter() for store in StoreName})
    adopting: bool = False
    progress: Callable[[str], None] = lambda _: None
    _readers: dict[StoreName, Reader] = field(default_factory=dict, init=False, repr=False)
    _replications: list[Replication] = field(default_factory=list, init=False, repr=False)
    _opening: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    @cached_property
    def dataset(self) -> Dataset:
        """The dataset, as it lies in these stores and is compared today."""
        return self.stores.dataset(contract_for(self.name).dataset).as_of(self.now.date())

    def reader(self, store: StoreName) -> Reader:
        """Return the reader of one store; the same one for all stages, which share what it keeps."""
        with self._opening:
            if store not in self._readers:
                self._readers[store] = make_reader(self.settings, self.stores, store, self.dataset, self.meters[store])
            return self._readers[store]

    def replication(self, opened: Callable[[], Replication]) -> Replication:
        """Return the replication of the dataset; opened once, and closed with the job."""
        with self._opening:
            if not self._replications:
                self._replications.append(opened())
            return self._replications[0]

    def close(self) -> None:
        """Give back what the readers hold, and close the doors of replication."""
        with self._opening:
            while self._readers:
                self._readers.popitem()[1].close()
            while self._replications:
                self._replications.pop().close()

    def options(self) -> ParityOptions:
        """Return how patiently the stores are compared."""
        patience = Patience(grace_s=self.settings.grace_s, rounds=self.settings.recheck_rounds)
        return ParityOptions(patience=patience, row_budget=self.settings.row_budget)
