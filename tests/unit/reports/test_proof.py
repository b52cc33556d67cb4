"""How a comparison tested itself, in words."""

from __future__ import annotations

import pytest

from contracts.verdicts import SelfProof
from contracts.vocabulary import StoreName
from reports.html import to_html
from reports.proof import audit_sentence, bound, tried
from reports.summary import to_summary
from tests.support.factories import MASK_KEY, make_dataset, make_proof, make_report

HEADING = "How the comparison tested itself"


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (1.0, "100 %"),
        (0.5, "50 %"),
        (0.015, "1.5 %"),
        (3 / 2_800, "0.11 %"),
        (3 / 7_000, "0.043 %"),
        (3 / 1_000_000, "0.0003 %"),
        (0.999, "100 %"),
    ],
)
def test_a_bound_is_rounded_up(share: float, text: str) -> None:
    """Two digits, never a smaller share than was shown."""
    assert bound(share) == text


def test_audits_are_added_up_since_their_first() -> None:
    """The sentence says how many rows, since when, and what follows from them."""
    assert audit_sentence(make_proof()) == (
        "2,800 rows called equal were compared field by field since 2026-03-01 02:00:00 UTC; with 95 % confidence at "
        "most 0.11 % of all rows differ unseen (rule of three)"
    )


def test_without_a_memory_only_this_run_counts() -> None:
    """A fresh memory knows nothing of earlier audits."""
    assert "200 rows called equal were compared field by field in this run" in audit_sentence(make_proof(total=None))


def test_nothing_is_claimed_of_an_empty_table() -> None:
    """No row, no fault, no audit: the words say so."""
    outcomes = dict(tried(SelfProof()))
    assert outcomes["Planted faults"] == "none: there was no row to plant one in"
    assert outcomes["Audit"] == "no row that was called equal could be audited"


def test_what_could_not_be_tried_is_told() -> None:
    """Columns whose rows never stood still, a channel that takes no values, rows that changed before the audit."""
    proof = make_proof(untried=("title",), sent_through=(StoreName.PRISMA,), moved=3)
    outcomes = dict(tried(proof))
    assert outcomes["Not tried"].endswith(": title")
    assert "supabase" in outcomes["Not sent"]
    assert outcomes["Not audited"].startswith("3 rows")


def test_pages_show_it_where_there_is_something_to_show() -> None:
    """The report and the summary have it; where nothing was compared they have none of it."""
    shown, bare = make_report(), make_report(datasets=(make_dataset(proof=None),))
    assert HEADING in to_html(shown, mask_key=MASK_KEY)
    assert HEADING not in to_html(bare, mask_key=MASK_KEY)
    assert "| audit | 2,800 rows" in to_summary(shown)
    assert "| audit |" not in to_summary(bare)
