"""A pytest plugin that breaks one part of the product: `pytest -p tests.support.sabotage --sabotage NAME`.

Tests that stay green while their subject is switched off prove nothing; `tests/project/test_sabotage.py` runs the tests
that must go red under each sabotage. The product itself has no switch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from contracts import judgement
from contracts.verdicts import Reason, SideCounts
from contracts.vocabulary import CheckStatus
from expectations import runner
from expectations.suite import Skip
from storage.parity import accounting, audit, candidates, proof, recheck, torture
from tests.support import sabotages_of_replication


def _digest() -> None:
    """Every range is called equal, whatever its digests are."""
    candidates.unequal_ranges = lambda *_: []


def _recheck() -> None:
    """Every candidate is confirmed at once, whatever the second look shows."""
    judge = recheck._judge

    def confirmed(dataset: Any, item: Any, primary: Any, secondary: Any) -> recheck.Checked:
        return judge(dataset, item, primary, secondary)._replace(outcome=recheck.Outcome.CONFIRMED)

    recheck._judge = confirmed


def _conservation() -> None:
    """Accounts are never held against the separate count."""

    def ranges(self: accounting.Accounts) -> tuple[Any, ...]:
        numbers = sorted({number for side in self._counts for number in side})
        return tuple(self._range(number) for number in numbers)

    accounting.Accounts.ranges = ranges  # type: ignore[method-assign]  # sabotage


def _copied_count() -> None:
    """The count is made of the terms that it should check."""
    honest = accounting.Accounts._side

    def side(*args: Any) -> SideCounts:
        counts = honest(*args)
        return replace(counts, read=counts.read - counts.balance)

    accounting.Accounts._side = staticmethod(side)  # type: ignore[method-assign,assignment]  # sabotage


def _result_count() -> None:
    """A check without an answer counts as passed."""
    judge = runner._judge

    def judged(check: Any, store: Any, plan: Any, answer: Any, trouble: Any) -> Any:
        result = judge(check, store, plan, answer, trouble)
        unanswered = answer is None and not isinstance(plan, (str, Skip))
        return replace(result, status=CheckStatus.PASSED) if unanswered else result

    runner._judge = judged


def _declared_count() -> None:
    """Declared checks that have no result at all are not missed."""
    judge = judgement.judge_checks

    def judged(checks: Any, declared: Any) -> tuple[Reason, ...]:
        return judge(checks, dict.fromkeys(declared, ()))

    judgement.judge_checks = judged


def _plants() -> None:
    """Whatever a store answers over planted faults is good enough."""
    proof.judge = lambda *_, **__: None


def _audit() -> None:
    """No two rows disagree, whatever their fields are."""
    audit.disagreement = lambda *_: None


def _torture() -> None:
    """Whatever comes back of a value is good enough."""
    torture._judge = lambda *_: None


SABOTAGES: dict[str, Callable[[], None]] = {
    "none": lambda: None,
    "digest": _digest,
    "recheck": _recheck,
    "conservation": _conservation,
    "copied-count": _copied_count,
    "result-count": _result_count,
    "declared-count": _declared_count,
    "plants": _plants,
    "audit": _audit,
    "torture": _torture,
    **sabotages_of_replication.SABOTAGES,
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.addoption("--sabotage", choices=list(SABOTAGES), default="none", help="what is broken")


def pytest_configure(config: pytest.Config) -> None:
    """Break it before any test module is imported."""
    SABOTAGES[config.getoption("--sabotage")]()
