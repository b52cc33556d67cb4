"""The checks can fail: with one part of the product switched off, exactly the tests that are named here go red."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.sabotage import SABOTAGES

REPOSITORY = Path(__file__).parents[2]
ENGINE = "tests/unit/storage/parity/test_engine.py"
SELF_TEST = "tests/unit/storage/parity/test_self_test.py"
RUNNER = "tests/unit/expectations/test_runner_answers.py"
JUDGEMENT = "tests/unit/contracts/test_judgement.py"
RED: dict[str, set[str]] = {
    "none": set(),
    "digest": {
        f"{ENGINE}::test_scattered_differences_among_many_rows_are_read_off_a_sketch",
        f"{ENGINE}::test_a_sketch_that_cannot_be_read_gives_way_to_the_pairs",
        f"{ENGINE}::test_a_row_that_becomes_equal_is_settled_not_reported",
        f"{ENGINE}::test_a_row_that_never_stands_still_is_deferred",
        f"{ENGINE}::test_a_moving_row_that_comes_to_rest_unequal_is_confirmed",
        f"{ENGINE}::test_a_row_deleted_during_the_second_look_still_adds_up",
        f"{ENGINE}::test_rows_beyond_the_budget_are_counted_and_make_the_run_incomplete",
        f"{ENGINE}::test_rows_whose_key_cannot_be_replicated_are_excluded_and_counted",
        f"{ENGINE}::test_equal_in_canonical_form_only_is_counted_with_its_column",
    },
    "recheck": {
        f"{ENGINE}::test_a_row_that_becomes_equal_is_settled_not_reported",
        f"{ENGINE}::test_a_row_that_never_stands_still_is_deferred",
        f"{ENGINE}::test_equal_in_canonical_form_only_is_counted_with_its_column",
    },
    "conservation": {f"{ENGINE}::test_a_store_that_lies_is_found_out[LosesARow-accounted for]"},
    "copied-count": {f"{ENGINE}::test_a_store_that_lies_is_found_out[LosesARow-accounted for]"},
    "result-count": {f"{RUNNER}::test_a_check_without_an_answer_is_errored"},
    "declared-count": {f"{JUDGEMENT}::test_a_declared_check_without_a_result_is_errored"},
    "plants": {f"{SELF_TEST}::test_both_stores_blind_alike_are_found_out"},
    "audit": {f"{SELF_TEST}::test_an_unequal_row_that_was_called_equal_is_found_by_the_audit"},
    "torture": {f"{SELF_TEST}::test_a_channel_that_bends_values_is_named_before_rows_are_compared"},
}

GREEN = {
    f"{ENGINE}::test_equal_stores_are_identical",
    f"{SELF_TEST}::test_what_was_tried_is_told",
    f"{ENGINE}::test_an_empty_side_is_one_finding_not_a_list_of_rows",
    f"{RUNNER}::test_an_answer_that_is_neither_yes_nor_no_is_errored",
    f"{JUDGEMENT}::test_checks_that_errored_for_one_cause_give_one_reason",
}
"""Tests of the same parts that no sabotage may turn red: they show that not simply everything does."""

ALWAYS = {"none", "digest", "conservation", "result-count", "plants"}
"""Tried whenever tests are run; all of them in the long tests."""

NAMED = sorted(GREEN.union(*RED.values()))


def run(sabotage: str) -> tuple[int, set[str]]:
    """Run the named tests under a sabotage; return the exit code and the tests that went red."""
    options = [
        "-p",
        "tests.support.sabotage",
        "--sabotage",
        sabotage,
        "-p",
        "no:cacheprovider",
        "-q",
        "--tb=no",
        "-rfE",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *NAMED],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    red = re.findall(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", done.stdout, re.MULTILINE)
    return done.returncode, set(red)


def test_every_sabotage_is_tried() -> None:
    """No sabotage is written down and left out."""
    assert RED.keys() == SABOTAGES.keys()


@pytest.mark.slow
@pytest.mark.parametrize(
    "sabotage", [pytest.param(name, marks=() if name in ALWAYS else pytest.mark.soak) for name in RED]
)
def test_exactly_the_named_tests_go_red(sabotage: str) -> None:
    """A part that is switched off is noticed by those tests that are about it; with none, all is green."""
    code, red = run(sabotage)
    assert red == RED[sabotage]
    assert code == (1 if red else 0)
