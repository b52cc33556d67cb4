"""Differences that share a cause, as one sentence each."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import nsmallest

from contracts.verdicts import Cluster, Difference, Explanation
from contracts.vocabulary import Cause, DifferenceKind

MAX_SAMPLES = 20
MAX_NAMES = 3  # fields that a sentence names

_ORDER = {cause: position for position, cause in enumerate(Cause)}
_ONLY = {
    Cause.TEXT_CASE: "only in letter case",
    Cause.TEXT_WHITESPACE: "only in white space at the ends or in line endings",
    Cause.TEXT_NORMALIZATION: "only in Unicode normal form",
    Cause.VERSION_DRIFT: "and nothing else does",
    Cause.UNEXPLAINED: "and nothing in the two rows tells why",
}


def cluster(differences: Iterable[Difference]) -> tuple[Cluster, ...]:
    """Group differences by cause, kind, fields, store and detail, the largest group first.

    A row with two causes counts in two clusters. What a cluster was in earlier runs is not known here.
    """
    keys: dict[tuple[DifferenceKind, Explanation], list[str]] = {}
    for difference in differences:
        for explanation in dict.fromkeys(difference.explanations):
            keys.setdefault((difference.kind, explanation), []).append(difference.key)
    clusters = [
        Cluster(
            cause=explanation.cause,
            kind=kind,
            fields=explanation.fields,
            store=explanation.store,
            sentence=sentence(explanation),
            count=len(members),
            sample_keys=tuple(nsmallest(MAX_SAMPLES, members)),
        )
        for (kind, explanation), members in keys.items()
    ]
    return tuple(sorted(clusters, key=lambda c: (-c.count, _ORDER[c.cause], c.kind, c.fields, c.sentence)))


def sentence(explanation: Explanation) -> str:
    """Return a cause in words, such as "`content` is a JSON string on prisma"."""
    store, detail = explanation.store, explanation.detail
    match explanation.cause:
        case Cause.SIDE_EMPTY:
            return f"{store} holds no row at all"
        case Cause.MISSING_ROW:
            return f"the row is missing on {store}"
        case Cause.REFUSED_BY_STORE:
            return f"the row is missing on {store}, which cannot hold it: {detail}"
        case Cause.WRITE_WINDOW:
            return f"every row {detail}"
    if detail:
        verb = "are" if len(explanation.fields) > 1 else "is"
        return f"{_subject(explanation.fields)} {verb} {detail}"
    verb = "differ" if len(explanation.fields) > 1 else "differs"
    return f"{_subject(explanation.fields)} {verb} {_ONLY.get(explanation.cause, '')}".rstrip()


def _subject(fields: tuple[str, ...]) -> str:
    """Name the fields; a finding about none of them is about the row."""
    names = [f"`{name}`" for name in fields[:MAX_NAMES]] or ["the row"]
    if len(fields) > MAX_NAMES:
        names.append(f"{len(fields) - MAX_NAMES} more")
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
