"""The gate in Markdown, JSON, JUnit and on a terminal."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from io import StringIO
from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from contracts.gate import Decision, Ruling
from contracts.vocabulary import Verdict
from reports import to_gate_junit
from reports.gate import print_decision, to_gate_json, to_gate_summary
from tests.support.decisions import RULINGS, make_decision, place_of


def junit(decision: Decision) -> Element:
    """Return the parsed JUnit document."""
    return fromstring(to_gate_junit(decision))  # noqa: S314 - written by us a moment ago


def tags(root: Element, suite: str) -> dict[str, list[str]]:
    """Return the tags below every case of a suite."""
    found = root.find(f"testsuite[@name='{suite}']")
    assert found is not None
    return {str(case.get("name")): [child.tag for child in case] for case in found}


def test_the_summary_begins_with_what_the_gate_says() -> None:
    """Verdict, reason, exit code and policy; then objections, what was let through, and the run."""
    text = to_gate_summary(make_decision(*RULINGS), policy="gate.yaml")
    lines = text.splitlines()
    assert lines[0] == "## ✕ twinstore gate: failed"
    assert lines[4] == "exit code 1 · policy gate.yaml"
    headings = re.findall(r"^##.*", text, re.MULTILINE)
    assert headings[1:] == ["### Objections", "### Let through by the policy", "## ✕ twinstore: failed"]
    assert "- ✓ **passed** planning: 3 rows differ as before" in lines


def test_a_summary_without_a_policy_says_so() -> None:
    """And has no empty sections."""
    text = to_gate_summary(make_decision(), policy=None)
    assert "no policy file: nothing is let through" in text
    assert "###" not in text


def test_a_summary_is_short_and_says_what_it_leaves_out() -> None:
    """Fifteen objections at most."""
    text = to_gate_summary(make_decision(*[RULINGS[0]] * 40), policy="gate.yaml")
    assert "… and 25 more objections, see gate.json" in text


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(exclude_characters="`"), min_size=1, max_size=30))
def test_no_text_acts_in_a_summary(text: str) -> None:
    """Neither elements nor links come out of reasons of waivers, names of files or texts of rulings."""
    said = make_decision(replace(RULINGS[0], text=text), reason=text)
    head, _, _ = to_gate_summary(said, policy=text).partition("\n---\n")
    assert not re.search(r"[<>\[\]]", head)
    assert len(head.splitlines()) == len(to_gate_summary(said, policy="p").partition("\n---\n")[0].splitlines())


def test_the_document_has_every_ruling_with_its_place() -> None:
    """In ASCII, with the exit code, so that a program need not know the words."""
    text = to_gate_json(make_decision(*RULINGS), place_of, policy="gate.yaml")
    document = json.loads(text)
    assert text.isascii()
    assert (document["verdict"], document["exit_code"], document["policy"]) == ("failed", 1, "gate.yaml")
    assert document["rulings"][0] == {
        "ground": "checks hold",
        "verdict": "failed",
        "text": "`planning.status_known` fails on prisma for 9 rows",
        "dataset": "planning",
        "check": "planning.status_known",
        "store": "prisma",
        "file": "contracts/planning.py",
        "line": 42,
    }
    assert len(document["rulings"]) == len(RULINGS)


def test_junit_has_a_case_for_everything_that_a_gate_judged() -> None:
    """A failure, an error for what could not be told, and green only for what was judged and holds."""
    assert tags(junit(make_decision(*RULINGS)), "twinstore.gate") == {
        "everything was looked at": [],
        "planning: everything was looked at": ["error"],
        "planning: stores agree": ["system-out"],
        "planning: checks hold": ["failure"],
        "planning: waivers hold": ["system-out"],
    }


def test_junit_skips_differences_that_are_let_through() -> None:
    """Neither green nor red: skipped, with the reason."""
    let = tags(junit(make_decision(RULINGS[3])), "planning.parity")
    assert let.pop("every row is accounted for") == []
    assert {tuple(found) for found in let.values()} == {("skipped",)}
    blocking = replace(RULINGS[3], verdict=Verdict.FAILED)
    stopped = tags(junit(make_decision(blocking)), "planning.parity")
    assert stopped["stores agree"] == ["failure"]


def test_an_idle_waiver_does_not_make_accepted_differences_red() -> None:
    """Only what stops the deploy does."""
    assert tags(junit(make_decision(*RULINGS[2:])), "planning.parity")["stores agree"] == ["skipped"]


@pytest.mark.parametrize(("rulings", "lines"), [([], 1), ([*RULINGS], 6), ([RULINGS[0]] * 30, 22)])
def test_a_terminal_shows_the_verdict_then_the_grounds(rulings: list[Ruling], lines: int) -> None:
    """One line when there is nothing to say; at most twenty of a kind."""
    output = StringIO()
    console = Console(file=output, width=200, highlight=False, markup=False)
    print_decision(make_decision(*rulings), console)
    assert len(output.getvalue().splitlines()) == lines
    assert output.getvalue().startswith("Gate: ")
