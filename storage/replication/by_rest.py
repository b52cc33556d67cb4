"""The doors of a project that is reached over REST: functions called by supabase-py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts.dataset import Dataset
from contracts.vocabulary import StoreName
from storage.migrations.replication_doors import REPLICATION_DOORS
from storage.migrations.values import Side
from storage.rest.client import RestClient


class RestCall:
    """Calls the functions of one dataset in one project. Threads may share it.

    Args:
        client: The connection; closed with this.
        dataset: The dataset.
    """

    def __init__(self, client: RestClient, dataset: Dataset) -> None:
        self._client = client
        self._dataset = dataset

    @property
    def store(self) -> StoreName:
        """The store that has the functions."""
        return self._client.store

    def __call__(
        self, door: str, arguments: Mapping[str, Any], *, deadline_s: float | None = None, once: bool = False
    ) -> object:
        """Call one function; see `storage.replication.doors.Call`."""
        known = REPLICATION_DOORS[door]
        _, function = known.function(self._dataset, Side.SECONDARY)
        if known.reads and deadline_s is None:
            return self._client.call(function, arguments)
        return self._client.call_once(function, arguments, deadline_s=deadline_s, writes=once)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
