"""Over REST a check fails closed, too: errored or incomplete, one sentence, and never a difference that nobody made."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import psycopg
import pytest
import stamina

from contracts.verdicts import CheckResult, DatasetReport
from contracts.vocabulary import Channel, StoreName, Verdict
from storage.rest.client import RestAccess
from tests.support.checking import check, job_of
from tests.support.faulty_proxy import Fault, Plan, faulty_proxy, nobody_accepts, nobody_listens
from tests.support.gateway import Rest, serve
from tests.support.servers import Pair

REST = (Channel.RPC, Channel.ROWS)
HARMLESS = {Fault.CLOSED_AFTERWARDS, Fault.TAIL_LOST_QUIETLY}  # the one is mended, the other makes pages short
OF_ROWS = {Fault.ROWS_LOST, Fault.ROWS_LOST_QUIETLY, Fault.NOTHING_QUIETLY, Fault.NUMBERS, Fault.NOT_ROWS}
OF_ROWS |= {Fault.NO_RANGE}  # what our functions answer has none
QUICK = {
    Channel.RPC: {Fault.HTML, Fault.TOO_MANY},
    Channel.ROWS: {Fault.CUT_OFF, Fault.TIMEOUT, Fault.ROWS_LOST_QUIETLY},
}
LASTING = [
    pytest.param(channel, fault, marks=() if fault in QUICK[channel] else pytest.mark.soak)
    for channel in REST
    for fault in Fault
    if fault not in HARMLESS and not (channel is Channel.RPC and fault in OF_ROWS)
]
PULL = 2  # number of the request, from 0, that pulls the rows, when there are few
SHORT = {"connect_timeout_s": 0.5, "statement_timeout_s": 0.5}


@pytest.fixture(autouse=True)
def _impatient() -> Iterator[None]:
    """Try again twice and at once: how long one waits is another test's matter."""
    with stamina.set_testing(testing=True, attempts=2):
        yield


@pytest.fixture(scope="module")
def rest(still_pair: Pair) -> Iterator[Rest]:
    """The shared secondary over REST."""
    with serve(still_pair.secondary_gate) as rest:
        yield rest


@pytest.fixture
def own_rest(seeded_pair: Pair) -> Iterator[Rest]:
    """A secondary of the test's own over REST."""
    with serve(seeded_pair.secondary_gate) as rest:
        yield rest


Check = Callable[..., DatasetReport]


@pytest.fixture(scope="module")
def report_of(still_pair: Pair, clean_suite: tuple[CheckResult, ...]) -> Check:
    """Check the shared stores over REST, by a channel that is named or not."""
    return checking(still_pair, clean_suite)


@pytest.fixture
def own_report_of(seeded_pair: Pair, clean_suite: tuple[CheckResult, ...]) -> Check:
    """Check stores of the test's own in this way."""
    return checking(seeded_pair, clean_suite)


def checking(pair: Pair, suite: tuple[CheckResult, ...]) -> Check:
    """Return what checks stores; what the suites say of the clean ones is taken for granted: they take seconds."""

    def run(rest: Rest, channel: Channel | None = None, **settings: Any) -> DatasetReport:
        return check(job_of(pair, rest=rest, channel=channel, **settings), suite=suite)

    return run


def assert_closed(report: DatasetReport, *words: str) -> None:
    """Assert that nothing was concluded, and that the report says why in one sentence each."""
    assert report.verdict in (Verdict.ERRORED, Verdict.INCOMPLETE)
    assert report.verdict.exit_code == 2
    assert (report.differences, report.clusters, report.differences_total) == ((), (), 0)
    texts = [reason.text for reason in report.reasons]
    assert all(text and "\n" not in text and len(text) < 400 for text in texts)
    for word in words:
        assert any(word in text for text in texts), texts


@pytest.mark.parametrize(("channel", "fault"), LASTING, ids=lambda p: p.name.lower())
def test_a_fault_that_begins_in_the_middle_ends_the_check(
    rest: Rest, report_of: Check, channel: Channel, fault: Fault
) -> None:
    """Wherever in a check a proxy begins to spoil answers, nothing false is concluded from them."""
    plan = Plan(fault=None)
    with faulty_proxy(rest.url, plan) as url:
        through = replace(rest, url=url)
        assert report_of(through, channel).verdict is Verdict.PASSED
        # Of rows that are asked for by key, those that get lost are asked for again, one by one: that mends it.
        latest = PULL if fault is Fault.ROWS_LOST_QUIETLY else plan.requests - 1
        plan.first = random.Random(f"{channel} {fault}").randint(0, latest)
        plan.fault, plan.requests = fault, 0
        assert_closed(report_of(through, channel, **SHORT))


ANY = pytest.mark.parametrize("channel", [None, *(pytest.param(channel, marks=pytest.mark.soak) for channel in REST)])
"""Left open always, so that it is chosen; each that may be chosen in the long tests."""


@ANY
def test_a_store_that_is_down(rest: Rest, report_of: Check, channel: Channel | None) -> None:
    """Nobody listens, or nobody accepts: the store cannot be reached."""
    for gone in (nobody_listens, nobody_accepts):
        with gone() as url:
            report = report_of(replace(rest, url=url), channel, **SHORT)
        assert_closed(report, "supabase cannot be reached")


@ANY
def test_a_key_that_is_wrong(rest: Rest, report_of: Check, channel: Channel | None) -> None:
    """A key of another project, old or new, is refused, and the sentence does not quote it."""
    for key in ("sb_secret_0123456789012345678901_01234567", rest.service_key[:-6] + "AAAAAA"):
        report = report_of(replace(rest, secret_key=key), channel)
        assert_closed(report, "does not accept our key")
        assert key not in str(report.reasons)


@pytest.mark.parametrize("channel", [None, Channel.ROWS])
@pytest.mark.parametrize("name", ["anon_key", "publishable_key"])
def test_the_key_of_anon_sees_too_little(
    seeded_pair: Pair, own_rest: Rest, own_report_of: Check, channel: Channel | None, name: str
) -> None:
    """Rows may be hidden from anon, or all of them are closed to it: incomplete or refused, and no row is missing."""
    with psycopg.connect(seeded_pair.secondary_superuser) as connection:
        connection.execute("GRANT SELECT ON public.planning TO anon")
    report = own_report_of(replace(own_rest, secret_key=getattr(own_rest, name)), channel)
    assert_closed(report, "may hide rows" if report.verdict is Verdict.INCOMPLETE else "supabase")
    assert report.verdict is Verdict.INCOMPLETE


@pytest.mark.parametrize("channel", REST)
def test_a_grant_that_is_missing(seeded_pair: Pair, own_rest: Rest, own_report_of: Check, channel: Channel) -> None:
    """Without the right to read the table nothing is compared, and the grant is named."""
    with psycopg.connect(seeded_pair.secondary_superuser) as connection:
        connection.execute("REVOKE ALL ON public.planning FROM service_role")
    report = own_report_of(own_rest, channel)
    assert_closed(report)
    assert "planning" in str(report.reasons)


@pytest.mark.parametrize("channel", REST)
def test_a_schema_cache_that_is_stale(
    seeded_pair: Pair, own_rest: Rest, own_report_of: Check, channel: Channel
) -> None:
    """What the API does not know any more, or not yet, ends the check."""
    dropped = "ALTER TABLE public.planning RENAME COLUMN title TO heading"
    with psycopg.connect(seeded_pair.secondary_superuser) as connection:
        connection.execute(dropped.encode())
    assert_closed(own_report_of(own_rest, channel))


def test_a_budget_that_is_spent(still_pair: Pair, rest: Rest, clean_suite: tuple[CheckResult, ...]) -> None:
    """A run that may send three requests compares nothing, and says what it was allowed."""
    job = job_of(still_pair, rest=rest, channel=Channel.ROWS)
    for meter in job.meters.values():
        meter.max_requests = 3
    assert_closed(check(job, suite=clean_suite), "more than the 3 requests that are allowed")


def test_asking_for_our_functions_counts_as_a_request(still_pair: Pair, rest: Rest) -> None:
    """What is sent to choose the channel is part of the cost and of the budget, too."""
    job = job_of(still_pair, rest=rest)
    with closing(job):
        assert job.reader(StoreName.SUPABASE).channel is Channel.RPC
    assert job.meters[StoreName.SUPABASE].requests == 1


def test_a_url_that_leads_elsewhere_is_refused() -> None:
    """A URL that no project has is refused before anything is sent, and is not quoted."""
    with pytest.raises(Exception, match="SUPABASE_URL is not the URL of a project") as raised:
        RestAccess(url="postgresql://user:secret@host/db", key="x")
    assert "secret" not in str(raised.value)
