"""Why a row stands on one side only."""

from __future__ import annotations

import pytest

from contracts.planning import PLANNING
from contracts.verdicts import Explanation
from contracts.vocabulary import Cause, StoreName
from storage.parity.causes import explain_one_sided
from tests.support.row_pairs import KEY, PRISMA, SUPABASE, make_row


def reasons(
    store: StoreName, changes: dict[str, str | None] | None = None, *, spelt: dict[str, str] | None = None
) -> tuple[Explanation, ...]:
    """Return why only this store holds the row."""
    return explain_one_sided(PLANNING, store, make_row(store, **changes or {}), other_keys_raw=spelt or {})


@pytest.mark.parametrize("store", list(StoreName))
def test_missing(store: StoreName) -> None:
    """A row in which nothing tells is missing on the other store."""
    assert reasons(store) == (Explanation(cause=Cause.MISSING_ROW, fields=(), store=store.other),)


@pytest.mark.parametrize("spelling", [KEY.upper(), KEY.replace("-", ""), "{" + KEY + "}"])
def test_key_case(spelling: str) -> None:
    """A row of supabase whose key prisma spells in another way is named so; prisma is at fault."""
    (explanation,) = reasons(SUPABASE, spelt={KEY: spelling})
    assert (explanation.cause, explanation.store, explanation.fields) == (Cause.KEY_CASE, PRISMA, ("id",))


def test_key_case_decoys() -> None:
    """Another key, or a row of prisma, has nothing to do with the spellings."""
    assert reasons(SUPABASE, spelt={KEY[:-1] + "0": KEY.upper()})[0].cause is Cause.MISSING_ROW
    assert reasons(PRISMA, spelt={KEY: KEY.upper()})[0].cause is Cause.MISSING_ROW


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("type", "podcast", "is in no vocabulary"),
        ("status", "queued", "is in no vocabulary"),
        ("user_id", "guest", "is no UUID"),
        ("project_id", "", "is no UUID"),
        ("version", "0", "is less than 1"),
        ("version", None, "is NULL"),
        ("title", None, "is NULL"),
        ("title", " \t\n", "is blank"),
        ("content", None, "is NULL"),
        ("created_at", None, "is NULL"),
    ],
)
def test_refused(column: str, value: str | None, words: str) -> None:
    """A row of prisma that no constraint of supabase lets in was refused; on supabase it is only missing on prisma."""
    (explanation,) = reasons(PRISMA, {column: value})
    assert (explanation.cause, explanation.store) == (Cause.REFUSED_BY_STORE, SUPABASE)
    assert (explanation.fields, explanation.detail) == ((column,), f"`{column}` {words}")
    assert reasons(SUPABASE, {column: value})[0].cause is Cause.MISSING_ROW


def test_refused_for_two_reasons() -> None:
    """All reasons are told, in the order of the columns' names, without the values."""
    (explanation,) = reasons(PRISMA, {"user_id": "guest", "status": "queued"})
    assert explanation.fields == ("status", "user_id")
    assert explanation.detail == "`status` is in no vocabulary; `user_id` is no UUID"


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "제" * 501},
        {"status": "in-progress"},
        {"user_id": None, "project_id": None, "metadata": None, "storage": None, "source": None},
        {"user_id": KEY.upper()},
        {"version": "2147483647"},
        {"storage_status": "lost", "metadata": "[]", "content": '"text"'},
    ],
)
def test_refusal_decoys(changes: dict[str, str | None]) -> None:
    """What breaks rules but no constraint of supabase was not refused."""
    assert reasons(PRISMA, changes)[0].cause is Cause.MISSING_ROW
