"""The policy of a gate: what its file may say, and that anything else is refused."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from contracts.errors import ConfigurationError
from contracts.policy import Limit, Limits, Policy, require_known
from contracts.vocabulary import Severity, StoreName
from contracts.waivers import Waiver

WAIVER = {"check": "planning.title", "owner": "Ada", "reason": "Imported rows.", "expires": "2026-11-30"}
DECLARED = {"planning": {"planning.title": Severity.WARNING}}


def policy(**keys: Any) -> Policy:
    """Return the policy with these keys, read as from its file."""
    return Policy.model_validate_json(json.dumps({"version": 1, **keys}))


def test_without_a_word_nothing_is_let_through() -> None:
    """No difference, no failed critical check, no empty store."""
    assert policy().limits_of("planning") == Limits(differences=Limit(max_rows=0), min_rows=1)
    assert (policy().fail_on, policy().nothing_new, policy().waivers) == (Severity.CRITICAL, False, ())


def test_a_dataset_has_its_own_limits_before_the_common_ones() -> None:
    """Each limit is taken as a whole: the share of one is never joined to the number of another."""
    said = policy(
        limits={"differences": {"max_rows": 5}, "deferred": {"max_share": 0.5}},
        datasets={"planning": {"differences": {"max_share": 0.1}}},
    )
    own, other = said.limits_of("planning"), said.limits_of("users")
    assert (own.differences, own.deferred) == (Limit(max_share=0.1), Limit(max_share=0.5))
    assert (other.differences, other.min_rows) == (Limit(max_rows=5), 1)


@pytest.mark.parametrize(
    ("limit", "rows", "of", "allowed"),
    [
        (Limit(max_rows=3), 3, None, True),
        (Limit(max_rows=3), 4, 1000, False),
        (Limit(max_share=0.1), 1, 10, True),
        (Limit(max_share=0.1), 2, 19, False),
        (Limit(max_share=0.3), 3, 10, True),
        (Limit(max_share=1e-05), 1, 100_000, True),
        (Limit(max_share=1e-05), 1, 99_999, False),
        (Limit(max_share=0.5), 1, None, False),
        (Limit(max_share=0.5), 1, 0, False),
        (Limit(max_share=0.5), 0, None, True),
        (Limit(max_share=0), 1, 10, False),
        (Limit(max_rows=100, max_share=0.1), 50, 100, False),
        (Limit(max_rows=10, max_share=0.9), 50, 100, False),
    ],
)
def test_a_limit_is_exact_at_its_edge(limit: Limit, rows: int, of: int | None, allowed: bool) -> None:  # noqa: FBT001 - a table
    """The number itself is allowed, one more is not; of an unknown number no share is allowed; both must hold."""
    assert limit.allows(rows, of) is allowed


def test_a_limit_says_what_it_is() -> None:
    """In words that a report can show."""
    assert Limit(max_rows=1, max_share=0.001).sentence == "at most 1 row and at most 0.1 %"
    assert Limit(max_rows=1500).sentence == "at most 1,500 rows"


def test_a_waiver_of_a_check_knows_its_dataset() -> None:
    """The first part of the id; one of a cause or a place names it."""
    by_check = policy(waivers=[{**WAIVER, "store": "supabase"}]).waivers[0].waiver
    assert by_check == Waiver(
        target="planning.title",
        dataset="planning",
        owner="Ada",
        reason="Imported rows.",
        expires=date(2026, 11, 30),
        store=StoreName.SUPABASE,
    )
    words = {key: text for key, text in WAIVER.items() if key != "check"}
    by_cause = policy(waivers=[{**words, "cause": "text_case", "dataset": "users"}]).waivers[0].waiver
    assert (by_cause.target, by_cause.dataset, by_cause.store) == ("text_case", "users", None)
    by_place = policy(waivers=[{**words, "place": "dead_letter", "dataset": "users"}]).waivers[0].waiver
    assert (by_place.target, by_place.dataset, by_place.store) == ("dead_letter", "users", None)


REFUSED: dict[str, tuple[dict[str, Any], tuple[str | int, ...]]] = {
    "unknown key": ({"fail_no": "warning"}, ("fail_no",)),
    "unknown key inside": ({"checks": {"planning.x": {"max_rowz": 1}}}, ("checks", "planning.x", "max_rowz")),
    "unknown limit": ({"limits": {"settled": {"max_rows": 1}}}, ("limits", "settled")),
    "unknown version": ({"version": 2}, ("version",)),
    "unknown severity": ({"fail_on": "blocker"}, ("fail_on",)),
    "severity in capitals": ({"fail_on": "Critical"}, ("fail_on",)),
    "text for a number": ({"limits": {"min_rows": "1"}}, ("limits", "min_rows")),
    "number with a fraction": ({"limits": {"min_rows": 1.0}}, ("limits", "min_rows")),
    "negative number": ({"limits": {"min_rows": -1}}, ("limits", "min_rows")),
    "text for a switch": ({"nothing_new": "yes"}, ("nothing_new",)),
    "share above one": ({"limits": {"deferred": {"max_share": 5}}}, ("limits", "deferred", "max_share")),
    "share that is no number": (
        {"limits": {"deferred": {"max_share": float("nan")}}},
        ("limits", "deferred", "max_share"),
    ),
    "limit without a number": ({"limits": {"differences": {}}}, ("limits", "differences")),
    "check without a word": ({"checks": {"planning.x": {}}}, ("checks", "planning.x")),
    "check without dataset": ({"checks": {"title": {"required": True}}}, ("checks", "title", "[key]")),
    "waiver without owner": ({"waivers": [{**WAIVER, "owner": " "}]}, ("waivers", 0, "owner")),
    "waiver without reason": ({"waivers": [WAIVER, {**WAIVER, "reason": None}]}, ("waivers", 1, "reason")),
    "waiver without end": (
        {"waivers": [{k: v for k, v in WAIVER.items() if k != "expires"}]},
        ("waivers", 0, "expires"),
    ),
    "waiver that ends nowhere": ({"waivers": [{**WAIVER, "expires": "never"}]}, ("waivers", 0, "expires")),
    "waiver of nothing": ({"waivers": [{k: v for k, v in WAIVER.items() if k != "check"}]}, ("waivers", 0)),
    "waiver of check and cause": (
        {"waivers": [{**WAIVER, "cause": "text_case", "dataset": "planning"}]},
        ("waivers", 0),
    ),
    "waiver of a cause nowhere": (
        {"waivers": [{"cause": "text_case", "owner": "A", "reason": "B", "expires": "2026-01-01"}]},
        ("waivers", 0),
    ),
    "waiver of the unexplained": (
        {
            "waivers": [
                {"cause": "unexplained", "dataset": "planning", "owner": "A", "reason": "B", "expires": "2026-01-01"}
            ]
        },
        ("waivers", 0),
    ),
    "waiver of a lost store": (
        {
            "waivers": [
                {"cause": "side_empty", "dataset": "planning", "owner": "A", "reason": "B", "expires": "2026-01-01"}
            ]
        },
        ("waivers", 0),
    ),
    "waiver of cause and place": (
        {
            "waivers": [
                {
                    "cause": "text_case",
                    "place": "conflict",
                    "dataset": "planning",
                    "owner": "A",
                    "reason": "B",
                    "expires": "2026-01-01",
                }
            ]
        },
        ("waivers", 0),
    ),
    "waiver of what was lost": (
        {"waivers": [{"place": "lost", "dataset": "planning", "owner": "A", "reason": "B", "expires": "2026-01-01"}]},
        ("waivers", 0),
    ),
    "waiver of a place on one store": (
        {
            "waivers": [
                {
                    "place": "conflict",
                    "dataset": "planning",
                    "store": "prisma",
                    "owner": "A",
                    "reason": "B",
                    "expires": "2026-01-01",
                }
            ]
        },
        ("waivers", 0),
    ),
    "two waivers of one thing": ({"waivers": [WAIVER, WAIVER]}, ()),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_understood_is_refused_with_its_place(name: str) -> None:
    """Nothing is guessed, rounded or passed over, and the place of the first fault is told."""
    keys, place = REFUSED[name]
    with pytest.raises(ValidationError) as caught:
        policy(**keys)
    assert caught.value.errors()[0]["loc"] == place


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"datasets": {"planing": {"min_rows": 0}}}, "no such dataset"),
        ({"checks": {"planning.titel": {"severity": "critical"}}}, "no such check"),
        ({"checks": {"users.title": {"required": True}}}, "no such check"),
        ({"checks": {"planning.title": {"severity": "info"}}}, "rates planning.title as info, and it is warning"),
    ],
)
def test_names_that_do_not_exist_are_refused(keys: dict[str, Any], says: str) -> None:
    """A misspelt name must not switch a rule off, and no check is made less severe."""
    with pytest.raises(ConfigurationError, match=says):
        require_known(policy(**keys), DECLARED)


def test_a_policy_of_known_names_is_taken() -> None:
    """A waiver of an unknown check is the gate's to warn of."""
    said = policy(
        datasets={"planning": {"min_rows": 0}},
        checks={"planning.title": {"severity": "critical", "tolerate": {"max_rows": 1}, "required": True}},
        waivers=[{**WAIVER, "check": "planning.unheard_of"}],
    )
    require_known(said, DECLARED)
