"""The rules of alerts: each holds, does not hold, or says nothing, at its very limit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from contracts.alerts import Backup, Facts, Ruling, Thresholds, rulings
from contracts.health import AlertRule, LastRun, Operation, Probe, Timing, failed_for, percentile, summed_up
from contracts.replication import MANY, Gap, Standing, SyncStatus
from contracts.vocabulary import Severity, StoreName, Verdict

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
P, S = StoreName.PRISMA, StoreName.SUPABASE


def probes(store: StoreName, healthy: str, *, every_s: float = 60.0, last: datetime = NOW) -> tuple[Probe, ...]:
    """Return probes that end at `last`: `+` for a healthy one, `-` for a failed one, a blank for none."""
    places = enumerate(reversed(healthy))
    return tuple(
        reversed(
            [
                Probe(
                    store=store,
                    at=last - timedelta(seconds=every_s * place),
                    healthy=mark == "+",
                    response_ms=12,
                    error=None if mark == "+" else "Unavailable",
                    what="" if mark == "+" else f"{store} cannot be reached.",
                )
                for place, mark in places
                if mark != " "
            ]
        )
    )


def ruling(facts: Facts, rule: AlertRule, subject: str = "", limits: Thresholds | None = None) -> Ruling | None:
    """Return what one rule says about a subject."""
    found = [r for r in rulings(facts, limits) if (r.rule, r.subject) == (rule, subject)]
    assert len(found) <= 1
    return found[0] if found else None


def says(facts: Facts, rule: AlertRule, subject: str = "") -> bool | None:
    """Return whether a rule holds; None when it says nothing."""
    found = ruling(facts, rule, subject)
    return None if found is None else found.holds


@pytest.mark.parametrize(
    ("seen", "holds"),
    [
        ("+", False),
        ("-" * 30, None),  # 29 minutes
        ("-" * 31, True),  # 30 minutes
        ("+" + "-" * 31, True),
        ("-" * 40 + "+", False),
        ("-" * 40 + "+" + "-" * 5, None),
        ("-" * 20 + " " * 60 + "-" * 5, None),  # an hour that nobody knows of does not count
        ("-" * 20 + " " * 60 + "-" * 13, True),  # nor does it end the failure: 19 + 12 minutes
        ("-" * 20 + "  " + "-" * 8, None),
        ("-" * 20 + "  " + "-" * 9, True),  # up to three minutes between probes are known
    ],
)
def test_one_store_failed_for_half_an_hour(seen: str, holds: bool | None) -> None:  # noqa: FBT001 - a column of the table
    """Only what was seen counts, a healthy probe ends it, and too short a failure says nothing."""
    assert says(Facts(now=NOW, probes={S: probes(S, seen)}), AlertRule.STORE_FAILED, S) is holds


def test_what_one_store_failed_tells() -> None:
    """A warning, since the first failed probe, with the reason."""
    found = ruling(Facts(now=NOW, probes={S: probes(S, "+" + "-" * 41)}), AlertRule.STORE_FAILED, S)
    assert found is not None
    assert found.severity is Severity.WARNING
    assert found.since == NOW - timedelta(minutes=40)
    assert found.text == "supabase has failed for 40 min: supabase cannot be reached."


@pytest.mark.parametrize(
    ("primary", "secondary", "holds"), [("+", "+", False), ("-", "+", False), ("+", "-", False), ("+-", "--", True)]
)
def test_both_stores_failed(primary: str, secondary: str, holds: bool) -> None:  # noqa: FBT001 - a column of the table
    """Critical at once, since the later of the two failed."""
    facts = Facts(now=NOW, probes={P: probes(P, primary), S: probes(S, secondary)})
    found = ruling(facts, AlertRule.BOTH_FAILED)
    assert found is not None
    assert (found.holds, found.severity) == (holds, Severity.CRITICAL)
    if holds:
        assert found.since == NOW
        assert "prisma cannot be reached. supabase cannot be reached." in found.text


def test_probes_that_are_too_old_say_nothing() -> None:
    """A watch that stood still for a night neither raises nor resolves: there is no ruling at all."""
    old = NOW - timedelta(minutes=3, seconds=1)
    facts = Facts(now=NOW, probes={P: probes(P, "-" * 50, last=old), S: probes(S, "-" * 50, last=old)})
    assert says(facts, AlertRule.STORE_FAILED, P) is None
    assert says(facts, AlertRule.BOTH_FAILED) is None


def test_a_store_that_nobody_knows_is_not_one_that_failed() -> None:
    """With one store unknown, nothing is said of both."""
    facts = Facts(now=NOW, probes={P: probes(P, "-"), S: ()})
    assert says(facts, AlertRule.BOTH_FAILED) is None


@pytest.mark.parametrize(
    ("operation", "limit_ms"), [(Operation.SAVE, 5000), (Operation.READ, 3000), (Operation.CONSISTENCY, 10_000)]
)
def test_slow_operations(operation: Operation, limit_ms: int) -> None:
    """Info from the first millisecond beyond the limit on; a quick one later does not hide a slow one."""
    for ms, holds in ((limit_ms, False), (limit_ms + 1, True)):
        timings = (
            Timing(operation=operation, at=NOW - timedelta(minutes=1), ms=ms),
            Timing(operation=operation, at=NOW, ms=1),
        )
        found = ruling(Facts(now=NOW, timings=timings), AlertRule.SLOW, operation)
        assert found is not None
        assert (found.holds, found.severity) == (holds, Severity.INFO)


def test_slow_probes() -> None:
    """A store that answers its probe after more than three seconds is slow, though healthy."""
    slow = Probe(store=P, at=NOW, healthy=True, response_ms=3001)
    found = ruling(Facts(now=NOW, probes={P: (slow,)}), AlertRule.SLOW, "probe of prisma")
    assert found is not None
    assert found.text == "A probe of prisma took 3.0 s; the limit is 3 s."


def test_slow_operations_are_forgotten() -> None:
    """After five minutes without any, nothing is said: nobody knows how long the next one would take."""
    timings = (Timing(operation=Operation.SAVE, at=NOW - timedelta(minutes=5, seconds=1), ms=60_000),)
    assert says(Facts(now=NOW, timings=timings), AlertRule.SLOW, Operation.SAVE) is None


@pytest.mark.parametrize(
    ("verdict", "holds"),
    [
        (Verdict.PASSED, False),
        (Verdict.WARNED, False),
        (Verdict.FAILED, True),
        (Verdict.ERRORED, None),
        (Verdict.INCOMPLETE, None),
    ],
)
def test_a_gate_failed(verdict: Verdict, holds: bool | None) -> None:  # noqa: FBT001 - a column of the table
    """A run that could not tell says nothing; the next one that can resolves or raises."""
    run = LastRun(dataset="planning", run_id="r", at=NOW, verdict=verdict, differences=7)
    assert says(Facts(now=NOW, runs=(run,)), AlertRule.GATE_FAILED, "planning") is holds


def standing(store: StoreName = P, **changes: object) -> Standing:
    """Return a store that is captured."""
    values: dict[str, object] = {"store": store, "since": NOW, "now": NOW}
    return Standing(**(values | changes))  # type: ignore[arg-type]  # the tests name them rightly


def status(primary: Standing | None, **counts: int | None) -> SyncStatus:
    """Return how far the stores have come."""
    return SyncStatus(
        dataset="planning",
        primary=primary,
        secondary=None,
        conflicts=counts.get("conflicts"),
        dead_letters=counts.get("dead_letters"),
        failing=None,
    )


@pytest.mark.parametrize(("age_min", "holds"), [(0, False), (15, False), (16, True)])
def test_changes_that_wait_too_long(age_min: int, holds: bool) -> None:  # noqa: FBT001 - a column of the table
    """The oldest change counts, not how many there are."""
    side = standing(dirty=3, oldest_at=NOW - timedelta(minutes=age_min))
    found = ruling(Facts(now=NOW, sync=(status(side),)), AlertRule.DIRTY_TOO_OLD, "planning on prisma")
    assert found is not None
    assert found.holds is holds


def test_what_nobody_counted_is_more_than_was_counted() -> None:
    """An alert says no number that is none."""
    side = standing(dirty=MANY + 1, oldest_at=NOW - timedelta(hours=1))
    found = ruling(Facts(now=NOW, sync=(status(side),)), AlertRule.DIRTY_TOO_OLD, "planning on prisma")
    assert found is not None
    assert found.text.startswith("More than 100,000 changes of planning on prisma wait")


def test_writes_that_passed_by_capture() -> None:
    """A gap is critical, until the stores are adopted again; of capture that somebody turned off nothing is said."""
    subject = "planning on prisma"
    gap = status(standing(gap=Gap.TRUNCATED, gap_at=NOW - timedelta(hours=1)))
    found = ruling(Facts(now=NOW, sync=(gap,)), AlertRule.CAPTURE_GAP, subject)
    assert found is not None
    assert (found.holds, found.severity, found.since) == (True, Severity.CRITICAL, NOW - timedelta(hours=1))
    off = status(standing(since=None, gap=Gap.TRIGGERS))
    assert says(Facts(now=NOW, sync=(off,)), AlertRule.CAPTURE_GAP, subject) is None
    assert says(Facts(now=NOW, sync=(status(standing()),)), AlertRule.CAPTURE_GAP, subject) is None
    adopted = status(standing(adopted_at=NOW))
    assert says(Facts(now=NOW, sync=(adopted,)), AlertRule.CAPTURE_GAP, subject) is False


def test_what_waits_where_capture_is_off() -> None:
    """Nothing carries it over, so that it is neither told nor taken back."""
    off = status(standing(since=None, dirty=3, oldest_at=NOW))
    assert says(Facts(now=NOW, sync=(off,)), AlertRule.DIRTY_TOO_OLD, "planning on prisma") is None


@pytest.mark.parametrize(
    ("rule", "name"), [(AlertRule.DEAD_LETTERS, "dead_letters"), (AlertRule.CONFLICTS, "conflicts")]
)
@pytest.mark.parametrize(("number", "holds"), [(None, None), (0, False), (2, True)])
def test_dead_letters_and_conflicts(rule: AlertRule, name: str, number: int | None, holds: bool | None) -> None:  # noqa: FBT001 - a column of the table
    """One is enough; where the primary could not be asked, nothing is said."""
    facts = Facts(now=NOW, sync=(status(None, **{name: number}),))
    assert says(facts, rule, "planning") is holds


@pytest.mark.parametrize(("age_days", "holds"), [(None, True), (8, False), (9, True), (-3650, True)])
def test_backups_that_nobody_verified(age_days: int | None, holds: bool) -> None:  # noqa: FBT001 - likewise
    """Where backups are made, one must have been verified within eight days; the future proves nothing."""
    verified = None if age_days is None else NOW - timedelta(days=age_days)
    facts = Facts(now=NOW, backup=Backup(verified_at=verified))
    assert says(facts, AlertRule.BACKUP_UNVERIFIED) is holds
    assert says(Facts(now=NOW), AlertRule.BACKUP_UNVERIFIED) is None


def test_figures_of_a_store() -> None:
    """Share of failed probes, mean and percentile of the answered ones, and since when it fails."""
    seen = probes(P, "+-++--")
    state = summed_up(P, seen, circuit="open")
    assert (state.probes, state.failures, state.error_rate) == (6, 2, 0.5)
    assert (state.mean_ms, state.p95_ms, state.circuit) == (12.0, 12, "open")
    assert state.failing_since == NOW - timedelta(minutes=1)
    assert state.last_failure == NOW
    nobody = summed_up(S, ())
    assert (nobody.last, nobody.error_rate, nobody.mean_ms, nobody.p95_ms) == (None, None, None, None)


def test_percentiles_are_values_that_were_measured() -> None:
    """The nearest rank: of a hundred values the 95th, of one value that one."""
    assert percentile(range(1, 101), 0.95) == 95
    assert percentile([7], 0.95) == 7
    assert percentile([1, 2], 0.5) == 1
    assert percentile([], 0.95) is None


def test_time_that_is_known_to_have_failed() -> None:
    """A single failed probe has failed for no time yet."""
    assert failed_for(probes(P, "-")) == timedelta()
    assert failed_for(probes(P, "-" * 3 + "    " + "-" * 3)) == timedelta(minutes=4)
