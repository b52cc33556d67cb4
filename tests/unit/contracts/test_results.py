"""Results as values: what they refuse, and how they are written as JSON."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from contracts.results import Checked, Consistency, DegradationMode, DualStorageResult, StorageHealth, StoreResults
from contracts.vocabulary import StoreName
from tests.support.planning_rows import KEY

FULL: dict[str, Any] = {
    "id": KEY,
    "success": True,
    "error": "Partial save",
    "details": {
        "prisma": {"attempted": True, "success": True, "timing": 12},
        "supabase": {"attempted": True, "success": False, "error": "timed out", "timing": 300},
    },
    "consistency": "partial",
    "degradationMode": "supabase-disabled",
    "timestamp": 1_758_157_323_123,
    "totalTime": 313,
    "prismaSuccess": True,
    "supabaseSuccess": False,
    "supabaseError": "timed out",
}


def test_a_result_is_read_and_written_as_other_languages_know_it() -> None:
    """What comes in goes out."""
    result = DualStorageResult.model_validate(FULL)
    assert (result.consistency, result.degradation_mode) == (Consistency.PARTIAL, DegradationMode.SUPABASE_DISABLED)
    assert result.total_time_ms == 313
    assert result.details is not None
    assert result.details.of(StoreName.SUPABASE).timing_ms == 300
    assert result.to_json() == {**FULL, "repeated": False}


@pytest.mark.parametrize(
    "change",
    [
        {"success": "true"},
        {"success": None},
        {"id": ""},
        {"id": "x" * 101},
        {"consistency": "half"},
        {"degradationMode": "full"},
        {"timestamp": 1.5},
        {"totalTime": -1},
        {"error": 7},
        {"details": {"prisma": {"attempted": True, "success": True}}},
        {"unknown": 1},
    ],
)
def test_a_result_of_another_form_is_refused(change: dict[str, Any]) -> None:
    """Unknown words, other types, missing stores."""
    with pytest.raises(ValidationError):
        DualStorageResult.model_validate({**FULL, **change})


def test_only_a_result_of_both_stores_is_not_degraded() -> None:
    """Whatever else is known of it."""
    degraded = {word: DualStorageResult(id=KEY, success=True, consistency=word).degraded for word in Consistency}
    assert degraded == {Consistency.FULL: False, Consistency.PARTIAL: True, Consistency.FAILED: True}


def test_a_store_that_did_not_answer_is_unreachable() -> None:
    """One that was not needed is not."""
    details = StoreResults.model_validate(
        {
            "prisma": {"attempted": True, "success": False, "error": "no"},
            "supabase": {"attempted": False, "success": False},
        }
    )
    assert details.unreachable == (StoreName.PRISMA,)
    assert details.of(StoreName.PRISMA).error == "no"


def test_health_is_of_both_stores() -> None:
    """Healthy only when both are."""
    health = {"failures": 0, "isHealthy": True}
    both = StorageHealth.model_validate(
        {"prisma": health, "supabase": {**health, "isHealthy": False, "lastFailure": 1}}
    )
    assert (both.healthy, both.supabase.last_failure) == (False, 1)
    with pytest.raises(ValidationError):
        StorageHealth.model_validate({"prisma": health, "supabase": {**health, "failures": -1}})


def test_a_checked_value_is_right_or_wrong() -> None:
    """Never both, never neither."""
    for broken in ({"success": True, "error": "no"}, {"success": False}):
        with pytest.raises(ValidationError):
            Checked.model_validate(broken)
