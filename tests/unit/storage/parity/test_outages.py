"""What parts an outage, and what is in doubt where not everything could be looked at; on stores in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from contracts.planning import PLANNING
from contracts.vocabulary import Cause, DifferenceKind
from storage.parity import overview
from storage.parity.recheck import Checked, Outcome
from storage.parity.standing import Placed
from tests.support.memory_pairs import AT_ONCE, PRISMA, SUPABASE, compared, key_of, stores
from tests.support.memory_store import MemoryReader
from tests.support.row_pairs import make_row


def test_rows_that_nobody_could_search_for_an_outage_are_in_doubt() -> None:
    """Forty hours in which all rows but one are missing cost more questions than there may be: it is told."""
    days = [f"2026-03-{n // 20 + 1:02} {n % 20:02}:{m:02}:00" for n in range(40) for m in range(25)]
    both = {key_of(n): at for n, at in enumerate(days)}
    here = MemoryReader(PRISMA, [make_row(PRISMA, id=key, created_at=at) for key, at in both.items()])
    kept = [(key, at) for key, at in both.items() if at[14:16] == "12"]
    there = MemoryReader(SUPABASE, [make_row(SUPABASE, id=key, created_at=f"{at}+00") for key, at in kept])
    parity = compared(here, there)
    doubtful = [one for one in parity.differences if not one.searched]
    assert doubtful
    assert all(one.cause == Cause.MISSING_ROW for one in doubtful)
    assert any(
        note.startswith(f"{len(doubtful):,} rows that one store lacks may have been lost") for note in parity.notes
    )
    few = compared(*stores(20))
    assert few.notes == ()


@pytest.mark.parametrize(
    ("change", "its_own"),
    [({"status": "queued"}, {str(Cause.REFUSED_BY_STORE)}), ({"id": "clx0not-a-uuid"}, set())],
    ids=["refused", "excluded"],
)
def test_a_row_that_the_other_store_cannot_hold_parts_no_outage(change: dict[str, str], its_own: set[str]) -> None:
    """It is as little there as those that were lost, and keeps its own cause, or is not compared."""
    rows = [make_row(PRISMA, id=key_of(n), created_at=f"2026-03-01 11:{n:02}:00") for n in range(12)]
    rows[5] = {**rows[5], **change}
    parity = compared(MemoryReader(PRISMA, [*rows, make_row(PRISMA)]), MemoryReader(SUPABASE, [make_row(SUPABASE)]))
    causes = [one.cause for one in parity.differences]
    assert causes.count(str(Cause.WRITE_WINDOW)) == 11
    assert set(causes) == {str(Cause.WRITE_WINDOW), *its_own}


def test_rows_that_may_stand_on_prisma_under_another_spelling_are_in_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it holds more keys that are no UUIDs than are read; a budget that holds them all lifts the doubt."""
    monkeypatch.setattr(overview, "EXCLUDED_KEYS", 2)
    here, there = stores(20)
    for number in range(3):
        del here.held[key_of(number)]
        here.held[f"clx{number}"] = make_row(PRISMA, id=f"clx{number}")
    for budget, searched in ((3, False), (4, True)):
        parity = compared(here, there, replace(AT_ONCE, row_budget=budget))
        assert [(one.cause, one.searched) for one in parity.differences] == [(str(Cause.MISSING_ROW), searched)] * 3
        assert [note.startswith("3 rows that prisma lacks may stand there") for note in parity.notes] == (
            [] if searched else [True]
        )


def test_rows_that_were_not_looked_at_part_no_outage_in_silence() -> None:
    """Beyond the budget nobody knows what is missing, so that nobody can tell what was lost together."""
    rows = [make_row(PRISMA, id=key_of(n), created_at="2026-03-01 11:00:00") for n in range(40)]
    both = MemoryReader(PRISMA, [*rows, make_row(PRISMA)]), MemoryReader(SUPABASE, [make_row(SUPABASE)])
    parity = compared(*both, replace(AT_ONCE, row_budget=30))
    assert {(one.cause, one.searched) for one in parity.differences} == {(str(Cause.MISSING_ROW), False)}


def test_a_row_that_moves_at_every_look_parts_no_outage() -> None:
    """It is not there either, however often it is written."""
    rows = [make_row(PRISMA, id=key_of(n), created_at=f"2026-03-01 11:{n:02}:00") for n in range(12)]
    here = MemoryReader(PRISMA, [*rows, make_row(PRISMA)])
    titles = iter("abcdefgh")

    def write(_: float) -> None:
        here.held[key_of(5)] = {**here.held[key_of(5)], "title": next(titles)}

    parity = compared(here, MemoryReader(SUPABASE, [make_row(SUPABASE)]), sleep=write)
    assert parity.deferred == (key_of(5),)
    assert parity.unsettled == {key_of(5): DifferenceKind.ONLY_PRIMARY}
    assert [one.cause for one in parity.differences] == [str(Cause.WRITE_WINDOW)] * 11


class _UnderWay:
    """Stores between which the change of one key waits to be carried over."""

    def place(self, confirmed: Sequence[Checked]) -> Iterator[Placed]:
        """Yield each as it is, but for that key."""
        for one in confirmed:
            waits = one.first.key == key_of(5)
            yield Placed(one._replace(outcome=Outcome.PENDING), None, 1.0) if waits else Placed(one)


def test_a_row_whose_change_is_under_way_parts_no_outage() -> None:
    """The other store lacks it like its neighbours, whatever a relay will do about it."""
    rows = [make_row(PRISMA, id=key_of(n), created_at=f"2026-03-01 11:{n:02}:00") for n in range(12)]
    both = MemoryReader(PRISMA, [*rows, make_row(PRISMA)]), MemoryReader(SUPABASE, [make_row(SUPABASE)])
    parity = compared(*both, placing=_UnderWay())
    assert [one.key for one in parity.pending] == [key_of(5)]
    assert parity.unsettled == {key_of(5): DifferenceKind.ONLY_PRIMARY}
    assert [one.cause for one in parity.differences] == [str(Cause.WRITE_WINDOW)] * 11


@pytest.mark.parametrize(("created", "at"), [(None, "2026-03-01 11:00:00"), ("created_at", "infinity")], ids=str)
def test_rows_of_which_nothing_tells_when_they_were_created_are_in_doubt(created: str | None, at: str) -> None:
    """They were searched for no outage, so that the run cannot say that none took them."""
    dataset = replace(PLANNING, created=created)
    here = [make_row(PRISMA, id=key_of(n), created_at=at) for n in range(12)]
    sides = (
        MemoryReader(PRISMA, [*here, make_row(PRISMA)], dataset=dataset),
        MemoryReader(SUPABASE, [make_row(SUPABASE)], dataset=dataset),
    )
    parity = compared(*sides)
    assert {(one.cause, one.searched) for one in parity.differences} == {(str(Cause.MISSING_ROW), False)}
    (note,) = parity.notes
    assert note.startswith("12 rows that one store lacks may have been lost with others: no time of creation")
