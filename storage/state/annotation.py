"""Joins a run with the ledger: reading, what changed since the run before; writing, what the next one will know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from contracts.ledger import Identity, Sighting, sighting
from contracts.verdicts import DatasetReport, History
from storage.chunks import chunks
from storage.state import audits, checks, ledger, pairs, runs
from storage.state.bulk import CHUNK
from storage.state.history import Tally, age, looked_everywhere
from storage.state.pairs import Kin

TREND_RUNS = 30

Seen = Mapping[Identity, Sighting]


def gather(report: DatasetReport, sightings: Iterable[Sighting] | None) -> Seen:
    """Return all differences of a run by identity: those given, else those that the report lists."""
    found = sightings if sightings is not None else map(sighting, report.differences)
    return {one.identity: one for one in found}


def annotate(
    connection: Connection, dataset: int, report: DatasetReport, *, run_id: str, now: datetime, seen: Seen
) -> DatasetReport:
    """Return `report` with ages and history, as the ledger knows them.

    Of a run that a later one has overtaken only the trend is told, since the ledger has moved on, and of one that saw
    too little of other databases to begin their history.
    """
    stores = pairs.pair_of(report.stores)
    trend = runs.trend(connection, dataset, stores, run_id=run_id, limit=TREND_RUNS)
    if runs.is_overtaken(connection, dataset, run_id=run_id):
        return replace(report, history=History(trend=trend))
    kin = pairs.kin_of(connection, dataset, stores, run_id=run_id)
    if kin is Kin.OTHER and not _counts(report, seen):
        return _noted(replace(report, history=History(trend=trend)), pairs.LEFT_OUT)
    tally = _count(connection, dataset, report, kin, run_id=run_id, now=now, seen=seen)
    by_key = {identity.key: one for identity, one in seen.items()}
    anew = kin is Kin.OTHER
    history = _history(connection, dataset, report, run_id=run_id, tally=tally, seen=seen, anew=anew)
    annotated = replace(
        report,
        differences=tuple(tally.dated(difference) for difference in report.differences),
        clusters=tuple(tally.clustered(cluster, by_key) for cluster in report.clusters),
        history=replace(history, trend=trend),
        proof=report.proof and audits.add_up(connection, dataset, report.proof, run_id=run_id, now=now, anew=anew),
    )
    return _noted(annotated, pairs.NOTES[kin]) if kin in pairs.NOTES and _counts(report, seen) else annotated


def take_in(
    connection: Connection, dataset: int, report: DatasetReport, *, run_id: str, started_at: datetime, seen: Seen
) -> None:
    """Write one dataset of a run. What it did not see is marked as gone only if it looked everywhere.

    One that looked at other databases than the runs before begins the ledger anew, unless it saw nothing.
    """
    overtaken = runs.is_overtaken(connection, dataset, run_id=run_id)
    compared = not overtaken and _counts(report, seen)
    runs.insert_dataset_run(connection, dataset, report, run_id=run_id, started_at=started_at, compared=compared)
    kin = pairs.kin_of(connection, dataset, pairs.pair_of(report.stores), run_id=run_id)
    if overtaken or (kin is Kin.OTHER and not compared):
        return
    if compared:
        pairs.part(connection, dataset, kin)
    checks.record(connection, dataset, report.checks, run_id=run_id, now=started_at)
    if report.proof is not None:
        audits.record(connection, dataset, report.proof, run_id=run_id, now=started_at)
    lost = {identity: one.lost for identity, one in seen.items()}
    ledger.record(connection, dataset, lost, run_id=run_id, now=started_at)
    if _is_complete(report, seen):
        unsettled = ledger.fetch_unsettled(connection, dataset, report.unsettled)
        ledger.close_unseen(connection, dataset, run_id=run_id, now=started_at, but=unsettled)


def _counts(report: DatasetReport, seen: Seen) -> bool:
    """Say whether later runs are compared with this one: it saw something, or that there is nothing."""
    return _is_complete(report, seen) or len(seen) > 0


def _noted(report: DatasetReport, note: str) -> DatasetReport:
    return report if note in report.notes else replace(report, notes=(*report.notes, note))


def _is_complete(report: DatasetReport, seen: Seen) -> bool:
    """Say whether what is not in `seen` is provably not there."""
    return looked_everywhere(report) and len(seen) >= report.differences_total


def _count(
    connection: Connection,
    dataset: int,
    report: DatasetReport,
    kin: Kin | None,
    *,
    run_id: str,
    now: datetime,
    seen: Seen,
) -> Tally:
    tally = Tally(report.differences)
    entries = ledger.fetch_entries(connection, dataset, seen)
    for chunk, known in zip(chunks(seen, CHUNK), entries, strict=True):
        for identity in chunk:
            tally.add(
                seen[identity], age(pairs.as_known(known.get(identity), kin, run_id=run_id), run_id=run_id, now=now)
            )
    return tally


def _history(
    connection: Connection,
    dataset: int,
    report: DatasetReport,
    *,
    run_id: str,
    tally: Tally,
    seen: Seen,
    anew: bool,
) -> History:
    """Return the counts that this run can vouch for; the others stay unknown."""
    complete = _is_complete(report, seen)
    counted = complete or 0 < len(seen) >= report.differences_total
    unsettled = [] if anew else ledger.fetch_unsettled(connection, dataset, report.unsettled)
    before = 0 if anew else ledger.count_before(connection, dataset, run_id=run_id)
    changed = checks.changes(connection, dataset, report.checks, run_id=run_id, anew=anew)
    return History(
        previous_run_id=None if anew else runs.previous_run(connection, dataset, run_id=run_id),
        new=tally.new if counted else None,
        gone=before - tally.persisting - len(unsettled) if complete else None,
        persisting=tally.persisting if counted else None,
        returned=tally.returned if counted else None,
        checks_new=changed.new,
        checks_gone=changed.gone,
    )
