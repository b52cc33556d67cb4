"""What the runner of suites makes of the answers that it gets, and of those that it does not get."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.vocabulary import CheckStatus, StoreName
from expectations.planning import SUITE
from expectations.runner import _judge
from expectations.suite import Ask, Finding, Skip

CHECK = SUITE.checks[0]
ASKED: Any = Ask(expectation=None, read=lambda _: Finding(observed="seen"))  # type: ignore[arg-type]  # nothing is evaluated


class Answer:
    """An answer as Great Expectations gives it."""

    exception_info = None

    def __init__(self, *, success: object) -> None:
        self.success = success
        self.result: dict[str, Any] = {}


@pytest.mark.parametrize(
    ("plan", "answer", "trouble", "status"),
    [
        (ASKED, Answer(success=True), None, CheckStatus.PASSED),
        (ASKED, Answer(success=False), None, CheckStatus.FAILED),
        (Skip(why="Too little history."), None, None, CheckStatus.SKIPPED),
        ("its expectation could not be made", None, None, CheckStatus.ERRORED),
    ],
    ids=["yes", "no", "skipped", "not planned"],
)
def test_an_answer_is_taken_as_it_is(plan: Any, answer: Any, trouble: str | None, status: CheckStatus) -> None:
    """Yes is passed, no is failed; what was not asked is skipped or errored."""
    assert _judge(CHECK, StoreName.PRISMA, plan, answer, trouble).status is status


def test_a_check_without_an_answer_is_errored() -> None:
    """What was asked and not answered is errored, never passed."""
    result = _judge(CHECK, StoreName.PRISMA, ASKED, None, None)
    assert result.status is CheckStatus.ERRORED
    assert "it was not answered" in result.message


def test_answers_that_cannot_be_told_apart_are_errored() -> None:
    """A yes that may be the answer to another question is errored."""
    result = _judge(CHECK, StoreName.PRISMA, ASKED, Answer(success=True), "the answers cannot be told apart")
    assert result.status is CheckStatus.ERRORED


@pytest.mark.parametrize("success", [None, 1, "true"])
def test_an_answer_that_is_neither_yes_nor_no_is_errored(success: object) -> None:
    """Only True and False are answers."""
    assert _judge(CHECK, StoreName.PRISMA, ASKED, Answer(success=success), None).status is CheckStatus.ERRORED
