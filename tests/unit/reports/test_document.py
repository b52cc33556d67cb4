"""report.json."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # ships no types
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.verdicts import Cost, RunReport
from contracts.vocabulary import Verdict
from reports.document import to_json
from tests.support.factories import (
    MASK_KEY,
    make_dataset,
    make_difference,
    make_field,
    make_large_report,
    make_report,
    with_texts,
)
from tests.support.troubled_report import make_failed_report

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "report.schema.json").read_text(encoding="utf-8"))


def document(report: RunReport) -> dict[str, Any]:
    """Return the parsed document of a report, after checking it against the published schema."""
    parsed: dict[str, Any] = json.loads(to_json(report, mask_key=MASK_KEY))
    validator = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())
    validator.validate(parsed)
    return parsed


def test_the_schema_is_a_schema() -> None:
    """The published schema is itself valid."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    "report",
    [
        make_report(),
        make_failed_report(),
        make_failed_report(masked=False, share=True),
        make_report(datasets=(), verdict=Verdict.ERRORED),
        make_report(datasets=(make_dataset(stores=(), ranges=(), checks=()),)),
        make_large_report(50),
    ],
    ids=["passed", "failed", "shared", "without datasets", "bare", "large"],
)
def test_every_report_fits_the_schema(report: RunReport) -> None:
    """What other tools rely on is there for every kind of run."""
    assert document(report)["schema_version"] == "1.0"


def test_what_other_tools_rely_on() -> None:
    """The members that the design promises have the promised values."""
    parsed = document(make_failed_report())
    dataset = parsed["datasets"][0]
    assert (parsed["verdict"], parsed["differences_total"], dataset["differences_total"]) == ("failed", 467, 467)
    assert dataset["channel"] == {"primary": "sql", "secondary": "sql"}
    assert dataset["rows"]["only_primary"] == 18
    assert len(dataset["differences"]) == 467
    both = next(d for d in dataset["differences"] if len(d["causes"]) > 1)
    assert both["cause"] == " + ".join(both["causes"])
    assert dataset["clusters"][0]["count"] == 380
    assert sum(dataset["checks_by_status"].values()) == len(dataset["checks"])


def test_values_are_masked_as_on_the_page() -> None:
    """A personal value is not in the document; NULL, missing and masked are told apart."""
    fields = (make_field("title", "Grandmother", None), make_field("metadata.x", "\x00missing", "Grandmother"))
    dataset = make_dataset(differences=(make_difference(1, *fields),))
    text = to_json(make_report(datasets=(dataset,)), mask_key=MASK_KEY)
    assert "Grandmother" not in text
    assert "missing\\u0000" not in text
    first, second = json.loads(text)["datasets"][0]["differences"][0]["fields"]
    assert (first["primary_state"], first["secondary_state"], first["secondary"]) == ("masked", "null", None)
    assert (second["primary_state"], second["primary"]) == ("missing", None)
    assert first["primary"] == second["secondary"]
    open_text = to_json(make_report(datasets=(dataset,), masked=False), mask_key=MASK_KEY)
    assert open_text.count('"Grandmother"') == 2


@settings(max_examples=30, deadline=None)
@given(st.text(st.characters(), min_size=1, max_size=30))
def test_the_text_is_inert_anywhere(text: str) -> None:
    """Whatever the texts, the document is ASCII, closes no element and survives a round trip."""
    report = with_texts(make_report(), lambda _: text)
    written = to_json(report, mask_key=MASK_KEY)
    assert written.isascii()
    assert written.isprintable() or set(written) - {"\n"} <= set(map(chr, range(32, 127)))
    assert not set("<>&") & set(written)
    assert json.loads(written)["environment"] == text


def test_large_integers_keep_their_digits() -> None:
    """A number that a double cannot hold is written as a string."""
    parsed = document(make_report(cost=Cost(bytes_transferred=2**53 + 1, rows_transferred=2**53 - 1)))
    assert parsed["cost"]["bytes_transferred"] == "9007199254740993"
    assert parsed["cost"]["rows_transferred"] == 9007199254740991


def test_numbers_that_are_none_are_refused() -> None:
    """JSON knows no infinity: writing one is an error, not a broken document."""
    with pytest.raises(ValueError, match="JSON"):
        to_json(make_report(cost=replace(Cost(), seconds=float("inf"))), mask_key=MASK_KEY)


def test_the_head_stands_before_the_datasets() -> None:
    """Each member has a line of its own, and the datasets come last."""
    lines = to_json(make_report(), mask_key=MASK_KEY).splitlines()
    assert lines[0] == "{"
    assert lines[-1] == "}"
    assert lines[-2].startswith('"datasets": ')
    assert all(json.loads("{" + line.rstrip(",") + "}") for line in lines[1:-1])
