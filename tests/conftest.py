"""Fixtures for every test: a clean environment, real servers, pairs of databases.

A database of a test's own costs about half a second on a busy machine: a test that only reads takes a still pair.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support.servers import (
    Pair,
    Servers,
    make_empty_templates,
    make_migrated_templates,
    make_seeded_templates,
    running_servers,
    watched_folder,
)

_QUIET = {"GX_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
_LEAKS = ("DATABASE_URL", "SUPABASE_", "TWINSTORE_", "PG", "PREFECT_API_")
_HOMES = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    """Clean the environment before any test module is imported: some libraries read it at import.

    A shell ignores SIGINT for what it runs in the background, and children inherit that; some tests press Ctrl-C.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in list(os.environ):
        if name.startswith(_LEAKS) and not name.startswith("TWINSTORE_TEST_"):
            del os.environ[name]
    # How long an example takes, or is made, is the machine's business.
    settings.register_profile("twinstore", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("twinstore")
    homes = config.stash[_HOMES] = tempfile.mkdtemp(prefix="twinstore-home-")
    Path(homes).chmod(0o711)  # the account of a server may pass through it
    os.environ.update(_QUIET, TWINSTORE_HOME=f"{homes}/twinstore", PREFECT_HOME=f"{homes}/prefect")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove what the tests kept instead of the user's own files."""
    shutil.rmtree(config.stash[_HOMES], ignore_errors=True)


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """Two running servers of this test process."""
    with running_servers() as servers:
        yield servers


@pytest.fixture(scope="session")
def _empty_template(servers: Servers) -> str:
    return make_empty_templates(servers)


@pytest.fixture(scope="session")
def _migrated_template(servers: Servers, _empty_template: str) -> str:
    return make_migrated_templates(servers, _empty_template)


@pytest.fixture(scope="session")
def _seeded_template(servers: Servers, _migrated_template: str) -> str:
    return make_seeded_templates(servers, _migrated_template)


@pytest.fixture(scope="session")
def still_empty_pair(servers: Servers, _empty_template: str) -> Iterator[Pair]:
    """Two empty databases for all tests that leave nothing in them."""
    with servers.clones(_empty_template) as pair:
        yield pair


@pytest.fixture(scope="session")
def still_pair(servers: Servers, _seeded_template: str) -> Iterator[Pair]:
    """Two databases with the same 300 planning records for all tests that only read them."""
    with servers.clones(_seeded_template) as pair:
        yield pair


@pytest.fixture
def empty_pair(servers: Servers, _empty_template: str) -> Iterator[Pair]:
    """Two empty databases; the secondary is dressed as Supabase."""
    with servers.clones(_empty_template) as pair:
        yield pair


@pytest.fixture
def pair(servers: Servers, _migrated_template: str) -> Iterator[Pair]:
    """Two databases with their planning tables, without rows."""
    with servers.clones(_migrated_template) as pair:
        yield pair


@pytest.fixture
def seeded_pair(servers: Servers, _seeded_template: str) -> Iterator[Pair]:
    """Two databases with the same 300 planning records."""
    with servers.clones(_seeded_template) as pair:
        yield pair


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder for `TWINSTORE_HOME`, not made yet; the servers of a pair below it end with the test process."""
    with watched_folder() as folder:
        yield folder / "home"
