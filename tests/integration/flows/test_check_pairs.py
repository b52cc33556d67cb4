"""A check of databases of which, or of others of their name, the memory holds earlier runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from contracts.vocabulary import Channel, StoreName, Verdict
from tests.support.repairing import environment_of, remember_run, say
from tests.support.servers import Pair

PRISMA, SUPABASE = StoreName


def test_only_rows_that_other_databases_held_are_not_missed(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store with fewer rows than before has shrunk, and so has one that may be the same, but not another one."""
    with environment_of(seeded_pair, Channel.SQL, home, monkeypatch):
        remember_run(home, {}, verdict=Verdict.PASSED, known_as={PRISMA: "", SUPABASE: "another secondary"})
        (found,) = say("check", "--json").document["datasets"]
    shrunk = {check["store"]: check["status"] for check in found["checks"] if check["id"] == "planning.not_shrunk"}
    assert shrunk == {PRISMA: "failed", SUPABASE: "skipped"}
