"""Values are written as real servers answer them: held against the servers themselves."""

from __future__ import annotations

import json
from datetime import timedelta
from random import Random
from typing import Any

from contracts.planning import PLANNING
from contracts.vocabulary import StoreName
from storage.migrations.values import Side
from storage.repair.forms import held, json_text, read_json
from tests.support.mending import side_of
from tests.support.replication import World
from tests.support.servers import SEEDED_AT

JSON = "SELECT given, given::jsonb::text FROM unnest(%s::text[]) AS given"
INSTANTS = {
    StoreName.PRISMA: "SELECT (given AT TIME ZONE 'UTC')::timestamp(3)::text FROM unnest(%s::timestamptz[]) AS given",
    StoreName.SUPABASE: "SELECT given::text FROM unnest(%s::timestamptz[]) AS given",
}
ODD = (
    '{"bb": 1.50, "a": [1, {"x": null}], "é": true, "aa": "", "": 0}',
    "[1e3, 1.50e1, -0.00, 1E-3, 10.0, 123456789012345678901234567890.5, 0e5, 1e-20]",
    r'"\u0007\b\f\n\r\t\"\\\/\u00e9\u007f"',
    '{"a": 1, "a": 2, "A": 3, "b": {}, "c": []}',
    "false",
    '" 🎬 "',
)


def some_json(dice: Random, depth: int = 0) -> Any:
    """Return a JSON value, drawn at random."""
    kind = dice.choice("s" if depth > 3 else "sddll")
    if kind == "d":
        return {_word(dice): some_json(dice, depth + 1) for _ in range(dice.randrange(5))}
    if kind == "l":
        return [some_json(dice, depth + 1) for _ in range(dice.randrange(4))]
    return dice.choice((None, True, False, 0, -1, 10**18, 0.1, 1e-7, 1e22, -2.5, 100.0, _word(dice), _word(dice)))


def _word(dice: Random) -> str:
    return "".join(dice.choice('ab"\\/\n\x01é가🎬 ') for _ in range(dice.randrange(6)))


def test_json_is_written_as_jsonb_answers_it(here: World) -> None:
    """Order of keys, spaces, escapes and digits, on both versions of PostgreSQL."""
    dice = Random(7)
    texts = [*ODD, *(json.dumps(some_json(dice), ensure_ascii=dice.random() < 0.5) for _ in range(500))]
    for side in Side:
        for given, answered in here.ask(side, JSON, texts):
            assert json_text(read_json(given)) == answered


def test_instants_are_written_as_each_store_answers_them(here: World) -> None:
    """Rounded as the column rounds, with its zone or without."""
    dice = Random(7)
    moments = [SEEDED_AT + timedelta(microseconds=dice.randrange(-(3 * 10**16), 10**15)) for _ in range(300)]
    texts = [f"{moment:%Y-%m-%d %H:%M:%S.%f}+00" for moment in moments] + ["infinity", "0044-03-15 12:00:00+00 BC"]
    for store, query in INSTANTS.items():
        here.run(side_of(store), "SET TimeZone = 'UTC'")
        answered = [text for (text,) in here.ask(side_of(store), query, texts)]
        assert [held(PLANNING.column("created_at"), store, text) for text in texts] == answered
