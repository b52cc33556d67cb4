"""What applications of the origin rely on where they ask whether both stores agree: behaviours 16 to 22."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from contracts.planning import PLANNING
from contracts.vocabulary import StoreName
from storage.dual import DualRepository
from storage.replication.doors import Call, PrimaryDoors, SecondaryDoors
from tests.support.dual import PRISMA, SUPABASE, WHO, Twins, new_id, scenario
from tests.support.planning_rows import OWNER


def behind(twins: Twins, key: str, changes: str, *values: object) -> None:
    """Change a row of the secondary, which the primary does not hear of before the relay runs."""
    twins.run(SUPABASE, f"UPDATE public.planning SET {changes} WHERE id::text = %s", *values, key)


def test_behaviour_16_equal_data_are_consistent(twins: Twins) -> None:
    """No differences, no recommendations; the same where neither store has the record."""
    body = scenario(metadata=WHO)
    twins.repository.save(body)
    for key in (body["id"], new_id()):
        report = twins.repository.check_consistency(key)
        assert (report.consistent, report.differences, report.recommendations) == (True, (), ())


def test_behaviour_17_every_difference_is_reported(twins: Twins) -> None:
    """Title and status, with the generic recommendation; and what the origin never compared."""
    body = scenario(metadata=WHO)
    twins.repository.save(body)
    text = Jsonb({**body, "story": "another"})
    behind(twins, body["id"], "title = 'Theirs', status = 'failed', content = %s, updated_at = updated_at", text)
    report = twins.repository.check_consistency(body["id"])
    assert {"title", "status", "content.story"} <= {each.field for each in report.differences}
    assert (report.consistent, any("synchronisation" in each for each in report.recommendations)) == (False, True)


def test_behaviour_18_one_sided_data_are_inconsistent(twins: Twins) -> None:
    """The store that has the record shows it, the other is to be synced."""
    with twins.away(SUPABASE):
        ours = twins.repository.save(scenario())
    with twins.away(PRISMA):
        theirs = twins.repository.save(scenario())
    for key, present, absent in (
        (ours.id, "prisma_data", "supabase_data"),
        (theirs.id, "supabase_data", "prisma_data"),
    ):
        report = twins.repository.check_consistency(key)
        assert not report.consistent
        assert "only one store" in report.differences[0].message
        assert any("ync the missing store" in each for each in report.recommendations)
        assert (getattr(report, present).id, getattr(report, absent)) == (key, None)


def test_behaviour_19_clocks_may_differ_by_five_seconds(twins: Twins) -> None:
    """10 000 ms are named, with `sync to latest`; 5 000 are tolerated, 5 001 are not."""
    body = scenario()
    twins.repository.save(body)
    for apart_ms, tolerated in ((10_000, False), (5_000, True), (5_001, False)):
        behind(twins, body["id"], "updated_at = created_at + %s * interval '1 millisecond'", apart_ms)
        report = twins.repository.check_consistency(body["id"])
        assert report.consistent is tolerated
        if not tolerated:
            assert [each.message for each in report.differences] == [f"updatedAt differs by {apart_ms} ms."]
            assert any("ync to the latest" in each for each in report.recommendations)


@pytest.mark.parametrize("store", StoreName)
def test_behaviour_20_a_store_that_fails_is_inconsistent(twins: Twins, store: StoreName) -> None:
    """The report carries the error, and asks for a manual verification."""
    body = scenario()
    twins.repository.save(body)
    with twins.away(store):
        report = twins.repository.check_consistency(body["id"])
    assert (report.consistent, report.details.unreachable) == (False, (store,))
    assert str(report.details.of(store).error) in report.differences[0].message
    assert any("manual verification" in each for each in report.recommendations)


def test_behaviour_21_a_report_on_an_owner_counts(twins: Twins) -> None:
    """One conflict: total 1, healthy 0; disjoint ids: total 2, one missing on each side."""
    other = new_id()
    body = scenario(metadata=WHO)
    twins.repository.save(body)
    behind(twins, body["id"], "title = 'Theirs'")
    report = twins.repository.check_user_consistency(OWNER)
    assert (report.total_items, report.summary.data_conflicts, report.summary.healthy_items) == (1, 1, 0)
    with twins.away(SUPABASE):
        twins.repository.save(scenario(), user_id=other)
    with twins.away(PRISMA):
        twins.repository.save(scenario(), user_id=other)
    report = twins.repository.check_user_consistency(other)
    assert (report.total_items, report.summary.missing_in_prisma, report.summary.missing_in_supabase) == (2, 1, 1)
    assert report.overall_consistent is False


class Counting:
    """A call to a store that counts."""

    def __init__(self, call: Call, counted: Counter[str]) -> None:
        self._call = call
        self._counted = counted

    @property
    def store(self) -> StoreName:
        """The store."""
        return self._call.store

    def __call__(
        self, door: str, arguments: Mapping[str, Any], *, deadline_s: float | None = None, once: bool = False
    ) -> object:
        """Call it."""
        self._counted[door] += 1
        return self._call(door, arguments, deadline_s=deadline_s, once=once)

    def close(self) -> None:
        """Close the connections."""
        self._call.close()


def test_behaviour_22_a_hundred_records_are_compared_at_once(twins: Twins) -> None:
    """All are consistent, by one page of each store and no question per record."""
    twins.run(
        PRISMA,
        "INSERT INTO public.planning (id, type, title, content, user_id, updated_at) SELECT id, 'image', 'A', "
        "jsonb_build_object('id', id, 'type', 'image'), %s, now() FROM (SELECT gen_random_uuid()::text AS id "
        "FROM generate_series(1, 100)) AS new",
        OWNER,
    )
    twins.drain()
    counted: Counter[str] = Counter()
    held = twins.replication
    assert held.secondary is not None
    repository = DualRepository(
        PrimaryDoors(Counting(held.primary._call, counted), PLANNING),
        SecondaryDoors(Counting(held.secondary._call, counted), PLANNING),
        None,
    )
    report = repository.check_user_consistency(OWNER)
    assert (report.overall_consistent, report.total_items, report.consistent_items) == (True, 100, 100)
    assert counted == {"page": 2}
