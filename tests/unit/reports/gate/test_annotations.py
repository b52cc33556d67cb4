"""Annotations for GitHub, and the Code Quality report for GitLab."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.gate import Ground, Ruling, SourceLine
from contracts.vocabulary import Verdict
from reports.gate import to_annotations, to_code_quality
from tests.support.decisions import RULINGS, make_decision, place_of

COMMAND = re.compile(r"::(error|warning) ([a-z]+=[^,:]*(?:,[a-z]+=[^,:]*)*)::[^\r\n]*")


def test_objections_point_at_their_lines() -> None:
    """What stops the deploy is an error, what does not a warning; what was let through is no annotation."""
    assert to_annotations(make_decision(*RULINGS), place_of).splitlines() == [
        f"::error file=contracts/planning.py,line=42,title=twinstore gate%3A failed::{RULINGS[0].text}",
        "::error title=twinstore gate%3A errored::the suite broke",
        f"::warning file=gate.yaml,title=twinstore gate%3A warned::{RULINGS[2].text}",
    ]


def test_a_gate_that_is_passed_annotates_nothing() -> None:
    """Not even an empty line."""
    assert to_annotations(make_decision(), place_of) == ""
    assert json.loads(to_code_quality(make_decision(), place_of)) == []


def test_no_more_than_github_shows() -> None:
    """Ten of each level, of which the last counts the rest."""
    many = [replace(RULINGS[0], text=f"failure {n}") for n in range(12)]
    lines = to_annotations(make_decision(*many), place_of).splitlines()
    assert len(lines) == 10
    assert lines[-1].endswith("::3 more objections, see the job summary")


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(), max_size=40), st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_no_text_becomes_a_command(text: str, path: str) -> None:
    """Whatever the text and the path, there is one line with one command, whose properties are as many as before."""
    ruling = replace(RULINGS[0], text=text)
    (line,) = to_annotations(make_decision(ruling), lambda _: SourceLine(path=path, line=1)).split("\n")[:-1]
    found = COMMAND.fullmatch(line)
    assert found is not None
    assert [part.partition("=")[0] for part in found[2].split(",")] == ["file", "line", "title"]


def test_gitlab_gets_a_path_for_every_objection() -> None:
    """Each has what GitLab requires: a known severity, a path, a first line."""
    issues = json.loads(to_code_quality(make_decision(*RULINGS), place_of))
    assert [(i["check_name"], i["severity"], i["location"]) for i in issues] == [
        ("planning.status_known", "blocker", {"path": "contracts/planning.py", "lines": {"begin": 42}}),
        ("gate: everything was looked at", "critical", {"path": "twinstore", "lines": {"begin": 1}}),
        ("gate: waivers hold", "minor", {"path": "gate.yaml", "lines": {"begin": 1}}),
    ]


def test_a_fingerprint_outlives_numbers() -> None:
    """The same failure with other numbers is the same issue in the next run; another store's is another one."""
    lead = RULINGS[0]
    assert lead.check is not None
    fewer = replace(lead, text="`planning.status_known` fails on prisma for 8 rows")
    other = replace(lead, check=replace(lead.check, store=lead.check.store.other))
    prints = [json.loads(to_code_quality(make_decision(r), place_of))[0]["fingerprint"] for r in (lead, fewer, other)]
    assert prints[0] == prints[1] != prints[2]


@pytest.mark.parametrize("texts", [("one broke", "two broke")])
def test_objections_without_check_or_place_are_told_apart_by_their_text(texts: tuple[str, str]) -> None:
    """GitLab merges what has one fingerprint."""
    rulings = [Ruling(ground=Ground.LOOKED, verdict=Verdict.ERRORED, text=text, dataset="planning") for text in texts]
    issues = json.loads(to_code_quality(make_decision(*rulings), place_of))
    assert len({issue["fingerprint"] for issue in issues}) == len(texts)
