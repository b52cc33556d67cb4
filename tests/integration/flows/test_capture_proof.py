"""Whether stores replicate, as a check asks: what it cannot tell is never a pass, and what is off is no finding."""

from __future__ import annotations

from contextlib import closing

import psycopg
import pytest

from contracts.replication import Gap, ReplicationState
from contracts.verdicts import CheckResult, DatasetReport
from contracts.vocabulary import Channel, CheckStatus, StoreName, Verdict
from flows import stages
from flows.capturing import prove_capture
from flows.replicating import Replication
from storage.replication import adoption
from tests.support.accounts import superuser_of, url_of
from tests.support.checking import check, job_of, over
from tests.support.replicating import replicating
from tests.support.servers import Pair

Suite = tuple[CheckResult, ...]
FUNCTIONS = {StoreName.PRISMA: "twinstore.planning_{}", StoreName.SUPABASE: "public.twinstore_planning_{}"}


def execute(url: str, *statements: str) -> None:
    """Run statements, each on its own."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def statuses(report: DatasetReport) -> dict[StoreName, CheckStatus]:
    """Return how the check of capture came out, per store."""
    return {c.store: c.status for c in report.checks if c.id == "planning.capture_gap"}


def state_of(report: DatasetReport) -> ReplicationState | None:
    """Return whether the stores replicate, as the report says."""
    return report.replication.state if report.replication else None


def doors(replication: Replication, store: StoreName) -> object:
    """Return the doors of a store."""
    return replication.primary if store is StoreName.PRISMA else replication.both()[1]


@pytest.mark.parametrize("store", list(StoreName))
def test_a_store_without_functions_is_checked_all_the_same(
    seeded_pair: Pair, clean_suite: Suite, store: StoreName
) -> None:
    """An older installation: whether the stores replicate is off or unknown, and nothing else changes."""
    for name in ("standing(jsonb)", "look(jsonb)"):
        execute(url_of(seeded_pair, store), f"DROP FUNCTION {FUNCTIONS[store].format(name)}")
    report = check(job_of(seeded_pair), suite=clean_suite)
    assert (report.verdict, statuses(report)) == (Verdict.PASSED, {})
    assert state_of(report) is (ReplicationState.UNKNOWN if store is StoreName.PRISMA else ReplicationState.OFF)


@pytest.mark.parametrize("channel", [Channel.SQL, Channel.RPC])
def test_functions_of_another_version_of_an_adopted_pair_are_an_error(
    seeded_pair: Pair, clean_suite: Suite, channel: Channel
) -> None:
    """What they say cannot be trusted, and the primary shows that the stores replicate."""
    other = FUNCTIONS[StoreName.SUPABASE].format("standing")
    with over(seeded_pair, channel) as rest, replicating(seeded_pair, rest):
        execute(
            seeded_pair.secondary,
            f"CREATE OR REPLACE FUNCTION {other}(heard jsonb) RETURNS jsonb LANGUAGE sql STABLE AS "
            """$$ SELECT '{"script": "another"}'::jsonb $$""",
        )
        report = check(job_of(seeded_pair, rest=rest, channel=channel), suite=clean_suite)
    assert statuses(report) == {StoreName.PRISMA: CheckStatus.PASSED, StoreName.SUPABASE: CheckStatus.ERRORED}
    assert report.verdict is Verdict.ERRORED
    assert "twinstore migrate" in report.reasons[0].text


@pytest.mark.parametrize("store", list(StoreName))
def test_a_store_that_is_captured_alone_is_a_gap_on_the_other(
    seeded_pair: Pair, clean_suite: Suite, store: StoreName
) -> None:
    """Somebody turned capture off on one side only, or restored it from before: its writes pass by."""
    with replicating(seeded_pair) as replication:
        doors(replication, store).capture(wanted=False)  # type: ignore[attr-defined]  # one of two kinds of doors
        report = check(job_of(seeded_pair), suite=clean_suite)
    assert statuses(report) == {store: CheckStatus.FAILED, store.other: CheckStatus.PASSED}
    assert report.verdict is Verdict.FAILED


def test_what_is_asked_of_replication_is_part_of_what_a_check_costs(seeded_pair: Pair) -> None:
    """Three statements on the primary, one request to a project: both are counted, and held against the budget."""
    with over(seeded_pair, Channel.RPC) as rest, replicating(seeded_pair, rest):
        job = job_of(seeded_pair, rest=rest, channel=Channel.RPC)
        with closing(job):
            looks = (stages.look_at(job, StoreName.PRISMA), stages.look_at(job, StoreName.SUPABASE))
            primary, secondary = job.meters.values()
            before = primary.statements, secondary.requests
            prove_capture(job, looks)
            assert (primary.statements - before[0], secondary.requests - before[1]) == (3, 1)
            secondary.max_requests = secondary.requests
            spent = prove_capture(job, looks)
    assert "requests that are allowed" in str([check.message for check in spent.checks])


def test_stores_that_are_being_adopted_are_told_and_have_no_places(seeded_pair: Pair, clean_suite: Suite) -> None:
    """Writes are captured and nothing is carried over: a warning, and what differs stands as it always did."""
    with replicating(seeded_pair) as replication:
        primary, secondary, _ = replication.both()
        adoption.begin(primary, secondary, replication.book)
        execute(seeded_pair.primary, "DELETE FROM public.planning WHERE id = (SELECT min(id) FROM public.planning)")
        report = check(job_of(seeded_pair), suite=clean_suite)
    assert state_of(report) is ReplicationState.STARTING
    assert [d.place for d in report.differences] == [None]
    assert statuses(report) == {}
    assert Verdict.WARNED in {reason.verdict for reason in report.reasons}


def test_a_restored_primary_is_a_gap(seeded_pair: Pair, clean_suite: Suite) -> None:
    """The relay noted it; the report says so."""
    with replicating(seeded_pair) as replication:
        replication.book.gap(Gap.RESTORED, adoption=replication.primary.standing().adoption)
        report = check(job_of(seeded_pair), suite=clean_suite)
    assert statuses(report)[StoreName.PRISMA] is CheckStatus.FAILED
    (failed,) = (c for c in report.checks if c.status is CheckStatus.FAILED)
    assert (failed.observed or "").startswith("restored since ")


def test_what_waits_for_too_long_is_told_though_the_rows_are_equal(seeded_pair: Pair, clean_suite: Suite) -> None:
    """The relay does not run: nothing differs yet, and somebody should know."""
    with replicating(seeded_pair):
        execute(
            superuser_of(seeded_pair, StoreName.PRISMA),
            "UPDATE public.planning SET version = version WHERE id = (SELECT min(id) FROM public.planning)",
            "UPDATE twinstore.change SET at = at - interval '2 days'",
        )
        report = check(job_of(seeded_pair), suite=clean_suite)
    assert report.verdict is Verdict.WARNED
    assert "changes of prisma have waited for 2 days" in report.reasons[0].text


def test_a_limit_of_nothing_makes_everything_under_way_a_difference(seeded_pair: Pair, clean_suite: Suite) -> None:
    """`TWINSTORE_MAX_LAG_S` says how long a change may wait."""
    with replicating(seeded_pair):
        execute(seeded_pair.primary, "UPDATE public.planning SET title = 'x' WHERE id < '4'")
        patient = check(job_of(seeded_pair), suite=clean_suite)
        strict = check(job_of(seeded_pair, max_lag_s=0.0), suite=clean_suite)
    assert (patient.verdict, patient.differences_total) == (Verdict.WARNED, 0)
    assert (strict.verdict, strict.differences_total) == (Verdict.FAILED, patient.rows.pending)
    assert strict.rows.pending == 0
    assert "waiting for too long" in strict.reasons[0].text


def test_a_store_that_goes_down_after_it_was_asked_is_an_error(seeded_pair: Pair, clean_suite: Suite) -> None:
    """Differences that cannot be placed are not reported as placed: nothing is concluded."""
    with replicating(seeded_pair):
        execute(seeded_pair.primary, "UPDATE public.planning SET title = 'x' WHERE id < '4'")
        execute(seeded_pair.secondary, f"DROP FUNCTION {FUNCTIONS[StoreName.SUPABASE].format('look(jsonb)')}")
        report = check(job_of(seeded_pair), suite=clean_suite)
    assert report.verdict is Verdict.ERRORED
    assert report.differences == ()
