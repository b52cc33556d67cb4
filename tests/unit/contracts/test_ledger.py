"""What a difference is known by across runs."""

from __future__ import annotations

from contracts.ledger import sighting
from contracts.vocabulary import DifferenceKind
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
