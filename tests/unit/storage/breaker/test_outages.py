"""Which errors count for the circuit breaker: those of stores that are not there, and no others."""

from __future__ import annotations

import json

import pytest

from contracts.errors import (
    CircuitOpen,
    ConfigurationError,
    Conflict,
    Exhausted,
    InternalFault,
    OutcomeUnknown,
    ProtocolError,
    Refused,
    SchemaMismatch,
    TimedOut,
    Unavailable,
)
from contracts.vocabulary import StoreName
from storage.breaker import Outcome, counts_as_outage
from storage.breaker.outages import asked_to_wait_s, outcome_of
from storage.pg_errors import classify
from storage.rest.errors import Garbled, Lost, NoSuchValue, TooMuch, from_answer

COUNT = [Unavailable, OutcomeUnknown, Lost, Garbled]
DO_NOT = [
    Refused,
    SchemaMismatch,
    ConfigurationError,
    Conflict,
    Exhausted,
    InternalFault,
    ProtocolError,
    NoSuchValue,
    TimedOut,
    TooMuch,
]
SQLSTATES = {
    "08006": True,
    "53300": True,
    "53100": True,
    "57P01": True,
    "57P03": True,
    "58030": True,
    "40001": False,
    "40P01": False,
    "55P03": False,
    "57014": False,
    "54000": False,
    "25006": False,
    "28P01": False,
    "42501": False,
    "42P01": False,
    "42703": False,
    "22P02": False,
    "23502": False,
    "23503": False,
    "23505": False,
    "23514": False,
    "21000": False,
    "P0001": False,
}
ANSWERS = {
    (502, ""): True,
    (520, ""): True,
    (530, ""): True,
    (544, ""): True,
    (540, ""): True,
    (503, ""): True,
    (503, "PGRST000"): True,
    (503, "PGRST001"): True,
    (503, "PGRST002"): True,
    (504, "PGRST003"): True,
    (503, "53300"): True,
    (429, ""): True,
    (500, "40001"): False,
    (500, "40P01"): False,
    (500, "55P03"): False,
    (500, "57014"): False,
    (413, ""): False,
    (414, ""): False,
    (401, "PGRST301"): False,
    (403, "42501"): False,
    (402, ""): False,
    (405, "25006"): False,
    (406, "PGRST106"): False,
    (404, "PGRST202"): False,
    (404, "42P01"): False,
    (400, "22P02"): False,
    (409, "23505"): False,
    (400, "P0001"): False,
    (400, "PGRST100"): False,
}


@pytest.mark.parametrize("kind", COUNT)
def test_a_store_that_is_not_there_counts(kind: type[Exception]) -> None:
    """It cannot be reached, broke off, or answers with what cannot be believed."""
    exc = kind("What.", "Do.")
    assert counts_as_outage(exc)
    assert outcome_of(exc, counts=True) is Outcome.FAILURE


@pytest.mark.parametrize("kind", DO_NOT)
def test_a_store_that_answers_does_not_count(kind: type[Exception]) -> None:
    """A refusal, a missing table, a value that it cannot hold or a lost race is an answer."""
    assert not counts_as_outage(kind("What.", "Do."))


@pytest.mark.parametrize("exc", [ValueError(), OSError(), TimeoutError(), LookupError()])
def test_errors_of_others_do_not_count(exc: Exception) -> None:
    """What no adapter said in our words says nothing about a store."""
    assert not counts_as_outage(exc)


def test_a_refusal_by_a_circuit_does_not_count() -> None:
    """A guard behind a guard does not open the first one: no call was made."""
    assert not counts_as_outage(CircuitOpen("What.", "Do.", store="supabase", wait_s=1.0))


@pytest.mark.parametrize(("sqlstate", "counts"), SQLSTATES.items())
def test_sqlstates_of_the_primary(sqlstate: str, counts: bool) -> None:  # noqa: FBT001 - a column of the table
    """As the table of `docs/breaker.md` says."""
    assert counts_as_outage(classify(sqlstate)("What.", "Do.")) is counts


@pytest.mark.parametrize(("answer", "counts"), ANSWERS.items())
def test_answers_over_rest(answer: tuple[int, str], counts: bool) -> None:  # noqa: FBT001 - likewise
    """Status and code decide, by the classes that the adapter makes of them."""
    status, code = answer
    body = json.dumps({"code": code, "message": "down"} if code else {}).encode()
    assert counts_as_outage(from_answer(status, {}, body, store=StoreName.SUPABASE)) is counts


def test_too_many_requests_strain_a_store() -> None:
    """Status 429 counts in the share of failures only, and says how long to wait."""
    exc = from_answer(429, {"Retry-After": "7"}, b"", store=StoreName.SUPABASE)
    assert outcome_of(exc, counts=counts_as_outage(exc)) is Outcome.STRAINED
    assert asked_to_wait_s(exc) == 7.0


def test_a_store_that_gave_up_is_a_slow_call() -> None:
    """A statement's time limit is told apart from what says nothing at all."""
    assert outcome_of(TimedOut("What.", "Do."), counts=False) is Outcome.GAVE_UP
    assert outcome_of(Conflict("What.", "Do."), counts=False) is Outcome.IGNORED
    assert outcome_of(Exhausted("What.", "Do."), counts=False) is Outcome.IGNORED
    assert asked_to_wait_s(TimedOut("What.", "Do.")) is None
