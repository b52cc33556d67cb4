"""What a plan rests on: the differences that one complete run found and that no later run proved to be gone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contracts.errors import ConfigurationError
from contracts.replication import Place
from contracts.verdicts import DatasetReport
from contracts.vocabulary import Cause, CheckStatus, StoreName, Verdict
from flows.own_checks import OF_THE_COMPARISON
from flows.settings import Settings
from flows.wiring import runs_folder

if TYPE_CHECKING:
    from storage.repair.planning import Failing, Found
    from storage.state import State

FLAPPING = "It was gone and came back three times or more within 30 days: something writes it again."


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
    """

    run_id: str
    dataset: str
    found: tuple[Found, ...]
    total: int
    flapping: Mapping[str, str]
    failing: tuple[Failing, ...] = ()
    pending: int = 0


def of_report(report: DatasetReport, run_id: str) -> Findings:
    """Return what a run that has just ended found."""
    from storage.repair.planning import Found

    found = tuple(
        Found(
            key=one.key,
            kind=one.kind,
            runs_seen=one.runs_seen,
            place=one.place,
            first_seen=one.first_seen,
            causes=tuple(sorted({e.cause for e in one.explanations})),
        )
        for one in report.differences
    )
    return Findings(
        run_id=run_id,
        dataset=report.name,
        found=found,
        total=report.differences_total,
        flapping={one.key: FLAPPING for one in report.differences if one.flapping},
        failing=_failing([(c.id, c.store, c.status, c.failing_rows) for c in report.checks]),
        pending=report.rows.pending,
    )


def of_run(settings: Settings, memory: State, dataset: str, run_id: str) -> Findings:
    """Return what an earlier run found and no later one proved to be gone: as the memory, and its report, have it.

    Raises:
        ConfigurationError: There is no such run of the dataset, or it could not look everywhere.
    """
    from storage.repair.planning import Found

    require_complete(memory, dataset, run_id)
    known = _document(settings, dataset, run_id)
    listed = {one["key"]: one for one in known.get("differences", ())}
    found = []
    for one in memory.repairs.open_differences(dataset, run_id):
        told: dict[str, Any] = listed.get(one.key, {})
        place = told.get("place")
        found.append(
            Found(
                key=one.key,
                kind=one.kind,
                runs_seen=one.runs_seen,
                place=Place(place) if place else None,
                first_seen=one.first_seen,
                causes=tuple(sorted(map(Cause, told.get("causes", ())))),
            )
        )
    checks = [(c["id"], c["store"], c["status"], c["failing_rows"]) for c in known.get("checks", ())]
    return Findings(
        run_id=run_id,
        dataset=dataset,
        found=tuple(found),
        total=len(found),
        flapping={key: FLAPPING for key, told in listed.items() if told.get("flapping")},
        failing=_failing(checks),
        pending=int(known.get("rows", {}).get("pending") or 0),
    )


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


def _document(settings: Settings, dataset: str, run_id: str) -> dict[str, Any]:
    """Return what the report of a run says about a dataset; nothing where the report is gone.

    It adds causes and places to what the memory knows. Which keys differ is the memory's to say.
    """
    try:
        document = json.loads((runs_folder(settings) / run_id / "report.json").read_text(encoding="utf-8"))
        return next((one for one in document["datasets"] if one["name"] == dataset), {})
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _failing(checks: Sequence[tuple[str, str, str, Any]]) -> tuple[Failing, ...]:
    """Return the checks that failed; those about the comparison itself are told by the differences."""
    from storage.repair.planning import Failing

    return tuple(
        Failing(check=name, store=StoreName(store), rows=None if rows is None else int(rows))
        for name, store, status, rows in checks
        if status == CheckStatus.FAILED and name.partition(".")[2] not in OF_THE_COMPARISON
    )


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
