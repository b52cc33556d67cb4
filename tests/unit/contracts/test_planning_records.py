"""The records of the five content types: their fields and both sides of every limit."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from contracts.planning import ContentType, Status
from contracts.planning_records import CONTENT, METADATA, MODELS, json_checks
from tests.support.planning_rows import BODIES, content

S, P, V, T, I = ContentType.SCENARIO, ContentType.PROMPT, ContentType.VIDEO, ContentType.STORY, ContentType.IMAGE  # noqa: E741 - a table below

OPTIONAL = {
    S: [
        "story",
        "genre",
        "tone",
        "target",
        "format",
        "tempo",
        "developmentMethod",
        "developmentIntensity",
        "durationSec",
    ],
    P: ["title", "scenarioTitle", "keywords"],
    V: ["title", "videoUrl", "thumbnailUrl", "processingJobId"],
    T: ["oneLineStory", "genre", "tone", "targetAudience"],
    I: ["title", "imageUrl", "thumbnailUrl", "description", "tags"],
}
REQUIRED = {S: ["title"], P: ["finalPrompt"], V: [], T: ["title", "content"], I: []}

GOOD: list[tuple[ContentType, dict[str, Any]]] = [
    *((kind, {"id": "x"}) for kind in ContentType),
    *((kind, {"id": "x" * 100}) for kind in ContentType),
    *((kind, {"title": "t"}) for kind in ContentType),
    *((kind, {"title": "글" * 500}) for kind in ContentType),
    *((kind, {"title": "🌊" * 500}) for kind in ContentType),
    *((kind, {"metadata": {}}) for kind in ContentType),
    (S, {"durationSec": 0}),
    (S, {"durationSec": 90.0}),
    (S, {"durationSec": 10**30}),
    (S, {"genre": ""}),
    (P, {"finalPrompt": "x"}),
    (P, {"keywords": []}),
    (V, {"videoUrl": "ftp://host/file"}),
    (V, {"videoUrl": "mailto:a@example.com"}),
    (T, {"content": "x"}),
    (I, {"tags": [""]}),
]
BAD: list[tuple[ContentType, dict[str, Any]]] = [
    *((kind, {"id": ""}) for kind in ContentType),
    *((kind, {"id": "x" * 101}) for kind in ContentType),
    *((kind, {"id": 7}) for kind in ContentType),
    *((kind, {"id": ...}) for kind in ContentType),
    *((kind, {"type": ...}) for kind in ContentType),
    *((kind, {"type": "podcast"}) for kind in ContentType),
    *((kind, {"title": ""}) for kind in ContentType),
    *((kind, {"title": "x" * 501}) for kind in ContentType),
    *((kind, {"metadata": None}) for kind in ContentType),
    *((kind, {"metadata": "{}"}) for kind in ContentType),
    *((kind, {"unknown": 1}) for kind in ContentType),
    (S, {"durationSec": -1}),
    (S, {"durationSec": 0.5}),
    (S, {"durationSec": "90"}),
    (S, {"durationSec": True}),
    (S, {"story": 1}),
    (P, {"finalPrompt": ""}),
    (P, {"keywords": "sea"}),
    (P, {"keywords": [1]}),
    (V, {"videoUrl": "host/file"}),
    (V, {"videoUrl": ""}),
    (V, {"thumbnailUrl": "http://"}),
    (T, {"content": ""}),
    (I, {"imageUrl": "/i.png"}),
    (I, {"tags": None}),
]


@pytest.mark.parametrize(("kind", "changes"), GOOD)
def test_a_body_within_its_limits_is_read(kind: ContentType, changes: dict[str, Any]) -> None:
    """A body at the inner side of a limit is read by the union and by the reader of its type."""
    text = json.dumps(content(kind, **changes))
    assert type(CONTENT.validate_json(text)) is MODELS[kind]
    assert json_checks()[kind](text).id == changes.get("id", content()["id"])


@pytest.mark.parametrize(("kind", "changes"), BAD)
def test_a_body_beyond_a_limit_is_refused(kind: ContentType, changes: dict[str, Any]) -> None:
    """A body at the outer side of a limit is refused."""
    with pytest.raises(ValidationError):
        CONTENT.validate_json(json.dumps(content(kind, **changes)))


@pytest.mark.parametrize("kind", ContentType)
def test_the_fields_of_a_type_are_those_of_the_contract(kind: ContentType) -> None:
    """Each type has its required and optional fields, and id, type and metadata, and no others."""
    fields = MODELS[kind].model_fields
    assert set(fields) == {"id", "type", "metadata", *REQUIRED[kind], *OPTIONAL[kind]}
    assert {name for name, field in fields.items() if field.is_required()} == {"id", "type", *REQUIRED[kind]}


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in ContentType for name in REQUIRED[kind]])
def test_a_required_field_may_not_be_missing(kind: ContentType, name: str) -> None:
    """A body without a required field is refused."""
    with pytest.raises(ValidationError):
        CONTENT.validate_json(json.dumps(content(kind, **{name: ...})))


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in ContentType for name in OPTIONAL[kind]])
def test_an_optional_field_may_be_missing_but_not_null(kind: ContentType, name: str) -> None:
    """A missing optional field reads as None; a null is refused."""
    assert getattr(CONTENT.validate_json(json.dumps(content(kind, **{name: ...}))), name) is None
    with pytest.raises(ValidationError):
        CONTENT.validate_json(json.dumps(content(kind, **{name: None})))


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"userId": None},
        {"userId": "u"},
        {"userId": "u" * 100},
        *({"status": status} for status in [*Status, "in-progress"]),
        {"createdAt": 0, "updatedAt": 0},
        {"createdAt": 1.0},
        {"version": 1},
        {"projectId": ""},
        {"author": "김하늘"},
    ],
)
def test_metadata_within_its_limits_is_read(metadata: dict[str, Any]) -> None:
    """Metadata at the inner side of a limit are read, and every key may be missing."""
    METADATA.validate_json(json.dumps(metadata))


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        [],
        "{}",
        {"userId": ""},
        {"userId": "u" * 101},
        {"status": "queued"},
        {"status": "draft\n"},
        {"status": None},
        {"createdAt": -1},
        {"updatedAt": "2025-09-18"},
        {"createdAt": 0.5},
        {"version": 0},
        {"version": "1.0"},
        {"version": True},
        {"projectId": None},
        {"author": None},
        {"createdBy": "x"},
    ],
)
def test_metadata_beyond_a_limit_is_refused(metadata: Any) -> None:
    """Metadata at the outer side of a limit are refused, as is what is no object."""
    with pytest.raises(ValidationError):
        METADATA.validate_json(json.dumps(metadata))


def test_a_url_is_kept_as_it_was_written() -> None:
    """Reading a URL does not rewrite it."""
    url = "HTTPS://CDN.example:443/a/../b"
    record = CONTENT.validate_json(json.dumps(content(V, videoUrl=url)))
    assert record.model_dump(exclude_unset=True)["videoUrl"] == url


def test_a_record_comes_back_as_it_was_read() -> None:
    """A body that is read and written again has the keys that it had, and no others."""
    for kind in BODIES:
        body = content(kind)
        assert CONTENT.validate_json(json.dumps(body)).model_dump(mode="json", exclude_unset=True) == body
