"""Which answers of a server that asks for patience leave open whether a write was carried out."""

from __future__ import annotations

import json

import pytest

from contracts.vocabulary import StoreName
from storage.rest.errors import Busy, from_answer


def busy(status: int, code: str | None) -> Busy:
    """Return the error that an answer becomes."""
    body = b"<html>" if code is None else json.dumps({"code": code, "message": "m"}).encode()
    error = from_answer(status, {}, body, store=StoreName.SUPABASE)
    assert isinstance(error, Busy)
    return error


@pytest.mark.parametrize(
    ("status", "code"), [(503, None), (504, None), (503, "PGRST001"), (503, "08006"), (503, "08007")]
)
def test_a_connection_that_broke_behind_leaves_it_open(status: int, code: str | None) -> None:
    """A gateway whose own connection broke, or that lost patience, does not know what the database did."""
    assert busy(status, code).may_have_begun


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (429, None),
        (503, "PGRST000"),
        (503, "PGRST002"),
        (504, "PGRST003"),
        (503, "53300"),
        (503, "57P03"),
        (500, "40001"),
    ],
)
def test_who_says_why_has_not_begun_or_has_rolled_back(status: int, code: str | None) -> None:
    """Too many requests, no connection, no schema yet, and every error of the database itself."""
    assert not busy(status, code).may_have_begun
