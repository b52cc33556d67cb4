"""What several tests of checks share."""

from __future__ import annotations

import pytest

from contracts.verdicts import CheckResult
from contracts.vocabulary import StoreName
from flows import stages
from tests.support.checking import job_of
from tests.support.servers import Servers


@pytest.fixture(scope="session")
def clean_suite(servers: Servers, _seeded_template: str) -> tuple[CheckResult, ...]:
    """What the suites say of the clean stores: no fault of the catalogue is about them, and they take seconds."""
    with servers.clones(_seeded_template) as pair:
        job = job_of(pair)
        return tuple(
            result for store in StoreName for result in stages.run_expectations(job, stages.look_at(job, store))
        )
