"""The states of the circuit breaker, one by one: what is let through in each, and what leads out of it."""

import math
from typing import Any

import pytest

from contracts.errors import ConfigurationError
from storage.breaker import Breaker, EventKind, Outcome, Permit, Rules, State, Why

FORCED = (State.FORCED_OPEN, State.FORCED_CLOSED, State.METRICS_ONLY)


def state_of(breaker: Breaker) -> State:
    """Return the state, asked anew."""
    return breaker.state


def call(breaker: Breaker, outcome: Outcome, now: float, *, took_s: float = 0.0) -> None:
    """Make one call that begins at `now`."""
    permit = breaker.allow(now)
    assert permit is not None
    breaker.record(permit, outcome, now + took_s)


def fail(breaker: Breaker, times: int, now: float = 0.0) -> None:
    """Let calls fail one after another."""
    for _ in range(times):
        call(breaker, Outcome.FAILURE, now)


def opened(now: float = 0.0, rules: Rules | None = None) -> Breaker:
    """Return a breaker that opened at `now`."""
    breaker = Breaker(rules)
    fail(breaker, breaker.rules.in_a_row, now)
    assert state_of(breaker) is State.OPEN
    return breaker


def half_open(now: float = 300.0) -> tuple[Breaker, Permit]:
    """Return a breaker whose probe is under way, with the probe's permit."""
    breaker = opened(now - 300.0)
    permit = breaker.allow(now)
    assert permit is not None
    assert state_of(breaker) is State.HALF_OPEN
    return breaker, permit


def test_the_third_failure_in_a_row_opens_it() -> None:
    """Two failures leave it closed, the third opens it, and says so."""
    breaker = Breaker()
    fail(breaker, 2)
    assert state_of(breaker) is State.CLOSED
    fail(breaker, 1, now=7.0)
    assert state_of(breaker) is State.OPEN
    last = breaker.take_events()[-1]
    assert (last.kind, last.before, last.state, last.why) == (
        EventKind.TRANSITION,
        State.CLOSED,
        State.OPEN,
        Why.IN_A_ROW,
    )
    assert last.at == 7.0


def test_a_success_ends_the_row() -> None:
    """Failures with a success between are not in a row."""
    breaker = Breaker()
    for _ in range(2):
        fail(breaker, 2)
        call(breaker, Outcome.SUCCESS, 0.0)
    fail(breaker, 2)
    assert state_of(breaker) is State.CLOSED


def test_half_of_the_last_calls_opens_it() -> None:
    """Failures that never come three in a row open it at half of the calls, and not before the tenth call."""
    breaker = Breaker()
    for number in range(9):
        call(breaker, Outcome.FAILURE if number % 2 else Outcome.SUCCESS, 0.0)
    assert state_of(breaker) is State.CLOSED
    call(breaker, Outcome.FAILURE, 0.0)
    assert state_of(breaker) is State.OPEN
    assert breaker.take_events()[-1].why is Why.SHARE


def test_two_failures_in_three_calls_open_it() -> None:
    """The pattern that a counter of failures in a row never sees opens it at the tenth counted call or soon after."""
    breaker = Breaker()
    made = 0
    while breaker.state is State.CLOSED:
        call(breaker, Outcome.SUCCESS if made % 3 == 2 else Outcome.FAILURE, 0.0)
        made += 1
    assert made == 10


def test_only_the_last_calls_count() -> None:
    """What lies further back than the window is forgotten: 18 failures in 29 calls leave 9 among the last 20."""
    breaker = Breaker(Rules(in_a_row=100, least_calls=20))
    fail(breaker, 9)
    for _ in range(11):
        call(breaker, Outcome.SUCCESS, 0.0)
    fail(breaker, 9)
    assert breaker.memory.failures == (False,) * 11 + (True,) * 9
    assert state_of(breaker) is State.CLOSED
    fail(breaker, 1)
    assert state_of(breaker) is State.OPEN


def test_a_success_never_opens_it() -> None:
    """Where the share is reached because there are enough calls at last, only the next failure opens it."""
    breaker = Breaker(Rules(in_a_row=100))
    fail(breaker, 6)
    for _ in range(4):
        call(breaker, Outcome.SUCCESS, 0.0)
    assert breaker.exceeded is Why.SHARE
    assert state_of(breaker) is State.CLOSED
    fail(breaker, 1)
    assert state_of(breaker) is State.OPEN


@pytest.mark.parametrize(("waited_s", "passes"), [(0.0, False), (299.999, False), (300.0, True), (1e6, True)])
def test_a_probe_passes_after_five_minutes(waited_s: float, passes: bool) -> None:  # noqa: FBT001 - a column of the table
    """Measured from the failure that opened it, at exactly five minutes a probe may be made."""
    breaker = Breaker()
    fail(breaker, 2)
    permit = breaker.allow(10.0)
    assert permit is not None
    breaker.record(permit, Outcome.FAILURE, 40.0)  # the call took half a minute: it failed at 40
    assert breaker.wait_s(40.0) == 300.0
    assert (breaker.allow(40.0 + waited_s) is not None) is passes
    assert state_of(breaker) is (State.HALF_OPEN if passes else State.OPEN)


def test_one_probe_at_a_time() -> None:
    """While the probe is under way nobody else passes, and each refusal is told."""
    breaker, _ = half_open(300.0)
    breaker.take_events()
    assert [breaker.allow(301.0) for _ in range(50)] == [None] * 50
    assert [event.kind for event in breaker.take_events()] == [EventKind.NOT_PERMITTED] * 50


def test_a_probe_that_succeeds_closes_it() -> None:
    """It begins anew: nothing of before counts."""
    breaker, probe = half_open()
    breaker.record(probe, Outcome.SUCCESS, 300.5)
    assert state_of(breaker) is State.CLOSED
    assert breaker.memory.failures == ()
    fail(breaker, 2)
    assert state_of(breaker) is State.CLOSED


@pytest.mark.parametrize("outcome", [Outcome.FAILURE, Outcome.STRAINED])
def test_a_probe_that_fails_opens_it_again(outcome: Outcome) -> None:
    """The five minutes begin with the probe's failure, also where the store asks for patience only."""
    breaker, probe = half_open(300.0)
    breaker.record(probe, outcome, 310.0)
    assert state_of(breaker) is State.OPEN
    assert breaker.take_events()[-1].why is Why.PROBE_FAILED
    assert breaker.allow(609.999) is None
    assert breaker.allow(610.0) is not None


@pytest.mark.parametrize("outcome", [Outcome.IGNORED, Outcome.GAVE_UP])
def test_a_probe_that_says_nothing_gives_its_place_back(outcome: Outcome) -> None:
    """The next caller is the probe, at once."""
    breaker, probe = half_open(300.0)
    breaker.record(probe, outcome, 300.1)
    assert state_of(breaker) is State.HALF_OPEN
    assert breaker.allow(300.1) is not None
    assert breaker.allow(300.1) is None


def test_a_probe_that_hangs_lets_another_one_pass() -> None:
    """After a minute its place is free; what it says later changes nothing, what the other one says counts."""
    breaker, hung = half_open(300.0)
    assert breaker.allow(359.999) is None
    second = breaker.allow(360.0)
    assert second is not None
    breaker.record(hung, Outcome.FAILURE, 361.0)
    assert state_of(breaker) is State.HALF_OPEN
    assert breaker.take_events()[-1].late
    breaker.record(second, Outcome.SUCCESS, 362.0)
    assert state_of(breaker) is State.CLOSED


def test_a_hung_probe_counts_as_long_as_nobody_took_its_place() -> None:
    """A probe that comes back after its minute still tells how the store is."""
    breaker, hung = half_open(300.0)
    breaker.record(hung, Outcome.SUCCESS, 400.0)
    assert state_of(breaker) is State.CLOSED


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_late_result_leads_nowhere(outcome: Outcome) -> None:
    """Calls that began while it was closed change nothing once it is open, half-open or closed again."""
    breaker = Breaker()
    early = [permit for permit in (breaker.allow(0.0) for _ in range(3)) if permit is not None]
    assert len(early) == 3
    fail(breaker, 3)
    breaker.take_events()
    breaker.record(early[0], outcome, 1.0)
    assert state_of(breaker) is State.OPEN
    assert breaker.wait_s(1.0) == 299.0
    probe = breaker.allow(300.0)
    breaker.record(early[1], outcome, 300.0)
    assert state_of(breaker) is State.HALF_OPEN
    assert breaker.allow(300.0) is None
    assert probe is not None
    breaker.record(probe, Outcome.SUCCESS, 300.0)
    breaker.record(early[2], outcome, 300.0)
    assert state_of(breaker) is State.CLOSED
    assert breaker.memory.failures == ()
    told = [event.late for event in breaker.take_events() if event.seconds is not None]
    assert told == [True, True, False, True]


def test_ignored_outcomes_do_not_count() -> None:
    """A hundred of them neither open it nor end a row of failures."""
    breaker = Breaker()
    fail(breaker, 2)
    for _ in range(100):
        call(breaker, Outcome.IGNORED, 0.0)
    assert state_of(breaker) is State.CLOSED
    assert len(breaker.memory.failures) == 2
    fail(breaker, 1)
    assert state_of(breaker) is State.OPEN


def test_a_strained_store_counts_in_the_share_only() -> None:
    """Too many requests open it at half of ten calls, never as three in a row; nor do they end a row."""
    breaker = Breaker()
    for _ in range(9):
        call(breaker, Outcome.STRAINED, 0.0)
    assert state_of(breaker) is State.CLOSED
    call(breaker, Outcome.STRAINED, 0.0)
    assert state_of(breaker) is State.OPEN
    breaker = Breaker()
    for outcome in (Outcome.FAILURE, Outcome.FAILURE, Outcome.STRAINED, Outcome.FAILURE):
        call(breaker, outcome, 0.0)
    assert breaker.take_events()[-1].why is Why.IN_A_ROW


@pytest.mark.parametrize("outcome", [Outcome.SUCCESS, Outcome.GAVE_UP])
def test_slow_calls_count_where_they_are_configured(outcome: Outcome) -> None:
    """A call of the limit's length or longer counts as failed, whether it succeeded or the store gave up."""
    breaker = Breaker(Rules(slow_s=2.0))
    call(breaker, outcome, 0.0, took_s=1.999)
    assert True not in breaker.memory.failures
    for _ in range(3):
        call(breaker, outcome, 0.0, took_s=2.0)
    assert state_of(breaker) is State.OPEN
    assert [event.kind for event in breaker.take_events()].count(EventKind.FAILURE) == 3


@pytest.mark.parametrize(("outcome", "counted"), [(Outcome.SUCCESS, (False,) * 5), (Outcome.GAVE_UP, ())])
def test_slow_calls_do_not_count_otherwise(outcome: Outcome, counted: tuple[bool, ...]) -> None:
    """Without a limit an hour is no failure; a store that gave up says nothing."""
    breaker = Breaker()
    for _ in range(5):
        call(breaker, outcome, 0.0, took_s=3600.0)
    assert breaker.memory.failures == counted


@pytest.mark.parametrize(
    ("asked_s", "open_s"), [(None, 300.0), (7.0, 300.0), (301.0, 301.0), (4000.0, 3600.0), (-5.0, 300.0)]
)
def test_a_store_may_ask_to_be_left_alone_for_longer(asked_s: float | None, open_s: float) -> None:
    """Retry-After prolongs the five minutes, never shortens them, and not beyond an hour."""
    breaker = Breaker()
    fail(breaker, 2)
    permit = breaker.allow(0.0)
    assert permit is not None
    breaker.record(permit, Outcome.FAILURE, 0.0, retry_after_s=asked_s)
    assert breaker.wait_s(0.0) == open_s


@pytest.mark.parametrize("start", list(State))
@pytest.mark.parametrize("target", list(State))
def test_any_state_can_be_forced(start: State, target: State) -> None:
    """From every state into every state, with nothing counted, and told as such."""
    breaker = Breaker()
    fail(breaker, 1)
    breaker.force(start, 0.0)
    breaker.take_events()
    breaker.force(target, 5.0)
    assert state_of(breaker) is target
    assert breaker.memory.failures == ()
    (event,) = breaker.take_events()
    assert (event.before, event.state, event.why) == (start, target, Why.FORCED)


@pytest.mark.parametrize(
    ("state", "passes"),
    [
        (State.CLOSED, True),
        (State.OPEN, False),
        (State.HALF_OPEN, True),
        (State.FORCED_OPEN, False),
        (State.FORCED_CLOSED, True),
        (State.METRICS_ONLY, True),
    ],
)
def test_what_passes_in_a_state(state: State, passes: bool) -> None:  # noqa: FBT001 - likewise
    """Each state lets the first call pass or not."""
    breaker = Breaker()
    breaker.force(state, 0.0)
    assert (breaker.allow(0.0) is not None) is passes


def test_a_forced_state_stays() -> None:
    """Neither time nor outcomes lead out of it."""
    for state in FORCED:
        breaker = Breaker()
        breaker.force(state, 0.0)
        for now in (0.0, 299.0, 1e9):
            for _ in range(25):
                permit = breaker.allow(now)
                if permit is not None:
                    breaker.record(permit, Outcome.FAILURE, now)
        assert state_of(breaker) is state


def test_forced_open_knows_no_time() -> None:
    """Nobody can say when it will let calls pass."""
    breaker = Breaker()
    breaker.force(State.FORCED_OPEN, 0.0)
    assert breaker.wait_s(1e9) is None


def test_forced_closed_counts_nothing() -> None:
    """It is as if there were no breaker."""
    breaker = Breaker()
    breaker.force(State.FORCED_CLOSED, 0.0)
    fail(breaker, 50)
    assert breaker.memory.failures == ()
    assert breaker.exceeded is None


def test_metrics_only_counts_and_says_what_it_would_do() -> None:
    """It is for trying rules out: it counts, and never opens."""
    breaker = Breaker()
    breaker.force(State.METRICS_ONLY, 0.0)
    fail(breaker, 2)
    assert breaker.exceeded is None
    fail(breaker, 48)
    assert breaker.exceeded is Why.IN_A_ROW
    assert len(breaker.memory.failures) == 20
    assert state_of(breaker) is State.METRICS_ONLY


def test_a_call_from_before_a_forced_state_changes_nothing() -> None:
    """A call that began before somebody's hand moved it comes back late."""
    breaker = Breaker()
    permit = breaker.allow(0.0)
    assert permit is not None
    breaker.force(State.METRICS_ONLY, 0.0)
    breaker.record(permit, Outcome.FAILURE, 0.0)
    assert breaker.memory.failures == ()


def test_how_long_a_probe_keeps_others_waiting() -> None:
    """Half-open without a probe waits for nobody; with one, for at most its minute."""
    breaker, probe = half_open(300.0)
    assert breaker.wait_s(310.0) == 50.0
    breaker.record(probe, Outcome.IGNORED, 310.0)
    assert breaker.wait_s(310.0) == 0.0


def test_a_clock_that_goes_back_opens_nothing() -> None:
    """A call that seems to have taken less than no time is not slow."""
    breaker = Breaker(Rules(slow_s=1.0))
    call(breaker, Outcome.SUCCESS, 10.0, took_s=-5.0)
    assert breaker.memory.failures == (False,)


@pytest.mark.parametrize(
    "wrong",
    [
        {"in_a_row": 0},
        {"window": 0, "least_calls": 0},
        {"least_calls": 0},
        {"least_calls": 21},
        {"share": 0.0},
        {"share": 1.01},
        {"share": math.nan},
        {"open_s": 0.0},
        {"open_s": math.nan},
        {"open_s": math.inf},
        {"probe_s": -1.0},
        {"slow_s": 0.0},
        {"longest_open_s": 299.0},
        {"longest_open_s": math.inf},
    ],
)
def test_rules_that_cannot_work_are_refused(wrong: dict[str, Any]) -> None:
    """The message says which rule is broken."""
    with pytest.raises(ConfigurationError, match=" must be "):
        Rules(**wrong)
