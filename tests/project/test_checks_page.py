"""The page of all checks says what the code says."""

from pathlib import Path

from contracts.planning_rules import PLANNING_RULES
from expectations.registry import declared_checks
from flows.own_checks import CAPTURE_RULE, CAPTURE_SENTENCE, OF_THE_COMPARISON, SETTLE_RULE, SETTLE_SENTENCE

PAGE = Path(__file__).parents[2] / "docs" / "checks.md"


def test_the_page_of_checks_is_that_of_the_code() -> None:
    """Every check is on the page with its severity and sentence, in order, and nothing else is."""
    rules = [f"| `{r.id}` | {r.severity} | {r.sentence} | {', '.join(r.columns)} |" for r in PLANNING_RULES]
    checks = [f"| `{key}` | {severity} | {sentence} |" for key, severity, sentence in declared_checks("planning")]
    sentences = {SETTLE_RULE: SETTLE_SENTENCE, CAPTURE_RULE: CAPTURE_SENTENCE}
    others = [f"| `planning.{rule}` | {rate} | {sentences[rule]} |" for rule, rate in OF_THE_COMPARISON.items()]
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("| `planning.")] == rules + checks + others


def test_no_id_is_used_twice() -> None:
    """An id names one check, rule or expectation."""
    ids = [rule.id for rule in PLANNING_RULES] + [key for key, _, _ in declared_checks("planning")]
    assert len(ids) == len(set(ids))
