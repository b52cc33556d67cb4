"""Messages that arrive late, and restores that are found although both stores go on."""

from __future__ import annotations

import psycopg
import pytest

from contracts.errors import SchemaMismatch, TwinstoreError
from contracts.replication import Applied, Direction, Gap
from storage.migrations.values import Side
from storage.replication import adoption, restores
from storage.replication.messages import Verdict
from tests.integration.storage.replication.test_gaps import remembered, restored
from tests.support.replication import PATIENT_S, World, keys

A, B, C = keys(3)
PRIMARY, SECONDARY = Side.PRIMARY, Side.SECONDARY


def judged(world: World) -> list[str]:
    """Have what waits on the secondary judged and settled, as a relay does that then takes long to deliver."""
    found = world.secondary.changes(at_most=100).items
    verdicts = world.primary.judge(found)
    world.secondary.settle([(item.key, item.change or 0) for item in found])
    return [verdict.outcome for verdict in verdicts]


def gaps(world: World) -> tuple[Gap | None, ...]:
    """Return the gaps of the primary and of the secondary, held against each other."""
    status = world.relay.status()
    return tuple(None if side is None else side.gap for side in (status.primary, status.secondary))


@pytest.mark.parametrize("deleted", [False, True])
def test_a_late_delivery_replaces_no_change_that_was_judged_since(here: World, *, deleted: bool) -> None:
    """A delivery that was read before a change of the secondary was judged arrives when that one was settled."""
    here.insert(PRIMARY, A)
    here.relay.drain()
    here.titled(SECONDARY, A, "first")
    assert judged(here) == ["accepted"]
    late = here.primary.look([A])[A]
    _ = here.delete(SECONDARY, A) if deleted else here.titled(SECONDARY, A, "second")
    assert judged(here) == ["accepted"]
    (verdict,) = here.secondary.apply([late])
    assert verdict.outcome == Applied.BUSY
    here.insert(PRIMARY, B)
    another = here.primary.look([B])[B]
    many = here.secondary.apply([late, another])  # a batch is written together
    assert [each.outcome for each in many] == [Applied.BUSY, Applied.APPLIED]
    here.relay.drain()
    assert here.titles(A) == ((None, None) if deleted else ("second", "second"))
    assert not here.book.conflicts()


@pytest.mark.parametrize("off", [False, True])
def test_after_an_adoption_older_changes_keep_no_delivery_away(own: World, *, off: bool) -> None:
    """A primary that was restored has not heard of changes that were judged; adoption compared their rows."""
    own.insert(PRIMARY, A)
    own.relay.drain()
    backup = remembered(own, PRIMARY)
    own.titled(SECONDARY, A, "judged")
    own.relay.drain()
    restored(own, PRIMARY, backup)
    with pytest.raises(SchemaMismatch, match="older"):
        own.relay.drain()
    if off:
        own.primary.capture(wanted=False)
        own.secondary.capture(wanted=False)
    own.adopt()
    own.titled(PRIMARY, A, "later")
    own.relay.drain()
    assert own.titles(A) == ("later", "later")


def test_a_delivery_while_both_are_asked_is_no_restore(here: World) -> None:
    """The secondary may have heard of a change that the primary made after it was asked."""
    here.insert(PRIMARY, A)
    here.relay.drain()
    before = here.primary.standing()
    here.titled(PRIMARY, A, "meanwhile")
    assert here.relay.deliver(A, deadline_s=PATIENT_S) == Applied.APPLIED
    there = here.secondary.standing(heard=before.heard)
    assert [number for _, number, _ in there.heard] == [here.secondary.look([A])[A].rev]
    found = restores.compared(before, there, lambda heard: here.primary.standing(heard=heard))
    assert [side.gap for side in found] == [None, None]
    assert here.relay.prove().ready


def test_a_secondary_that_lost_deliveries_is_found(own: World) -> None:
    """Also when nobody ever wrote there; what was found is remembered, though new numbers would hide it."""
    own.insert(PRIMARY, A)
    own.relay.drain()
    backup = remembered(own, SECONDARY)
    own.titled(PRIMARY, A, "lost there")
    own.relay.drain()
    restored(own, SECONDARY, backup)
    assert own.title(SECONDARY, A) == "T"
    with pytest.raises(SchemaMismatch, match="older") as raised:
        own.relay.drain()
    assert raised.value.store == SECONDARY.store
    assert own.primary.standing().gap is Gap.OTHER_RESTORED
    own.insert(PRIMARY, B)
    own.relay.deliver(B, deadline_s=PATIENT_S)  # as somebody does who did not ask
    assert gaps(own) == (None, Gap.RESTORED)
    own.adopt()
    assert own.relay.prove().ready


def test_a_secondary_that_was_restored_can_be_adopted(own: World) -> None:
    """What the primary had heard of before is no gap while the stores are compared, and none afterwards."""
    own.insert(PRIMARY, A)
    own.relay.drain()
    backup = remembered(own, SECONDARY)
    own.titled(PRIMARY, A, "lost there")
    own.relay.drain()
    restored(own, SECONDARY, backup)
    assert gaps(own) == (None, Gap.RESTORED)
    _, theirs = adoption.begin(own.primary, own.secondary, own.book)
    assert gaps(own) == (None, None)  # as `twinstore adopt` asks while the stores are compared
    adoption.finish(own.secondary, own.book, differing=[A], begun=theirs)
    assert own.relay.prove().ready
    assert [conflict.kind for conflict in own.book.conflicts()] == ["adopted"]


def test_a_secondary_that_lost_writes_is_remembered(own: World) -> None:
    """Writes after the restore would be taken for some that were judged before."""
    own.insert(SECONDARY, A)
    own.relay.drain()
    backup = remembered(own, SECONDARY)
    for title in ("one", "two"):
        own.titled(SECONDARY, A, title)
        own.relay.drain()
    restored(own, SECONDARY, backup)
    with pytest.raises(SchemaMismatch, match="older"):
        own.relay.drain()
    for title in ("three", "four", "five"):
        own.titled(SECONDARY, A, title)
    with pytest.raises(SchemaMismatch, match="older"):
        own.relay.drain()
    assert own.titles(A) == ("two", "five")


def test_one_delivery_notices_a_restored_primary_and_settles_nothing(own: World) -> None:
    """What the repository delivers right after a write is held against what the secondary has heard, too."""
    own.insert(PRIMARY, A)
    own.relay.drain()
    backup = remembered(own, PRIMARY)
    for title in ("one", "two"):
        own.titled(PRIMARY, A, title)
    own.relay.drain()
    restored(own, PRIMARY, backup, ahead=0)
    own.titled(PRIMARY, A, "after")
    own.insert(PRIMARY, *keys(9)[3:])  # its numbers are beyond what the secondary has heard of
    with pytest.raises(SchemaMismatch, match="older"):
        own.relay.deliver(A, deadline_s=PATIENT_S)
    assert len(own.lines(PRIMARY, A)) == 1
    assert own.primary.standing().gap is Gap.RESTORED


@pytest.mark.parametrize("side", Side)
def test_what_waits_gets_no_new_number_beside_a_transaction_in_flight(own: World, side: Side) -> None:
    """Adopting again, without a gap: the line of whoever commits later would be older than the new one, and lost."""
    own.insert(PRIMARY, A, B)
    own.relay.drain()
    own.titled(side, A, "waits")
    heard = own.lines(side, A)[-1] + 1  # as if the other side had heard of a later change of another key
    with psycopg.connect(own.dsn(side)) as application:
        application.execute("UPDATE public.planning SET title = 'acknowledged' WHERE id = %s", [A])
        with pytest.raises(TwinstoreError):
            own.doors(side).capture(wanted=True, beyond=heard)
    own.adopt()
    own.relay.drain()
    assert own.titles(A) == ("acknowledged", "acknowledged")


def test_a_change_that_is_given_up_is_none_that_was_delivered(here: World) -> None:
    """The primary goes on from its number, and expects nobody to have heard of it."""
    here.insert(PRIMARY, A)
    here.relay.drain()
    here.titled(PRIMARY, A, "given up")
    item = here.primary.look([A])[A]
    refusal = Verdict(key=A, outcome=Applied.REJECTED, rev=None, code="23514", rule=None)
    here.book.refused(Direction.TO_SECONDARY, [(refusal, item.change or 0)])
    (letter,) = here.book.letters()
    here.book.discard(letter, None)
    assert here.primary.look([A])[A].change is None
    assert here.primary.look([A])[A].rev == item.change
    assert here.relay.prove().ready
