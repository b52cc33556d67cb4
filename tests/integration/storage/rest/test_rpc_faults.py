"""Doors behind a network that spoils answers: a comparison ends in one sentence, or in the truth."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psycopg
import pytest

from contracts.errors import TwinstoreError
from contracts.planning import PLANNING
from contracts.vocabulary import StoreName
from storage.parity.engine import Parity, ParityOptions, compare
from storage.parity.recheck import Patience
from storage.postgres import PostgresReader
from storage.rest.client import RestAccess
from storage.rest.rpc_reader import RestRpcReader
from tests.support.faulty_proxy import Fault, Plan, faulty_proxy
from tests.support.gateway import Rest, serve
from tests.support.rest_reading import HANGING, IMPATIENT, SHORT
from tests.support.servers import SEEDED, Pair, Servers

AT_ONCE = ParityOptions(patience=Patience(grace_s=0, rounds=1))
HARMLESS = {Fault.CLOSED_AFTERWARDS, Fault.NO_RANGE}
"""Doors give one value, of which no header tells a range."""
QUICK = {Fault.HALF_JSON, Fault.BUSY}
"""Tried always; the others share their transport with whole rows, where all of them are."""
REQUESTS = 20
"""More than a comparison of these stores sends."""


@pytest.fixture
def plan() -> Plan:
    """What the proxy does; nothing at first."""
    return Plan()


@pytest.fixture(scope="module")
def unequal_pair(servers: Servers, _seeded_template: str) -> Iterator[Pair]:
    """Two databases with the same records but one, for all tests that change nothing in them."""
    with servers.clones(_seeded_template) as pair:
        with psycopg.connect(pair.secondary) as connection:
            connection.execute(
                "UPDATE public.planning SET title = 'other'"
                " WHERE id = (SELECT min(id::text)::uuid FROM public.planning)"
            )
        yield pair


@pytest.fixture(scope="module")
def unequal_rest(unequal_pair: Pair) -> Iterator[Rest]:
    """Their secondary over REST."""
    with serve(unequal_pair.secondary_gate) as rest:
        yield rest


@pytest.fixture
def proxied(rest: Rest, plan: Plan) -> Iterator[str]:
    """URL of the project behind a proxy that can be told to spoil answers."""
    with faulty_proxy(rest.url, plan) as url:
        yield url


def compared(pair: Pair, url: str, key: str, fault: Fault | None = None) -> Parity:
    """Compare the stores at once, from facts to causes; what hangs is given up soon."""
    primary = PostgresReader(pair.primary, StoreName.PRISMA, PLANNING)
    secondary = RestRpcReader(
        RestAccess(url=url, key=key), PLANNING, limits=SHORT if fault in HANGING else None, patience=IMPATIENT
    )
    return compare(primary, secondary, (primary.facts(), secondary.facts()), options=AT_ONCE)


@pytest.mark.parametrize(
    "fault", [pytest.param(fault, marks=() if fault in QUICK else pytest.mark.soak) for fault in Fault]
)
def test_no_fault_invents_or_hides_a_difference(
    unequal_pair: Pair, unequal_rest: Rest, plan: Plan, fault: Fault
) -> None:
    """A fault that begins at any request and lasts ends the comparison in one sentence, or does no harm."""
    with faulty_proxy(unequal_rest.url, plan) as url:
        _begin_anywhere(unequal_pair, url, unequal_rest.service_key, plan, fault)


def _begin_anywhere(pair: Pair, url: str, key: str, plan: Plan, fault: Fault) -> None:
    """Compare as often as a fault can begin elsewhere."""
    expected = compared(pair, url, key)
    assert (expected.rows.matched, expected.different) == (SEEDED - 1, 1)
    ended = 0
    for first in range(0, REQUESTS, 3):
        plan.fault, plan.first, plan.requests = fault, first, 0
        began = time.monotonic()
        try:
            found = compared(pair, url, key, fault)
        except TwinstoreError as error:
            ended += 1
            sentence = str(error)
        else:
            sentence = ""
            assert (found.rows, found.differences) == (expected.rows, expected.differences)
        assert time.monotonic() - began < 15
        assert not any(secret in sentence for secret in (key, "Bearer", "\n", "http://127"))
    assert ended or fault in HARMLESS


@pytest.mark.parametrize(
    "fault",
    [
        Fault.CLOSED_AT_ONCE,
        Fault.NO_SCHEMA,
        *(pytest.param(fault, marks=pytest.mark.soak) for fault in (Fault.HTML, Fault.HALF_JSON, Fault.BUSY)),
    ],
)
def test_a_fault_that_passes_changes_nothing(
    still_pair: Pair, rest: Rest, plan: Plan, proxied: str, fault: Fault
) -> None:
    """What is spoilt once is asked for again, whichever answer it is."""
    for first in range(8):
        plan.fault, plan.first, plan.times, plan.requests = fault, first, 1, 0
        assert compared(still_pair, proxied, rest.service_key).identical
