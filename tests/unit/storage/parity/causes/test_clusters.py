"""Clusters: equal causes become one sentence."""

from __future__ import annotations

import pytest

from contracts.verdicts import Difference, Explanation
from contracts.vocabulary import Cause, DifferenceKind, StoreName
from storage.parity.causes import cluster
from storage.parity.causes.clusters import sentence
from tests.support.row_pairs import PRISMA, SUPABASE, told

DIFFERING = DifferenceKind.DIFFERING


def make_difference(key: str, *explanations: Explanation, kind: DifferenceKind = DIFFERING) -> Difference:
    """Return a difference with these explanations."""
    return Difference(key=key, kind=kind, explanations=explanations)


def make_explanation(cause: Cause, *fields: str, store: StoreName | None = None, detail: str = "") -> Explanation:
    """Return an explanation."""
    return Explanation(cause=cause, fields=fields, store=store, detail=detail)


def test_equal_causes_are_one_cluster() -> None:
    """Keys with one cause are counted together, the smallest are shown, the largest cluster comes first."""
    (shift,) = told({}, {"created_at": "2026-03-01 19:00:00.123"})
    (other,) = told({}, {"created_at": "2026-03-01 18:00:00.123"})
    found = [make_difference(f"{at:03}", shift) for at in reversed(range(30))]
    clusters = cluster([make_difference("x", other), *found])
    assert [(c.count, c.sentence) for c in clusters] == [
        (30, "`created_at` is 9 h later on supabase"),
        (1, "`created_at` is 8 h later on supabase"),
    ]
    assert clusters[0].sample_keys == tuple(f"{at:03}" for at in range(20))
    assert (clusters[0].new, clusters[0].oldest) == (None, None)


def test_a_row_with_two_causes_is_in_two_clusters() -> None:
    """Each cause of a row counts, once."""
    case, gone = make_explanation(Cause.TEXT_CASE, "title"), make_explanation(Cause.UNEXPLAINED, "source")
    clusters = cluster([make_difference("a", case, gone, gone), make_difference("b", gone)])
    assert [(c.cause, c.count) for c in clusters] == [(Cause.UNEXPLAINED, 2), (Cause.TEXT_CASE, 1)]


def test_kind_fields_store_and_detail_part_clusters() -> None:
    """What differs in any of them is another cluster, in a fixed order; the order of the differences does not count."""
    differences = [
        make_difference("1", make_explanation(Cause.MISSING_ROW, store=SUPABASE), kind=DifferenceKind.ONLY_PRIMARY),
        make_difference("2", make_explanation(Cause.MISSING_ROW, store=PRISMA), kind=DifferenceKind.ONLY_SECONDARY),
        make_difference("3", make_explanation(Cause.UNEXPLAINED, "title")),
        make_difference("4", make_explanation(Cause.UNEXPLAINED, "title", "type")),
        make_difference("5", make_explanation(Cause.TEXT_TRUNCATED, "title", store=PRISMA, detail="cut to 200")),
        make_difference("6", make_explanation(Cause.TEXT_TRUNCATED, "title", store=PRISMA, detail="cut to 255")),
    ]
    clusters = cluster(differences)
    assert len(clusters) == 6
    assert cluster(reversed(differences)) == clusters
    assert cluster([]) == ()


@pytest.mark.parametrize(
    ("explanation", "words"),
    [
        (told({"content": '"{\\"a\\": 1}"'}, {"content": '{"a": 1}'})[0], "`content` is a JSON string on prisma"),
        (told({"source": None, "metadata": None}, {})[0], "`metadata` and `source` are NULL on prisma"),
        (told({"source": "IMPORT"}, {"source": "import"})[0], "`source` differs only in letter case"),
        (told({}, {"version": "5"})[0], "`version` is ahead on supabase"),
        (told({"version": "0"}, {"version": None})[0], "`version` differs and nothing else does"),
        (
            make_explanation(Cause.UNEXPLAINED, "a", "b", "c", "d", "e"),
            "`a`, `b`, `c` and 2 more differ and nothing in the two rows tells why",
        ),
        (make_explanation(Cause.MISSING_ROW, store=SUPABASE), "the row is missing on supabase"),
        (make_explanation(Cause.SIDE_EMPTY, store=PRISMA), "prisma holds no row at all"),
        (
            make_explanation(Cause.REFUSED_BY_STORE, "status", store=SUPABASE, detail="`status` is in no vocabulary"),
            "the row is missing on supabase, which cannot hold it: `status` is in no vocabulary",
        ),
        (
            make_explanation(Cause.WRITE_WINDOW, store=SUPABASE, detail="created from A to B is missing on supabase"),
            "every row created from A to B is missing on supabase",
        ),
        (make_explanation(Cause.UNEXPLAINED), "the row differs and nothing in the two rows tells why"),
        (make_explanation(Cause.UNEXPLAINED, "a", "b"), "`a` and `b` differ and nothing in the two rows tells why"),
        (make_explanation(Cause.NUMBER_ROUNDED, "a"), "`a` differs"),
    ],
)
def test_sentences(explanation: Explanation, words: str) -> None:
    """A cause is told in plain words."""
    assert sentence(explanation) == words


@pytest.mark.parametrize("cause", list(Cause))
def test_every_cause_has_a_sentence(cause: Cause) -> None:
    """No cause is without words."""
    assert sentence(make_explanation(cause, "title", store=PRISMA, detail="so on prisma"))
