"""What a difference is known by across runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contracts.ledger import sighting
from contracts.verdicts import Explanation
from contracts.vocabulary import Cause, DifferenceKind
from tests.support.runs import make_difference


def test_paths_count_as_their_column() -> None:
    """Two paths below one JSON column are one field, and fields are sorted."""
    seen = sighting(make_difference("k", "title", "content.b.2", "content.a"))
    assert seen.identity.fields == ("content", "title")
    assert seen.identity.kind is DifferenceKind.DIFFERING


def test_a_sighting_holds_no_value() -> None:
    """Values stay behind; causes come along."""
    difference = make_difference("k", "title")
    seen = sighting(difference)
    assert "secret" not in repr(seen)
    assert seen.explanations == difference.explanations


@pytest.mark.parametrize(
    ("cause", "searched", "lost"),
    [
        (Cause.MISSING_ROW, True, False),
        (Cause.MISSING_ROW, False, None),
        (Cause.WRITE_WINDOW, True, True),
        (Cause.REFUSED_BY_STORE, True, None),  # it could never be there: that it is not tells nothing
        (Cause.KEY_CASE, True, None),  # it is there
    ],
)
def test_a_run_tells_whether_a_row_was_lost_together_with_others(
    cause: Cause,
    searched: bool,  # noqa: FBT001
    lost: bool | None,  # noqa: FBT001
) -> None:
    """Or that it could not tell."""
    difference = replace(make_difference("k"), explanations=(Explanation(cause=cause, fields=()),), searched=searched)
    assert sighting(difference).lost is lost
