"""Servers that a test may treat badly."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from contracts.errors import TwinstoreError
from storage.local.pair import LocalPair
from storage.local.server import Server
from tests.support.servers import watched_folder

REPOSITORY = Path(__file__).parents[4]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every account may enter; servers below it end with the test process."""
    with watched_folder() as folder:
        yield folder


@contextmanager
def started(folder: Path) -> Iterator[Server]:
    """Make and start a server in a folder; stop it at the end, if it still runs."""
    server = Server(version=16, folder=folder, durable=False)
    server.initialise()
    server.start()
    yield server
    with suppress(TwinstoreError):
        server.stop(wait_s=5)


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    """A server of its own, initialised and started."""
    with started(folder / "server") as server:
        yield server


@pytest.fixture(scope="module")
def still_server() -> Iterator[Server]:
    """Such a server for all tests of a module that let it run as it is."""
    with watched_folder() as folder, started(folder / "server") as server:
        yield server


class Pairs:
    """Makes pairs that are stopped at the end of the test.

    Args:
        shelter: Where root keeps them if their own folder is closed.
    """

    def __init__(self, shelter: Path) -> None:
        self.shelter = shelter
        self.made: list[LocalPair] = []

    def at(self, home: Path, *, with_rest: bool = False) -> LocalPair:
        """Return the pair below `home`; its REST service is started where a test is about it, too."""
        pair = LocalPair(home, durable=False, shelter=self.shelter, with_rest=with_rest)
        self.made.append(pair)
        return pair


@pytest.fixture
def pairs(folder: Path) -> Iterator[Pairs]:
    """A maker of pairs."""
    pairs = Pairs(folder / "shelter")
    yield pairs
    for pair in pairs.made:
        with suppress(TwinstoreError):
            pair.down()


def child(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Start another Python process that runs `code` in a process group of its own."""
    command = [sys.executable, "-c", code, *(str(argument) for argument in arguments)]
    return subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
