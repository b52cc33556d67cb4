"""What several tests of checks share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from contracts.verdicts import CheckResult
from contracts.vocabulary import StoreName
from flows import stages
from tests.support.checking import job_of
from tests.support.servers import Servers

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient


@pytest.fixture(scope="package")
def client() -> Iterator[SyncPrefectClient]:
    """A client of a Prefect server that runs for the tests of flows, with a database of its own."""
    from prefect.client.orchestration import get_client  # noqa: PLC0415 - it takes seconds: only where flows run
    from prefect.testing.utilities import prefect_test_harness  # noqa: PLC0415 - likewise

    with prefect_test_harness(server_startup_timeout=180), get_client(sync_client=True) as client:
        yield client


@pytest.fixture(scope="session")
def clean_suite(servers: Servers, _seeded_template: str) -> tuple[CheckResult, ...]:
    """What the suites say of the clean stores: no fault of the catalogue is about them, and they take seconds."""
    with servers.clones(_seeded_template) as pair:
        job = job_of(pair)
        return tuple(
            result for store in StoreName for result in stages.run_expectations(job, stages.look_at(job, store))
        )
