"""Content at the door: what is refused before any store is asked."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from contracts.errors import Invalid
from contracts.planning import ContentType
from contracts.planning_input import check_content, check_result, read_content, read_id, read_owner
from contracts.planning_records import Scenario
from tests.support.planning_rows import KEY, OWNER, content

LATE = 1_758_157_323_123


@pytest.mark.parametrize("kind", ContentType)
def test_valid_content_is_returned_as_it_was(kind: ContentType) -> None:
    """Every type, with everything that a caller says."""
    assert read_content(content(kind)) == content(kind)


def test_an_older_spelling_of_a_status_is_read_as_the_canonical_one() -> None:
    """Nothing but one vocabulary reaches a store."""
    assert read_content(content(metadata={"status": "in-progress"}))["metadata"] == {"status": "processing"}


def test_a_model_is_content_too() -> None:
    """Only what was set counts, so that what is absent stays absent."""

    class Note(BaseModel):
        id: str
        type: str
        title: str
        tone: str | None = None

    note = Note(id=KEY, type="scenario", title="A")
    assert read_content(note) == {"id": KEY, "type": "scenario", "title": "A"}
    assert read_content(Scenario.model_validate(content())) == content()


@pytest.mark.parametrize(
    ("changes", "path", "sentence"),
    [
        ({"id": ...}, "id", "Field required"),
        ({"id": "story_7_1758157323123"}, "id", "must be a UUID"),
        ({"id": KEY.upper()}, "id", "must be a UUID"),
        ({"id": KEY.replace("-", "")}, "id", "must be a UUID"),
        ({"type": "poem"}, "", "must be one of"),
        ({"type": ...}, "", "must be one of"),
        ({"title": ""}, "title", "at least 1"),
        ({"title": " \u2003\n"}, "title", "white space"),
        ({"title": "x" * 501}, "title", "at most 500"),
        ({"title": "a\0b"}, "title", "NUL"),
        ({"genre": None}, "genre", "string"),
        ({"projectId": OWNER}, "projectId", "not permitted"),
        ({"durationSec": -1}, "durationSec", "whole number"),
        ({"durationSec": float("nan")}, "durationSec", "whole number"),
        ({"metadata": {"userId": "user-1"}}, "metadata.userId", "must be a UUID"),
        ({"metadata": {"userId": 7}}, "metadata.userId", "string"),
        ({"metadata": {"projectId": "p"}}, "metadata.projectId", "must be a UUID"),
        ({"metadata": {"status": "queued"}}, "metadata.status", "must be a known status"),
        ({"metadata": {"version": "1.0"}}, "metadata.version", "whole number"),
        ({"metadata": {"createdAt": -1}}, "metadata.createdAt", "whole number"),
        ({"metadata": {"createdAt": LATE + 1, "updatedAt": LATE}}, "metadata.createdAt", "not be later"),
        ({"metadata": {"createdAt": 10**15}}, "metadata.createdAt", "year 10000"),
        ({"metadata": {"author": "K\0im"}}, "metadata.author", "NUL"),
    ],
)
def test_what_breaks_the_contract_is_named(changes: dict[str, Any], path: str, sentence: str) -> None:
    """By its path and a sentence, without a value of the record."""
    with pytest.raises(Invalid) as caught:
        read_content(content(**changes))
    assert any(found == path and sentence in why for found, why in caught.value.violations), caught.value.violations
    for value in ("poem", "queued", "story_7", "user-1", "K\0im"):
        assert value not in str(caught.value)


def test_everything_that_is_wrong_is_listed_at_once() -> None:
    """A caller corrects it in one go."""
    checked = check_content(content(id=7, title="", genre=None))
    assert (checked.success, checked.data) == (False, None)
    assert str(checked.error).count("; ") == 2


@pytest.mark.parametrize("what", [None, 7, "text", [content()], {}])
def test_what_is_no_content_is_refused(what: object) -> None:
    """In the same way as content that is broken."""
    assert check_content(what).success is False


@pytest.mark.parametrize("key", [None, 7, "", "guest", KEY.upper(), f" {KEY}", KEY + "\n"])
def test_an_id_is_a_canonical_uuid(key: object) -> None:
    """Anything else could not go into both stores."""
    with pytest.raises(Invalid):
        read_id(key)
    if key is not None:
        with pytest.raises(Invalid):
            read_owner(key)


def test_an_owner_may_be_a_guest() -> None:
    """None stands for one."""
    assert (read_owner(None), read_owner(OWNER), read_id(KEY)) == (None, OWNER, KEY)


def test_the_result_of_a_write_is_checked_alike() -> None:
    """Unknown keys, missing keys and values of other types are named."""
    assert check_result({"id": KEY, "success": True}).success
    checked = check_result({"id": "", "success": "yes", "consistency": "half", "more": 1})
    assert (checked.success, str(checked.error).count("; ")) == (False, 3)
