"""The gate before a deploy: a check, held against a policy. Plain functions, without Prefect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from contracts.baseline import Baseline
from contracts.gate import Decision, Ground, Ruling, SourceLine, decide
from contracts.policy import require_known
from contracts.registry import contract_for, known_datasets
from contracts.verdicts import RunReport
from contracts.vocabulary import Severity
from contracts.waivers import Waiver
from flows.check import Conductor, Progress, run_check
from flows.own_checks import OF_THE_COMPARISON
from flows.policy_file import PolicyFile
from flows.settings import Settings
from flows.source_lines import declared_at
from flows.wiring import Stores, open_memory

DOCUMENT = "gate.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """Who accepts what a run finds as the baseline, and why."""

    owner: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gated:
    """A run that went through the gate.

    Attributes:
        decision: What the gate says.
        folder: Where the files of the run are.
        policy: The policy that it was held against.
        base: Folder of the project, to which the paths of places are relative.
        accepted: How many findings were made the baseline; None when nobody asked for that.
    """

    decision: Decision
    folder: Path
    policy: PolicyFile
    base: Path
    accepted: int | None = None

    def place_of(self, ruling: Ruling) -> SourceLine | None:
        """Return the line that a ruling goes back to: of the waiver that expired, of the check, of the policy."""
        if ruling.check is None or (ruling.ground is Ground.WAIVERS and ruling.place):
            return self.policy.line_of(ruling.place, self.base)
        return declared_at(ruling.check.id, ruling.check.source, self.base)


def run_gate(
    settings: Settings,
    stores: Stores,
    conductor: Conductor,
    *,
    policy: PolicyFile,
    base: Path,
    datasets: Sequence[str] = (),
    acceptance: Acceptance | None = None,
    progress: Progress = lambda _: None,
) -> Gated:
    """Check the datasets and judge the run by the policy; the decision is kept beside the report.

    Args:
        settings: The settings.
        stores: The pair of stores.
        conductor: Runs the stages.
        policy: What is let through.
        base: Folder of the project, to which the paths of places are relative.
        datasets: Names of the datasets; all unless given.
        acceptance: Make what the run finds the baseline, in somebody's name, before it is judged.
        progress: Is told what happens now.

    Raises:
        ConfigurationError: The policy speaks of what does not exist; or the run cannot be accepted.
        Conflict: Another check or repair of a dataset is under way.
        TwinstoreError: The memory cannot be used, or a file cannot be written.
    """
    from reports import write_whole
    from reports.gate import to_gate_json

    require_known(policy.policy, declared_checks())
    names = tuple(datasets) or known_datasets()
    finished = run_check(settings, stores, conductor, datasets=names, owner="twinstore gate", progress=progress)
    progress("hold the run against the policy")
    run = finished.report
    accepted = _accept(settings, run, acceptance) if acceptance else None
    baselines, waivers = _remembered(settings, run)
    decision = decide(run, policy.policy, today=run.started_at.date(), baselines=baselines, waivers=waivers)
    gated = Gated(decision=decision, folder=finished.folder, policy=policy, base=base, accepted=accepted)
    write_whole(finished.folder / DOCUMENT, [to_gate_json(decision, gated.place_of, policy=policy.name)])
    return gated


def declared_checks() -> dict[str, dict[str, Severity]]:
    """Return all checks of every known dataset, with their severities."""
    from expectations import registry

    return {
        name: {
            **{rule.id: rule.severity for rule in contract_for(name).rules},
            **{check: severity for check, severity, _ in registry.declared_checks(name)},
            **{f"{name}.{rule}": severity for rule, severity in OF_THE_COMPARISON.items()},
        }
        for name in known_datasets()
    }


def _accept(settings: Settings, run: RunReport, acceptance: Acceptance) -> int:
    with open_memory(settings, run.environment) as memory:
        return memory.accept_baseline(run.run_id, owner=acceptance.owner, reason=acceptance.reason, now=run.finished_at)


def _remembered(settings: Settings, run: RunReport) -> tuple[Mapping[str, Baseline], tuple[Waiver, ...]]:
    """Return what people accepted of the datasets of a run, as far as the memory knows."""
    names = [dataset.name for dataset in run.datasets]
    with open_memory(settings, run.environment) as memory:
        found = {name: memory.baseline(name) for name in names}
        waivers = tuple(waiver for name in names for waiver in memory.waivers(name))
    return {name: baseline for name, baseline in found.items() if baseline is not None}, waivers
