"""The same check over every channel: what is found, and why, does not depend on how Supabase is reached."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pytest

from contracts.verdicts import DatasetReport
from contracts.vocabulary import Cause, Channel, Verdict
from flows.findings import findings, invented
from storage.local.faults import DECOYS, FAULTS, PAIRS, Fault, Injected, inject
from storage.local.seed import load
from tests.support.checking import check, job_of, over
from tests.support.servers import SEEDED_AT, Pair, Servers

RECORDS = 5_000  # enough for every fault to find rows of its kind
REST = (Channel.RPC, Channel.ROWS)
TOGETHER = [one for one in (*FAULTS, *DECOYS, *PAIRS) if not one.exclusive]
WHOLE_TABLES = [
    pytest.param(one, id=one.id, marks=() if Cause.SIDE_EMPTY in one.expects.causes else pytest.mark.soak)
    for one in (*FAULTS, *DECOYS)
    if one.exclusive
]


def report_over(pair: Pair, channel: Channel, rows: int = 300) -> DatasetReport:
    """Check over one channel, with three earlier runs to compare with in which each store held so many rows."""
    with over(pair, channel) as rest:
        job = job_of(pair, rest=rest, channel=channel)
        return check(job, trend=(rows, rows, rows))


def told(report: DatasetReport) -> Mapping[str, object]:
    """Return all that a report says about records and rules, without what belongs to a channel."""
    return {
        "verdict": report.verdict,
        "rows": report.rows,
        "differences": report.differences,
        "clusters": report.clusters,
        "ranges": report.ranges,
        "checks": report.checks,
    }


@pytest.mark.parametrize("channel", REST)
def test_clean_stores_pass(seeded_pair: Pair, channel: Channel) -> None:
    """Every stage runs, nothing is found, and the report names the channel."""
    report = report_over(seeded_pair, channel)
    assert report.verdict is Verdict.PASSED, report.reasons
    assert [facts.channel for facts in report.stores] == [Channel.SQL, channel]
    assert any("two different databases" in note for note in report.notes) == (channel is Channel.ROWS)
    assert invented([], report) == []


class Planted(NamedTuple):
    """Stores in which all faults of single rows are planted at once, and what a check by SQL says of them."""

    pair: Pair
    faults: tuple[Injected, ...]
    by_sql: DatasetReport


@pytest.fixture(scope="module")
def planted(servers: Servers, _migrated_template: str) -> Iterator[Planted]:
    """Such stores, which no test changes."""
    with servers.clones(_migrated_template) as pair:
        load(pair.primary, pair.secondary, RECORDS, now=SEEDED_AT)
        faults = inject(pair.primary, pair.secondary, TOGETHER)
        yield Planted(pair, tuple(faults), report_over(pair, Channel.SQL, RECORDS))


@pytest.mark.parametrize("channel", REST)
def test_the_catalogue_is_found_as_by_sql(planted: Planted, channel: Channel) -> None:
    """All faults of single rows at once lead to the same findings, causes and counts as by SQL."""
    report = report_over(planted.pair, channel, RECORDS)
    assert [finding for finding in findings(planted.faults, report) if finding.wrong] == []
    assert invented(planted.faults, report) == []
    assert told(report) == told(planted.by_sql)


@pytest.mark.parametrize("one", WHOLE_TABLES)
@pytest.mark.parametrize("channel", REST)
def test_a_fault_of_a_whole_table_is_found_as_by_sql(seeded_pair: Pair, channel: Channel, one: Fault) -> None:
    """It is told as by SQL; an empty side is one finding, since the key of service_role sees every row."""
    inject(seeded_pair.primary, seeded_pair.secondary, [one])
    report = report_over(seeded_pair, channel)
    assert told(report) == told(report_over(seeded_pair, Channel.SQL))
    if Cause.SIDE_EMPTY in one.expects.causes:
        assert [cluster.cause for cluster in report.clusters] == [Cause.SIDE_EMPTY]


@pytest.mark.soak
@pytest.mark.parametrize("one", TOGETHER, ids=lambda f: f.id)
@pytest.mark.parametrize("channel", REST)
def test_a_fault_alone_is_found_with_its_cause_and_nothing_else(
    seeded_pair: Pair, channel: Channel, one: Fault
) -> None:
    """The report names exactly the fault's keys, kind, fields, causes and failing rules, and has its verdict."""
    planted = inject(seeded_pair.primary, seeded_pair.secondary, [one])
    report = report_over(seeded_pair, channel)
    assert [finding.wrong for finding in findings(planted, report)] == [()]
    assert invented(planted, report) == []
    assert report.verdict is one.expects.verdict, report.reasons
