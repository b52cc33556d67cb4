"""The stores do what the protocol says, whatever happens in whatever order: random histories against a model.

Applications write on both sides through every door, rows are deleted and made again, transactions are rolled back. The
relay is taken apart into its steps, and its messages and their acknowledgements are lost, repeated and overtaken. After
every step rows, lines, revs and conflicts of both stores are those of the model (`tests/support/protocol.py`), and the
invariants hold that `docs/replication.md` names.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from contracts.replication import Applied, Judged
from contracts.vocabulary import Channel
from storage.migrations.values import Side
from storage.replication.messages import Item
from tests.support.protocol import Delivery, Key, Message, Row
from tests.support.replication import PATIENT_S, World, keys, record, world
from tests.support.servers import Pair

PRIMARY, SECONDARY = Side.PRIMARY, Side.SECONDARY
KEYS = keys(3)
COMMON = settings(
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink],
    print_blob=False,
)
LOOK = """
SELECT asked.key, live.title, ARRAY(SELECT line.id FROM twinstore.change AS line WHERE line.key = asked.key ORDER BY 1),
       coalesce(held.rev, 0), {seen}, {losers}
FROM unnest(%s::text[]) WITH ORDINALITY AS asked(key, place)
LEFT JOIN public.planning AS live ON live.id = asked.key::{type}
LEFT JOIN twinstore.row_state AS held ON held.dataset = 'planning' AND held.key = asked.key
ORDER BY place
"""
LOSERS = "ARRAY(SELECT kept.loser ->> 2 FROM twinstore.conflict AS kept WHERE kept.key = asked.key ORDER BY kept.id)"
LOOKS = {
    PRIMARY: LOOK.format(seen="coalesce(held.seen, 0)", losers=LOSERS, type="text"),
    SECONDARY: LOOK.format(seen="0::bigint", losers="'{}'::text[]", type="uuid"),
}

BATCHES = 50  # of a few keys there and back: a handful is enough

sides = st.sampled_from([PRIMARY, SECONDARY])
some_key = st.sampled_from(KEYS)
places = st.integers(0, 10**6)


@dataclass(frozen=True, slots=True)
class Sent:
    """Messages on their way to a side, as the stores wrote them and as the model has them."""

    to: Side
    items: tuple[Item, ...]
    messages: tuple[Message, ...]
    adoption: int  # how many there had been


@dataclass(frozen=True, slots=True)
class Found:
    """What a side holds of a key."""

    title: Row
    lines: tuple[int, ...]
    rev: int
    seen: int
    losers: tuple[Row, ...]


class Replication(RuleBasedStateMachine):
    """Two stores, the model of each key, and the wire between."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.model = {key: Key() for key in KEYS}
        self.wire: list[Sent] = []
        self.acks: list[Sent] = []
        self.adoptions = 0
        self.numbers = iter(range(10**6))
        self.ghosts: set[str] = set()
        self.before: dict[tuple[Side, str], Found] = {}
        self.touched = set(Side)
        self.gone: dict[tuple[Side, str], set[str]] = {(side, key): set() for side in Side for key in KEYS}

    @initialize()
    def begin(self) -> None:
        """Begin with nothing."""
        self.world.empty()

    # Writes

    def name(self) -> str:
        """Return the name of the next write, which is the title of its row."""
        return f"w{next(self.numbers)}"

    def noted(self, side: Side, key: str, name: str, row: Row) -> None:
        """Tell the model of a write that was acknowledged."""
        self.touched.add(side)
        model = self.model[key]
        (model.write if side is PRIMARY else model.write_there)(name, row)

    def row(self, side: Side, key: str) -> Row:
        """Return the row that a side has of a key."""
        return self.model[key].row if side is PRIMARY else self.model[key].their_row

    @rule(side=sides, key=some_key)
    def save(self, side: Side, key: str) -> None:
        """An application inserts or updates a row."""
        name = self.name()
        if self.row(side, key) is None:
            self.world.insert(side, key, title=name)
        else:
            assert self.world.titled(side, key, name) == 1
        self.noted(side, key, name, name)

    @rule(side=sides, key=some_key, expecting=st.booleans(), deleting=st.booleans())
    def put(self, side: Side, key: str, *, expecting: bool, deleting: bool) -> None:
        """The repository writes or deletes a row, with or without the row that it had read."""
        name, doors, there = self.name(), self.world.doors(side), self.row(side, key) is not None
        expected: Any = doors.look([key])[key].row if expecting else ...
        written = doors.put(key, None if deleting else record(key, name), expected=expected)
        word = ("deleted" if there else "missing") if deleting else ("updated" if there else "created")
        assert written.outcome == word
        if word != "missing":
            self.noted(side, key, name, None if deleting else name)

    @rule(side=sides, key=some_key)
    def delete(self, side: Side, key: str) -> None:
        """An application deletes a row."""
        if self.world.delete(side, key):
            self.noted(side, key, self.name(), None)

    @rule(side=sides)
    def change_all(self, side: Side) -> None:
        """An application changes all rows in one statement."""
        name = self.name()
        self.world.run(side, "UPDATE public.planning SET title = %s || right(id::text, 2)", name)
        for key in KEYS:
            if self.row(side, key) is not None:
                self.noted(side, key, name, name + key[-2:])

    @rule(side=sides, old=some_key, new=some_key)
    def rename(self, side: Side, old: str, new: str) -> None:
        """An application gives a row another key."""
        if old == new or self.row(side, old) is None or self.row(side, new) is not None:
            return
        name = self.name()
        self.world.run(side, "UPDATE public.planning SET id = %s, title = %s WHERE id = %s", new, name, old)
        self.noted(side, old, self.name(), None)
        self.noted(side, new, name, name)

    @rule(side=sides, key=some_key)
    def roll_back(self, side: Side, key: str) -> None:
        """An application writes, and thinks better of it."""
        name = self.name()
        self.touched.add(side)
        self.ghosts.add(name)
        with self.world.apps[side].transaction(force_rollback=True):
            if not self.world.titled(side, key, name):
                self.world.insert(side, key, title=name)
            self.world.delete(side, key)
            self.world.insert(side, key, title=name)

    # The relay, step by step

    @rule(side=sides, at_most=st.integers(1, 5))
    def read(self, side: Side, at_most: int) -> None:
        """The relay reads changes of a side, and puts them on the wire."""
        items = self.world.doors(side).changes(at_most=at_most).items
        models = [self.model[item.key] for item in items]
        messages: list[Message] = [model.delivery() if side is PRIMARY else model.proposal() for model in models]
        for item, message in zip(items, messages, strict=True):
            assert (item.row and item.row["title"]) == message.row
        if items:
            to = SECONDARY if side is PRIMARY else PRIMARY
            self.wire.append(Sent(to, items, tuple(messages), self.adoptions))

    @rule(key=some_key)
    def overtake(self, key: str) -> None:
        """The relay reads a key, which is written again and delivered before that message arrives."""
        self.save(PRIMARY, key)
        item, message = self.world.primary.look([key])[key], self.model[key].delivery()
        self.wire.append(Sent(SECONDARY, (item,), (message,), self.adoptions))
        self.save(PRIMARY, key)
        self.deliver(key)

    @precondition(lambda self: self.wire)
    @rule(place=places, again=st.booleans(), answered=st.booleans())
    def hand_over(self, place: int, *, again: bool, answered: bool) -> None:
        """Any message arrives; it may arrive again, and its answer may be lost."""
        sent = self.wire[place % len(self.wire)]
        if not again:
            self.wire.remove(sent)
        done = self.handed_over(sent)
        if answered and done.items:
            self.acks.append(done)

    def handed_over(self, sent: Sent) -> Sent:
        """Hand messages over, expect the outcomes of the model, and return what is to be acknowledged."""
        self.touched.add(sent.to)
        doors = self.world.secondary if sent.to is SECONDARY else self.world.primary
        verdicts = doors.apply(sent.items) if sent.to is SECONDARY else doors.judge(sent.items)  # type: ignore[union-attr]  # see above
        if sent.adoption != self.adoptions:
            late = Applied.BUSY if sent.to is SECONDARY else Judged.LOCKED
            assert [verdict.outcome for verdict in verdicts] == [late] * len(sent.items)
            return replace(sent, items=(), messages=())
        expected = [self.outcome(item.key, message) for item, message in zip(sent.items, sent.messages, strict=True)]
        assert [verdict.outcome for verdict in verdicts] == expected
        kept = [at for at, verdict in enumerate(verdicts) if verdict.outcome != Applied.BUSY]
        return replace(
            sent, items=tuple(sent.items[at] for at in kept), messages=tuple(sent.messages[at] for at in kept)
        )

    def outcome(self, key: str, message: Message) -> str:
        """Return what the model says of a message."""
        model = self.model[key]
        return model.deliver(message) if isinstance(message, Delivery) else model.judge(message)

    @precondition(lambda self: self.acks)
    @rule(place=places, again=st.booleans())
    def acknowledge(self, place: int, *, again: bool) -> None:
        """Any answer arrives at the relay, which settles what was carried over; it may do so again."""
        done = self.acks[place % len(self.acks)]
        if not again:
            self.acks.remove(done)
        sender = PRIMARY if done.to is SECONDARY else SECONDARY
        self.touched.add(sender)
        self.world.doors(sender).settle([(item.key, item.change or 0) for item in done.items])
        for item, message in zip(done.items, done.messages, strict=True):
            self.model[item.key].acknowledge(message)

    @precondition(lambda self: self.wire)
    @rule(place=places)
    def lose(self, place: int) -> None:
        """A message is lost."""
        self.wire.pop(place % len(self.wire))

    @rule()
    def carry(self) -> None:
        """The relay makes a whole pass."""
        self.touched = set(Side)
        list(self.world.relay.passing())
        for model in self.model.values():
            model.carry()

    @rule(key=some_key)
    def deliver(self, key: str) -> None:
        """The repository tries to deliver one key at once."""
        self.touched = set(Side)
        outcome = self.world.relay.deliver(key, deadline_s=PATIENT_S)
        model = self.model[key]
        if model.dirty:
            message = model.delivery()
            assert outcome == model.deliver(message)
            if outcome != Applied.BUSY:
                model.acknowledge(message)

    @precondition(lambda self: len(self.wire) > 1)
    @rule()
    def adopt(self) -> None:
        """All is carried over, and somebody adopts the stores once more: what is on the wire is never taken."""
        self.touched = set(Side)
        self.rest()
        self.world.adopt()
        self.adoptions += 1

    @rule()
    def restart(self) -> None:
        """The relay ends and begins anew: what it had read and heard is forgotten."""
        self.wire.clear()
        self.acks.clear()

    # What must hold

    def look(self, side: Side) -> Iterator[tuple[str, Found]]:
        """Read what a side holds, in one statement."""
        rows: Sequence[tuple[Any, ...]] = self.world.ask(side, LOOKS[side], KEYS)
        for key, title, lines, rev, seen, losers in rows:
            yield key, Found(title, tuple(lines), rev, seen, tuple(losers))

    @invariant()
    def as_the_model_says(self) -> None:
        """After every step both stores are those of the model, and what may never happen has not happened.

        A store that the step did not reach is left alone; at the end both are looked at.
        """
        for side in self.touched:
            for key, now in self.look(side):
                model = self.model[key]
                assert now.title == self.row(side, key)
                assert list(now.losers) == ([lost.row for lost in model.lost] if side is PRIMARY else [])
                self.dirty_until_judged_i2(side, model, now)
                self.numbers_only_grow_i4(side, key, now)
                self.nothing_comes_back_i5(side, key, now)
                assert not self.ghosts & {now.title, *now.losers}, "I6: what was rolled back appeared"
                assert not model.homeless(), "I8: a write is nowhere"
                self.before[side, key] = now
        self.touched = set()

    def dirty_until_judged_i2(self, side: Side, model: Key, now: Found) -> None:
        """A change leaves its key dirty until it was carried over, and what was carried over leaves none."""
        assert bool(now.lines) is (model.dirty if side is PRIMARY else model.their_dirty), "I2"

    def numbers_only_grow_i4(self, side: Side, key: str, now: Found) -> None:
        """Neither rev nor seen nor the number of the last line is ever less than it was."""
        before = self.before.get((side, key), now)
        assert now.rev >= before.rev, "I4"
        assert now.seen >= before.seen, "I4"
        added = set(now.lines) - set(before.lines)
        assert min(added, default=10**18) > max((*before.lines, before.rev if side is PRIMARY else 0)), "I4"

    def nothing_comes_back_i5(self, side: Side, key: str, now: Found) -> None:
        """A row that was replaced or deleted on a side is never seen there again."""
        before, gone = self.before.get((side, key), now), self.gone[side, key]
        if before.title is not None and before.title != now.title:
            gone.add(before.title)
        assert now.title not in gone, "I5"

    def teardown(self) -> None:
        """When the faults have stopped, the relay brings both stores together."""
        if not self.before:
            return
        for sent in self.wire:
            self.handed_over(sent)
        self.rest()
        self.touched = set(Side)
        self.as_the_model_says()
        ours, theirs = dict(self.look(PRIMARY)), dict(self.look(SECONDARY))
        for key, model in self.model.items():
            assert ours[key].title == theirs[key].title, "I3: the stores differ"
            assert (ours[key].lines, theirs[key].lines) == ((), ()), "I3: something waits"
            kept = model.history.union(*(lost.history for lost in model.lost))
            assert model.written <= kept, "I1: an acknowledged write was lost"

    def rest(self) -> None:
        """Have the relay carry over what waits, which a few batches must do."""
        batches = iter(range(BATCHES))
        self.world.relay.drain(progress=lambda _: self.assert_more(batches))
        for model in self.model.values():
            while model.dirty or model.their_dirty:
                model.carry()

    def assert_more(self, batches: Iterator[int]) -> None:
        """Count a batch."""
        assert next(batches, None) is not None, "I3: the relay never comes to rest"


def machine(made: World) -> type[Replication]:
    """Return the machine on these stores."""
    return type("ReplicationOfThese", (Replication,), {"world": made})


def follow(made: World, histories: int, steps: int, *, shortest: bool = True) -> None:
    """Try so many histories of so many steps; of one that does not follow find the shortest form, if wanted."""
    phases = COMMON.phases if shortest else [Phase.generate]
    wanted = settings(COMMON, max_examples=histories, stateful_step_count=steps, phases=phases)
    run_state_machine_as_test(machine(made), settings=wanted)


@pytest.fixture
def stores(adopted_pair: Pair) -> Iterator[World]:
    """Two adopted stores, the secondary by SQL."""
    with world(adopted_pair) as made:
        yield made


@pytest.fixture
def stores_over_rest(adopted_pair: Pair) -> Iterator[World]:
    """The same over REST."""
    with world(adopted_pair, Channel.RPC) as made:
        yield made


def test_random_histories_follow_the_model(stores: World) -> None:
    """A hundred histories of fifty steps."""
    follow(stores, 100, 50)


@pytest.mark.soak
def test_some_random_histories_follow_the_model(stores: World) -> None:
    """As few as will do to notice that a rule of the protocol is missing; `tests/project/test_sabotage.py` tries it."""
    follow(stores, 40, 50, shortest=False)


def test_random_histories_over_rest_follow_the_model(stores_over_rest: World) -> None:
    """Some more with the secondary over REST."""
    follow(stores_over_rest, 8, 40)


@pytest.mark.soak
@pytest.mark.parametrize("channel", [Channel.SQL, Channel.RPC])
def test_many_long_histories_follow_the_model(adopted_pair: Pair, channel: Channel) -> None:
    """Two thousand of eighty steps by SQL, and a tenth of that over REST."""
    with world(adopted_pair, channel) as made:
        follow(made, 2000 if channel is Channel.SQL else 200, 80)
