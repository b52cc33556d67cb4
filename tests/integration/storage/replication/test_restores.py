"""A store that was brought back to an earlier moment is found, however little it forgot, and nothing is carried over.

`docs/replication.md` says which restores are not found.
"""

from __future__ import annotations

import pytest

from contracts.errors import SchemaMismatch
from contracts.replication import Applied, Gap
from storage.migrations.values import Side
from tests.integration.storage.replication.test_gaps import remembered, restored
from tests.support.replication import PATIENT_S, World, keys, other

A, B, C, D = keys(4)
PRIMARY, SECONDARY = Side.PRIMARY, Side.SECONDARY

sides = pytest.mark.parametrize("side", Side)


def gaps(world: World) -> tuple[Gap | None, Gap | None]:
    """Return why writes may have passed by on either side."""
    status = world.relay.status()
    assert status.primary is not None
    assert status.secondary is not None
    return status.primary.gap, status.secondary.gap


@sides
@pytest.mark.parametrize("writer", Side)
def test_a_restore_that_forgot_one_change_is_found(own: World, side: Side, writer: Side) -> None:
    """Whoever wrote it, though the sequence is ahead of what was forgotten, and others wrote before anybody looked."""
    own.insert(PRIMARY, A, B)
    own.relay.drain()
    backup = remembered(own, side)
    own.titled(writer, A, "acknowledged")
    own.relay.drain()
    restored(own, side, backup)
    for key in (A, B):
        own.titled(side, key, "after")
    with pytest.raises(SchemaMismatch, match="older") as raised:
        own.relay.drain()
    assert raised.value.store == side.store
    assert own.title(other(side), A) == "acknowledged"
    assert own.title(other(side), B) == "T"
    own.insert(PRIMARY, D)
    assert own.relay.deliver(D, deadline_s=PATIENT_S) == Applied.APPLIED  # as somebody does who did not ask
    with pytest.raises(SchemaMismatch, match="older"):
        own.relay.drain()


def test_a_deletion_that_was_forgotten_is_found(own: World) -> None:
    """The row that came back on the primary does not come back on the secondary."""
    own.insert(PRIMARY, A)
    own.relay.drain()
    backup = remembered(own, PRIMARY)
    own.delete(PRIMARY, A)
    own.relay.drain()
    restored(own, PRIMARY, backup)
    own.titled(PRIMARY, A, "after")
    assert gaps(own) == (Gap.RESTORED, None)
    with pytest.raises(SchemaMismatch, match="older"):
        own.relay.drain()
    assert own.titles(A) == ("after", None)


@sides
def test_a_restore_to_before_the_last_adoption_is_found(own: World, side: Side) -> None:
    """Also where nothing was carried over since: the stores do not name the same adoption."""
    own.insert(PRIMARY, A)
    own.relay.drain()
    backup = remembered(own, side)
    own.titled(PRIMARY, A, "acknowledged")
    own.relay.drain()
    own.adopt()
    restored(own, side, backup)
    own.run(side, "UPDATE public.planning SET status = 'active'")
    assert gaps(own) == (None, Gap.OTHER_ADOPTION)
    with pytest.raises(SchemaMismatch, match="adoption"):
        own.relay.drain()
    list(own.relay.passing())  # as somebody does who did not ask
    assert {own.title(side, A), own.title(other(side), A)} == {"T", "acknowledged"}
    own.adopt()
    assert gaps(own) == (None, None)


def test_a_restored_secondary_is_found_though_something_was_delivered_since(own: World) -> None:
    """A repository that asked seconds before does not hide it by what it delivers."""
    own.insert(PRIMARY, A)
    own.relay.drain()
    backup = remembered(own, SECONDARY)
    own.titled(PRIMARY, A, "acknowledged")
    own.relay.drain()
    restored(own, SECONDARY, backup)
    own.insert(PRIMARY, B)
    assert own.relay.deliver(B, deadline_s=PATIENT_S) == Applied.APPLIED
    assert gaps(own) == (None, Gap.RESTORED)


def test_a_failover_that_lost_what_was_delivered_is_found(own: World) -> None:
    """Numbers that were given once more, for other keys, hide nothing."""
    own.insert(PRIMARY, A, B)
    own.relay.drain()
    backup = remembered(own, PRIMARY)
    own.titled(PRIMARY, A, "lost here")
    own.relay.drain()
    restored(own, PRIMARY, backup, ahead=0)
    for key in (C, D, A):
        own.insert(PRIMARY, key, title="after") if key != A else own.titled(PRIMARY, A, "after")
    with pytest.raises(SchemaMismatch, match="older"):
        own.relay.drain()
    assert own.titles(A) == ("after", "lost here")


def test_a_restore_that_was_noted_late_is_no_gap_after_the_adoption_that_mended_it(own: World) -> None:
    """Somebody looked before it began, and writes down afterwards what he saw."""
    own.insert(PRIMARY, A)
    own.relay.drain()
    backup = remembered(own, SECONDARY)
    own.titled(PRIMARY, A, "acknowledged")
    own.relay.drain()
    restored(own, SECONDARY, backup)
    ours = own.primary.standing()
    theirs = own.secondary.standing(heard=ours.heard)
    own.adopt()
    with pytest.raises(SchemaMismatch):
        own.relay.accept(ours, theirs)
    assert own.relay.prove().ready


@sides
def test_a_store_that_heard_of_one_change_only_can_be_adopted(own: World, side: Side) -> None:
    """Also by one that never gave a number: it was made anew."""
    own.insert(side, A)
    own.relay.drain()
    own.run(side, "DELETE FROM public.planning; DELETE FROM twinstore.change; DELETE FROM twinstore.row_state")
    own.run(side, "SELECT setval('twinstore.change_id_seq', 1, false)")
    own.adopt()
    assert own.relay.prove().ready
    own.insert(side, B)
    assert own.lines(side, B) == [2]
