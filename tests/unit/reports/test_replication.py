"""What every kind of report says of replication."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema  # type: ignore[import-untyped]  # ships no types
import pytest
from rich.console import Console

from contracts.replication import MANY, Gap, Place, ReplicationState
from contracts.replication import PLACES as WORDS
from contracts.verdicts import DatasetReport, ReplicationReport, RowTotals, RunReport, StoreCapture
from contracts.vocabulary import DifferenceKind, StoreName, Verdict
from reports.document import to_json
from reports.html import to_html
from reports.junit import to_junit
from reports.replication import GAPS, PLACES, place_of, replication_sentence, replication_view
from reports.spreadsheet import to_csv
from reports.summary import to_summary
from reports.terminal import print_report
from tests.support.factories import (
    MASK_KEY,
    STARTED,
    make_counts,
    make_dataset,
    make_missing,
    make_replication,
    make_report,
    make_standing,
)
from tests.support.troubled_report import make_troubled_replication

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "report.schema.json").read_text(encoding="utf-8"))
OFF = make_replication(
    state=ReplicationState.OFF,
    stores=tuple(StoreCapture(store=s, standing=make_standing(s, since=None, adopted_at=None)) for s in StoreName),
)
UNKNOWN = make_replication(
    state=ReplicationState.UNKNOWN,
    stores=(
        StoreCapture(store=StoreName.PRISMA, note="it refuses us."),
        StoreCapture(store=StoreName.SUPABASE, note="over rows alone"),
    ),
)
STARTING = make_replication(
    state=ReplicationState.STARTING,
    stores=tuple(StoreCapture(store=s, standing=make_standing(s, adopted_at=None)) for s in StoreName),
)


def troubled() -> DatasetReport:
    """Return a dataset whose replication shows a bit of everything."""
    places = [*[Place.NOT_YET] * 3, *[Place.CONFLICT] * 2, Place.DEAD_LETTER, *[Place.LOST] * 5]
    differences = tuple(
        make_missing(n, DifferenceKind.ONLY_PRIMARY, place=place, waiting_s=3_700.0 if place is Place.NOT_YET else None)
        for n, place in enumerate(places, 1)
    )
    account = replace(make_dataset().ranges[0], primary=make_counts(matched=4_977, only=11, pending=12))
    return make_dataset(
        verdict=Verdict.FAILED,
        rows=RowTotals(primary=5_000, secondary=4_977, matched=4_977, only_primary=11, pending=12),
        ranges=(replace(account, secondary=make_counts(matched=4_977)),),
        differences=differences,
        differences_total=len(differences),
        replication=make_troubled_replication(),
    )


def run_of(dataset: DatasetReport) -> RunReport:
    """Return a run of one dataset."""
    return make_report(verdict=dataset.verdict, datasets=(dataset,))


def with_replication(report: ReplicationReport | None) -> RunReport:
    """Return a run that passed."""
    return run_of(make_dataset(replication=report))


def document(report: RunReport) -> dict[str, Any]:
    """Return the first dataset of report.json, after it was held against the schema."""
    parsed = json.loads(to_json(report, mask_key=MASK_KEY))
    jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker()).validate(parsed)
    found: dict[str, Any] = parsed["datasets"][0]
    return found


def test_every_word_is_in_words() -> None:
    """No place and no gap is left without words."""
    assert PLACES.keys() == WORDS.keys() == set(Place)
    assert GAPS.keys() == set(Gap)


@pytest.mark.parametrize("report", [None, OFF, UNKNOWN, STARTING, make_replication()], ids=str)
def test_every_state_fits_the_schema(report: ReplicationReport | None) -> None:
    """And so does a dataset that cannot be replicated."""
    found = document(with_replication(report))["replication"]
    assert (found and found["state"]) == (report and report.state)


def test_the_document_says_how_every_difference_stands() -> None:
    """Place and age of each, where the rows went, and what is between the stores."""
    found = document(run_of(troubled()))
    assert [d["place"] for d in found["differences"]].count("lost") == 5
    assert found["differences"][0]["waiting_s"] == 3_700.0
    assert found["rows"]["pending"] == found["ranges"][0]["primary"]["pending"] == 12
    assert found["ranges"][0]["primary"]["balance"] == 0
    replication = found["replication"]
    assert replication["places"] == {"not_yet_replicated": 3, "conflict": 2, "dead_letter": 1, "lost": 5}
    assert (replication["conflicts"], replication["dead_letters"], replication["pending_total"]) == (2, 1, 12)
    assert [side["gap"] for side in replication["stores"]] == [None, "truncated"]
    assert replication["stores"][0]["oldest_s"] == 3 * 3_600


def test_the_sentence_says_it_all() -> None:
    """One line for each state."""
    assert replication_sentence(OFF) == "Replication is off: no write is captured, and none is carried over."
    assert "prisma: it refuses us; supabase: over rows alone" in replication_sentence(UNKNOWN)
    assert "nobody adopted" in replication_sentence(STARTING)
    assert "decides whether the stores are adopted" in replication_sentence(replace(STARTING, adopting=True))
    assert replication_sentence(make_replication()) == "Adopted since 2026-03-07 02:05:00 UTC: nothing waits."
    assert replication_sentence(make_troubled_replication()) == (
        "Adopted since 2026-03-07 02:05:00 UTC: 1,204 keys wait on prisma, the oldest for 3 h 00 min, "
        "1 key waits on supabase, the oldest for 2 min 00 s, 2 open conflicts, 1 dead letter, 5 rows lost."
    )
    many = make_standing(StoreName.PRISMA, dirty=MANY + 1, oldest_at=STARTED)
    counted = make_replication(stores=(StoreCapture(store=StoreName.PRISMA, standing=many),))
    assert "more than 100,000 changes wait on prisma" in replication_sentence(counted)


def test_what_to_do_names_the_command() -> None:
    """Nothing where nothing is wrong; else a command for each trouble."""
    assert replication_view(make_replication()).todo == replication_view(OFF).todo == ()
    todo = "\n".join(replication_view(make_troubled_replication()).todo)
    for words in ("on supabase: look", "twinstore sync status", "dead-letters list", "conflicts list", "lost"):
        assert words in todo
    assert "twinstore adopt" in replication_view(STARTING).todo[0]
    assert replication_view(replace(STARTING, adopting=True)).todo == ()


def test_a_place_in_words() -> None:
    """What waits says for how long; where the stores do not replicate nothing is said."""
    missing = make_missing(1, DifferenceKind.ONLY_PRIMARY, place=Place.NOT_YET, waiting_s=3_700.0)
    assert place_of(missing) == "not carried over yet for 1 h 01 min"
    assert place_of(replace(missing, place=Place.LOST)) == "lost"
    assert place_of(replace(missing, place=None)) == ""


def test_the_page_has_a_section_where_stores_replicate() -> None:
    """Both stores, what is between them, keys under way, what to do, and how each difference stands."""
    page = to_html(run_of(troubled()), mask_key=MASK_KEY)
    assert 'href="#dataset-planning' in page
    for words in (
        "captured with a gap",
        "emptied by TRUNCATE",
        "Keys under way",
        "+ under way",
        "<b>lost</b>",
        "To do",
    ):
        assert words in page


def test_the_page_has_one_line_where_they_do_not() -> None:
    """Off is said in a sentence, without cards; a dataset that cannot be replicated has no section at all."""
    page = to_html(with_replication(OFF), mask_key=MASK_KEY)
    assert "Replication is off" in page
    assert "Between the stores" not in page
    assert "under way" not in page
    assert "Replication" not in to_html(with_replication(None), mask_key=MASK_KEY)


def test_the_summary_says_it_and_what_to_do() -> None:
    """A line of the table, and one per thing to do."""
    summary = to_summary(run_of(troubled()))
    assert "| under way | 12 |" in summary
    assert "| replication | Adopted since" in summary
    assert "- Conflicts wait for a decision: `twinstore sync conflicts list`" in summary.replace("&#96;", "`")
    assert "replication" not in to_summary(with_replication(None))


def test_junit_has_a_case_where_stores_replicate() -> None:
    """Dead letters fail it; what is under way is told; where replication is off there is no such case."""

    def case(report: RunReport) -> ET.Element | None:
        root = ET.fromstring(to_junit(report).split("\n", 1)[1])  # noqa: S314 - our own text
        return next((c for c in root.iter("testcase") if c.get("name") == "changes are carried over"), None)

    failed, quiet = case(run_of(troubled())), case(with_replication(make_replication()))
    assert failed is not None
    assert failed.find("failure") is not None
    assert quiet is not None
    assert quiet.find("failure") is None
    assert "nothing waits" in (quiet.findtext("system-out") or "")
    assert case(with_replication(OFF)) is None


def test_the_spreadsheet_says_place_and_age() -> None:
    """In the last two columns, empty where the stores do not replicate."""
    lines = list(csv.DictReader(to_csv(run_of(troubled()), mask_key=MASK_KEY)))
    assert [(line["place"], line["waiting_s"]) for line in lines][:4] == [
        *[("not_yet_replicated", "3700")] * 3,
        ("conflict", ""),
    ]


def test_the_terminal_says_it(capsys: pytest.CaptureFixture[str]) -> None:
    """The sentence, what to do, and rows under way as a column of their own."""
    console = Console(width=200, color_system=None)
    print_report(run_of(troubled()), console)
    said = capsys.readouterr().out
    assert "Adopted since" in said
    assert "Under way" in said
    print_report(with_replication(OFF), console)
    quiet = capsys.readouterr().out
    assert "Replication is off" in quiet
    assert "Under way" not in quiet


def test_the_age_is_that_of_the_store() -> None:
    """By the clock of the store itself, and never below nothing."""
    late = make_standing(StoreName.PRISMA, dirty=1, oldest_at=STARTED + timedelta(seconds=2))
    assert late.oldest_s == 0.0
