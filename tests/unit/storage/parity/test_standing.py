"""How confirmed candidates are handed on to be placed: all of them, once, and few at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from contracts.planning import PLANNING
from contracts.replication import PLACES, Place
from contracts.vocabulary import StoreName
from storage.parity.candidates import Candidate
from storage.parity.recheck import Checked, Outcome
from storage.parity.standing import KEYS_AT_ONCE, Placed, Unplaced, place_confirmed
from storage.replication.places import agreement
from tests.support.row_pairs import make_row


@dataclass
class Counting:
    """Places everything as lost, and notes how many it was asked for at once."""

    asked: list[int] = field(default_factory=list)

    def place(self, confirmed: Sequence[Checked]) -> Iterator[Placed]:
        """Place them."""
        self.asked.append(len(confirmed))
        return (Placed(checked, Place.LOST) for checked in confirmed)


def candidate(number: int, outcome: Outcome = Outcome.CONFIRMED) -> Checked:
    """Return a candidate without rows."""
    return Checked(Candidate(str(number), None, None), outcome, None, None)


def test_only_what_is_confirmed_is_placed_and_few_at_a_time() -> None:
    """Whatever settled or moved goes through as it is."""
    checked = [candidate(n) for n in range(2 * KEYS_AT_ONCE + 1)]
    checked += [candidate(9_999, outcome) for outcome in Outcome if outcome is not Outcome.CONFIRMED]
    counting = Counting()
    placed = list(place_confirmed(iter(checked), counting))
    assert counting.asked == [KEYS_AT_ONCE, KEYS_AT_ONCE, 1]
    assert sorted(p.checked for p in placed) == sorted(checked)
    assert all((p.place is Place.LOST) == (p.checked.outcome is Outcome.CONFIRMED) for p in placed)


def test_without_replication_nothing_has_a_place() -> None:
    """A difference stays one."""
    (placed,) = place_confirmed([candidate(1)], Unplaced())
    assert placed == Placed(candidate(1), None, None)


def test_rows_agree_as_they_do_when_they_are_looked_at_again() -> None:
    """Gone, settled, written differently, or not at all."""
    ours, theirs = make_row(StoreName.PRISMA), make_row(StoreName.SUPABASE)
    assert agreement(PLANNING, None, None) is Outcome.GONE
    assert agreement(PLANNING, ours, None) is agreement(PLANNING, None, theirs) is None
    assert agreement(PLANNING, ours, theirs) is Outcome.SETTLED
    assert agreement(PLANNING, ours, {**theirs, "title": "another"}) is None
    spelt = {**theirs, "metadata": '{"n": 1.0}'}
    assert agreement(PLANNING, {**ours, "metadata": '{"n": 1}'}, spelt) is Outcome.REPRESENTATION


def test_rows_that_agree_by_a_rule_count_as_equal() -> None:
    """The compare rules of the columns hold here, too."""
    columns = tuple(replace(c, ignore_case=True) if c.name == "title" else c for c in PLANNING.columns)
    ours, theirs = make_row(StoreName.PRISMA, title="River"), make_row(StoreName.SUPABASE, title="RIVER")
    assert agreement(replace(PLANNING, columns=columns), ours, theirs) is Outcome.RULE
    assert agreement(PLANNING, ours, theirs) is None


def test_every_place_is_said_in_words() -> None:
    """A reason for a verdict never names a member of a list."""
    assert PLACES.keys() == set(Place)
