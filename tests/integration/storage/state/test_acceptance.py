"""Waivers and the baseline, stored."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from contracts.baseline import Baseline
from contracts.errors import ConfigurationError
from contracts.ledger import sighting
from contracts.vocabulary import CheckStatus, StoreName, Verdict
from contracts.waivers import Waiver
from storage.state import State, open_state
from tests.support.runs import make_check, make_dataset, make_difference, make_run, night, run_id

WAIVER = Waiver(target="planning.title", dataset="planning", owner="Ada", reason="Why not.", expires=date(2026, 12, 1))
A, B = make_difference("a", "title", "content.body"), make_difference("b")


def test_waivers_are_kept_replaced_and_removed(state: State) -> None:
    """One per target and store; the one for both stores is a waiver of its own."""
    narrow = replace(WAIVER, store=StoreName.PRISMA)
    for waiver in (WAIVER, narrow, replace(WAIVER, owner="Bob")):
        state.add_waiver(waiver)
    assert state.waivers("planning") == (replace(WAIVER, owner="Bob"), narrow)
    assert state.waivers("other") == ()
    assert state.remove_waiver("planning", "planning.title")
    assert not state.remove_waiver("planning", "planning.title")
    assert state.waivers("planning") == (narrow,)


def accept(state: State, number: int, **words: str) -> int:
    """Accept run `number` in Ada's name, at its end."""
    return state.accept_baseline(run_id(number), **{"owner": "Ada", "reason": "Known.", **words}, now=night(number))


def test_the_baseline_is_what_the_accepted_run_found(state: State) -> None:
    """Later findings are not in it, and accepting a later run replaces it."""
    assert state.baseline("planning") is None
    failing = replace(make_check("planning.title", CheckStatus.FAILED), failing_rows=7)
    state.remember(make_run(1, make_dataset(A, checks=[failing])))
    assert accept(state, 1) == 2
    state.remember(make_run(2, make_dataset(A, B, checks=[replace(failing, failing_rows=9)])))
    assert state.baseline("planning") == Baseline(
        run_id=run_id(1),
        owner="Ada",
        reason="Known.",
        accepted_at=night(1),
        differences=frozenset({sighting(A).identity}),
        checks={("planning.title", StoreName.PRISMA): 7},
    )
    state.remember(make_run(3, make_dataset(A, B, checks=[replace(failing, status=CheckStatus.PASSED)])))
    assert accept(state, 3, owner=" Bob ") == 2
    later = state.baseline("planning")
    assert later is not None
    assert (later.owner, later.checks) == ("Bob", {})
    assert later.differences == {sighting(A).identity, sighting(B).identity}


def test_a_run_that_found_nothing_can_be_accepted(state: State) -> None:
    """An empty baseline is one: everything that comes is new."""
    state.remember(make_run(1, make_dataset()))
    assert accept(state, 1) == 0
    baseline = state.baseline("planning")
    assert baseline is not None
    assert (baseline.differences, baseline.checks) == (frozenset(), {})


@pytest.mark.parametrize("words", [{"owner": " "}, {"reason": ""}])
def test_a_baseline_says_who_and_why(state: State, words: dict[str, str]) -> None:
    """Nobody accepts anything without a name and a reason."""
    state.remember(make_run(1, make_dataset(A)))
    with pytest.raises(ConfigurationError, match="owner and a reason"):
        accept(state, 1, **words)
    assert state.baseline("planning") is None


def test_only_the_last_run_that_looked_everywhere_can_be_accepted(state: State) -> None:
    """An unknown run, an older one and one that could not tell are refused, each with its reason."""
    state.remember(make_run(1, make_dataset(A)))
    state.remember(make_run(2, make_dataset(B)))
    state.remember(make_run(3, make_dataset(verdict=Verdict.ERRORED)))
    for number, why in ((1, "not the last"), (3, "everywhere"), (9, "no run")):
        with pytest.raises(ConfigurationError, match=why):
            accept(state, number)


def test_nothing_is_accepted_without_a_durable_memory() -> None:
    """What would be forgotten at once is refused."""
    with open_state("sqlite://") as state:
        with pytest.raises(ConfigurationError, match="no durable state"):
            state.add_waiver(WAIVER)
        with pytest.raises(ConfigurationError, match="no durable state"):
            accept(state, 1)
