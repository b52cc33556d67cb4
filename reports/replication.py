"""How the replication of a dataset stood, in words: what is captured, what waits, what a person has to decide."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, NamedTuple

from contracts.replication import MANY, Gap, Place, ReplicationState, Standing, waiting
from contracts.verdicts import Difference, ReplicationReport, StoreCapture
from contracts.vocabulary import StoreName
from reports.text import NONE, count, duration, moment, number

PLACES: Final = {
    Place.NOT_YET: "not carried over yet",
    Place.CONFLICT: "in conflict",
    Place.DEAD_LETTER: "dead letter",
    Place.LOST: "lost",
}
"""How a difference stands, in two or three words."""

GAPS: Final = {
    Gap.TRUNCATED: "emptied by TRUNCATE",
    Gap.REPLICA: "written by a session that restores or replicates",
    Gap.RESTORED: "restored to an earlier moment",
    Gap.OTHER_RESTORED: "the other store was restored to an earlier moment",
    Gap.TRIGGERS: "a trigger of capture is missing or disabled",
    Gap.OTHER_TABLE: "the table was made anew",
    Gap.OTHER_ADOPTION: "adopted with another state of the primary",
}


class CaptureLine(NamedTuple):
    """One store: whether its writes are captured, as a status that has a symbol and as a word, and what waits there."""

    store: StoreName
    status: str
    word: str
    facts: tuple[tuple[str, str], ...]


class ReplicationView(NamedTuple):
    """The replication of a dataset, ready to be drawn.

    Attributes:
        sentence: All of it in one sentence.
        told: True when there is more to show than the sentence.
        stores: Both stores.
        facts: What is between them.
        todo: What to do, one sentence each, with the command.
    """

    sentence: str
    told: bool
    stores: tuple[CaptureLine, ...]
    facts: tuple[tuple[str, str], ...]
    todo: tuple[str, ...]


def replication_view(report: ReplicationReport) -> ReplicationView:
    """Return the replication of a dataset, ready to be drawn."""
    told = report.state in (ReplicationState.ON, ReplicationState.STARTING) or any(
        side.standing is not None and side.standing.since is not None for side in report.stores
    )
    return ReplicationView(
        sentence=replication_sentence(report),
        told=told,
        stores=tuple(_line(side) for side in report.stores),
        facts=tuple(_facts(report)),
        todo=tuple(_todo(report)),
    )


def replication_sentence(report: ReplicationReport) -> str:
    """Return all of it in one sentence."""
    match report.state:
        case ReplicationState.OFF:
            return "Replication is off: no write is captured, and none is carried over."
        case ReplicationState.UNKNOWN:
            notes = "; ".join(f"{side.store}: {side.note.rstrip('.')}" for side in report.stores if side.note)
            return f"Whether the stores replicate is unknown{f' ({notes})' if notes else ''}."
        case ReplicationState.STARTING if report.adopting:
            return "Writes are captured, and this comparison decides whether the stores are adopted."
        case ReplicationState.STARTING:
            return "Writes are captured, but nobody adopted the stores, so that nothing is carried over."
        case _:
            counted = [*_waiting(report), *_counted(report)]
            return f"Adopted since {moment(report.adopted_at)}: {', '.join(counted) or 'nothing waits'}."


def place_of(difference: Difference) -> str:
    """Return how a difference stands, in words; empty where the stores do not replicate."""
    if difference.place is None:
        return ""
    waited = "" if difference.waiting_s is None else f" for {duration(difference.waiting_s)}"
    return f"{PLACES[difference.place]}{waited if difference.place is Place.NOT_YET else ''}"


def replication_document(report: ReplicationReport) -> dict[str, Any]:
    """Return all of it as JSON values."""
    return {
        "state": report.state,
        "adopted_at": _time(report.adopted_at),
        "stores": [_store(side) for side in report.stores],
        "conflicts": report.conflicts,
        "dead_letters": report.dead_letters,
        "failing": report.failing,
        "places": {str(place): report.places[place] for place in Place if place in report.places},
        "pending": [{"key": one.key, "kind": one.kind, "waiting_s": one.waiting_s} for one in report.pending],
        "pending_total": report.pending_total,
        "max_lag_s": report.max_lag_s,
    }


def _store(side: StoreCapture) -> dict[str, Any]:
    standing = side.standing
    known = {} if standing is None else {name: getattr(standing, name) for name in ("gap", "dirty", "oldest_s")}
    return {
        "store": side.store,
        "asked": standing is not None,
        "note": side.note,
        "captured_since": _time(standing.since) if standing else None,
        "gap": known.get("gap"),
        "gap_at": _time(standing.gap_at) if standing else None,
        "dirty": known.get("dirty"),
        "oldest_s": known.get("oldest_s"),
    }


def _line(side: StoreCapture) -> CaptureLine:
    standing = side.standing
    if standing is None:
        return CaptureLine(side.store, "incomplete", "not known", (("Note", side.note or NONE),))
    status, word = _captured(standing)
    facts = [("Captured since", moment(standing.since))]
    if standing.gap is not None:
        when = f", {moment(standing.gap_at)}" if standing.gap_at else ""
        facts.append(("Gap", f"{GAPS[standing.gap]}{when}"))
    many = standing.dirty > MANY
    facts.append(("Keys that wait", f"more than {number(MANY)} changes" if many else number(standing.dirty)))
    if standing.dirty:
        facts.append(("The oldest waits", f"for {duration(standing.oldest_s)}"))
    return CaptureLine(side.store, status, word, tuple(facts))


def _captured(standing: Standing) -> tuple[str, str]:
    if standing.since is None:
        return "skipped", "not captured"
    return ("passed", "captured") if standing.gap is None else ("failed", "captured with a gap")


def _facts(report: ReplicationReport) -> Iterator[tuple[str, str]]:
    yield "Adopted", moment(report.adopted_at)
    differing = [f"{number(n)} {PLACES[place]}" for place in Place if (n := report.places.get(place, 0))]
    yield "Rows that differ", ", ".join(differing) or "none"
    limit = f"for less than {duration(report.max_lag_s)}"
    yield "Rows under way", f"{number(report.pending_total)}, {limit}" if report.pending_total else "none"
    for name, counted in (
        ("Open conflicts", report.conflicts),
        ("Dead letters", report.dead_letters),
        ("Refused and tried again", report.failing),
    ):
        yield name, "unknown" if counted is None else number(counted)


def _waiting(report: ReplicationReport) -> Iterator[str]:
    for side in report.stores:
        if side.standing is None:
            yield f"{side.store} unknown"
        elif side.standing.dirty:
            age = duration(side.standing.oldest_s)
            yield f"{waiting(side.standing.dirty)} on {side.store}, the oldest for {age}"


def _counted(report: ReplicationReport) -> Iterator[str]:
    for counted, noun in ((report.conflicts, "open conflict"), (report.dead_letters, "dead letter")):
        if counted:
            yield count(counted, noun)
    if lost := report.places.get(Place.LOST, 0):
        yield f"{count(lost, 'row')} lost"


def _todo(report: ReplicationReport) -> Iterator[str]:
    gaps = [side.store for side in report.stores if side.standing and (side.standing.gap or not side.standing.since)]
    if report.state is ReplicationState.STARTING:
        if not report.adopting:
            yield "Finish the adoption: `twinstore adopt`."
    elif gaps and report.state is not ReplicationState.OFF:
        stores = " and ".join(gaps)
        yield f"Writes passed by capture on {stores}: look at what differs, then `twinstore adopt`."
    if report.places.get(Place.NOT_YET):
        yield "Changes wait for too long: `twinstore sync status` says why, `twinstore sync run` carries them over."
    if report.dead_letters:
        yield "Changes were given up: `twinstore sync dead-letters list`, then `retry` or `discard` them."
    if report.conflicts:
        yield "Conflicts wait for a decision: `twinstore sync conflicts list`, then `resolve` them."
    if report.places.get(Place.LOST):
        yield "Rows were lost: save them again where they are right, or `twinstore adopt` keeps them as conflicts."


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")
