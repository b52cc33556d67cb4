"""Answers of doors: read as they are meant, and refused in any other form, whatever stands in them."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ProtocolError
from contracts.planning import PLANNING
from contracts.vocabulary import StoreName
from storage.parity.ranges import RANGES
from storage.ports import Cell, Digest, KeyHash, RangeCount
from storage.rest.rpc_answers import Answers
from tests.support.spoiling import WRONG, places, spoilt

ANSWERS = Answers(StoreName.SUPABASE, PLANNING)
FIRST, SECOND = "00000000-0000-4000-8000-000000000000", "01000000-0000-4000-8000-000000000000"
BIG = 2**62 + 1


def listed(*items: object) -> dict[str, object]:
    """Return a list as doors give it: with its length."""
    return {"total": len(items), "list": list(items)}


DIGESTS = [[0, 1, str(BIG), "-7"], [1, 1, "8", "9"]]
SUMS = {"counts": [[0, 1], [1, 1]], "digests": DIGESTS}
PAIRS: dict[str, Any] = {**SUMS, "pairs": [[FIRST, str(BIG), "-7"], [SECOND, "8", "9"]]}
ROW = [FIRST, "1", "2", [FIRST, *["x"] * (len(PLANNING.columns) - 2), None]]
CELLS = listed([5, 1, str(BIG), "2", "-3", "4"])
FACTS = {
    "role": "service_role",
    "server_version": "18.1",
    "doors": "ab" * 32,
    "identity": FIRST,
    "statement_timeout_ms": "8000",
    "table": {
        "kind": "r",
        "usable": True,
        "row_security": False,
        "estimated_rows": -1,
        "columns": {"id": "uuid"},
        "unreadable": [],
        "key_unique": True,
        "key_present": True,
        "key_deterministic": True,
        "childless": True,
    },
}

READ: dict[str, tuple[Any, Callable[[Any], object]]] = {
    "facts": (FACTS, ANSWERS.facts),
    "probe": (["1", "-2"], ANSWERS.probe),
    "sums": (SUMS, lambda answer: ANSWERS.sums(answer, range(RANGES))),
    "pairs": (PAIRS, lambda answer: ANSWERS.pairs(answer, [0, 1])),
    "cells": (CELLS, ANSWERS.cells),
    "found": (listed(*PAIRS["pairs"]), ANSWERS.found),
    "rows": (listed(ROW), lambda answer: ANSWERS.rows(answer, [FIRST])),
    "echoed": (listed(ROW, ROW), lambda answer: ANSWERS.echoed(answer, 2)),
    "rehearsals": ([{**PAIRS, "cells": CELLS}] * 2, ANSWERS.rehearsals),
    "keys": (listed(FIRST, SECOND), ANSWERS.keys),
    "created": ({"total": 7}, ANSWERS.created),
}
DOORS = pytest.mark.parametrize("door", READ)


@DOORS
def test_what_doors_give_is_read(door: str) -> None:
    """Answers of the right form are read, after a trip through JSON."""
    answer, read = READ[door]
    assert read(json.loads(json.dumps(answer))) is not None


def test_big_numbers_keep_every_digit() -> None:
    """Hashes and sums come as text, and are as large as they were."""
    pairs, sums = ANSWERS.pairs(PAIRS, [0, 1])
    assert pairs == [KeyHash(FIRST, BIG, -7), KeyHash(SECOND, 8, 9)]
    assert sums.digests == {0: Digest(1, BIG, -7), 1: Digest(1, 8, 9)}
    assert ANSWERS.cells(CELLS) == {5: Cell(1, BIG, 2, -3, 4)}


def test_excluded_rows_are_told_by_their_number() -> None:
    """Numbers from 256 on count rows that cannot be replicated."""
    sums = ANSWERS.sums({"counts": [[3, 5], [3 + RANGES, 2]], "digests": []}, [3])
    assert sums.counts == {3: RangeCount(7, 2)}


@given(st.sampled_from(sorted(READ)), st.data())
def test_nothing_but_a_protocol_error_comes_of_a_spoilt_answer(door: str, data: st.DataObject) -> None:
    """Whatever stands at whatever place, an answer is read or refused; no other error gets out."""
    answer, read = READ[door]
    path = data.draw(st.sampled_from(list(places(answer))))
    wrong = data.draw(st.sampled_from(WRONG))
    with suppress(ProtocolError):
        read(spoilt(answer, path, wrong))


@DOORS
@pytest.mark.parametrize("wrong", [None, 1, "text", True], ids=str)
def test_an_answer_of_another_form_is_refused(door: str, wrong: object) -> None:
    """A value where an object or a list is meant is refused."""
    with pytest.raises(ProtocolError):
        READ[door][1](wrong)


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (("digests", 0, 2), BIG),
        (("digests", 0, 2), "1.0"),
        (("digests", 0, 2), " 1"),
        (("digests", 0, 1), "1"),
        (("digests", 0, 1), True),
        (("digests", 0), [0, 1, "1"]),
        (("counts", 0, 0), 2),
        (("counts", 0, 1), -1),
        (("pairs", 0, 1), "8"),
        (("pairs", 1, 0), FIRST),
        (("pairs",), []),
        (("pairs",), PAIRS["pairs"][:1]),
        (("pairs",), PAIRS["pairs"][::-1]),
        (("pairs",), [*PAIRS["pairs"], PAIRS["pairs"][1]]),
    ],
    ids=str,
)
def test_pairs_that_are_not_whole_are_refused(path: tuple[Any, ...], wrong: object) -> None:
    """A lost, changed, doubled or misplaced pair does not add up to its digest; numbers must be what they should."""
    with pytest.raises(ProtocolError):
        ANSWERS.pairs(spoilt(PAIRS, path, wrong), [0, 1])


def test_rows_that_were_not_asked_for_are_refused() -> None:
    """A row with another key, or the same row twice, is no answer."""
    for answer, keys in ((listed(ROW), [SECOND]), (listed(ROW, ROW), [FIRST])):
        with pytest.raises(ProtocolError):
            ANSWERS.rows(answer, keys)


def test_ranges_that_were_not_asked_for_are_refused() -> None:
    """Sums of another span are no answer."""
    with pytest.raises(ProtocolError):
        ANSWERS.sums(SUMS, [0])


def test_no_value_is_told() -> None:
    """The error shows nothing of the answer."""
    with pytest.raises(ProtocolError) as caught:
        ANSWERS.keys(listed("canary", 5))
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("door", ["cells", "found", "rows", "keys"])
@pytest.mark.parametrize("nothing", [[], {}, {"list": []}, {"total": 1, "list": []}, {"total": 0}], ids=str)
def test_no_answer_is_not_taken_for_an_empty_one(door: str, nothing: object) -> None:
    """An answer that got lost on the way, wholly or in part, does not say that there are no rows."""
    with pytest.raises(ProtocolError):
        READ[door][1](nothing)
