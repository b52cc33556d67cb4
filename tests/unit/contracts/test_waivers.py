"""Waivers accept failures until a day, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from contracts.errors import ConfigurationError
from contracts.vocabulary import CheckStatus, StoreName
from contracts.waivers import Waiver, apply_waivers, waiver_for
from tests.support.runs import make_check

TODAY = date(2026, 11, 23)
WAIVER = Waiver(
    target="planning.title", dataset="planning", owner="Ada", reason="Imported rows.", expires=date(2026, 11, 30)
)
FAILED = make_check("planning.title", CheckStatus.FAILED)


def test_an_active_waiver_accepts_a_failure() -> None:
    """The check is waived, and says by whom, until when and why."""
    (check,) = apply_waivers([FAILED], [WAIVER], TODAY)
    assert (check.status, check.message) == (CheckStatus.WAIVED, FAILED.message)
    assert check.waiver == "Waived by Ada until 2026-11-30: Imported rows."


def test_a_waiver_holds_through_its_last_day() -> None:
    """On the day of its expiry it is active, on the next it is not."""
    assert WAIVER.active(date(2026, 11, 30))
    assert not WAIVER.active(date(2026, 12, 1))


def test_an_expired_waiver_changes_only_the_message() -> None:
    """The check stays failed and says since when it counts again."""
    (check,) = apply_waivers([FAILED], [WAIVER], date(2026, 12, 1))
    assert (check.status, check.waiver) == (CheckStatus.FAILED, None)
    assert check.message == "It breaks. The waiver of Ada expired after 2026-11-30."


@pytest.mark.parametrize("status", [s for s in CheckStatus if s is not CheckStatus.FAILED])
def test_only_failures_can_be_waived(status: CheckStatus) -> None:
    """What passed, errored, was skipped or is waived already stays as it is."""
    check = make_check("planning.title", status)
    assert apply_waivers([check], [WAIVER], TODAY) == (check,)


def test_a_waiver_of_one_store_leaves_the_other() -> None:
    """The same check on the other store still fails."""
    narrow = replace(WAIVER, store=StoreName.SUPABASE)
    assert apply_waivers([FAILED], [narrow], TODAY) == (FAILED,)
    assert waiver_for("planning.title", StoreName.SUPABASE, [narrow]) == narrow


def test_a_waiver_of_another_check_changes_nothing() -> None:
    """Ids are compared whole."""
    assert apply_waivers([FAILED], [replace(WAIVER, target="planning.titles")], TODAY) == (FAILED,)


def test_of_several_waivers_the_longest_counts() -> None:
    """An expired one does not hide one that holds."""
    expired = replace(WAIVER, expires=date(2026, 1, 1), owner="Bob")
    (check,) = apply_waivers([FAILED], [expired, WAIVER], TODAY)
    assert check.status is CheckStatus.WAIVED


@pytest.mark.parametrize("name", ["target", "dataset", "owner", "reason"])
def test_a_waiver_says_who_and_why(name: str) -> None:
    """A blank field is refused by name."""
    blank: dict[str, Any] = {name: "  "}
    with pytest.raises(ConfigurationError, match=name):
        replace(WAIVER, **blank)
