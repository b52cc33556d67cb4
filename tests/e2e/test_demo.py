"""The demo and the embedded pair, as a newcomer meets them: the installed command, nothing configured."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support.command import script

DEMO = {"TWINSTORE_ENVIRONMENT": "demo"}


def test_the_demo_finds_every_fault_and_invents_none(home: Path) -> None:
    """Three runs, a table that says found for each fault, and a report that `latest-demo` names."""
    done = script(None, home, "demo", "--records", "5000")
    assert done.returncode == 0, done.stdout + done.stderr
    counted = re.search(r"(\d+) of (\d+) found as the catalogue says, (\d+) invented", done.stdout)
    assert counted, done.stdout
    found, planted, invented = map(int, counted.groups())
    assert (found, invented) == (planted, 0)
    assert planted > 200
    assert "WRONG" not in done.stdout
    steps = re.findall(
        r"^([456])\. .*: (\d+) of (\d+) steps taken; read again, (\d+) keys agree", done.stdout, re.MULTILINE
    )
    assert [number for number, *_ in steps] == ["4", "5", "6"]
    assert all(taken == planned for number, taken, planned, _ in steps if number != "5")
    assert int(steps[0][3]) > 100  # the pair is repaired, and after the undo again
    repairs = json.loads(script(None, home, "repair", "list", "--json", settings=DEMO).stdout)
    assert [(one["mode"], one["unconverged"]) for one in repairs if one["mode"] != "undo"] == [
        ("source-of-truth", 0)
    ] * 2
    last = done.stdout.strip().splitlines()[-1]
    assert last == f"Report: {home / 'runs' / 'latest-demo' / 'report.html'}"
    assert (home / "runs" / "latest-demo" / "report.html").stat().st_size > 100_000
    runs = json.loads(script(None, home, "report", "list", "--json").stdout)
    assert [run["verdict"] for run in runs] == ["failed", "failed", "passed"]
    assert {run["environment"] for run in runs} == {"demo"}


@pytest.mark.soak
def test_the_embedded_pair_is_made_filled_checked_and_removed(home: Path) -> None:
    """Up, seed, check, down, up again with the records still there, and at last nothing left."""
    assert script(None, home, "stack", "status").returncode == 1
    assert script(None, home, "stack", "up").returncode == 0
    seeded = script(None, home, "stack", "seed", "--records", "1000")
    assert "1,000 records in each store" in seeded.stdout
    again = script(None, home, "stack", "seed", "--records", "1000")
    assert (again.returncode, again.stderr.count("\n")) == (2, 2)
    assert script(None, home, "check").returncode == 0
    assert script(None, home, "stack", "down").returncode == 0
    stopped = json.loads(script(None, home, "stack", "status", "--json").stdout)
    assert {store["running"] for store in stopped.values()} == {False}
    checked = script(None, home, "check", "--json")
    assert json.loads(checked.stdout)["datasets"][0]["rows"]["matched"] == 1000
    folders = [Path(store["folder"]) for store in stopped.values()]
    assert all(folder.exists() for folder in folders)
    assert script(None, home, "stack", "down", "--remove").returncode == 0
    assert not any(folder.exists() for folder in folders)
