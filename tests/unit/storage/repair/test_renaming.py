"""Giving a record another key: which one, what follows it, and what stands in the way."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from contracts.planning import PLANNING
from contracts.repair import Mode
from contracts.row_facts import RowFacts
from storage.repair.ports import Seen
from storage.repair.renaming import Renaming, cause_of, new_key, rename
from storage.repair.seeing import Both
from tests.support.repair_cases import wanted
from tests.support.row_pairs import KEY, PRISMA, SUPABASE, body, make_row

OLD = "video_17"
NOBODY: Both = {PRISMA: Seen(None, None), SUPABASE: Seen(None, None)}
WANTED = wanted(Mode.SOURCE_OF_TRUTH, rename=True)


def renamed(content: str | None, facts: RowFacts = PLANNING.facts) -> str | None:
    """Return the body of a record after it got its new key."""
    row = make_row(PRISMA, id=OLD, content=content)
    dataset = replace(PLANNING, facts=facts)
    decision = rename(dataset, WANTED, Renaming(old=OLD, new=KEY, seen=Seen(row, None), there=NOBODY))
    after = decision.drafts[0].after
    assert after is not None
    assert after["id"] == KEY
    return after["content"]


def test_only_a_key_that_is_one_uuid_can_be_made_anew() -> None:
    """Where several columns make up the key, or it is a text, no key is invented."""
    assert new_key(replace(PLANNING, key=("type", "source")), OLD) is None
    assert new_key(PLANNING, OLD) != new_key(replace(PLANNING, name="other"), OLD)


@pytest.mark.parametrize(
    ("key", "cause"),
    [
        (OLD, "id_not_replicable"),
        (KEY.upper(), "key_case"),
        (f"{{{KEY}}}", "key_case"),
        (f"urn:uuid:{KEY}", "id_not_replicable"),
    ],
)
def test_what_a_server_reads_as_a_uuid_is_one(key: str, cause: str) -> None:
    """Another spelling keeps its record's key; anything else gets a new one."""
    assert cause_of(key) == cause
    assert (new_key(PLANNING, key) == KEY) is (cause == "key_case")


def test_a_body_that_repeats_the_key_follows_and_any_other_stays() -> None:
    """Only the very key is replaced; an id of something else, or a body that holds none, is not ours to change."""
    assert json.loads(renamed(body(id=OLD)) or "") == json.loads(body(id=KEY))
    for other in (body(id="another"), body(id=...), '"prose"', "[]"):
        assert renamed(other) == other


def test_a_record_without_a_body_is_renamed_all_the_same() -> None:
    """A dataset need not have a body, and a body need not hold the key."""
    plain = replace(PLANNING.facts, body=None, required=frozenset())
    assert renamed(body(id=OLD), plain) == body(id=OLD)
    assert renamed(None, replace(PLANNING.facts, required=frozenset())) is None
    assert renamed(body(id=OLD), replace(PLANNING.facts, envelope=frozenset())) == body(id=OLD)


def test_a_body_that_nobody_would_write_out_stays_as_it_is() -> None:
    """Its id is then another one than the row's, which the contract does not let pass."""
    huge = f'{{"id": "{OLD}", "n": 1e999999999}}'
    assert renamed(huge) == huge
