"""A row that a store refuses, with whatever SQLSTATE, leaves all others; a store in trouble refuses no row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from contracts.errors import SchemaMismatch, TwinstoreError, Unavailable
from storage.migrations.values import Side
from tests.support.replication import World, keys, other

UNFORESEEN = ("45000", "PT403", "42501", "42703", "P0004", "55000", "0A000", "21000", "XX000")
FINE, BACK, *REFUSED = keys(2 + len(UNFORESEEN))
PRIMARY, SECONDARY = Side.PRIMARY, Side.SECONDARY

sides = pytest.mark.parametrize("side", Side)


@contextmanager
def refusing(world: World, side: Side) -> Iterator[None]:
    """Have a trigger of an application refuse rows that are carried over, with the SQLSTATE that is their title."""
    world.run(
        side,
        "CREATE FUNCTION public.no() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN "
        "IF length(new.title) = 5 AND current_setting('twinstore.applying', true) = 'on' THEN "
        "RAISE EXCEPTION 'no' USING ERRCODE = new.title; END IF; RETURN new; END $f$",
    )
    try:
        world.run(
            side,
            "CREATE TRIGGER no BEFORE INSERT OR UPDATE ON public.planning FOR EACH ROW EXECUTE FUNCTION public.no()",
        )
        yield
    finally:
        world.run(side, "DROP FUNCTION public.no() CASCADE")


@sides
def test_a_row_that_is_refused_for_a_reason_of_its_own_leaves_the_others(both: World, side: Side) -> None:
    """What a trigger refuses is noted and tried again later, and all else is carried over, in both directions."""
    with refusing(both, side):
        for key, code in zip(REFUSED, UNFORESEEN, strict=True):
            both.insert(other(side), key, title=code)
        both.insert(other(side), FINE, title="passes")
        both.insert(side, BACK, title="passes")
        both.relay.drain()
        assert (both.titles(FINE), both.titles(BACK)) == (("passes", "passes"), ("passes", "passes"))
        letters = {letter.key: (letter.code, letter.dead_at) for letter in both.book.letters(dead_only=False)}
        assert letters == {key: (code, None) for key, code in zip(REFUSED, UNFORESEEN, strict=True)}


@sides
@pytest.mark.parametrize("code", ["53100", "58030", "XX001"])
def test_a_store_in_trouble_refuses_no_row(here: World, side: Side, code: str) -> None:
    """A full disk is no fault of the row that met it: nothing is noted, and the call fails."""
    with refusing(here, side):
        here.insert(other(side), FINE, BACK, title=code)
        with pytest.raises(TwinstoreError) as raised:
            here.relay.drain()
    assert isinstance(raised.value, Unavailable) is not code.startswith("XX")
    assert here.book.letters(dead_only=False) == ()
    here.relay.drain()
    assert here.titles(FINE) == here.titles(BACK) == (code, code)


def test_a_table_that_takes_nothing_refuses_no_row(here: World) -> None:
    """Where a column is gone every row would be refused: the call fails, as for a schema that is not ours."""
    here.insert(PRIMARY, FINE, BACK)
    items = here.primary.changes(at_most=9).items
    here.run(SECONDARY, "ALTER TABLE public.planning RENAME COLUMN source TO origin")
    try:
        with pytest.raises(SchemaMismatch):
            here.secondary.apply(items)
    finally:
        here.run(SECONDARY, "ALTER TABLE public.planning RENAME COLUMN origin TO source")
    assert [verdict.outcome for verdict in here.secondary.apply(items)] == ["applied", "applied"]
