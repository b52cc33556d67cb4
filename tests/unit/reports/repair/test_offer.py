"""The command that a report offers, and what the index lists beside the runs."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from contracts.backups import Damage, Flaw, KeptBackup, Verification
from contracts.repair import Ended
from contracts.verdicts import Reason
from contracts.vocabulary import StoreName, Verdict
from reports import Beside, print_report, refresh_index, to_html, to_summary
from reports.repair.offer import plan_offer
from tests.support.factories import MASK_KEY, make_dataset, make_difference, make_replication, make_report
from tests.support.repair_views import make_repair, make_step, make_view

DATASET = make_dataset(
    verdict=Verdict.FAILED,
    differences=(make_difference(1),),
    differences_total=1,
    replication=make_replication(),
)
REPORT = make_report(run_id="run-7", datasets=(DATASET,))
COMMAND = "twinstore repair plan --run run-7"


def test_a_report_of_differences_offers_the_plan_of_their_repair() -> None:
    """The page, the terminal and the summary name the very command, with the run."""
    file = io.StringIO()
    print_report(REPORT, Console(file=file, width=160))
    assert COMMAND in to_html(REPORT, mask_key=MASK_KEY)
    assert COMMAND in file.getvalue()
    assert COMMAND in to_summary(REPORT)


@pytest.mark.parametrize(
    "changed",
    [
        replace(DATASET, differences=(), differences_total=0),
        replace(DATASET, replication=None),
        replace(DATASET, verdict=Verdict.INCOMPLETE),
        replace(DATASET, reasons=(Reason(verdict=Verdict.ERRORED, text="A check could not be judged."),)),
    ],
    ids=["no difference", "not replicated", "incomplete", "errored beside failed"],
)
def test_no_plan_is_offered_where_none_may_be_made(changed: object) -> None:
    """Nothing to repair, nothing that could be repaired, or a run that could not look everywhere."""
    report = replace(REPORT, datasets=(changed,))  # type: ignore[arg-type]  # a dataset
    assert plan_offer(report, report.datasets[0]) == ""
    assert "repair plan" not in to_html(report, mask_key=MASK_KEY)


def test_a_dataset_among_several_is_named() -> None:
    """Where a run looked at two datasets that can be repaired, the command says which one is meant."""
    other = replace(DATASET, name="orders")
    assert plan_offer(replace(REPORT, datasets=(DATASET, other)), other) == f"{COMMAND} --dataset orders"


def test_the_index_lists_repairs_and_leads_to_their_pages(tmp_path: Path) -> None:
    """Each plan with how it ended; one whose files are gone has no link."""
    runs = tmp_path / "runs"
    runs.mkdir()
    view = make_view(make_step())
    here = make_repair(view.plan, ended=Ended.PARTLY)
    gone = make_repair(view.plan, id="20260101T000000000Z-gone", ended=Ended.UNDONE)
    folder = tmp_path / "repairs" / here.id
    folder.mkdir(parents=True)
    (folder / "plan.html").touch()
    page = refresh_index(runs, Beside(repairs=(gone, here))).read_text(encoding="utf-8")
    assert f'<a href="../repairs/{here.id}/plan.html">' in page
    assert "repaired in part" in page
    assert "undone" in page
    assert f"{gone.id}/plan.html" not in page


def test_the_index_lists_backups_with_what_their_drill_found(tmp_path: Path) -> None:
    """Verified, not verified, or not good with the reason."""
    at = datetime(2026, 3, 4, tzinfo=UTC)
    good = Verification(at=at, seconds=1.0, seal="a", proven=tuple(StoreName))
    flaw = Flaw(damage=Damage.CONTENT, text="A file was changed.")
    bad = Verification(at=at, seconds=1.0, seal="a", proven=(), flaws=(flaw,))
    backups = tuple(
        KeptBackup(id=f"20260{number}01T000000000Z-b", manifest=None, verification=found)
        for number, found in enumerate((good, bad, None), start=1)
    )
    page = refresh_index(tmp_path, Beside(backups=backups)).read_text(encoding="utf-8")
    assert "A file was changed." in page
    assert all(f"{word}</span>" in page for word in ("verified", "not good", "not verified"))
