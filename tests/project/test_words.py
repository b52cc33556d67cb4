"""One definition per word; no word of this machine, and none of work to be done, in anything that is kept."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from collections import Counter
from enum import Enum
from pathlib import Path

import pytest

from contracts.planning import ContentType, Status
from contracts.vocabulary import (
    Cause,
    Channel,
    CheckSource,
    CheckStatus,
    Classification,
    DifferenceKind,
    Severity,
    StoreName,
    Verdict,
)
from reports.words import CAUSES

REPOSITORY = Path(__file__).parents[2]
PACKAGES = ("contracts", "expectations", "flows", "reports", "storage")
TEXT = {
    ".py",
    ".md",
    ".sql",
    ".toml",
    ".yaml",
    ".yml",
    ".json",
    ".j2",
    ".css",
    ".js",
    ".prisma",
    ".example",
    ".txt",
    "",
}


def kept() -> list[Path]:
    """Return the files of the repository, those that are new included."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    return [path for name in listed if (path := REPOSITORY / name).is_file() and path.suffix in TEXT]


# Written in pieces, so that this file holds none of them.
FORBIDDEN = {
    "a path of a machine": re.compile(r"(?<![\w.$}/-])/(?:ho" r"me/\w+/|Us" r"ers/\w+/|wo" r"rk/)"),
    "a registry or a mirror": re.compile(r"(?i)py" r"pi\.org|python" r"hosted|arti" r"factory|ne" r"xus"),
    "open work": re.compile(r"\b(?:TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b"),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_nothing_is_kept_that_concerns_nobody_else(what: str) -> None:
    """The repository speaks of itself only."""
    found = [
        f"{path.relative_to(REPOSITORY)}:{number}: {line.strip()[:80]}"
        for path in kept()
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if FORBIDDEN[what].search(line)
    ]
    assert found == []


def vocabularies() -> dict[str, frozenset[str]]:
    """Return the words of every enum of the code, by module and name."""
    found = {}
    for package in PACKAGES:
        for path in (REPOSITORY / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef) and any(getattr(b, "id", "") == "StrEnum" for b in node.bases):
                    values = [n.value for n in node.body if isinstance(n, ast.Assign)]
                    words = frozenset(str(v.value) for v in values if isinstance(v, ast.Constant))
                    found[f"{path.relative_to(REPOSITORY)}:{node.name}"] = words
    return found


def test_every_vocabulary_is_defined_once() -> None:
    """No two enums hold the same words."""
    found = vocabularies()
    times = Counter(found.values())
    assert len(found) > len(PACKAGES)
    assert sorted(name for name, words in found.items() if times[words] > 1) == []


@pytest.mark.parametrize(("column", "enum"), [("type", ContentType), ("status", Status)])
def test_the_constraints_hold_the_words_of_the_enums(column: str, enum: type[Enum]) -> None:
    """A CHECK on the secondary lists exactly the words of its enum, in its order."""
    listed = ", ".join(f"'{member.value}'" for member in enum)
    text = (REPOSITORY / "storage/migrations/secondary/0003_planning_rules.sql").read_text(encoding="utf-8")
    assert f"{column} IN ({listed})" in text


@pytest.mark.parametrize(
    ("part", "enum"),
    [
        ("verdict", Verdict),
        ("store", StoreName),
        ("channel", Channel),
        ("kind", DifferenceKind),
        ("classification", Classification),
    ],
)
def test_the_published_schema_holds_the_words_of_the_enums(part: str, enum: type[Enum]) -> None:
    """The schema of report.json lists exactly the words that there are."""
    schema = json.loads((REPOSITORY / "docs" / "report.schema.json").read_text(encoding="utf-8"))
    assert [word for word in schema["$defs"][part]["enum"] if word is not None] == [m.value for m in enum]


def test_the_published_schema_holds_the_words_of_a_check() -> None:
    """Sources, severities and statuses of checks are listed as they are."""
    text = (REPOSITORY / "docs" / "report.schema.json").read_text(encoding="utf-8")
    for enum in (CheckSource, Severity, CheckStatus):
        assert f'{{"enum": {json.dumps([member.value for member in enum])}}}' in text


def test_every_cause_has_words_for_people() -> None:
    """No report shows the bare name of a cause."""
    assert set(CAUSES) == set(Cause)
