"""Rows that change while they are compared over REST, where no two requests share a moment."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from contracts.planning import PLANNING
from contracts.vocabulary import DifferenceKind, StoreName, Verdict
from storage.local.seed import load
from storage.parity import candidates
from storage.parity.engine import Parity, compare
from storage.postgres import PostgresReader
from storage.rest.client import RestAccess
from storage.rest.rpc_reader import RestRpcReader
from tests.integration.storage.parity.test_live_writer import PATIENCE, ROWS, Writer, assert_adds_up
from tests.support.accounts import url_of
from tests.support.gateway import Rest, serve
from tests.support.servers import SEEDED_AT, Pair


@pytest.fixture
def served(pair: Pair) -> Iterator[Rest]:
    """The secondary, each answer held back as by a network."""
    with serve(pair.secondary_gate, latency_s=0.05) as rest:
        yield rest


def compared(pair: Pair, rest: Rest) -> Parity:
    """Compare the stores with the patience that everybody has by default."""
    primary = PostgresReader(pair.primary, StoreName.PRISMA, PLANNING)
    secondary = RestRpcReader(RestAccess(url=rest.url, key=rest.service_key), PLANNING)
    return compare(primary, secondary, (primary.facts(), secondary.facts()))


@pytest.mark.soak  # needs a machine that is free enough for the writer to keep its times
@pytest.mark.parametrize("sketched", [False, True], ids=["pairs", "sketch"])
@pytest.mark.parametrize("first", list(StoreName))
def test_changes_under_way_are_no_differences_and_a_real_one_is(
    pair: Pair,
    served: Rest,
    first: StoreName,
    sketched: bool,  # noqa: FBT001 - a parameter of the test
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With 200 changes a second that arrive 2 s later, the one row that really differs is found, and no other."""
    if sketched:
        monkeypatch.setattr(candidates, "FEW_ROWS", 0)
    load(pair.primary, pair.secondary, ROWS, now=SEEDED_AT)
    with psycopg.connect(pair.primary) as connection:
        keys = [key for (key,) in connection.execute("SELECT id FROM public.planning ORDER BY id")]
    wrong = keys.pop(ROWS // 2)
    writer = Writer(pair, first, keys)
    with writer.writing():
        quiet = compared(pair, served)
        with psycopg.connect(url_of(pair, first.other)) as connection:
            connection.execute("UPDATE public.planning SET title = 'Really different' WHERE id = %s", [wrong])
        found = compared(pair, served)
    assert writer.late_s < PATIENCE.grace_s, "this machine was too busy to bring the changes over in time"
    for parity in (quiet, found):
        assert_adds_up(parity)
        assert parity.rows.settled > 0  # how many depends on how much later the secondary is read
        assert parity.rows.matched > ROWS * 0.9
    assert quiet.differences == ()
    assert Verdict.FAILED not in {reason.verdict for reason in quiet.reasons}
    assert [(d.key, d.kind) for d in found.differences] == [(wrong, DifferenceKind.DIFFERING)]
