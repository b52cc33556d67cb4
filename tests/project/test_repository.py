"""The files beside the code agree with it and with one another."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.settings import Settings

REPOSITORY = Path(__file__).parents[2]
FILES = (
    "CHANGELOG.md",
    "Makefile",
    "README.md",
    "docs/dependencies.md",
    "env.example",
    "prefect.yaml",
    "prisma/schema.prisma",
    "pyproject.toml",
    "requirements.lock",
    ".ci/run",
)
PROJECT: dict[str, Any] = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))


def read(name: str) -> str:
    """Return the text of a file."""
    return (REPOSITORY / name).read_text(encoding="utf-8")


def names(requirements: list[str]) -> set[str]:
    """Return the names of distributions, as registries spell them."""
    return {re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", line.strip(), maxsplit=1)[0]).lower() for line in requirements}


RUNTIME = names(PROJECT["project"]["dependencies"])
EXTRAS = {extra: names(lines) for extra, lines in PROJECT["project"]["optional-dependencies"].items()}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_a_user_expects_is_there(name: str) -> None:
    """It is there and not empty."""
    assert (REPOSITORY / name).stat().st_size > 0


def test_every_setting_is_in_the_example() -> None:
    """Every name of the environment that is read is explained in env.example, and nothing else is."""
    known = {str(field.validation_alias) for field in Settings.model_fields.values()}
    shown = set(re.findall(r"^#?\s?([A-Z][A-Z0-9_]+)=", read("env.example"), re.MULTILINE))
    assert sorted(known - shown) == []
    assert sorted(shown - known) == []


def test_the_environment_is_read_in_one_place() -> None:
    """Only the settings ask for variables of ours; other modules set what libraries read, or nothing."""
    reading = re.compile(r"os\.environ\.get\(|os\.getenv\(|os\.environ\[[^\]]+\](?! =)")
    found = sorted(
        str(path.relative_to(REPOSITORY))
        for package in ("contracts", "expectations", "reports", "storage", "flows")
        for path in (REPOSITORY / package).rglob("*.py")
        if reading.search(path.read_text(encoding="utf-8"))
    )
    assert found == ["flows/commands/common.py"]  # --debug, which must work where settings cannot be read


def test_every_dependency_is_explained() -> None:
    """docs/dependencies.md names every direct dependency of every kind."""
    page = read("docs/dependencies.md").lower()
    missing = [
        name for name in sorted(RUNTIME.union(*EXTRAS.values())) if not re.search(rf"\b{re.escape(name)}\b", page)
    ]
    assert missing == []


def test_every_dependency_is_locked_with_its_hashes() -> None:
    """requirements.lock pins each direct dependency, and each pin has at least one hash."""
    lock = read("requirements.lock")
    pins = re.findall(r"^([A-Za-z0-9_.-]+)==(\S+)[^\n]*\\\n((?:\s+--hash=\S+(?: \\)?\n)+)", lock, re.MULTILINE)
    all_pins = re.findall(r"^([A-Za-z0-9_.-]+)==", lock, re.MULTILINE)
    assert len(pins) == len(all_pins)
    pinned = names(all_pins)
    assert sorted(RUNTIME.union(*EXTRAS.values()) - pinned) == []


def test_no_lock_names_a_host() -> None:
    """There is no uv.lock, and requirements.lock holds no URL."""
    tracked = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    assert "uv.lock" not in tracked.splitlines()
    assert "://" not in read("requirements.lock")


def test_the_makefile_has_the_two_commands_of_a_newcomer() -> None:
    """`make demo` and `make test` are there, and so are those of the developers."""
    targets = set(re.findall(r"^([a-z]+):", read("Makefile"), re.MULTILINE))
    assert {"demo", "test", "check", "bench"} <= targets
    for command in ("make demo", "make test"):
        assert command in read("README.md")


def test_the_schedule_names_a_flow_that_exists() -> None:
    """Every deployment of prefect.yaml has an entrypoint that can be found, and a time zone for its schedule."""
    deployments = yaml.safe_load(read("prefect.yaml"))["deployments"]
    assert deployments
    for deployment in deployments:
        file, _, function = deployment["entrypoint"].partition(":")
        assert re.search(rf"^def {function}\(", read(file), re.MULTILINE)
        for schedule in deployment.get("schedules", []):
            assert schedule["timezone"]


def test_the_changelog_names_the_version() -> None:
    """The version of pyproject.toml has its section, or is what is not released yet."""
    assert re.search(
        rf"^## \[(?:{re.escape(PROJECT['project']['version'])}|Unreleased)\]", read("CHANGELOG.md"), re.MULTILINE
    )
