"""How a comparison tested itself, in words: what was tried, and how much could have been missed all the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from contracts.verdicts import SelfProof
from contracts.vocabulary import StoreName
from reports.text import count, moment, number

WHOLE = 100  # percent


class Tried(NamedTuple):
    """One way in which the comparison was tested, and what came of it."""

    name: str
    outcome: str


def tried(proof: SelfProof | None) -> tuple[Tried, ...]:
    """Return the tests of a comparison with their outcomes; none where nothing was compared."""
    return () if proof is None else tuple(_tried(proof))


def audit_sentence(proof: SelfProof) -> str:
    """Return what the audits say about rows that were called equal."""
    rows = proof.audited if proof.total is None else proof.total
    if proof.bound is None:
        return "no row that was called equal could be audited"
    since = f"since {moment(proof.since)}" if proof.total is not None else "in this run"
    compared = f"{count(rows, 'row')} called equal {'was' if rows == 1 else 'were'} compared field by field {since}"
    return f"{compared}; with 95 % confidence at most {bound(proof.bound)} of all rows differ unseen (rule of three)"


def bound(share: float) -> str:
    """Return a share in percent, rounded up in its second digit: a bound must not be promised too small."""
    percent = share * WHOLE
    if percent >= WHOLE:
        return "100 %"
    places = 0
    while percent * 10**places < 10:  # noqa: PLR2004 - two digits
        places += 1
    scaled = percent * 10**places
    up = int(scaled) + (scaled - int(scaled) > 1e-9)  # noqa: PLR2004 - what only the float adds
    text = f"{up / 10**places:.{places}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} %"


def _tried(proof: SelfProof) -> Iterator[Tried]:
    planted = f"{count(proof.planted, 'fault')} planted in the queries of both stores, every one found"
    yield Tried("Planted faults", planted if proof.planted else "none: there was no row to plant one in")
    if proof.untried:
        yield Tried(
            "Not tried", f"rows kept changing, so that no fault could be planted in: {', '.join(proof.untried)}"
        )
    through = " and ".join(store for store in StoreName if store in proof.sent_through)
    if through:
        sent = f"{number(proof.values)} test values of all column types came back from {through} as they were sent"
        yield Tried("Hard values", sent)
    if StoreName.SUPABASE not in proof.sent_through:
        yield Tried(
            "Not sent", "no value can be sent through supabase over rows alone; what it writes is read strictly"
        )
    yield Tried("Audit", audit_sentence(proof))
    if proof.moved:
        yield Tried("Not audited", f"{count(proof.moved, 'row')} of the sample changed after it had been compared")
