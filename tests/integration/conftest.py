"""Patience: a machine that stalls for some seconds while tests run is no outage of a store."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import pytest

from storage.dual import homing, permission, reading, repository, saving
from storage.replication import adoption, relay
from tests.support.replication import PATIENT_S

LIMITS: tuple[tuple[ModuleType, str], ...] = (
    (homing, "JUDGE_S"),
    (permission, "ASK_S"),
    (permission, "FRESH_S"),
    (reading, "READ_S"),
    (relay, "STEP_S"),
    (repository, "READ_S"),
    (saving, "WRITE_S"),
)


@pytest.fixture(scope="session", autouse=True)
def _patient_adoptions() -> Iterator[None]:
    """Give each step of an adoption longer than it may hold up an application; also of those that tests share."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adoption, "LONGEST_S", PATIENT_S)
        yield


@pytest.fixture(autouse=True)
def patient_repositories(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each step of a repository longer, too; tests of these limits put another fixture in the place of this."""
    for module, name in LIMITS:
        monkeypatch.setattr(module, name, PATIENT_S)
