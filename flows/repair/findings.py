"""What a plan rests on: the differences that one complete run found and that no later run proved to be gone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypedDict

from contracts.errors import ConfigurationError
from contracts.registry import contract_for
from contracts.repair import are_others
from contracts.replication import Place
from contracts.verdicts import DatasetReport
from contracts.vocabulary import Cause, DifferenceKind, StoreName, Verdict
from flows.repair.failing import Differed, checked, failing_of, told_checked
from flows.settings import Settings
from flows.wiring import runs_folder

if TYPE_CHECKING:
    from storage.repair.planning import Failing, Found, Unlisted
    from storage.state import State
    from storage.state.repairbook import Open

FLAPPING = "It was gone and came back three times or more within 30 days: something writes it again."


class _Causes(TypedDict):
    """What is known of why a row differs."""

    causes: tuple[str, ...]
    explained: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a run found about a dataset.

    Attributes:
        run_id: The run.
        dataset: The dataset.
        found: Its differences, by key.
        total: How many it counted; more than are listed where it lists only some of them.
        flapping: Keys that keep coming back, each with a sentence.
        failing: The checks that failed.
        pending: Number of keys whose change was under way.
        unlisted: What it says of keys that are not among its differences.
    """

    run_id: str
    dataset: str
    found: tuple[Found, ...]
    total: int
    flapping: Mapping[str, str]
    failing: tuple[Failing, ...] = ()
    pending: int = 0
    unlisted: Unlisted


def of_report(report: DatasetReport, run_id: str, memory: State) -> Findings:
    """Return what a run that has just ended, and is remembered, found."""
    from storage.repair.planning import Found, Unlisted

    known = {one.key: one for one in memory.repairs.open_differences(report.name, run_id)}
    found = tuple(
        Found(
            key=one.key,
            kind=one.kind,
            runs_seen=one.runs_seen,
            place=one.place,
            first_seen=one.first_seen,
            **_causes({e.cause for e in one.explanations}, known.get(one.key)),
        )
        for one in report.differences
    )
    return Findings(
        run_id=run_id,
        dataset=report.name,
        found=found,
        total=report.differences_total,
        flapping={one.key: FLAPPING for one in report.differences if one.flapping},
        failing=failing_of(
            contract_for(report.name).dataset,
            map(checked, report.checks),
            Differed(
                keys={one.key for one in found},
                hidden=report.differences_total - len(found) + report.rows.pending,
                gone=0,
            ),
        ),
        pending=report.rows.pending,
        unlisted=Unlisted(
            unsettled=frozenset(report.unsettled), equal=report.differences_total <= len(report.differences)
        ),
    )


def of_run(settings: Settings, memory: State, dataset: str, run_id: str, *, now: datetime) -> Findings:
    """Return what an earlier run found and no later one proved to be gone: as the memory, and its report, have it.

    Raises:
        ConfigurationError: There is no such run of the dataset, or it could not look everywhere.
    """
    from storage.repair.planning import Found, Unlisted

    require_complete(memory, dataset, run_id)
    document = _document(settings, dataset, run_id)
    listed: dict[str, dict[str, Any]] = {one["key"]: one for one in document.get("differences", ())}
    places = {key: Place(told["place"]) for key, told in listed.items() if told.get("place")}
    found = tuple(
        Found(
            key=one.key,
            kind=one.kind,
            runs_seen=one.runs_seen,
            place=places.get(one.key),
            first_seen=one.first_seen,
            **_causes(map(Cause, listed.get(one.key, {}).get("causes", ())), one),
        )
        for one in memory.repairs.open_differences(dataset, run_id)
    )
    rows, differed = document.get("rows", {}), {*listed, *(one.key for one in found)}
    pending, excluded = (int(rows.get(name) or 0) for name in ("pending", "excluded"))
    return Findings(
        run_id=run_id,
        dataset=dataset,
        found=found,
        total=len(found),
        flapping={one.key: FLAPPING for one in memory.flapping(dataset, now=now)},
        failing=failing_of(
            contract_for(dataset).dataset,
            map(told_checked, document.get("checks", ())),
            Differed(
                keys=differed,
                hidden=max(0, int(document.get("differences_total") or 0) - len(differed)) + pending,
                gone=len(differed) - len(found) + excluded,
            ),
        ),
        pending=pending,
        unlisted=Unlisted(equal=False),  # which keys were under way stands nowhere
    )


def _causes(told: Iterable[Cause], known: Open | None) -> _Causes:
    """Return why a row differs as far as two rows cannot tell; what the memory knows stays true without a report."""
    if known is None:
        return {"causes": tuple(sorted(set(told))), "explained": False}
    lost = {Cause.WRITE_WINDOW} if known.lost_window else set[Cause]()
    spelt = {Cause.KEY_CASE} if known.fields and known.kind is not DifferenceKind.DIFFERING else set[Cause]()
    return {"causes": tuple(sorted({*told, *lost, *spelt})), "explained": known.lost_window is not None}


def require_complete(memory: State, dataset: str, run_id: str) -> None:
    """Refuse a run that does not carry a plan.

    Raises:
        ConfigurationError: It is not remembered, or it could not look everywhere.
    """
    looked = memory.repairs.looked_everywhere(dataset, run_id)
    if looked is None:
        raise ConfigurationError(
            f"There is no run {run_id} of {dataset} in the memory.",
            "`twinstore report list` lists the runs; without --run a new check is made.",
        )
    if not looked:
        raise ConfigurationError(
            f"Run {run_id} could not look everywhere, so that no repair may rest on it.",
            f"Mend what its report names (`twinstore report open {run_id}`), then run `twinstore repair plan` again.",
        )


def require_of_these(memory: State, findings: Findings, identities: Mapping[StoreName, str]) -> None:
    """Refuse a run that looked at other databases than those that would be repaired, or before others were looked at.

    Raises:
        ConfigurationError: It is so, or nothing tells.
    """
    run_id, these = findings.run_id, tuple(identities[store] for store in StoreName)
    looked, (last, other) = memory.looks.pair(findings.dataset, run_id), memory.looks.reach(findings.dataset)
    if looked == last == these and run_id > other:
        return
    later = last if last != these else memory.looks.pair(findings.dataset, other)
    strange = later if looked == these else looked
    proven = any(are_others(before or "", now) for before, now in zip(strange, these, strict=True))
    todo = "Run `twinstore repair plan` without --run, which makes a new check"
    if proven:
        todo = f"{todo}; give each pair of stores a name of its own (TWINSTORE_ENVIRONMENT)"
    elif looked.known and looked != these:
        todo = f"{todo}, or reach both stores as that run did (TWINSTORE_CHANNEL, SUPABASE_URL, SUPABASE_DB_URL)"
    if looked == these:
        seen = "Other databases were" if proven else "What is not proven to be these databases was"
        what = f"{seen} looked at since run {run_id}, so that what it saw does not count any more"
    elif proven:
        what = f"Run {run_id} looked at other databases than these"
    elif looked.known:
        what = f"It is not proven that run {run_id} looked at these very databases"
    else:
        what = f"Nothing tells which databases run {run_id} looked at"
    raise ConfigurationError(f"{what}.", f"{todo}.")


def _document(settings: Settings, dataset: str, run_id: str) -> dict[str, Any]:
    """Return what the report of a run says about a dataset; nothing where the report is gone.

    It adds causes and places to what the memory knows. Which keys differ, and which were lost with all others of their
    time, is the memory's to say.
    """
    try:
        document = json.loads((runs_folder(settings) / run_id / "report.json").read_text(encoding="utf-8"))
        return next((one for one in document["datasets"] if one["name"] == dataset), {})
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def blind(report: DatasetReport) -> str | None:
    """Return why a run that has just ended does not carry a plan; None where it does."""
    found = [r for r in report.reasons if r.verdict in (Verdict.ERRORED, Verdict.INCOMPLETE)]
    return found[0].text.rstrip(".") if found else None


def remedy(report: DatasetReport) -> str:
    """Return what helps where a run does not carry a plan, as a sentence."""
    if report.rows.deferred and all(r.verdict is not Verdict.ERRORED for r in report.reasons):
        return (
            "A repair rests on a complete check: plan again when less is written, or say `--run` with an earlier run "
            "that was complete (`twinstore report list`)."
        )
    return "Mend that first; a repair rests on a complete check."
