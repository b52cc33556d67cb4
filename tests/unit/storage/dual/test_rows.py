"""Content to row and back, and what a change makes of the row that was there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contracts.errors import Invalid
from contracts.planning import PLANNING, ContentType
from contracts.planning_input import read_content
from contracts.vocabulary import StoreName
from storage.canonical import canonical_row
from storage.dual.rows import LAST_VERSION, Change, record_of, version_of
from storage.ports import Row
from tests.support.planning_rows import KEY, METADATA, OWNER, content, row

NOW_MS = 1_758_200_000_000
OTHER = "11111111-2222-4333-8444-555555555555"


def saved(before: Row | None = None, *, now_ms: int = NOW_MS, owner: Any = ..., **changes: Any) -> Row:
    """Return the row that a save makes."""
    return Change(body=read_content(content(**changes)), owner=owner).over(before, now_ms=now_ms)


def patched(before: Row, **patch: Any) -> Row:
    """Return the row that a patch makes."""
    return Change(body=patch, patch=True).over(before, now_ms=NOW_MS)


def body_of(made: Row) -> dict[str, Any]:
    """Return the body of a row."""
    return dict(json.loads(made["content"] or ""))


@pytest.mark.parametrize("kind", ContentType)
def test_a_new_row_fits_the_contract_of_its_table(kind: ContentType) -> None:
    """Every column is there, and what columns repeat of the body is the same in both places."""
    made = Change(body=read_content(content(kind, metadata=...))).over(None, now_ms=NOW_MS)
    canonical_row(PLANNING, made)
    told = {"userId": None, "status": "draft", "createdAt": NOW_MS, "updatedAt": NOW_MS, "version": 1}
    assert body_of(made)["metadata"] == json.loads(made["metadata"] or "") == told
    assert (made["version"], made["status"], made["user_id"], made["storage_status"]) == ("1", "draft", None, "pending")


def test_the_same_content_gives_the_same_row() -> None:
    """Nothing is written for it."""
    before = saved()
    assert saved(before, now_ms=NOW_MS + 5) is before
    assert saved(before, now_ms=NOW_MS + 5, title="Another") is not before


def test_a_version_that_no_store_can_hold_is_refused() -> None:
    """A record at the last one cannot be changed any more; one before it can."""
    before = {**saved(), "version": str(LAST_VERSION - 1)}
    last = patched(before, title="Another")
    assert last["version"] == str(LAST_VERSION)
    assert patched(last, title="Another") is last
    with pytest.raises(Invalid, match=r"metadata\.version: cannot grow"):
        patched(last, title="A third")


def test_a_change_counts_and_is_dated() -> None:
    """The time of creation stays, also where the caller says another one, or the clock was set back."""
    before = saved(metadata={"createdAt": NOW_MS - 10})
    after = saved(before, now_ms=NOW_MS + 5, title="Another", metadata={"createdAt": 1, "version": 9})
    assert (after["version"], after["created_at"]) == ("2", before["created_at"])
    assert body_of(after)["metadata"]["createdAt"] == NOW_MS - 10
    back = saved(before, now_ms=1, title="Another")
    assert back["updated_at"] == back["created_at"]


def test_rows_of_other_writers_keep_what_they_say() -> None:
    """Columns that metadata do not repeat, and the title of a body without one."""
    before = row(
        content=content(ContentType.IMAGE, metadata=...),
        type="image",
        title="A sea",
        user_id=OTHER,
        project_id=OWNER,
        metadata=None,
        status="in-progress",
        source="app",
        storage={"a": 1},
        version="7",
    )
    after = patched(before, description="calm")
    assert (after["title"], after["user_id"], after["project_id"]) == ("A sea", OTHER, OWNER)
    assert (after["status"], after["source"], after["version"]) == ("processing", "app", "8")
    assert after["storage"] == before["storage"]
    assert body_of(after)["metadata"]["userId"] == OTHER


def test_a_title_is_made_where_none_is_known() -> None:
    """Of type and time of creation, so that it is the same in both stores and stays."""
    made = Change(body=read_content(content(ContentType.VIDEO, metadata=...))).over(None, now_ms=NOW_MS)
    assert made["title"] == "video - 2025-09-18T12:53:20.000Z"
    assert patched(made, processingJobId="job-2")["title"] == made["title"]
    assert patched(made, title="A film")["title"] == "A film"


def test_an_owner_is_named_once() -> None:
    """Beside the content, in it, or as it was; never twice differently."""
    assert saved(owner=None, metadata=...)["user_id"] is None
    assert saved(owner=OTHER, metadata=...)["user_id"] == OTHER
    assert saved()["user_id"] == OWNER
    assert saved(saved(), metadata={"status": "active"})["user_id"] == OWNER
    assert saved(saved(), metadata={"userId": None})["user_id"] is None
    with pytest.raises(Invalid, match="beside the content"):
        saved(owner=OTHER)


def test_a_row_that_both_stores_could_not_hold_is_refused() -> None:
    """Although nobody touched what is wrong with it."""
    with pytest.raises(Invalid, match=r"metadata\.userId"):
        patched(row(user_id="user-1"), tone="Calm")


@pytest.mark.parametrize("stored", ['"text"', "[1]", "null"])
def test_a_patch_needs_an_object(stored: str) -> None:
    """A body that is none can only be replaced."""
    with pytest.raises(Invalid, match="no object"):
        patched(row(content=stored), tone="Calm")
    assert body_of(saved(row(content=stored)))["id"] == KEY


def test_metadata_of_an_older_form_do_not_stand_in_the_way_of_a_save() -> None:
    """A patch keeps all of them or none: it is refused rather than lose what it does not know."""
    old = row(metadata={"createdBy": "kim", "author": "Kim"}, content=content(metadata=...))
    assert body_of(saved(old, metadata=...))["metadata"]["author"] == "Kim"
    with pytest.raises(Invalid, match="createdBy"):
        patched(old, tone="Calm")


def test_instants_beyond_python_are_kept() -> None:
    """A row from before 1970, or from before Christ, is read and written on."""
    for created in ("1950-01-01 00:00:00", "0044-03-15 00:00:00 BC"):
        before = row(created_at=created, updated_at=created)
        after = patched(before, tone="Calm")
        assert after["created_at"] == created
        assert "createdAt" not in body_of(after)["metadata"]
    record = record_of(
        row(created_at="infinity", updated_at="0044-03-15 00:00:00 BC"), store=StoreName.PRISMA, pending=False
    )
    assert (record.created_at, record.updated_at) == (None, None)


def test_a_row_without_version_or_times_gets_them() -> None:
    """The secondary allows them to be NULL."""
    before = row(version=None, created_at=None, updated_at=None)
    assert version_of(before) == version_of(None) == 0
    after = patched(before, tone="Calm")
    assert (after["version"], after["created_at"]) == ("1", after["updated_at"])


def test_a_row_is_read_as_a_record() -> None:
    """With the canonical word for its status, and the author from wherever it stands."""
    record = record_of(
        row(status="in-progress", content=content(metadata={**METADATA, "status": "in-progress", "author": "Kim"})),
        store=StoreName.SUPABASE,
        pending=True,
    )
    assert (record.status, record.content["metadata"]["status"], record.author) == ("processing", "processing", "Kim")
    assert (record.store, record.pending, record.version) == (StoreName.SUPABASE, True, 1)
    odd = record_of(
        row(content="[" * 5000 + "]" * 5000, metadata='"x"', type="poem"), store=StoreName.PRISMA, pending=False
    )
    assert (type(odd.content), odd.metadata, odd.type, odd.author) == (str, "x", "poem", None)
