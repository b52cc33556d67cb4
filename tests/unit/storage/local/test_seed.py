"""The seed records are realistic, valid and the same for the same seed."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime, timedelta, timezone

import pytest

from contracts.planning import TITLE_MAX, ContentType, Status
from storage.local.seed import PlanningSeed, records

NOW = datetime(2026, 3, 1, 12, 30, 15, 987_654, tzinfo=UTC)
UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
METADATA = {"userId", "status", "createdAt", "updatedAt", "projectId", "version", "author"}

REQUIRED = {
    ContentType.SCENARIO: {"title"},
    ContentType.PROMPT: {"finalPrompt"},
    ContentType.VIDEO: set[str](),
    ContentType.STORY: {"title", "content"},
    ContentType.IMAGE: set[str](),
}
OPTIONAL = {
    ContentType.SCENARIO: {
        *("story", "genre", "tone", "target", "format", "tempo"),
        *("developmentMethod", "developmentIntensity", "durationSec"),
    },
    ContentType.PROMPT: {"title", "scenarioTitle", "keywords"},
    ContentType.VIDEO: {"title", "videoUrl", "thumbnailUrl", "processingJobId"},
    ContentType.STORY: {"oneLineStory", "genre", "tone", "targetAudience"},
    ContentType.IMAGE: {"title", "imageUrl", "thumbnailUrl", "description", "tags"},
}
LISTS = {"keywords", "tags"}


@pytest.fixture(scope="module")
def many() -> list[PlanningSeed]:
    """Two thousand records."""
    return list(records(2000, seed=1, now=NOW))


def test_equal_seeds_give_equal_records(many: list[PlanningSeed]) -> None:
    """The same arguments give the same records in the same order."""
    assert many == list(records(2000, seed=1, now=NOW))


def test_another_seed_gives_other_records(many: list[PlanningSeed]) -> None:
    """Two seeds share no key."""
    assert not {record.id for record in many} & {record.id for record in records(2000, seed=2, now=NOW)}


def test_the_zone_of_now_does_not_matter() -> None:
    """The same moment in another zone gives the same records."""
    seoul = NOW.astimezone(timezone(timedelta(hours=9)))
    assert list(records(20, seed=1, now=NOW)) == list(records(20, seed=1, now=seoul))


def test_now_needs_a_zone() -> None:
    """A moment without a zone is refused."""
    with pytest.raises(ValueError, match="time zone"):
        next(records(1, seed=1, now=NOW.replace(tzinfo=None)))


@pytest.mark.parametrize("n", [0, 1, 7])
def test_any_number_can_be_made(n: int) -> None:
    """There are as many records as were asked for."""
    assert len(list(records(n, seed=3, now=NOW))) == n


def test_ids_are_version_4_in_lower_case_and_unique(many: list[PlanningSeed]) -> None:
    """Every id, owner and project is a canonical UUID; no id comes twice."""
    for record in many:
        assert all(UUID4.fullmatch(value) for value in (record.id, record.user_id, record.project_id) if value)
    assert len({record.id for record in many}) == len(many)


def test_bodies_have_the_fields_of_their_type_and_no_others(many: list[PlanningSeed]) -> None:
    """A body has id, type, the required fields, and otherwise only optional ones of its type."""
    for record in many:
        required = REQUIRED[record.type] | {"id", "type"}
        assert required <= record.content.keys() <= required | OPTIONAL[record.type] | {"metadata"}


def test_bodies_agree_with_their_rows(many: list[PlanningSeed]) -> None:
    """Id, type and title inside a body are those of the row, and its metadata are the row's."""
    for record in many:
        assert record.content["id"] == record.id
        assert record.content["type"] == record.type
        assert record.content.get("title", record.title) == record.title
        assert record.content.get("metadata", record.metadata) == record.metadata


def test_fields_have_their_types(many: list[PlanningSeed]) -> None:
    """Texts are not empty, lists hold texts, the duration is a whole number from 0, URLs are absolute."""
    for record in many:
        for name, value in record.content.items():
            if name == "durationSec":
                assert type(value) is int
                assert value >= 0
            elif name in LISTS:
                assert isinstance(value, list)
                assert all(isinstance(item, str) for item in value)
            elif name != "metadata":
                assert isinstance(value, str)
                assert value
            if name.endswith("Url"):
                assert str(value).startswith("https://media.example.com/")


def test_metadata_are_those_of_the_row(many: list[PlanningSeed]) -> None:
    """Metadata, where there are any, repeat the row's columns and hold no other key."""
    for record in many:
        if (metadata := record.metadata) is None:
            continue
        assert metadata.keys() <= METADATA
        assert (metadata["userId"], metadata["status"]) == (record.user_id, record.status)
        assert (metadata["version"], metadata.get("projectId")) == (record.version, record.project_id)
        assert metadata["createdAt"] == int(record.created_at.timestamp() * 1000 + 0.5)
        assert metadata["updatedAt"] == int(record.updated_at.timestamp() * 1000 + 0.5)


def test_times_lie_in_the_last_ninety_days_in_whole_milliseconds(many: list[PlanningSeed]) -> None:
    """Nothing is created after its last change, after `now`, or more than 90 days ago; some is an hour old at most."""
    for record in many:
        assert NOW - timedelta(days=90, seconds=1) <= record.created_at <= record.updated_at <= NOW
        assert record.created_at.microsecond % 1000 == record.updated_at.microsecond % 1000 == 0
    assert max(record.created_at for record in many) >= NOW - timedelta(hours=1)
    assert max(record.created_at for record in records(1, seed=9, now=NOW)) >= NOW - timedelta(hours=1)


def test_every_kind_of_record_occurs(many: list[PlanningSeed]) -> None:
    """All types and statuses, guests, missing projects, metadata, storage and sources occur in realistic shares."""
    assert set(Counter(record.type for record in many)) == set(ContentType)
    statuses = Counter(record.status for record in many)
    assert set(statuses) == set(Status)
    assert statuses[Status.FAILED] < 0.1 * len(many)
    guests = sum(record.user_id is None for record in many)
    assert 0.05 * len(many) < guests < 0.15 * len(many)
    for name in ("project_id", "metadata", "storage", "source", "storage_status"):
        values = [asdict(record)[name] for record in many[:300]]
        assert 0 < sum(value is None for value in values) < len(values)


def test_texts_are_in_several_languages(many: list[PlanningSeed]) -> None:
    """Titles are Korean, English, accented and with emoji, and never blank or too long; some bodies have some KB."""
    titles = [record.title for record in many]
    for pattern in ("[가-힣]", "[a-z]{4}", "[éèûñ]", "[\U0001f300-\U0001faff]"):
        assert any(re.search(pattern, title) for title in titles)
    assert all(title.strip() and len(title) <= TITLE_MAX for title in titles)
    assert max(len(str(record.content)) for record in many) > 2000


def test_projects_have_owners_and_users_stay_within_a_pace(many: list[PlanningSeed]) -> None:
    """A guest has no project, a project has one owner, and no user makes more than a few dozen records a day."""
    owners: dict[str, set[str | None]] = {}
    pace = Counter((record.user_id, record.created_at.date()) for record in many if record.user_id)
    for record in many:
        if record.project_id:
            owners.setdefault(record.project_id, set()).add(record.user_id)
    assert all(len(users) == 1 and None not in users for users in owners.values())
    assert max(pace.values()) < 30
