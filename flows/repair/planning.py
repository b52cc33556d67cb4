"""Making a plan: from an earlier run or a check made now, over rows that are read now."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from contracts.errors import ConfigurationError
from contracts.registry import contract_for
from contracts.repair import Ended, Header, Mode, Plan, Repair
from contracts.vocabulary import DifferenceKind, StoreName
from flows.check import Conductor, make_run_id, run_check
from flows.repair.agreement import agreement
from flows.repair.files import folder_of, forget_old, require_memory
from flows.repair.findings import Findings, blind, of_report, of_run, remedy, require_of_these
from flows.repair.known import Known
from flows.repair.sides import Pair, Standing, hung_on, open_pair, repairable, standing
from flows.repair.work import Work
from flows.version import VERSION
from flows.wiring import Stores, make_meter, make_reader

if TYPE_CHECKING:
    from storage.repair.planning import Wanted

VALID = timedelta(hours=24)
"""For how long a plan may be carried out without being allowed to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A plan that was made.

    Attributes:
        known: The plan with where it lies.
        standing: How both stores stood when it was made.
        notes: What its reader must know.
    """

    known: Known
    standing: Standing
    notes: tuple[str, ...] = ()


def the_dataset(name: str | None) -> str:
    """Return the dataset that is meant.

    Raises:
        ConfigurationError: Several may be meant, or this one cannot be repaired.
    """
    from flows.replicating import replicated_datasets

    if name is not None:
        return repairable(name).name
    known = replicated_datasets()
    if len(known) != 1:
        several = ", ".join(known) or "none"
        raise ConfigurationError(f"It is not said which dataset is meant ({several}).", "Say --dataset with its name.")
    return known[0]


def plan_from_run(work: Work, dataset: str, run_id: str, wanted: Wanted, *, again: bool = False) -> Made:
    """Make a plan from what an earlier run found and no later one proved to be gone.

    Raises:
        ConfigurationError: There is no such run, it could not look everywhere or looked at other databases, nothing
            durable remembers it, or nobody sees what waits.
        TwinstoreError: A store cannot be read.
    """
    require_memory(work.memory)
    findings = of_run(work.settings, work.memory, dataset, run_id, now=datetime.now(UTC))
    return _made(work, findings, wanted, again=again)


def plan_from_check(work: Work, dataset: str, conductor: Conductor, wanted: Wanted, *, again: bool = False) -> Made:
    """Check now, and make a plan from what is found.

    Raises:
        ConfigurationError: The check could not look everywhere, nothing durable would remember the plan, or nobody
            sees what waits.
        TwinstoreError: A store cannot be read.
    """
    require_memory(work.memory)
    finished = run_check(
        work.settings,
        work.stores,
        conductor,
        datasets=[dataset],
        owner="twinstore repair plan",
        progress=work.progress,
    )
    report = finished.report.datasets[0]
    if why := blind(report):
        raise ConfigurationError(
            f"The check could not look everywhere: {why}.",
            f"{remedy(report)} Report: {finished.folder / 'report.html'}",
        )
    findings = of_report(report, finished.report.run_id, work.memory)
    return _made(work, findings, wanted, again=again)


def keep(work: Work, plan: Plan) -> Known:
    """Write a plan to its folder and remember it.

    Raises:
        ConfigurationError: The file cannot be written.
    """
    from storage.repair.plan_file import write_plan

    header = plan.header
    folder = folder_of(work.settings, header.id)
    plan_hash = write_plan(plan, folder)
    repair = Repair(
        id=header.id,
        dataset=header.dataset,
        environment=header.environment,
        mode=header.mode,
        plan_hash=plan_hash,
        made_at=header.made_at,
        run_id=header.run_id,
        steps=len(plan.steps),
        left=plan.rows_left,
        ended=Ended.PLANNED,
        undoes=header.undoes,
    )
    work.memory.repairs.plan(repair)
    return Known(repair=repair, plan=plan, plan_hash=plan_hash, folder=folder, done={})


def _made(work: Work, findings: Findings, wanted: Wanted, *, again: bool) -> Made:
    from contracts.row_judge import RowJudge
    from storage.parity.overview import excluded_limit
    from storage.repair.planning import make_plan
    from storage.repair.renaming import new_key

    work.progress("count the rows of both stores")
    stand = standing(work.settings, work.stores, findings.dataset)
    require_of_these(work.memory, findings, stand.identities)
    excluded = _excluded(work, findings.dataset)
    lone = [one.key for one in findings.found if one.kind is not DifferenceKind.DIFFERING]
    came_back = {} if again else {**findings.flapping, **work.memory.repairs.came_back(findings.dataset)}
    with open_pair(work.settings, work.stores, findings.dataset) as pair:
        pair.require_sight()
        work.progress("read the rows that differ, and decide")
        renamed = [new_key(pair.dataset, key) for key in excluded] if wanted.rename else []
        places = pair.places({*(one.key for one in findings.found), *filter(None, renamed)})  # as of now
        plan = make_plan(
            pair.dataset,
            wanted,
            [replace(one, place=places.get(one.key)) for one in findings.found],
            pair.sides,
            places=places,
            header=_header(work.stores, findings, wanted, pair, stand),
            judge=RowJudge(contract_for(findings.dataset)),
            excluded=excluded,
            all_excluded=len(excluded) < excluded_limit(work.settings.row_budget),
            came_back=came_back,
            referenced=hung_on(work.settings, work.stores, findings.dataset, [*lone, *excluded]),
            failing=findings.failing,
            unlisted=findings.unlisted,
            adopted=pair.adopted,
            agreed=agreement(pair, work.memory) if wanted.mode is Mode.THREE_WAY else None,
        )
    known = keep(work, plan)
    forget_old(work.settings, work.memory, now=known.repair.made_at)
    return Made(known=known, standing=stand, notes=_notes(findings))


def _header(stores: Stores, findings: Findings, wanted: Wanted, pair: Pair, stand: Standing) -> Header:
    now = datetime.now(UTC)
    return Header(
        id=make_run_id(now),
        dataset=findings.dataset,
        environment=stores.environment,
        made_at=now,
        expires_at=now + VALID,
        mode=wanted.mode,
        source=wanted.source,
        run_id=findings.run_id,
        identities=stand.identities,
        channels=pair.channels,
        rows=stand.rows,
        columns=tuple(column.name for column in pair.dataset.columns),
        version=VERSION,
    )


def _excluded(work: Work, name: str) -> list[str]:
    """Return the keys of the primary that the secondary cannot hold, as many as a check knows of."""
    from storage.parity.overview import excluded_limit
    from storage.ports import HashKind

    dataset = work.stores.dataset(contract_for(name).dataset)
    meter = make_meter(work.settings)
    with (
        closing(make_reader(work.settings, work.stores, StoreName.PRISMA, dataset, meter)) as reader,
        reader.snapshot(HashKind.TEXT) as snapshot,
    ):
        return snapshot.excluded(excluded_limit(work.settings.row_budget))


def _notes(findings: Findings) -> tuple[str, ...]:
    """Return what the plan does not cover, in sentences."""
    notes = []
    if findings.total > len(findings.found):
        notes.append(
            f"The check counted {findings.total:,} differences and explained {len(findings.found):,} of them. "
            "Repair these, then plan again; or raise TWINSTORE_ROW_BUDGET."
        )
    if findings.pending:
        notes.append(f"{findings.pending:,} more keys are under way: the relay carries them over.")
    return tuple(notes)
