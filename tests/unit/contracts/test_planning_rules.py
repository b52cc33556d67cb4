"""The planning rules: a row that breaks one of them breaks exactly that one."""

from typing import Any

import pandas as pd
import pandera.pandas as pandera
import pytest

from contracts.judge import ContractJudge
from contracts.planning import ContentType, Status
from contracts.planning_frame import STORAGE_STATUSES, planning_frame
from contracts.planning_rules import PLANNING_RULES
from contracts.registry import contract_for
from contracts.vocabulary import CheckStatus, Severity, StoreName
from tests.support.planning_rows import KEY, METADATA, OWNER, batch, content, row

OTHER = "11111111-2222-4333-8444-555555555555"

ALONE: list[tuple[str, dict[str, Any]]] = [
    ("id_replicable", {"id": "test-planning-001", "content": content(id="test-planning-001")}),
    ("id_replicable", {"id": KEY.upper(), "content": content(id=KEY.upper())}),
    ("id_replicable", {"id": KEY + "\n", "content": content(id=KEY + "\n")}),
    ("id_replicable", {"id": KEY.replace("-", ""), "content": content(id=KEY.replace("-", ""))}),
    ("required_present", {"type": None}),
    ("required_present", {"title": None}),
    ("required_present", {"content": None}),
    ("required_present", {"status": None}),
    ("required_present", {"created_at": None}),
    ("required_present", {"updated_at": None}),
    ("required_present", {"created_at": None, "updated_at": None, "title": None}),
    ("type_known", {"type": "podcast", "content": content(type="podcast", rss="x")}),
    ("type_known", {"type": "Scenario", "content": content(type="Scenario")}),
    ("status_known", {"status": "queued"}),
    ("status_known", {"status": "Draft"}),
    ("status_known", {"status": ""}),
    ("title_length", {"title": ""}),
    ("title_length", {"title": "x" * 501}),
    ("title_length", {"title": " " * 501}),
    ("title_not_blank", {"title": " "}),
    ("title_not_blank", {"title": "\u3000\u00a0\t\n" * 125}),
    ("content_is_object", {"content": '"{\\"id\\": \\"x\\"}"'}),
    ("content_is_object", {"content": "null"}),
    ("content_is_object", {"content": "[]"}),
    ("content_is_object", {"content": "7"}),
    ("content_is_object", {"content": "[" * 3000 + "]" * 3000}),
    ("content_valid", {"content": content(unknown=1)}),
    ("content_valid", {"content": content(title=...)}),
    ("content_valid", {"content": content(title="")}),
    ("content_valid", {"content": content(title="x" * 501)}),
    ("content_valid", {"content": content(durationSec=-1)}),
    ("content_valid", {"content": content(genre=None)}),
    ("content_valid", {"content": content(metadata={"version": 0})}),
    ("content_valid", {"content": '{"a":' * 3000 + "1" + "}" * 3000}),
    ("content_valid", {"type": "video", "content": content(ContentType.VIDEO, videoUrl="no url")}),
    ("content_id_matches", {"content": content(id=OTHER)}),
    ("content_id_matches", {"content": content(id=KEY.upper())}),
    ("content_id_matches", {"content": content(id="scenario_17")}),
    ("content_type_matches", {"content": content(type="story")}),
    ("content_type_matches", {"content": content(type="podcast")}),
    ("content_type_matches", {"content": content(ContentType.PROMPT)}),
    ("created_before_updated", {"created_at": "2025-09-18 01:02:03.124"}),
    (
        "created_before_updated",
        {"created_at": "2025-09-18 01:02:03.1236+00", "updated_at": "2025-09-18 01:02:03.1234+00"},
    ),
    ("created_before_updated", {"created_at": "infinity"}),
    ("created_before_updated", {"updated_at": "0044-03-15 00:00:00 BC"}),
    ("user_id_valid", {"user_id": "guest"}),
    ("user_id_valid", {"user_id": ""}),
    ("user_id_valid", {"user_id": OWNER.upper()}),
    ("version_positive", {"version": None}),
    ("version_positive", {"version": "0"}),
    ("version_positive", {"version": "-1"}),
    ("metadata_valid", {"metadata": "null"}),
    ("metadata_valid", {"metadata": '"{}"'}),
    ("metadata_valid", {"metadata": {**METADATA, "createdBy": "x"}}),
    ("project_id_valid", {"project_id": "project-1"}),
    ("storage_status_known", {"storage_status": "done"}),
    ("status_canonical", {"status": "in-progress"}),
]

VALID: list[dict[str, Any]] = [
    {},
    {"title": "x"},
    {"title": "글" * 500},
    {"title": " x "},
    {"user_id": None, "metadata": None, "storage_status": None},
    {"project_id": OTHER},
    {"metadata": {}},
    {"version": "2147483647"},
    {"content": content(title="Another title")},
    {"content": content(durationSec=90.0)},
    {"content": content(metadata=...)},
    {"created_at": "2025-09-18 01:02:03.1234+00", "updated_at": "2025-09-18 01:02:03.1231+00"},
    {"created_at": "-infinity", "updated_at": "infinity"},
    {"created_at": "9999-12-31 23:59:59.999", "updated_at": "10000-01-01 00:00:00"},
    *({"type": str(kind), "content": content(kind)} for kind in ContentType),
    *({"status": str(status)} for status in Status),
    *({"storage_status": status} for status in STORAGE_STATUSES),
]


def failed(changes: dict[str, Any], store: StoreName) -> set[str]:
    """Judge one valid row beside the changed one; return the short ids of what failed, after checks of the result."""
    judge = ContractJudge(contract_for("planning"), store)
    changed = row(**changes)
    judge.judge(batch([row(id=OTHER, content=content(id=OTHER)), changed]))
    results = judge.results(2)
    assert [r.id for r in results] == [rule.id for rule in PLANNING_RULES]
    assert {r.status for r in results} <= {CheckStatus.PASSED, CheckStatus.FAILED}
    for result in results:
        broken = result.status is CheckStatus.FAILED
        assert (result.failing_rows, result.checked_rows, result.store) == (int(broken), 2, store)
        assert result.sample_keys == ((changed["id"],) if broken else ())
    return {r.id.removeprefix("planning.") for r in results if r.status is CheckStatus.FAILED}


@pytest.mark.parametrize("store", StoreName)
@pytest.mark.parametrize(("rule", "changes"), ALONE)
def test_a_rule_that_is_broken_alone_fails_alone(rule: str, changes: dict[str, Any], store: StoreName) -> None:
    """A row that breaks one rule fails that rule on its store, and no other."""
    assert failed(changes, store) == {rule}


@pytest.mark.parametrize("changes", VALID)
def test_a_valid_row_breaks_nothing(changes: dict[str, Any]) -> None:
    """A row at the inner side of every limit passes all rules."""
    assert failed(changes, StoreName.PRISMA) == set()


def test_every_rule_is_broken_by_some_row() -> None:
    """No rule of the contract is left out above."""
    assert {f"planning.{rule}" for rule, _ in ALONE} == {rule.id for rule in PLANNING_RULES}


def test_two_faults_in_one_row_are_both_found() -> None:
    """A row with two faults fails both rules."""
    assert failed({"status": "queued", "title": ""}, StoreName.SUPABASE) == {"status_known", "title_length"}


def test_a_missing_id_inside_breaks_validity_too() -> None:
    """A body without an id neither matches the row nor has its required fields."""
    assert failed({"content": content(id=...)}, StoreName.PRISMA) == {"content_valid", "content_id_matches"}


def test_severities_are_as_agreed() -> None:
    """Five rules only warn or inform; all others are critical."""
    mild = {rule.id.removeprefix("planning."): rule.severity for rule in PLANNING_RULES if rule.severity != "critical"}
    assert mild == {
        "title_not_blank": Severity.WARNING,
        "metadata_valid": Severity.WARNING,
        "project_id_valid": Severity.WARNING,
        "storage_status_known": Severity.WARNING,
        "status_canonical": Severity.INFO,
    }


@pytest.mark.parametrize("store", StoreName)
def test_the_frame_alone_validates_rows(store: StoreName) -> None:
    """The Pandera frame takes a valid batch as it is, and refuses broken rows and unknown columns."""
    good = batch([row()]).to_pandas(types_mapper=pd.ArrowDtype)
    assert planning_frame(store).validate(good).equals(good)
    bad = batch([row(status="queued", title="")]).to_pandas(types_mapper=pd.ArrowDtype)
    with pytest.raises(pandera.errors.SchemaErrors) as caught:
        planning_frame(store).validate(bad, lazy=True)
    assert {error.check.name for error in caught.value.schema_errors} == {
        "planning.status_known",
        "planning.title_length",
    }
    with pytest.raises((pandera.errors.SchemaError, pandera.errors.SchemaErrors)):
        planning_frame(store).validate(good.assign(extra="x"))
