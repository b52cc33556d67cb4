"""What both readers over REST share: one dataset of one project, and how to connect to it."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import ClassVar

from contracts.dataset import Dataset
from contracts.vocabulary import Channel, StoreName
from storage.meter import Meter
from storage.rest.client import RestAccess, RestClient, RestLimits
from storage.rest.patience import Patience


class RestReader:
    """Read-only access to one dataset over a project's REST API.

    Args:
        access: URL and key of the project.
        dataset: The dataset that is read.
        store: Which of the two stores it is.
        limits: Time limits and sizes.
        meter: Counts requests, rows and bytes.
        patience: How reads are tried again.
    """

    channel: ClassVar[Channel]

    def __init__(
        self,
        access: RestAccess,
        dataset: Dataset,
        *,
        store: StoreName = StoreName.SUPABASE,
        limits: RestLimits | None = None,
        meter: Meter | None = None,
        patience: Patience | None = None,
    ) -> None:
        self.store = store
        self.dataset = dataset
        self.meter = meter or Meter()
        self._access = access
        self._kept = ExitStack()
        self._connect = partial(RestClient, access, store=store, limits=limits, meter=self.meter, patience=patience)

    def close(self) -> None:
        """Remove what was kept from one snapshot to the next; connections end with theirs."""
        self._kept.close()
