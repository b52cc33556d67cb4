"""Waivers and the baseline, stored."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from contracts.errors import ConfigurationError
from contracts.ledger import sighting
from contracts.vocabulary import CheckStatus, StoreName, Verdict
from contracts.waivers import Waiver
from storage.state import State, open_state
from tests.support.runs import make_check, make_dataset, make_difference, make_run, run_id

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


def test_the_baseline_is_what_the_accepted_run_found(state: State) -> None:
    """Later findings are not in it, and accepting a later run replaces it."""
    assert state.baseline("planning") == frozenset()
    failing = make_check("planning.title", CheckStatus.FAILED)
    state.remember(make_run(1, make_dataset(A, checks=[failing])))
    assert state.accept_baseline(run_id(1)) == 2
    state.remember(make_run(2, make_dataset(A, B)))
    assert state.baseline("planning") == {sighting(A).identity}
    assert state.baseline_checks("planning") == {("planning.title", StoreName.PRISMA)}
    assert state.accept_baseline(run_id(2)) == 2
    assert state.baseline("planning") == {sighting(A).identity, sighting(B).identity}
    assert state.baseline_checks("planning") == frozenset()


def test_only_the_last_run_that_looked_everywhere_can_be_accepted(state: State) -> None:
    """An unknown run, an older one and one that could not tell are refused, each with its reason."""
    state.remember(make_run(1, make_dataset(A)))
    state.remember(make_run(2, make_dataset(B)))
    state.remember(make_run(3, make_dataset(verdict=Verdict.ERRORED)))
    for number, why in ((1, "not the last"), (3, "everywhere"), (9, "no run")):
        with pytest.raises(ConfigurationError, match=why):
            state.accept_baseline(run_id(number))


def test_nothing_is_accepted_without_a_durable_memory() -> None:
    """What would be forgotten at once is refused."""
    with open_state("sqlite://") as state:
        with pytest.raises(ConfigurationError, match="no durable state"):
            state.add_waiver(WAIVER)
        with pytest.raises(ConfigurationError, match="no durable state"):
            state.accept_baseline(run_id(1))
