"""`twinstore gate`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from contracts.errors import ConfigurationError
from contracts.registry import contract_for
from flows.check import threads
from flows.commands.check import progress_line
from flows.commands.common import out
from flows.gate import DOCUMENT, Acceptance, Gated, run_gate
from flows.policy_file import read_policy
from flows.quiet import quiet_libraries
from flows.settings import load_settings
from flows.wiring import find_stores, home


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What else the gate writes, beside the files of the run.

    Attributes:
        junit: File for JUnit XML.
        summary: File to which Markdown is appended.
        code_quality: File for GitLab's Code Quality JSON.
        annotate: Print GitHub's workflow commands.
        as_json: Print gate.json instead of words.
    """

    junit: Path | None = None
    summary: Path | None = None
    code_quality: Path | None = None
    annotate: bool = False
    as_json: bool = False


def gate_command(
    policy: Path | None,
    datasets: list[str] | None,
    *,
    share: bool,
    accept: bool,
    owner: str | None,
    reason: str | None,
    outputs: Outputs,
) -> None:
    """Check, hold the run against the policy, say and write what comes of it, and exit with the gate's code."""
    acceptance = _acceptance(accept=accept, owner=owner, reason=reason)
    known = read_policy(policy)
    settings = load_settings()
    settings = settings.model_copy(update={"share": settings.share or share})
    for name in datasets or ():
        contract_for(name)
    quiet_libraries(home(settings))
    with progress_line() as progress, threads() as conductor:
        stores = find_stores(settings, progress=progress)
        gated = run_gate(
            settings,
            stores,
            conductor,
            policy=known,
            base=Path.cwd(),
            datasets=datasets or (),
            acceptance=acceptance,
            progress=progress,
        )
    write_outputs(gated, outputs)
    show(gated, outputs)
    sys.exit(gated.decision.verdict.exit_code)


def write_outputs(gated: Gated, outputs: Outputs) -> None:
    """Write the files that were asked for.

    Raises:
        OSError: One of them cannot be written.
    """
    from reports import to_gate_junit, write_whole
    from reports.gate import to_code_quality, to_gate_summary

    if outputs.junit is not None:
        write_whole(_ready(outputs.junit), [to_gate_junit(gated.decision)])
    if outputs.code_quality is not None:
        write_whole(_ready(outputs.code_quality), [to_code_quality(gated.decision, gated.place_of)])
    if outputs.summary is not None:
        with _ready(outputs.summary).open("a", encoding="utf-8", errors="replace") as file:
            file.write(to_gate_summary(gated.decision, policy=gated.policy.name))


def show(gated: Gated, outputs: Outputs) -> None:
    """Print the decision, and annotations where they are asked for: off stdout when that is for JSON."""
    from reports import print_report
    from reports.gate import print_decision, to_annotations

    if outputs.as_json:
        sys.stdout.write((gated.folder / DOCUMENT).read_text(encoding="utf-8"))
    else:
        console = out()
        print_report(gated.decision.report, console)
        console.print()
        print_decision(gated.decision, console)
        if gated.accepted is not None:
            console.print(f"Baseline: {gated.accepted:,} findings of this run are accepted from now on.")
        console.print(f"Report: {gated.folder / 'report.html'}", soft_wrap=True)
    if outputs.annotate:
        (sys.stderr if outputs.as_json else sys.stdout).write(to_annotations(gated.decision, gated.place_of))


def _acceptance(*, accept: bool, owner: str | None, reason: str | None) -> Acceptance | None:
    if not accept:
        if owner is not None or reason is not None:
            raise ConfigurationError("--owner and --reason are about a baseline.", "Say --accept-baseline, too.")
        return None
    if not (owner or "").strip() or not (reason or "").strip():
        raise ConfigurationError(
            "A baseline is accepted in somebody's name and for a reason.", "Say --owner NAME and --reason TEXT."
        )
    return Acceptance(owner=str(owner), reason=str(reason))


def _ready(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
