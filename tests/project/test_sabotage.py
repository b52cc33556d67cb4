"""The checks can fail: with one part of the product switched off, exactly the tests that are named here go red."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

import pytest

from storage.migrations.values import Side
from tests.support import sabotages_of_replication
from tests.support.sabotage import SABOTAGES
from tests.support.servers import SHARED, Servers

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

DELIVERY = "tests/integration/storage/replication/test_delivering.py"
CAPTURE = "tests/integration/storage/replication/test_capture.py"
PLACES = "tests/integration/flows/test_places_race.py"
HISTORIES = "tests/integration/storage/replication/test_protocol.py::test_some_random_histories_follow_the_model"
BUSY = {
    f"{DELIVERY}::test_a_delivery_waits_for_what_the_primary_has_not_judged[sql]",
    f"{DELIVERY}::test_a_row_that_somebody_writes_is_left_for_later[sql-False]",
}
LATE = f"{DELIVERY}::test_a_late_delivery_does_not_bring_a_deleted_row_back[sql]"
OVERTAKEN = f"{DELIVERY}::test_an_older_delivery_changes_nothing[sql]"
NOT_OURS = {
    f"{DELIVERY}::test_what_is_delivered_is_no_change_of_the_secondary[sql]",
    f"{DELIVERY}::test_what_is_accepted_is_delivered_back_and_no_more[sql]",
}
RED_OF_SQL: dict[str, set[str]] = {
    "none": set(),
    "busy-rule": {*BUSY, f"{DELIVERY}::test_a_row_that_somebody_writes_is_left_for_later[sql-True]"},
    "tombstone": {LATE},
    "order": {LATE, OVERTAKEN},
    "transaction": {  # the last write has no line: nothing that begins with a write goes on
        *(f"{CAPTURE}::test_lines_come_with_their_commit[{side}]" for side in Side),
        *(f"{CAPTURE}::test_what_is_rolled_back_leaves_nothing[{side}]" for side in Side),
        *(BUSY | NOT_OURS | {LATE, OVERTAKEN}),
        f"{DELIVERY}::test_a_row_that_somebody_writes_is_left_for_later[sql-True]",
        f"{DELIVERY}::test_a_row_that_is_being_made_is_left_for_later[sql]",
        f"{DELIVERY}::test_a_delivery_that_comes_twice_changes_nothing[sql]",
    },
    "applying": {*BUSY, *NOT_OURS, LATE},  # a delivered row is busy for the next delivery
}
RED_OF_PLACES: dict[str, set[str]] = {
    "none": set(),
    "waiting": {
        f"{PLACES}::test_a_change_while_we_look_is_under_way[sql]",
    },
    "second-look": {
        f"{PLACES}::test_what_is_carried_over_between_two_looks_is_not_lost[sql-prisma]",
        f"{PLACES}::test_a_change_while_we_look_is_under_way[sql]",
    },
}

GREEN_OF_SQL = {
    f"{CAPTURE}::test_a_key_that_the_other_store_cannot_hold_is_left_out[primary]",
    f"{CAPTURE}::test_without_capture_nothing_is_added_to_the_table[secondary]",
}
GREEN_OF_PLACES = {f"{PLACES}::test_without_the_second_look_it_would_be_called_lost[sql]"}


def named(red: dict[str, set[str]], green: Collection[str]) -> list[str]:
    """Return all tests that are run under each of some sabotages."""
    return sorted({*green}.union(*red.values()))


def run(sabotage: str, tests: Collection[str], servers: Servers | None = None) -> tuple[int, set[str]]:
    """Run tests under a sabotage, on these servers if any; return the exit code and the tests that went red."""
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
        [sys.executable, "-m", "pytest", *options, *tests],
        cwd=REPOSITORY,
        env=os.environ | ({SHARED: str(servers.primary.folder.parent)} if servers else {}),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    red = re.findall(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", done.stdout, re.MULTILINE)
    return done.returncode, set(red)


def test_every_sabotage_is_tried() -> None:
    """No sabotage is written down and left out."""
    assert RED.keys() | RED_OF_SQL.keys() | RED_OF_PLACES.keys() == SABOTAGES.keys()


def test_a_sabotage_that_finds_nothing_to_break_is_refused() -> None:
    """SQL that was written anew must not make the tests here go through with nothing missing."""
    with pytest.raises(LookupError, match="exactly once"):
        sabotages_of_replication.cutting([sabotages_of_replication.Cut("apply", "no such rule", "")])()


@pytest.mark.slow
@pytest.mark.parametrize(
    "sabotage", [pytest.param(name, marks=() if name in ALWAYS else pytest.mark.soak) for name in RED]
)
def test_exactly_the_named_tests_go_red(sabotage: str) -> None:
    """A part that is switched off is noticed by those tests that are about it; with none, all is green."""
    code, red = run(sabotage, named(RED, GREEN))
    assert red == RED[sabotage]
    assert code == (1 if red else 0)


def of_replication(red: dict[str, set[str]], *later: str) -> pytest.MarkDecorator:
    """Try each of some sabotages; those that are named, and none, in the long tests only."""
    later = (*later, "none")
    tried = [pytest.param(name, marks=pytest.mark.soak if name in later else ()) for name in red]
    return pytest.mark.parametrize("sabotage", tried)


@pytest.mark.slow
@of_replication(RED_OF_SQL, "tombstone", "order", "applying")
def test_a_rule_of_replication_that_is_missing_is_noticed(sabotage: str, servers: Servers) -> None:
    """Functions of the stores that lack one rule, in databases that were migrated so, turn the named tests red."""
    code, red = run(sabotage, named(RED_OF_SQL, GREEN_OF_SQL), servers)
    assert red == RED_OF_SQL[sabotage]
    assert code == (1 if red else 0)


@pytest.mark.slow
@of_replication(RED_OF_PLACES, "waiting")
def test_a_check_that_jumps_to_conclusions_is_noticed(sabotage: str, servers: Servers) -> None:
    """A check that calls a key lost without making sure turns the named tests red."""
    code, red = run(sabotage, named(RED_OF_PLACES, GREEN_OF_PLACES), servers)
    assert red == RED_OF_PLACES[sabotage]
    assert code == (1 if red else 0)


@pytest.mark.soak
@pytest.mark.parametrize("sabotage", RED_OF_SQL)
def test_random_histories_notice_a_missing_rule(sabotage: str, servers: Servers) -> None:
    """The state machine finds each of them without being told where to look."""
    assert run(sabotage, [HISTORIES], servers)[1] == (set() if sabotage == "none" else {HISTORIES})
