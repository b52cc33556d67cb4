"""The canonical form in Python says what PostgreSQL says, on both servers."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import psycopg
import pytest

from storage.canonical import canonical_uuid, is_uuid
from storage.canonical_json import parse, to_text
from storage.canonical_time import canonical
from tests.support.servers import Pair

SIDES = pytest.mark.parametrize("side", ["primary", "secondary"])
FIRST, LAST = -211_813_488_000_000_000, 9_223_371_331_200_000_000  # PostgreSQL's instants, in microseconds from 2000

INSTANTS = """
    SELECT t::text, (t AT TIME ZONE 'UTC')::text, (t AT TIME ZONE 'UTC')::timestamp(3)::text, t::timestamptz(3)::text
    FROM unnest(%s::bigint[]) AS us,
    LATERAL (
        SELECT timestamptz '2000-01-01 00:00:00+00' + us / 1000000 * interval '1 second'
               + us % 1000000 * interval '1 microsecond' AS t
    ) AS instant
"""


def connect(pair: Pair, side: str) -> psycopg.Connection[tuple[Any, ...]]:
    """Open a connection that writes values as the readers have them written."""
    return psycopg.connect(getattr(pair, side), options="-c TimeZone=UTC -c DateStyle=ISO")


@SIDES
def test_milliseconds_are_rounded_as_postgresql_rounds(still_empty_pair: Pair, side: str) -> None:
    """Twenty thousand instants, many of them half-way, over the whole range and around its turning points."""
    random = Random(2000)
    spans = (FIRST + 10**6, LAST - 10**6), (-(10**17), 10**17), (-(10**9), 10**9), (-62 * 10**15, -60 * 10**15)
    instants = [random.randrange(*spans[at % 4]) for at in range(10_000)]
    instants += [instant // 1000 * 1000 + 500 + instant % 3 - 1 for instant in instants]
    with connect(still_empty_pair, side) as connection:
        rows = connection.execute(INSTANTS.replace("us %", "us %%"), (instants,)).fetchall()
    assert len(rows) == len(instants)
    assert [row for row in rows if len({canonical(text) for text in row}) != 1] == []


def documents(random: Random, count: int) -> list[str]:
    """Return JSON texts of which many are equal by value."""
    numbers = [
        "1",
        "1.0",
        "1.00",
        "10e-1",
        "0",
        "-0",
        "0.0",
        "1e2",
        "100",
        "100.10",
        "100.1",
        "1e-7",
        "0.0000001",
        "-12.5",
    ]
    strings = ['"1"', '"\\u00e9"', '"é"', '"e\\u0301"', '""', '" "', '"\\ud83d\\ude00"', '"😀"', '"a\\/b"', '"a/b"']
    scalars = [*numbers, *strings, "true", "false", "null"]

    def one(depth: int) -> str:
        shape = random.randrange(4 if depth else 1)
        if shape < 2:
            return random.choice(scalars)
        parts = [one(depth - 1) for _ in range(random.randrange(3))]
        if shape == 2:
            return f"[{', '.join(parts)}]"
        return "{" + ",".join(f'"{random.choice("ab")}" : {part}' for part in parts) + "}"

    return [one(2) for _ in range(count)]


@SIDES
def test_json_is_equal_when_jsonb_is(still_empty_pair: Pair, side: str) -> None:
    """Two bodies have one canonical text exactly when `jsonb` holds them equal, read from their source or from it."""
    random = Random(7)
    ours, theirs = documents(random, 4000), documents(random, 4000)
    query = "SELECT a::jsonb::text, b::jsonb::text, a::jsonb = b::jsonb FROM unnest(%s::text[], %s::text[]) AS t (a, b)"
    with connect(still_empty_pair, side) as connection:
        rows = connection.execute(query, (ours, theirs)).fetchall()
    assert sum(equal for _, _, equal in rows) > 50
    for one, other, (one_read, other_read, equal) in zip(ours, theirs, rows, strict=True):
        texts = [to_text(parse(text)) for text in (one, one_read, other, other_read)]
        assert (texts[0], texts[2]) == (texts[1], texts[3])
        assert (texts[0] == texts[2]) is equal, (one, other)


@SIDES
def test_what_jsonb_refuses_is_refused(still_empty_pair: Pair, side: str) -> None:
    """A text that `jsonb` does not take is no JSON here either."""
    broken = [
        "",
        "[1,]",
        "01",
        "1.",
        "+1",
        "NaN",
        '"\\ud800"',
        '"\\u0000"',
        '"\t"',
        "{1:2}",
        "[1 2]",
        "'a'",
        '{"a":1,}',
    ]
    with connect(still_empty_pair, side) as connection:
        connection.autocommit = True
        for text in broken:
            with pytest.raises(psycopg.DataError):
                connection.execute("SELECT %s::text::jsonb", (text,))
            with pytest.raises(ValueError, match=r".+"):
                parse(text)


@SIDES
def test_deep_and_huge_documents_are_read(still_empty_pair: Pair, side: str) -> None:
    """A deep body and the longest number that a store writes are read back by value."""
    with connect(still_empty_pair, side) as connection:
        deep = "[" * 2000 + "]" * 2000
        for text in (deep, "1e131071", "1e-16383", json.dumps("x" * 1_000_000)):
            (read,) = connection.execute("SELECT %s::text::jsonb::text", (text,)).fetchone() or ("",)
            assert to_text(parse(read)) == to_text(parse(text))


@SIDES
def test_uuids_are_those_of_postgresql(still_empty_pair: Pair, side: str) -> None:
    """Every spelling that PostgreSQL reads as a UUID is one, with its canonical text; no other is."""
    key = "3b241101-e2bb-4255-8caf-4136c566a962"
    good = [key, key.upper(), key.replace("-", ""), "{" + key + "}", "3b24-1101-e2bb-4255-8caf-4136-c566-a962"]
    bad = [
        "",
        "guest",
        key[:-1],
        key + "0",
        "{" + key,
        key + "}",
        key + "-",
        " " + key,
        key.replace("-", "_"),
        "\uff13" + key[1:],
    ]
    with connect(still_empty_pair, side) as connection:
        connection.autocommit = True
        for text in good:
            (read,) = connection.execute("SELECT %s::text::uuid::text", (text,)).fetchone() or ("",)
            assert canonical_uuid(text) == read
        for text in bad:
            with pytest.raises(psycopg.DataError):
                connection.execute("SELECT %s::text::uuid", (text,))
            assert not is_uuid(text)
