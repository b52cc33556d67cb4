"""Why a step was refused or did not stay: in a sentence, with what to do."""

from __future__ import annotations

import pytest

from contracts.repair import Act, Done, Mended
from storage.repair.explaining import why_refused
from tests.support.repair_plans import make_step

WORDS = {
    "428C9": "generates the column",
    "42501": "row level security",
    "TW003": "suppresses the write",
    "TW004": "Rows of other tables",
    "23502": "without a value",
    "23503": "refers to",
    "23505": "the same value already",
    "23514": "check constraint",
    "23P01": "exclusion",
    "22P02": "cannot hold a value",
    "P0001": "an error of its own",
    "P0004": "an error of its own",
    "42883": "SQLSTATE 42883",
    None: "SQLSTATE without a reason",
}


@pytest.mark.parametrize("code", WORDS)
@pytest.mark.parametrize("rule", ["its_rule", None])
def test_a_refusal_is_explained(code: str | None, rule: str | None) -> None:
    """The store is named, and the rule where there is one; nothing is left to be filled in."""
    done = Done(number=1, outcome=Mended.REJECTED, code=code, rule=rule)
    sentence = why_refused(make_step(1, Act.UPDATE), done)
    assert WORDS[code] in sentence
    assert "supabase" in sentence
    assert sentence.endswith(".")
    assert not set("{}") & set(sentence)
    assert "None" not in sentence
