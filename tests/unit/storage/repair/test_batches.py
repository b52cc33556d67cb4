"""Which steps are taken at once."""

from __future__ import annotations

import pytest

from contracts.repair import Act
from contracts.vocabulary import StoreName
from storage.repair import batches as module
from storage.repair.batches import MOST_CHARACTERS, MOST_STEPS, batches
from tests.support.repair_plans import make_step

PRISMA, SUPABASE = StoreName


def numbers(*steps: tuple[StoreName, str, int | None]) -> list[tuple[StoreName, list[int]]]:
    """Return the batches of steps that are given by store, key and the step that they need."""
    made = [
        make_step(number, Act.DELETE, store=store, key=key, needs=needs)
        for number, (store, key, needs) in enumerate(steps, start=1)
    ]
    return [(store, [step.number for step in batch]) for store, batch in batches(made)]


def test_steps_of_a_store_are_taken_together() -> None:
    """Those of the other store by another call."""
    assert numbers((PRISMA, "a", None), (SUPABASE, "b", None), (PRISMA, "c", None)) == [
        (PRISMA, [1, 3]),
        (SUPABASE, [2]),
    ]
    assert numbers() == []


def test_no_key_is_named_twice_and_no_step_beside_one_that_it_needs() -> None:
    """They wait for the next call, whatever the store."""
    assert numbers((PRISMA, "a", None), (SUPABASE, "a", None), (PRISMA, "b", 2), (PRISMA, "c", None)) == [
        (PRISMA, [1, 4]),
        (SUPABASE, [2]),
        (PRISMA, [3]),
    ]


def test_a_batch_is_limited_in_number_and_size() -> None:
    """A row that alone is too large is a batch of its own."""
    many = [(PRISMA, str(number), None) for number in range(MOST_STEPS + 1)]
    assert [len(found) for _, found in numbers(*many)] == [MOST_STEPS, 1]
    large = {"title": "x" * (MOST_CHARACTERS // 2), "status": None}
    steps = [make_step(number, Act.UPDATE, key=str(number), before=large, after={}) for number in (1, 2, 3)]
    assert [[step.number for step in batch] for _, batch in batches(steps)] == [[1, 2], [3]]


@pytest.mark.parametrize("most", [1, 2])
def test_what_is_needed_may_stand_in_a_batch_before(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """Batches follow the order of the plan."""
    monkeypatch.setattr(module, "MOST_STEPS", most)
    found = numbers((PRISMA, "a", None), (PRISMA, "b", 1), (SUPABASE, "c", 1))
    assert [number for _, batch in found for number in batch] == [1, 2, 3]
