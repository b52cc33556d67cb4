"""Every fault of two stores that replicate: found with its cause and its place, and nothing invented."""

from __future__ import annotations

import pytest

from contracts.replication import Place, ReplicationState
from contracts.verdicts import CheckResult, DatasetReport
from contracts.vocabulary import Channel, Verdict
from flows.findings import findings, invented
from storage.local.faults import ADOPTED, ADOPTED_DECOYS, Fault, Injected, fault, inject_adopted
from tests.support.checking import check, job_of, over
from tests.support.replicating import relaying, replicating
from tests.support.servers import Pair

ALL = (*ADOPTED, *ADOPTED_DECOYS)
TOGETHER = [one for one in ALL if not one.exclusive]
GAPS = [one for one in ALL if one.exclusive]
OVER_RPC = [
    pytest.param(one, id=one.id, marks=() if one.id == "gap_truncated_supabase" else pytest.mark.soak) for one in GAPS
]


def found(
    pair: Pair, faults: list[Fault], suite: tuple[CheckResult, ...], channel: Channel = Channel.SQL
) -> tuple[list[Injected], DatasetReport]:
    """Plant faults in an adopted pair, and check it over a channel."""
    with over(pair, channel) as rest, replicating(pair, rest) as replication:
        planted = inject_adopted(pair.primary_superuser, pair.secondary_superuser, faults, relay=relaying(replication))
        return planted, check(job_of(pair, rest=rest, channel=channel), suite=suite)


@pytest.mark.parametrize("channel", [Channel.SQL, Channel.RPC])
def test_a_clean_adopted_pair_passes(seeded_pair: Pair, clean_suite: tuple[CheckResult, ...], channel: Channel) -> None:
    """Capture is proven on both sides, nothing waits, and since when the stores are adopted is told."""
    _, report = found(seeded_pair, [], clean_suite, channel)
    assert report.verdict is Verdict.PASSED, report.reasons
    assert report.replication is not None
    assert report.replication.state is ReplicationState.ON
    assert report.replication.adopted_at is not None
    assert [check.status.value for check in report.checks if check.id == "planning.capture_gap"] == ["passed"] * 2


@pytest.mark.parametrize("one", ALL, ids=lambda f: f.id)
def test_a_fault_alone_is_found_with_its_place_and_nothing_else(
    seeded_pair: Pair, clean_suite: tuple[CheckResult, ...], one: Fault
) -> None:
    """The report names exactly the fault's keys, kind, fields, causes, place and failing rules, and has its verdict."""
    planted, report = found(seeded_pair, [one], clean_suite)
    assert [finding.wrong for finding in findings(planted, report)] == [()]
    assert invented(planted, report) == []
    assert report.verdict is one.expects.verdict, report.reasons


@pytest.mark.parametrize("channel", [Channel.SQL, Channel.RPC])
def test_all_faults_of_rows_are_told_apart(
    seeded_pair: Pair, clean_suite: tuple[CheckResult, ...], channel: Channel
) -> None:
    """Planted together, each is placed as if it were alone, over every channel that has our functions."""
    planted, report = found(seeded_pair, TOGETHER, clean_suite, channel)
    assert [finding for finding in findings(planted, report) if finding.wrong] == []
    assert invented(planted, report) == []
    assert report.replication is not None
    assert report.replication.places == {Place.NOT_YET: 9, Place.CONFLICT: 3, Place.DEAD_LETTER: 3, Place.LOST: 9}
    for account in report.ranges:
        assert account.primary.balance == account.secondary.balance == 0
    assert report.verdict is Verdict.FAILED


@pytest.mark.parametrize("one", OVER_RPC)
def test_a_gap_is_found_over_rpc(seeded_pair: Pair, clean_suite: tuple[CheckResult, ...], one: Fault) -> None:
    """Over REST as by SQL: the store whose writes passed by fails, and the other does not."""
    planted, report = found(seeded_pair, [one], clean_suite, Channel.RPC)
    assert [finding.wrong for finding in findings(planted, report)] == [()]
    assert invented(planted, report) == []
    assert report.verdict is one.expects.verdict, report.reasons


def test_over_rows_alone_nobody_can_tell(seeded_pair: Pair, clean_suite: tuple[CheckResult, ...]) -> None:
    """What differs is found and has no place; the secondary's capture is skipped, not passed."""
    with over(seeded_pair, Channel.RPC) as rest, replicating(seeded_pair, rest) as replication:
        inject_adopted(
            seeded_pair.primary_superuser,
            seeded_pair.secondary_superuser,
            [fault("lost_prisma")],
            relay=relaying(replication),
        )
        report = check(job_of(seeded_pair, rest=rest, channel=Channel.ROWS), suite=clean_suite)
    assert {(d.place, d.waiting_s) for d in report.differences} == {(None, None)}
    statuses = {c.store.value: c.status.value for c in report.checks if c.id == "planning.capture_gap"}
    assert statuses == {"prisma": "passed", "supabase": "skipped"}


def test_a_pair_that_was_never_adopted_says_so_in_one_line(
    seeded_pair: Pair, clean_suite: tuple[CheckResult, ...]
) -> None:
    """Replication is off; there is no result about capture, and no place."""
    report = check(job_of(seeded_pair), suite=clean_suite)
    assert report.replication is not None
    assert report.replication.state is ReplicationState.OFF
    assert "planning.capture_gap" not in {check.id for check in report.checks}
    assert report.verdict is Verdict.PASSED
