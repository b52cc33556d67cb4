"""Which rules single rows break: as a check judges them, row by row, and never passed for want of an answer."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.judge import Contract, Evaluator
from contracts.planning import CONTRACT, PLANNING
from contracts.row_judge import ROWS_AT_ONCE, RowJudge
from contracts.vocabulary import Severity, StoreName
from tests.support.planning_rows import row

BROKEN: dict[str, dict[str, Any]] = {
    "required_present": {"created_at": None},
    "type_known": {"type": "podcast"},
    "status_known": {"status": "queued"},
    "title_length": {"title": ""},
    "content_is_object": {"content": '"x"'},
    "content_valid": {"content": {"id": row()["id"], "type": "scenario"}},
    "user_id_valid": {"user_id": "guest"},
    "version_positive": {"version": "0"},
    "title_not_blank": {"title": "   "},
    "metadata_valid": {"metadata": []},
    "status_canonical": {"status": "in-progress"},
}


@pytest.mark.parametrize("store", StoreName)
def test_each_row_gets_its_own_rules(store: StoreName) -> None:
    """A batch of rows that each break something else is told apart, a sound one in their midst."""
    rows = [row(**changes) for changes in BROKEN.values()]
    rows.insert(3, row())
    names = [*BROKEN]
    names.insert(3, "")
    found = RowJudge(CONTRACT).broken(store, rows)
    for name, rules in zip(names, found, strict=True):
        assert {rule.removeprefix("planning.") for rule in rules} >= ({name} if name else set())
        assert bool(rules) is bool(name)


def test_the_critical_rules_are_those_of_the_contract() -> None:
    """What must never be written is told by severity, not by a list of its own."""
    expected = {rule.id for rule in CONTRACT.rules if rule.severity is Severity.CRITICAL}
    assert RowJudge(CONTRACT).critical == expected
    assert "planning.title_not_blank" not in expected


def test_a_row_that_cannot_be_judged_breaks_the_rule_and_its_neighbours_do_not() -> None:
    """A text that is no instant keeps the rule from being evaluated: for that row alone."""
    rows = [row(), row(created_at="yesterday"), row()]
    sound, strange, also_sound = RowJudge(CONTRACT).broken(StoreName.PRISMA, rows)
    assert strange == {"planning.created_before_updated"}
    assert sound == also_sound == set()


def test_a_rule_that_nothing_answers_for_is_broken_by_every_row() -> None:
    """An evaluator that is missing, or silent about its rule, never lets a row pass."""
    silent = Evaluator(rules=("planning.type_known",), columns=("type",), run=lambda _: {})
    contract = Contract(dataset=PLANNING, rules=CONTRACT.rules[:3], evaluators=lambda _: (silent,))
    (found,) = RowJudge(contract).broken(StoreName.PRISMA, [row()])
    assert found == {rule.id for rule in CONTRACT.rules[:3]}


def test_more_rows_than_are_judged_at_once_keep_their_places() -> None:
    """The answer has one entry per row, in their order; no rows, no entries."""
    rows = [row() for _ in range(ROWS_AT_ONCE + 2)]
    rows[ROWS_AT_ONCE] = row(version="0")
    found = RowJudge(CONTRACT).broken(StoreName.SUPABASE, rows)
    assert [place for place, rules in enumerate(found) if rules] == [ROWS_AT_ONCE]
    assert len(found) == len(rows)
    assert RowJudge(CONTRACT).broken(StoreName.SUPABASE, []) == []
