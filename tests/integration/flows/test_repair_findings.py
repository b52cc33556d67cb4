"""What a plan rests on when it is made of an earlier run: its report, and what the memory says of it by now."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contracts.vocabulary import DifferenceKind
from flows.repair.findings import of_report, of_run
from flows.settings import load_settings
from storage.repair.planning import Unlisted
from storage.state import open_state
from tests.support.factories import make_dataset, make_key
from tests.support.repairing import remember_run

ONE, OTHER, THIRD, FOURTH = (make_key(number) for number in (1, 2, 3, 4))


def test_differences_that_are_gone_since_may_be_rows_that_broke_a_rule(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a later run proved to be gone, or was under way, may be among those rows, unless the run names them."""
    monkeypatch.setenv("TWINSTORE_HOME", str(home))
    earlier = remember_run(home, {ONE: "differing", OTHER: "differing"}, ago_h=2)
    remember_run(home, {OTHER: "differing"})
    checks = [
        {"id": f"planning.{name}", "store": "prisma", "status": status, "failing_rows": rows, "sample_keys": keys}
        for name, status, rows, keys in (
            ("content_is_object", "failed", 30, [ONE, THIRD, FOURTH]),
            ("version_positive", "failed", 3, [ONE, THIRD, FOURTH]),
            ("id_replicable", "failed", 1, ["no UUID"]),
            ("title_not_blank", "passed", 0, []),
        )
    ]
    told = {"name": "planning", "differences_total": 2, "rows": {"pending": 1, "excluded": 4}, "checks": checks}
    folder = home / "runs" / earlier
    folder.mkdir(parents=True)
    (folder / "report.json").write_text(json.dumps({"datasets": [told]}), encoding="utf-8")
    with open_state(f"sqlite:///{home / 'state.sqlite'}", environment="default") as state:
        findings = of_run(load_settings(), state, "planning", earlier, now=datetime.now(UTC))
    assert [one.key for one in findings.found] == [OTHER]
    assert findings.unlisted == Unlisted(equal=False)
    assert [(one.rows, one.alike, one.beside) for one in findings.failing] == [(30, 1, 1 + 1 + 4), (3, 1, 3), (1, 0, 1)]


def test_a_check_says_of_which_keys_it_could_say_nothing() -> None:
    """What moved or was under way is not taken for equal; nor is any key where more differs than is listed."""
    report = replace(make_dataset(), unsettled={ONE: DifferenceKind.DIFFERING})
    with open_state("sqlite:///:memory:", environment="default") as state:
        told, cut = (
            of_report(replace(report, differences_total=total), "20260314T020000000Z-1b2c", state) for total in (0, 1)
        )
    assert told.unlisted == Unlisted(unsettled=frozenset({ONE}))
    assert cut.unlisted == replace(told.unlisted, equal=False)
