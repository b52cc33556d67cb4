"""The gate on real stores: what a policy lets through, what a baseline remembers, what CI gets."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import psycopg
import pytest
from pydantic import SecretStr

from contracts.errors import ConfigurationError
from contracts.gate import Ground
from contracts.vocabulary import CheckStatus, Verdict
from flows.check import threads
from flows.gate import Acceptance, Gated, declared_checks, run_gate
from flows.policy_file import read_policy
from flows.settings import Settings
from storage.local.faults import FAULTS, inject
from storage.local.seed import load
from tests.support.accounts import DEAD_PORT, changed
from tests.support.checking import stores_of
from tests.support.command import REPOSITORY, flat, twinstore
from tests.support.replicating import replicating
from tests.support.servers import SEEDED, Pair

FAULT = {fault.id: fault for fault in FAULTS}
QUIET = {"GITHUB_STEP_SUMMARY": "", "GITHUB_ACTIONS": ""}  # the tests themselves may run in GitHub's CI
BLANK = "planning.title_not_blank"


@pytest.fixture
def fresh_pair(pair: Pair) -> Pair:
    """Two databases with the same records, the newest of now: the gate goes by the real clock."""
    load(pair.primary, pair.secondary, SEEDED, now=datetime.now(UTC))
    return pair


def plant(pair: Pair, *names: str) -> None:
    """Plant faults of the catalogue."""
    inject(pair.primary, pair.secondary, [FAULT[name] for name in names])


class Door:
    """A gate in this process on one pair of stores, with a memory of its own.

    Args:
        pair: The stores.
        folder: The project: policies are written there.
        state_url: The memory; a file unless said otherwise.
    """

    def __init__(self, pair: Pair, folder: Path, state_url: str | None = None) -> None:
        self._stores = stores_of(pair)
        self._folder = folder
        known: dict[str, Any] = {"TWINSTORE_STATE_URL": state_url} if state_url else {}
        self._settings = Settings(**known).model_copy(
            update={
                "home": folder / "home",
                "grace_s": 0.0,
                "recheck_rounds": 1,
                "supabase_db_url": SecretStr(pair.secondary),
            }
        )

    def pass_through(self, policy: str = "version: 1\n", **rest: Any) -> Gated:
        """Check, and judge by the policy that this text says."""
        file = self._folder / "gate.yaml"
        file.write_text(policy, encoding="utf-8")
        known = read_policy(file)
        with threads() as conductor:
            return run_gate(self._settings, self._stores, conductor, policy=known, base=self._folder, **rest)


def test_a_policy_decides_about_the_same_run(fresh_pair: Pair, tmp_path: Path) -> None:
    """A warning passes, fails when the policy says so, is tolerated by number, and waived until a day."""
    plant(fresh_pair, "title_blank_both")
    door = Door(fresh_pair, tmp_path)
    assert door.pass_through().decision.verdict is Verdict.WARNED
    strict = door.pass_through("version: 1\nfail_on: warning\n")
    (first, *_) = strict.decision.rulings
    assert (strict.decision.verdict, first.check.id if first.check else None) == (Verdict.FAILED, BLANK)
    rows = first.check.failing_rows if first.check else 0
    tolerated = f"version: 1\nfail_on: warning\nchecks: {{{BLANK}: {{tolerate: {{max_rows: {rows}}}}}}}\n"
    few = door.pass_through(tolerated)
    assert few.decision.verdict is Verdict.PASSED
    assert {c.status for c in few.decision.report.datasets[0].checks if c.id == BLANK} == {CheckStatus.WAIVED}
    waiver = f"version: 1\nfail_on: warning\nwaivers:\n- check: {BLANK}\n  owner: Ada\n  reason: Soon.\n  expires: "
    assert door.pass_through(f"{waiver}2999-01-01\n").decision.verdict is Verdict.PASSED
    late = door.pass_through(f"{waiver}2020-01-01\n")
    assert (late.decision.verdict, late.decision.rulings[0].ground) == (Verdict.FAILED, Ground.WAIVERS)
    place = late.place_of(late.decision.rulings[0])
    assert place is not None
    assert (place.path, place.line) == ("gate.yaml", 4)


def test_only_new_findings_count_against_a_baseline(fresh_pair: Pair, tmp_path: Path) -> None:
    """Without a baseline nobody can tell; accepted in a name it lets the same findings through, and no others."""
    plant(fresh_pair, "title_case_supabase")
    door, policy = Door(fresh_pair, tmp_path), "version: 1\nnothing_new: true\n"
    unknown = door.pass_through(policy)
    assert (unknown.decision.verdict, unknown.decision.verdict.exit_code) == (Verdict.INCOMPLETE, 2)
    accepted = door.pass_through(policy, acceptance=Acceptance(owner="Ada", reason="Known since March."))
    assert accepted.accepted == accepted.decision.report.datasets[0].differences_total > 0
    assert accepted.decision.verdict is Verdict.PASSED
    again = door.pass_through(policy)
    assert again.decision.verdict is Verdict.PASSED
    assert "Accepted by Ada" in again.decision.accepted[0].text
    assert door.pass_through().decision.verdict is Verdict.FAILED, "the policy does not go by the baseline"
    plant(fresh_pair, "content_double_encoded_prisma")
    worse = door.pass_through(policy)
    assert worse.decision.verdict is Verdict.FAILED
    assert "not in the baseline" in worse.decision.reason


def test_a_run_that_could_not_tell_is_never_the_baseline(fresh_pair: Pair, tmp_path: Path) -> None:
    """Nor is one that would be forgotten at once."""
    broken = replace(fresh_pair, secondary=changed(fresh_pair.secondary, port=DEAD_PORT))
    acceptance = Acceptance(owner="Ada", reason="Why not.")
    with pytest.raises(ConfigurationError, match="could not look everywhere"):
        Door(broken, tmp_path).pass_through(acceptance=acceptance)
    with pytest.raises(ConfigurationError, match="no durable state"):
        Door(fresh_pair, tmp_path, "sqlite://").pass_through(acceptance=acceptance)


def test_without_durable_state_the_gate_cannot_tell_what_is_new(fresh_pair: Pair, tmp_path: Path) -> None:
    """A fresh CI without TWINSTORE_STATE_URL knows no baseline."""
    plant(fresh_pair, "title_case_supabase")
    gated = Door(fresh_pair, tmp_path, "sqlite://").pass_through("version: 1\nnothing_new: true\n")
    assert gated.decision.verdict is Verdict.INCOMPLETE
    assert any("no baseline of planning is known" in ruling.text for ruling in gated.decision.rulings)


def test_every_check_of_a_run_is_known_to_policies(fresh_pair: Pair, tmp_path: Path) -> None:
    """What may be named in a policy is exactly what a run judges; of capture it judges only stores that replicate."""
    with replicating(fresh_pair):
        (dataset,) = Door(fresh_pair, tmp_path).pass_through().decision.report.datasets
    assert {check.id: check.severity for check in dataset.checks} == declared_checks()["planning"]


def test_without_replication_capture_is_not_judged(seeded_pair: Pair, tmp_path: Path) -> None:
    """A policy that requires it cannot tell then."""
    policy = "version: 1\nchecks: {planning.capture_gap: {required: true}}\n"
    decision = Door(seeded_pair, tmp_path).pass_through(policy).decision
    assert "planning.capture_gap" not in {check.id for check in decision.report.datasets[0].checks}
    assert any("`planning.capture_gap` is required" in ruling.text for ruling in decision.objections)


def test_ci_gets_files_annotations_and_the_exit_code(fresh_pair: Pair, home: Path, tmp_path: Path) -> None:
    """JUnit, a summary that is appended, Code Quality, annotations with lines of the contract, and gate.json."""
    plant(fresh_pair, "content_id_other_both", "title_case_supabase")
    policy, summary = tmp_path / "gate.yaml", tmp_path / "summary.md"
    policy.write_text("version: 1\n", encoding="utf-8")
    summary.write_text("# Before\n", encoding="utf-8")
    files = ["--junit", str(tmp_path / "new" / "junit.xml"), "--code-quality", str(tmp_path / "quality.json")]
    settings = {"GITHUB_STEP_SUMMARY": str(summary), "GITHUB_ACTIONS": "true"}
    done = twinstore(fresh_pair, home, "gate", "--policy", str(policy), *files, settings=settings)
    assert (done.returncode, done.stderr) == (1, "")
    said = [text for text in done.stdout.splitlines() if text.startswith("::")]
    (line,) = [text for text in said if "::`planning.content_id_matches` fails on prisma" in text]
    assert line.startswith("::error file=contracts/planning_rules.py,line=")
    assert "Gate: ✕ failed" in done.stdout
    assert summary.read_text(encoding="utf-8").startswith("# Before\n## ✕ twinstore gate: failed")
    junit = fromstring((tmp_path / "new" / "junit.xml").read_text(encoding="utf-8"))  # noqa: S314 - our own
    assert int(junit.get("failures", 0)) > 0
    issues = json.loads((tmp_path / "quality.json").read_text(encoding="utf-8"))
    assert {issue["severity"] for issue in issues} == {"blocker"}
    (kept,) = home.glob("runs/*/gate.json")
    document = json.loads(kept.read_text(encoding="utf-8"))
    assert (document["verdict"], document["exit_code"]) == ("failed", 1)
    assert kept.stat().st_mode & 0o777 == 0o600


@pytest.mark.soak
def test_json_is_gate_json_and_nothing_else(fresh_pair: Pair, home: Path) -> None:
    """Annotations go to stderr then; a gate that is passed returns 0."""
    done = twinstore(fresh_pair, home, "gate", "--json", "--annotate", settings=QUIET)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["verdict"] == "passed"


@pytest.mark.soak
def test_a_store_that_is_down_stops_the_deploy(fresh_pair: Pair, home: Path) -> None:
    """Exit code 2, with the reason, and an annotation."""
    broken = replace(fresh_pair, secondary=changed(fresh_pair.secondary, port=DEAD_PORT))
    done = twinstore(broken, home, "gate", settings={**QUIET, "GITHUB_ACTIONS": "true"})
    assert done.returncode == 2
    assert "supabase cannot be reached" in flat(done.stdout)
    assert "::error title=twinstore gate%3A errored::" in done.stdout


MALFORMED = {"version: 1\nfail_no: critical\n": "line 2: fail_no is no key of a policy"}
UNFIT = {
    "version: 1\nchecks:\n  planning.titel: {required: true}\n": "speaks of planning.titel, and there is no such check",
    "version: 1\nchecks:\n  planning.type_known: {severity: info}\n": "rates planning.type_known as info",
}
REFUSED = MALFORMED | UNFIT


@pytest.mark.parametrize("text", UNFIT)
def test_a_policy_that_does_not_fit_the_checks_is_refused(still_pair: Pair, tmp_path: Path, text: str) -> None:
    """One sentence, no run."""
    with pytest.raises(ConfigurationError, match=UNFIT[text]):
        Door(still_pair, tmp_path).pass_through(text)
    assert not (tmp_path / "home" / "runs").exists()


@pytest.mark.parametrize(
    "text", [pytest.param(text, marks=() if text in MALFORMED else pytest.mark.soak) for text in REFUSED]
)
def test_a_policy_that_cannot_be_followed_stops_before_anything_is_done(
    still_pair: Pair, home: Path, tmp_path: Path, text: str
) -> None:
    """Exit code 2, one sentence, no run."""
    (tmp_path / "gate.yaml").write_text(text, encoding="utf-8")
    done = twinstore(still_pair, home, "gate", "--policy", str(tmp_path / "gate.yaml"), settings=QUIET)
    assert (done.returncode, done.stdout) == (2, "")
    assert REFUSED[text] in flat(done.stderr)
    assert not (home / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--accept-baseline"], "Say --owner NAME and --reason TEXT."),
        pytest.param(
            ["--accept-baseline", "--owner", "Ada", "--reason", " "],
            "Say --owner NAME and --reason TEXT.",
            marks=pytest.mark.soak,
        ),
        (["--owner", "Ada"], "Say --accept-baseline, too."),
        pytest.param(["--policy", "nowhere.yaml"], "The policy nowhere.yaml cannot be read", marks=pytest.mark.soak),
        pytest.param(["--dataset", "plannings"], "There is no dataset 'plannings'.", marks=pytest.mark.soak),
    ],
)
def test_bad_usage_is_refused(home: Path, arguments: list[str], says: str) -> None:
    """Exit code 2, before anything is done."""
    done = twinstore(None, home, "gate", *arguments, settings=QUIET)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in flat(done.stderr)


@pytest.mark.soak
def test_an_output_that_cannot_be_written_is_no_passed_gate(fresh_pair: Pair, home: Path, tmp_path: Path) -> None:
    """Exit code 2: CI would go on without the evidence."""
    (tmp_path / "file").touch()
    done = twinstore(fresh_pair, home, "gate", "--junit", str(tmp_path / "file" / "junit.xml"), settings=QUIET)
    assert done.returncode == 2
    assert "A file could not be used" in done.stderr


def test_prefect_is_not_loaded() -> None:
    """The gate starts without it: it takes longer to load than the rest."""
    code = "import sys, flows.gate, flows.commands.gate; assert 'prefect' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=True)


def test_a_lost_row_of_an_accepted_table_is_new(fresh_pair: Pair, tmp_path: Path) -> None:
    """An accepted difference excuses its own row only."""
    door, policy = Door(fresh_pair, tmp_path), "version: 1\nnothing_new: true\n"
    assert door.pass_through(policy, acceptance=Acceptance(owner="Ada", reason="All is well.")).accepted == 0
    with psycopg.connect(fresh_pair.secondary_superuser) as connection:
        connection.execute("DELETE FROM public.planning WHERE id IN (SELECT id FROM public.planning LIMIT 1)")
    assert door.pass_through(policy).decision.reason.startswith("1 row differs between the stores and not in")
