"""The fault catalogue is complete, consistent with the contract, and shown as a page that is up to date."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

from contracts.errors import ConfigurationError
from contracts.planning import PLANNING
from contracts.planning_rules import PLANNING_RULES
from contracts.replication import Place
from contracts.vocabulary import Cause, DifferenceKind, Severity, StoreName, Verdict
from expectations.planning import SUITE
from storage.local.faults import (
    ADOPTED,
    ADOPTED_DECOYS,
    DECOYS,
    FAULTS,
    PAIRS,
    WITHOUT_DECOY,
    Fault,
    Injected,
    fault,
)
from storage.local.faults.catalogue import SECTIONS
from storage.local.faults.page import to_markdown
from storage.local.faults.pairs import combined
from storage.local.faults.words import NOTES, WARNINGS, alike, rules, verdict

EVERYTHING = (*FAULTS, *DECOYS, *PAIRS)
COLUMNS = {column.name for column in PLANNING.columns}
IDS = [fault.id for fault in EVERYTHING]
SEVERITIES = {rule.id: rule.severity for rule in PLANNING_RULES} | {c.id: c.severity for c in SUITE.checks}


def test_ids_are_unique_and_plain() -> None:
    """No id comes twice, and each can be typed."""
    assert len(set(IDS)) == len(IDS)
    assert all(re.fullmatch(r"[a-z0-9_]+(\+[a-z0-9_]+)?", name) for name in IDS)


def test_every_cause_has_a_fault() -> None:
    """There is no cause that nothing leads to."""
    assert {cause for fault in FAULTS for cause in fault.expects.causes} == set(Cause)


def test_every_cause_has_a_decoy_or_a_reason_for_none() -> None:
    """A cause without a decoy is named with its reason, and only such a cause."""
    decoyed = {cause for cause in Cause if any(decoy.origin == f"looks like {cause}" for decoy in DECOYS)}
    assert decoyed == set(Cause) - WITHOUT_DECOY.keys()
    assert {f"decoy_{cause}" for cause in decoyed} <= {decoy.id for decoy in DECOYS}
    assert all(reason.endswith(".") for reason in WITHOUT_DECOY.values())


def test_decoys_are_explained_by_nothing() -> None:
    """A decoy comes out as unexplained, or as a missing row, and is marked as a decoy."""
    for decoy in DECOYS:
        assert decoy.decoy
        assert decoy.expects.causes in ({Cause.UNEXPLAINED}, {Cause.MISSING_ROW})
        assert (decoy.expects.causes == {Cause.MISSING_ROW}) == (decoy.expects.kind is not DifferenceKind.DIFFERING)
    assert not any(fault.decoy for fault in (*FAULTS, *PAIRS))


def test_every_rule_is_broken_by_a_fault_on_every_store_that_can() -> None:
    """Each rule and expectation has a fault that breaks it; ids, owners and projects can be wrong on prisma only."""
    text_only = {"planning.id_replicable", "planning.user_id_valid", "planning.project_id_valid"}
    text_only |= {"planning.id_unique"}
    nullable = {"planning.required_present"}
    broken = {check for fault in FAULTS for check in fault.expects.checks}
    for known in SEVERITIES:
        stores = {store for name, store in broken if name == known}
        if known in text_only:
            assert stores == {StoreName.PRISMA}, known
        elif known in nullable:
            assert stores == {StoreName.SUPABASE}, known
        else:
            assert stores == set(StoreName), known
    assert {name for name, _ in broken} == SEVERITIES.keys()


def test_severities_are_those_of_the_contract() -> None:
    """The catalogue's own list of severities agrees with the rules."""
    assert {name for name, severity in SEVERITIES.items() if severity is Severity.WARNING} == WARNINGS
    assert {name for name, severity in SEVERITIES.items() if severity is Severity.INFO} == NOTES


@pytest.mark.parametrize("one", EVERYTHING, ids=IDS)
def test_what_is_expected_is_consistent(one: Fault) -> None:
    """Kind, causes, fields, counts and verdict of one fault fit together."""
    expects = one.expects
    assert bool(expects.causes) == (expects.kind is not None)
    assert bool(expects.fields) == (expects.kind is DifferenceKind.DIFFERING)
    assert {field.split(".")[0] for field in expects.fields} <= COLUMNS
    assert expects.verdict is (Verdict.FAILED if expects.kind else verdict(expects.checks))
    assert expects.excluded in {0, one.rows}
    assert expects.representation in {0, one.rows}
    assert not (expects.representation and expects.kind)
    assert (("planning.id_replicable", StoreName.PRISMA) in expects.checks) == bool(expects.excluded)


@pytest.mark.parametrize("one", EVERYTHING, ids=IDS)
def test_what_is_planted_is_plain_sql_on_its_own_rows(one: Fault) -> None:
    """Every statement names the planning table and, unless it is about the whole table, its keys."""
    assert one.title.endswith(".")
    assert one.rows > one.spared
    for statement in one.statements:
        assert re.match(r"\s*(UPDATE|DELETE FROM|INSERT INTO) public\.planning\b", statement.sql)
        assert "%(keys)s" in statement.sql or one.exclusive
        assert not re.search(r"(?<!%)%(?![%(])", statement.sql.replace("%%", ""))


def test_verdicts_follow_severities() -> None:
    """Critical rules fail a run, warnings warn, notes change nothing."""
    assert verdict(frozenset()) is Verdict.PASSED
    assert verdict(rules("status_canonical", StoreName.PRISMA)) is Verdict.PASSED
    assert verdict(rules("status_canonical title_not_blank", StoreName.PRISMA)) is Verdict.WARNED
    assert verdict(rules("metadata_valid type_known", StoreName.PRISMA)) is Verdict.FAILED


def test_rules_need_a_store() -> None:
    """A violated rule without a store is a mistake in the catalogue."""
    with pytest.raises(ValueError, match="store"):
        alike(breaks="type_known")


def test_pairs_name_both_causes() -> None:
    """There are at least twelve pairs, and each names everything that its two faults name."""
    assert len(PAIRS) >= 12
    for pair in PAIRS:
        first, second = (fault(name) for name in pair.id.split("+"))
        assert pair.expects.causes == first.expects.causes | second.expects.causes
        assert len(pair.expects.causes) == 2


def test_a_body_that_is_a_string_has_nothing_below_it() -> None:
    """A pair with a double-encoded body differs in the body as a whole and breaks no rule about its inside."""
    pair = combined(fault("content_stripped_prisma"), fault("content_double_encoded_prisma"))
    assert pair.expects.fields == {"content"}
    assert pair.expects.checks == rules("content_is_object", StoreName.PRISMA)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("secondary_empty", "primary_empty"),
        ("decoy_write_window_with_survivor", "row_missing_supabase"),
        ("row_missing_supabase", "title_case_supabase"),
    ],
)
def test_what_cannot_be_combined_is_refused(first: str, second: str) -> None:
    """Whole tables, spared rows and two kinds of difference make no pair."""
    with pytest.raises(ValueError, match="combined"):
        combined(fault(first), fault(second))


def test_spared_keys_need_not_be_found() -> None:
    """The last keys of a fault that spares some are not to be found; else all are."""
    spared = Injected(fault=fault("decoy_write_window_with_survivor"), keys=("a", "b", "c"))
    assert spared.found == ("a", "b")
    assert Injected(fault=fault("row_missing_supabase"), keys=("a", "b")).found == ("a", "b")


def test_an_unknown_fault_is_refused() -> None:
    """Asking for a fault that is not in the catalogue says so."""
    with pytest.raises(ConfigurationError, match="no such fault"):
        fault("row_eaten_by_dog")


def test_windows_lie_apart() -> None:
    """Rows that faults move to an hour of their own are months away from each other."""
    starts = sorted(
        {start for one in EVERYTHING for s in one.statements for start in re.findall(r"timestamp '(\d{4}-\d\d)", s.sql)}
    )
    assert all(one[:7] != other[:7] for one, other in pairwise(starts))


@pytest.mark.parametrize("one", [*ADOPTED, *ADOPTED_DECOYS], ids=lambda f: f.id)
def test_a_fault_of_replication_is_consistent(one: Fault) -> None:
    """It is marked as one, is on the page, can be asked for by name, and its place belongs to a difference."""
    expects = one.expects
    assert one.adopted
    assert one.decoy == one.id.startswith("decoy_")
    assert fault(one.id) is one
    assert one.id not in IDS
    assert f"| `{one.id}` |" in to_markdown()
    assert bool(expects.place) == (expects.kind is not None) == bool(expects.causes)
    assert not (expects.pending and expects.kind)
    assert one.exclusive == any(check == "planning.capture_gap" for check, _ in expects.checks)


def test_every_place_has_a_fault() -> None:
    """There is no way to stand in replication that nothing leads to."""
    assert {one.expects.place for one in ADOPTED if one.expects.place} == set(Place)
    assert not any(one.adopted for one in EVERYTHING)


def test_the_page_is_up_to_date() -> None:
    """docs/faults.md is what the catalogue prints."""
    page = Path(__file__).parents[4] / "docs" / "faults.md"
    assert page.read_text(encoding="utf-8") == to_markdown(), "run `python -m storage.local.faults > docs/faults.md`"


def test_the_page_shows_everything() -> None:
    """Every fault, decoy and pair stands on the page, in a table whose rows have as many cells as its head."""
    page = to_markdown()
    assert all(f"| `{name}` |" in page for name in IDS)
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {8}
    assert sum(len(faults) for _, faults in SECTIONS) == len(FAULTS)
