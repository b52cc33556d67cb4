"""Answers of the doors of replication: read as they are meant, and refused in any other form."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ProtocolError, SchemaMismatch
from contracts.planning import PLANNING
from contracts.replication import Applied
from contracts.vocabulary import StoreName
from storage.replication.answers import Answers
from tests.support.factories import make_key
from tests.support.spoiling import WRONG, places, spoilt

ANSWERS = Answers(StoreName.PRISMA, PLANNING)
KEY, CHECKSUM, AT = make_key(1), "ab" * 32, "2026-03-01T12:00:00.123456+00:00"
ROW = [KEY, *["x"] * (len(PLANNING.columns) - 2), None]
CAPTURE = {"since": AT, "gap_at": AT, "gap_reason": "restored", "adopted_at": AT, "adoption": "a name"}
STANDING = {
    "script": CHECKSUM,
    "identity": KEY,
    "now": AT,
    "server": AT,
    "capture": {**CAPTURE, "same_table": True, "triggers": 2},
    "dirty": 3,
    "held": False,
    "oldest_at": AT,
    "max_seen": 4,
    "heard": [[KEY, 5, 6]],
    "forgot": False,
    "last_change": 7,
}
ITEM = {
    "key": KEY,
    "parts": [KEY],
    "id": 8,
    "since": AT,
    "ready": True,
    "rev": 9,
    "seen": 10,
    "server": AT,
    "known": True,
    "row": ROW,
    "mark": "11",
    "adoption": "a name",
}
VERDICT = {"key": KEY, "outcome": "applied", "rev": 12, "code": None, "rule": None}
REMEDY = {"key": KEY, "outcome": "written", "row": ROW, "code": None, "rule": None}

READ: dict[str, tuple[Any, Callable[[Any], object]]] = {
    "standing": (STANDING, lambda answer: ANSWERS.standing(answer, checksum=CHECKSUM)),
    "changes": ({"list": [ITEM], "next": 8}, ANSWERS.changes),
    "items": ([ITEM], ANSWERS.items),
    "verdicts": ([VERDICT], lambda answer: ANSWERS.verdicts(answer, Applied, [KEY])),
    "written": ({"outcome": "updated", "id": 13, "row": ROW, "repeated": True}, ANSWERS.written),
    "remedies": ({"items": [REMEDY]}, lambda answer: ANSWERS.remedies(answer, [KEY])),
    "page": ({"list": [{"key": KEY, "at": AT, "row": ROW, "id": None}]}, ANSWERS.page),
    "left": ({"left": False}, ANSWERS.left),
}
DOORS = pytest.mark.parametrize("door", READ)


@DOORS
def test_what_doors_give_is_read(door: str) -> None:
    """Answers of the right form are read, after a trip through JSON."""
    answer, read = READ[door]
    assert read(json.loads(json.dumps(answer))) is not None


@given(st.sampled_from(sorted(READ)), st.data())
def test_nothing_but_a_protocol_error_comes_of_a_spoilt_answer(door: str, data: st.DataObject) -> None:
    """Whatever stands at whatever place, an answer is read or refused; no other error gets out."""
    answer, read = READ[door]
    path = data.draw(st.sampled_from(list(places(answer))))
    wrong = data.draw(st.sampled_from(WRONG))
    with suppress(ProtocolError, SchemaMismatch):  # functions of another version
        read(spoilt(answer, path, wrong))


@DOORS
@pytest.mark.parametrize("wrong", [None, 1, "text", True], ids=str)
def test_an_answer_of_another_form_is_refused(door: str, wrong: object) -> None:
    """A value where an object or a list is meant is refused."""
    with pytest.raises(ProtocolError):
        READ[door][1](wrong)


@pytest.mark.parametrize(
    ("door", "path", "wrong"),
    [
        ("standing", ("forgot",), None),
        ("standing", ("forgot",), "true"),
        ("standing", ("capture", "gap_reason"), "from a later version"),
        ("standing", ("heard", 0), [KEY, 5]),
        ("items", (0, "ready"), None),
        ("verdicts", (0, "outcome"), []),
        ("verdicts", (0, "key"), make_key(2)),
        ("left", ("left",), None),
    ],
)
def test_what_decides_is_never_guessed(door: str, path: tuple[Any, ...], wrong: object) -> None:
    """Whether a store forgot something, whether a change may be delivered, what became of it."""
    answer, read = READ[door]
    with pytest.raises(ProtocolError):
        read(spoilt(answer, path, wrong))
