"""Comparing a store that cannot hold still: each question is answered as of its own moment."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import InternalFault
from contracts.planning import PLANNING
from contracts.vocabulary import StoreName, Verdict
from storage.parity import candidates
from storage.parity.engine import Parity, ParityOptions, compare
from storage.parity.ranges import range_of
from storage.parity.recheck import Patience
from storage.ports import Cell, Digest, FullRow, HashKind, KeyHash, Plant, RangeCount, Rehearsal, Row
from tests.support.memory_pairs import key_of
from tests.support.memory_store import MemoryReader, MemorySnapshot
from tests.support.row_pairs import make_row

PRISMA, SUPABASE = StoreName.PRISMA, StoreName.SUPABASE
ROWS = 40
Move = Callable[[], None]


class RestlessSnapshot(MemorySnapshot):
    """Is moved before each of its answers; what it says of a range is as of the moment when the range was read last."""

    frozen = False

    def __init__(self, reader: MemoryReader, move: Move) -> None:
        self._reader = reader
        self._move = move
        first = self._now()
        self._counts, self._digests = first.count(), first.digests()

    def count(self) -> dict[int, RangeCount]:
        """Count rows by range."""
        return self._counts

    def digests(self) -> dict[int, Digest]:
        """Digest by range, at the moment of the count."""
        return self._digests

    def excluded(self, limit: int) -> list[str]:
        """Return keys that are no canonical UUIDs."""
        return self._now().excluded(limit)

    def pairs(self, ranges: Collection[int]) -> Iterator[KeyHash]:
        """Read range by range, each at a moment of its own."""
        for number in sorted(ranges):
            now = self._now()
            self._counts[number] = now.count().get(number, RangeCount(0, 0))
            self._digests[number] = now.digests().get(number, Digest())
            yield from now.pairs([number])

    def sketch(self, ranges: Collection[int], cells: int) -> dict[int, Cell]:
        """Sum rows into cells."""
        return self._now().sketch(ranges, cells)

    def find(self, key_hashes: Collection[int]) -> list[KeyHash]:
        """Look rows up by the hash of their key."""
        return self._now().find(key_hashes)

    def rows(self, keys: Collection[str]) -> dict[str, FullRow]:
        """Read whole rows."""
        return self._now().rows(keys)

    def sample(self, number: int, *, of: int) -> list[str]:
        """Choose keys at random."""
        return self._now().sample(number, of=of)

    def rehearse(self, keys: Collection[str], plants: Collection[Plant], cells: int) -> tuple[Rehearsal, Rehearsal]:
        """Answer over some rows, as they are and with faults planted."""
        return self._now().rehearse(keys, plants, cells)

    def echo(self, rows: Sequence[Row]) -> list[FullRow]:
        """Hash rows of the caller's."""
        return self._now().echo(rows)

    def created_between(self, low_ms: int, high_ms: int) -> int:
        """Count rows by creation time."""
        return self._now().created_between(low_ms, high_ms)

    def _now(self) -> MemorySnapshot:
        self._move()
        return MemorySnapshot({k: dict(r) for k, r in self._reader.held.items()}, self._reader.dataset)


class RestlessReader(MemoryReader):
    """A store in memory without frozen snapshots.

    Args:
        rows: Its rows.
        move: Is called before each answer.
    """

    def __init__(self, rows: list[dict[str, str | None]], move: Move = lambda: None) -> None:
        super().__init__(SUPABASE, list(rows))
        self.move = move

    @contextmanager
    def snapshot(self, kind: HashKind, *, fresh: bool = True) -> Iterator[MemorySnapshot]:  # noqa: ARG002 - it always is  # noqa: ARG002 - the port names it
        """Open a snapshot that is no snapshot."""
        yield RestlessSnapshot(self, self.move)


def stores() -> tuple[MemoryReader, RestlessReader]:
    """Return two stores that hold the same rows."""
    keys = [key_of(n) for n in range(ROWS)]
    return (
        MemoryReader(PRISMA, [make_row(PRISMA, id=k) for k in keys]),
        RestlessReader([dict(make_row(SUPABASE, id=k)) for k in keys]),
    )


def compared(
    primary: MemoryReader, secondary: RestlessReader, *, rounds: int = 3, meanwhile: Move = lambda: None
) -> Parity:
    """Compare two stores without waiting; `meanwhile` happens in each grace time."""
    options = ParityOptions(patience=Patience(grace_s=0, rounds=rounds))
    facts = primary.facts(), secondary.facts()
    return compare(primary, secondary, facts, options=options, sleep=lambda _: meanwhile())


def assert_adds_up(parity: Parity) -> None:
    """Assert that every row that was counted is accounted for."""
    assert all(a.primary.balance == a.secondary.balance == 0 for a in parity.ranges)
    assert sum(a.secondary.read for a in parity.ranges) == parity.rows.secondary


moves = st.lists(st.tuples(st.sampled_from(["title", "delete", "insert"]), st.integers(0, ROWS + 9)), max_size=12)


@given(moves, st.booleans(), st.booleans())
@settings(max_examples=25, deadline=None)
def test_rows_that_move_are_never_differences(made: list[tuple[str, int]], first: bool, by_sketch: bool) -> None:  # noqa: FBT001 - drawn by Hypothesis
    """Whatever moves between two answers and arrives on the other side later is settled, and the rows add up."""
    assert_moves_are_settled(made, first=first, by_sketch=by_sketch)


@pytest.mark.soak
@given(moves, st.booleans(), st.booleans())
@settings(max_examples=300, deadline=None)
def test_many_more_rows_that_move_are_never_differences(
    made: list[tuple[str, int]],
    first: bool,  # noqa: FBT001 - drawn by Hypothesis
    by_sketch: bool,  # noqa: FBT001 - drawn by Hypothesis
) -> None:
    """The same of many more moves."""
    assert_moves_are_settled(made, first=first, by_sketch=by_sketch)


def assert_moves_are_settled(made: list[tuple[str, int]], *, first: bool, by_sketch: bool) -> None:
    """Compare two stores of which one moves between any two of its answers.

    No row comes back as it was: two looks that see the same pair of rows cannot know what was between them.
    """
    primary, secondary = stores()
    secondary.held[key_of(0)]["title"] = "really different"
    leader, follower = (primary, secondary) if first else (secondary, primary)
    waiting = iter([edit for edit in made if edit[1] != 0])
    births = count()

    def arrive() -> None:
        """Let the last change arrive, which happens before the next one, and within each grace time."""
        follower.held.update({k: dict(leader.held[k], id=k) for k in leader.held if k != key_of(0)})
        for key in follower.held.keys() - leader.held.keys():
            del follower.held[key]

    def move() -> None:
        """Let the last change arrive, and make the next one."""
        arrive()
        what, number = next(waiting, ("rest", 0))
        key = key_of(number)
        if what == "insert":
            leader.held.setdefault(key, dict(make_row(leader.store, id=key, title=f"made {next(births)}")))
        elif what == "delete":
            leader.held.pop(key, None)
        elif what == "title" and key in leader.held:
            leader.held[key]["title"] = f"{leader.held[key]['title']}+"

    secondary.move = move
    few_rows, candidates.FEW_ROWS = candidates.FEW_ROWS, 0 if by_sketch else candidates.FEW_ROWS
    try:
        parity = compared(primary, secondary, rounds=len(made) + 3, meanwhile=arrive)
    finally:
        candidates.FEW_ROWS = few_rows
    assert_adds_up(parity)
    assert {d.key for d in parity.differences} == {key_of(0)}


def test_a_range_that_moved_after_its_digest_is_walked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sketch that does not explain one range is believed of the others; that range is read again, later."""
    monkeypatch.setattr(candidates, "FEW_ROWS", 0)
    primary, secondary = stores()
    secondary.held[key_of(1)]["title"] = "different"
    secondary.held[key_of(2)]["title"] = "different"
    assert range_of(PLANNING, key_of(1)) != range_of(PLANNING, key_of(2))
    read: list[set[int]] = []
    walk = RestlessSnapshot.pairs

    def walked(snapshot: RestlessSnapshot, ranges: Collection[int]) -> Iterator[KeyHash]:
        read.append(set(ranges))
        return walk(snapshot, ranges)

    monkeypatch.setattr(RestlessSnapshot, "pairs", walked)
    moments = iter(range(100))

    def move() -> None:
        if next(moments) == 1:  # after the digests, before the sketch
            secondary.held[key_of(1)]["title"] = "different again"

    secondary.move = move
    parity = compared(primary, secondary)
    assert read == [{range_of(PLANNING, key_of(1))}]
    assert {d.key for d in parity.differences} == {key_of(1), key_of(2)}
    assert_adds_up(parity)


def test_a_row_that_comes_while_pairs_are_read_is_counted_with_them() -> None:
    """The account of a range that was walked through uses the count of that walk, not the first one."""
    primary, secondary = stores()
    secondary.held[key_of(1)]["title"] = "different"
    late = next(key_of(n) for n in range(100, 10_000) if range_of(PLANNING, key_of(n)) == range_of(PLANNING, key_of(1)))
    moments = iter(range(100))

    def move() -> None:
        if next(moments) == 1:
            secondary.held[late] = dict(make_row(SUPABASE, id=late))

    secondary.move = move
    parity = compared(primary, secondary)
    assert parity.rows.secondary == ROWS + 1
    assert_adds_up(parity)


def test_a_row_that_never_stands_still_is_deferred() -> None:
    """A row that moves before every answer is neither equal nor different: the run is incomplete."""
    primary, secondary = stores()
    moments = iter(range(1000))

    def move() -> None:
        secondary.held[key_of(5)]["title"] = f"title {next(moments)}"

    secondary.move = move
    parity = compared(primary, secondary)
    assert (parity.deferred, parity.differences) == ((key_of(5),), ())
    assert [reason.verdict for reason in parity.reasons] == [Verdict.INCOMPLETE]
    assert_adds_up(parity)


def test_pairs_that_do_not_belong_to_their_digest_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A walk whose pairs do not add up to the digest of its own moment ends the comparison."""
    primary, secondary = stores()
    secondary.held[key_of(5)]["title"] = "different"
    monkeypatch.setattr(
        RestlessSnapshot, "digests", lambda s: {n: Digest(d.count, 1, 1) for n, d in s._digests.items()}
    )
    with pytest.raises(InternalFault, match="do not explain"):
        compared(primary, secondary)
