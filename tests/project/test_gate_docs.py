"""The page about the gate, the examples for CI and the checklist: what they say can be run as it stands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml
from pydantic import BaseModel

from contracts.policy import CheckPolicy, Limits, Policy, WaiverEntry, require_known
from contracts.vocabulary import Verdict
from flows.cli import app
from flows.gate import declared_checks
from flows.policy_file import read_policy
from tests.support.settings_page import variables

REPOSITORY = Path(__file__).parents[2]
EXAMPLES = REPOSITORY / "docs" / "examples"
PAGE = (REPOSITORY / "docs" / "gate.md").read_text(encoding="utf-8")
PIPELINES = ("github-actions.yml", "gitlab-ci.yml")


def pipeline(name: str) -> dict[str, Any]:
    """Return a pipeline; YAML 1.1 reads its key `on` as true, which CI services do not."""
    loaded: dict[str, Any] = yaml.safe_load((EXAMPLES / name).read_text(encoding="utf-8"))
    return loaded


@pytest.mark.parametrize("name", ["gate.yaml", "gate.toml"])
def test_the_example_policies_can_be_followed(name: str) -> None:
    """Every key, check and dataset in them exists."""
    require_known(read_policy(EXAMPLES / name).policy, declared_checks())


def test_the_example_policies_say_the_same() -> None:
    """One in YAML, one in TOML."""
    assert read_policy(EXAMPLES / "gate.yaml").policy == read_policy(EXAMPLES / "gate.toml").policy


def test_the_policy_on_the_page_can_be_followed(tmp_path: Path) -> None:
    """It is a whole policy, not a piece of one."""
    (block,) = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / "gate.yaml").write_text(block, encoding="utf-8")
    require_known(read_policy(tmp_path / "gate.yaml").policy, declared_checks())


def test_the_page_lists_every_key_of_a_policy() -> None:
    """No more and no fewer than the code knows."""
    inside: dict[str, type[BaseModel]] = {"limits": Limits, "checks": CheckPolicy}
    keys = {*Policy.model_fields, *(f"{k}.{name}" for k, model in inside.items() for name in model.model_fields)}
    policy, waivers = PAGE.split("## The policy")[1].split("## Waivers")
    assert set(re.findall(r"^\| `([\w.]+)` \|", policy, re.MULTILINE)) == keys
    rows = re.findall(r"^\| (`[^|]+) \|", waivers.split("## Baseline")[0], re.MULTILINE)
    assert {word for row in rows for word in re.findall(r"`(\w+)`", row)} == set(WaiverEntry.model_fields)


def test_the_page_gives_the_exit_codes_of_the_code() -> None:
    """Each verdict stands once, beside its code."""
    rows = re.findall(r"^\| (\d) \| ([\w, ]+) \|", PAGE, re.MULTILINE)
    said = {verdict: int(code) for code, words in rows for verdict in words.split(", ")}
    assert said == {str(verdict): verdict.exit_code for verdict in Verdict}


@pytest.mark.parametrize("name", PIPELINES)
def test_the_commands_of_the_pipelines_exist(name: str) -> None:
    """What is run is the gate, with options that it has; what it reads from the environment exists."""
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    command = typer.main.get_command(app).commands["gate"]  # type: ignore[attr-defined]  # a group
    options = {word for parameter in command.params for word in parameter.opts}
    (line,) = re.findall(r"(?:run: |- )(\.venv/bin/twinstore .*)", text)
    words = shlex.split(line)
    assert words[1] == "gate"
    assert {word for word in words if word.startswith("--")} <= options
    named = set(re.findall(r"\b(?:TWINSTORE|SUPABASE|DATABASE)_[A-Z_]+\b", text))
    assert named <= set(variables().values())
    assert "make .venv/.installed" in text
    assert "$(STAMP): requirements.lock" in (REPOSITORY / "Makefile").read_text(encoding="utf-8")


def test_nothing_is_deployed_on_github_before_the_gate() -> None:
    """The deploy needs the gate, nothing swallows its exit code, and the report is kept either way."""
    jobs = pipeline("github-actions.yml")["jobs"]
    assert jobs["deploy"]["needs"] == "gate"
    steps = jobs["gate"]["steps"]
    assert not any("continue-on-error" in step for step in steps)
    assert [step["name"] for step in steps if step.get("if") == "always()"] == ["Keep the report"]
    kept = steps[-1]["with"]["path"].split()
    assert "build/junit.xml" in kept


def test_github_runs_what_was_pinned_with_as_few_rights_as_it_needs() -> None:
    """Actions are named by their commit, and the token may only read."""
    text = (EXAMPLES / "github-actions.yml").read_text(encoding="utf-8")
    used = re.findall(r"uses: (\S+)", text)
    assert used
    assert [name for name in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", name)] == []
    workflow = pipeline("github-actions.yml")
    assert workflow["permissions"] == {}
    assert {tuple(job["permissions"].items()) for job in workflow["jobs"].values()} == {(("contents", "read"),)}


def test_nothing_is_deployed_on_gitlab_before_the_gate() -> None:
    """The gate is a stage before the deploy, may not fail, and its reports are kept either way."""
    jobs = pipeline("gitlab-ci.yml")
    assert jobs["stages"] == [jobs["gate"]["stage"], jobs["deploy"]["stage"]]
    assert jobs["deploy"]["needs"] == ["gate"]
    assert "allow_failure" not in jobs["gate"]
    artifacts = jobs["gate"]["artifacts"]
    assert artifacts["when"] == "always"
    (script,) = jobs["gate"]["script"]
    assert f"--junit {artifacts['reports']['junit']} --code-quality {artifacts['reports']['codequality']}" in script


def test_the_checklist_asks_for_exit_code_0_and_knows_a_way_back() -> None:
    """Staging, production, and rollback each run the gate."""
    text = (REPOSITORY / "docs" / "deploy-checklist.md").read_text(encoding="utf-8")
    sections = dict(zip(*[iter(re.split(r"^## (.+)$", text, flags=re.MULTILINE)[1:])] * 2, strict=True))
    for section in ("Staging", "Production, before", "Production, after", "Rollback"):
        assert "twinstore gate --policy gate.yaml" in sections[section]
