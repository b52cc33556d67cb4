"""The comparison as a whole, on stores in memory: what it finds, what it defers, and when it refuses to conclude."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import ConfigurationError, InternalFault, ProtocolError
from contracts.vocabulary import Cause, DifferenceKind, Exclusion, StoreName, Verdict
from storage.canonical import canonical_row
from storage.canonical_text import probe_hash
from storage.parity import candidates, sketch
from storage.parity.engine import ParityOptions, agree_on_hash, require_two_stores
from storage.parity.recheck import Patience
from storage.ports import Digest, HashKind, KeyHash, RangeCount, Row
from tests.support.memory_pairs import AT_ONCE, PRISMA, SUPABASE, compared, key_of, stores
from tests.support.memory_store import MemoryReader, MemorySnapshot
from tests.support.row_pairs import make_row


def simply_compared(primary: MemoryReader, secondary: MemoryReader) -> dict[str, DifferenceKind]:
    """Compare two stores as anybody would: key by key, field by field. Shares nothing with the engine but its words."""
    found = {}
    for key in primary.held.keys() | secondary.held.keys():
        one, other = primary.held.get(key), secondary.held.get(key)
        if other is None:
            found[key] = DifferenceKind.ONLY_PRIMARY
        elif one is None:
            found[key] = DifferenceKind.ONLY_SECONDARY
        elif canonical_row(primary.dataset, one) != canonical_row(secondary.dataset, other):
            found[key] = DifferenceKind.DIFFERING
    return found


Edit = tuple[str, StoreName, int, str]
edits = st.lists(
    st.tuples(
        st.sampled_from(["delete", "title", "status", "version", "content", "user_id"]),
        st.sampled_from(list(StoreName)),
        st.integers(0, 79),
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8),
    ),
    max_size=30,
)


def apply_edit(store: MemoryReader, edit: Edit) -> None:
    """Make one edit."""
    what, _, number, text = edit
    row = store.held.get(key_of(number))
    match what:
        case "delete":
            store.held.pop(key_of(number), None)
        case "version" if row:
            row["version"] = str(len(text) + 1)
        case "content" if row:
            row["content"] = f'{{"length": {len(text)}.0}}'
        case _ if row:
            row[what] = text


@given(st.integers(1, 80), edits)
@settings(max_examples=50, deadline=None)
def test_differences_are_exactly_the_edits(count: int, made: list[Edit]) -> None:
    """Whatever is edited, the differences are those that a simple comparer finds, and the rows add up."""
    assert_edits_are_found(count, made)


@pytest.mark.soak
@given(st.integers(1, 80), edits)
@settings(max_examples=500, deadline=None)
def test_many_more_differences_are_exactly_the_edits(count: int, made: list[Edit]) -> None:
    """The same of many more edits."""
    assert_edits_are_found(count, made)


def assert_edits_are_found(count: int, made: list[Edit]) -> None:
    """Edit two stores apart, compare them, and compare them in the simplest way."""
    primary, secondary = stores(count)
    for edit in made:
        apply_edit(primary if edit[1] is PRISMA else secondary, edit)
    parity = compared(primary, secondary)
    expected = simply_compared(primary, secondary)
    if not primary.held or not secondary.held:
        assert parity.different == len(expected)
        return
    assert {d.key: d.kind for d in parity.differences} == expected
    assert parity.rows.matched == len(primary.held.keys() & secondary.held.keys()) - parity.rows.differing
    assert parity.identical == (not expected)
    for account in parity.ranges:
        assert account.primary.balance == account.secondary.balance == 0


def test_equal_stores_are_identical() -> None:
    """Equal stores give no reason and no difference, and every row is matched on both sides."""
    parity = compared(*stores(50))
    assert parity.identical
    assert (parity.reasons, parity.differences, parity.clusters) == ((), (), ())
    assert (parity.rows.primary, parity.rows.secondary, parity.rows.matched) == (50, 50, 50)


def test_two_empty_stores_are_equal() -> None:
    """There is nothing to find where there is nothing."""
    assert compared(*stores(0)).identical


def test_scattered_differences_among_many_rows_are_read_off_a_sketch(monkeypatch: pytest.MonkeyPatch) -> None:
    """With more rows than are walked through at once, differences are found without reading the pairs."""
    monkeypatch.setattr(candidates, "FEW_ROWS", 0)
    monkeypatch.setattr(candidates, "merge", None)
    primary, secondary = stores(300)
    secondary.held[key_of(7)]["title"] = "other"
    del primary.held[key_of(8)]
    assert {d.key for d in compared(primary, secondary).differences} == {key_of(7), key_of(8)}


def test_a_sketch_that_is_too_small_is_tried_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """When more differs than was estimated, a larger sketch is read instead of the pairs."""
    monkeypatch.setattr(candidates, "FEW_ROWS", 0)
    monkeypatch.setattr(candidates, "merge", None)
    monkeypatch.setattr(sketch, "size_for", lambda _: 16)
    primary, secondary = stores(300)
    for number in range(25):
        secondary.held[key_of(number)]["title"] = "other"
    assert {d.key for d in compared(primary, secondary).differences} == {key_of(n) for n in range(25)}


def test_a_sketch_that_cannot_be_read_gives_way_to_the_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    """When a sketch holds too much, all pairs are read instead, and nothing is lost."""
    monkeypatch.setattr(candidates, "FEW_ROWS", 0)
    monkeypatch.setattr(sketch, "size_for", lambda _: 2)
    primary, secondary = stores(300)
    for number in range(40):
        secondary.held[key_of(number)]["title"] = "other"
    assert {d.key for d in compared(primary, secondary).differences} == {key_of(n) for n in range(40)}


def test_an_empty_side_is_one_finding_not_a_list_of_rows() -> None:
    """A side without any row is reported once, with the number of rows of the other; the rows still add up."""
    primary, secondary = stores(30)
    secondary.held.clear()
    parity = compared(primary, secondary)
    (cluster,) = parity.clusters
    assert (cluster.cause, cluster.store, cluster.count) == (Cause.SIDE_EMPTY, SUPABASE, 30)
    assert parity.differences == ()
    assert parity.rows.only_primary == parity.different == 30
    assert [r.verdict for r in parity.reasons] == [Verdict.FAILED]


def test_nothing_is_compared_where_rows_may_be_hidden() -> None:
    """Rows that a role cannot see are never reported as missing: the run is incomplete and concludes nothing."""
    primary, _ = stores(30)
    blind = MemoryReader(SUPABASE, [], sees_all_rows=False)
    parity = compared(primary, blind)
    assert [r.verdict for r in parity.reasons] == [Verdict.INCOMPLETE]
    assert parity.different == 0


def test_one_store_is_not_compared_with_itself() -> None:
    """Two settings that reach one database are refused."""
    facts = replace(stores(0)[0].facts(), identity="one")
    with pytest.raises(ConfigurationError, match="same database"):
        require_two_stores(facts, replace(facts, store=SUPABASE))
    require_two_stores(facts, replace(facts, identity="other"))
    require_two_stores(replace(facts, identity=""), replace(facts, identity=""))


def test_servers_that_hash_differently_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """When no kind of hash agrees, nothing is compared."""
    primary, secondary = stores(1)
    monkeypatch.setattr(secondary, "hash_probe", lambda kind: (3, 4) if kind is HashKind.RECORD else probe_hash())
    assert agree_on_hash(primary, secondary) is HashKind.TEXT
    monkeypatch.setattr(secondary, "hash_probe", lambda _: (3, 4))
    with pytest.raises(ProtocolError):
        agree_on_hash(primary, secondary)


def test_a_row_that_becomes_equal_is_settled_not_reported() -> None:
    """A change that reaches the other side within the grace time is no difference."""
    primary, secondary = stores(20)
    primary.held[key_of(3)]["title"] = "new"

    def catch_up(_: float) -> None:
        secondary.held[key_of(3)]["title"] = "new"

    parity = compared(primary, secondary, sleep=catch_up)
    assert parity.differences == ()
    assert (parity.rows.settled, parity.rows.matched) == (1, 20)


def test_rows_that_come_and_go_are_never_more_than_a_side_holds() -> None:
    """A settled row that one side alone held at first is not matched, and neither is one gone from both sides."""
    primary, secondary = stores(20)
    late, brief = key_of(100), key_of(101)
    primary.held[late] = make_row(PRISMA, id=late)
    primary.held[brief] = make_row(PRISMA, id=brief)

    def catch_up(_: float) -> None:
        secondary.held[late] = make_row(SUPABASE, id=late)
        del primary.held[brief]

    parity = compared(primary, secondary, sleep=catch_up)
    assert parity.differences == ()
    assert (parity.rows.matched, parity.rows.settled) == (20, 2)
    assert (parity.rows.primary, parity.rows.secondary) == (22, 20)


def test_a_row_that_never_stands_still_is_deferred() -> None:
    """A row that differs at every look, each time otherwise, is counted as deferred and makes the run incomplete."""
    primary, secondary = stores(20)
    primary.held[key_of(3)]["title"] = "new"
    looks = iter(range(100))

    def move(_: float) -> None:
        primary.held[key_of(3)]["title"] = f"newer {next(looks)}"

    parity = compared(primary, secondary, ParityOptions(patience=Patience(grace_s=0, rounds=3)), sleep=move)
    assert parity.differences == ()
    assert parity.deferred == (key_of(3),)
    assert (parity.rows.deferred, next(looks)) == (1, 3)
    assert [r.verdict for r in parity.reasons] == [Verdict.INCOMPLETE]


def test_a_moving_row_that_comes_to_rest_unequal_is_confirmed() -> None:
    """A row that moved at the first second look and then stood still is a difference."""
    primary, secondary = stores(20)
    primary.held[key_of(3)]["title"] = "new"
    looks = iter(range(100))

    def move_once(_: float) -> None:
        if next(looks) == 0:
            primary.held[key_of(3)]["title"] = "newer"

    parity = compared(primary, secondary, ParityOptions(patience=Patience(grace_s=0, rounds=3)), sleep=move_once)
    assert [d.key for d in parity.differences] == [key_of(3)]


def test_a_row_deleted_during_the_second_look_still_adds_up() -> None:
    """A row of the first look that is gone from one side, and then stays so, is one-sided; the account adds up."""
    primary, secondary = stores(20)
    primary.held[key_of(3)]["title"] = "new"
    looks = iter(range(100))

    def delete_once(_: float) -> None:
        if next(looks) == 0:
            del secondary.held[key_of(3)]

    parity = compared(primary, secondary, ParityOptions(patience=Patience(grace_s=0, rounds=3)), sleep=delete_once)
    assert [(d.key, d.kind) for d in parity.differences] == [(key_of(3), DifferenceKind.ONLY_PRIMARY)]
    assert sum(a.secondary.deferred for a in parity.ranges) == 1


def test_rows_beyond_the_budget_are_counted_and_make_the_run_incomplete() -> None:
    """What exceeds the row budget is neither explained nor called a difference, but said."""
    primary, secondary = stores(50)
    for number in range(10):
        secondary.held[key_of(number)]["title"] = "other"
    parity = compared(primary, secondary, replace(AT_ONCE, row_budget=4))
    assert (len(parity.differences), parity.rows.deferred) == (4, 6)
    assert {r.verdict for r in parity.reasons} == {Verdict.FAILED, Verdict.INCOMPLETE}


def test_rows_whose_key_cannot_be_replicated_are_excluded_and_counted() -> None:
    """They are no differences, they are in the account, and they keep the stores from being called identical."""
    primary, secondary = stores(20)
    upper = key_of(5).upper()
    primary.held[upper] = make_row(PRISMA, id=upper)
    primary.held["test-planning-001"] = make_row(PRISMA, id="test-planning-001")
    del primary.held[key_of(5)]
    parity = compared(primary, secondary)
    assert sum(a.primary.excluded.get(Exclusion.ID_NOT_REPLICABLE, 0) for a in parity.ranges) == 2
    assert parity.excluded == (upper, "test-planning-001")
    assert not parity.identical
    (difference,) = parity.differences
    assert [e.cause for e in difference.explanations] == [Cause.KEY_CASE]


def test_equal_in_canonical_form_only_is_counted_with_its_column() -> None:
    """A number written otherwise is no difference; the report says where it happens."""
    primary, secondary = stores(20)
    secondary.held[key_of(2)]["status"] = "processing"
    primary.held[key_of(2)]["status"] = "in-progress"

    class ByText(MemorySnapshot):
        """Hashes the raw text, as a server hashes a status."""

        def _hash(self, key: str, row: Row) -> KeyHash:
            pair = super()._hash(key, row)
            return pair._replace(hash1=pair.hash1 ^ len(str(row["status"])))

    for store in (primary, secondary):
        store._wrap = lambda s: ByText(s._all, s._dataset)
    parity = compared(primary, secondary)
    assert parity.rows.matched_representation == 1
    assert parity.differences == ()
    assert parity.notes == ("1 rows are equal in canonical form only, written differently in `status` (1)",)


class LosesARow(MemorySnapshot):
    """Does not count one of its rows."""

    def count(self) -> dict[int, RangeCount]:
        """Count one row less."""
        counts = super().count()
        number = min(counts)
        return {**counts, number: RangeCount(counts[number].total - 1, 0)}


class DigestsTooMuch(MemorySnapshot):
    """Gives one range a digest that its rows do not have."""

    def digests(self) -> dict[int, Digest]:
        """Add to one sum."""
        digests = super().digests()
        number = min(digests)
        wrong = replace(digests[number], sum1=digests[number].sum1 + 1)
        return {**digests, number: wrong}


class LosesPairs(MemorySnapshot):
    """Yields no pair of its first key."""

    def pairs(self, ranges: object) -> object:  # type: ignore[override]  # sabotage
        """Leave the first one out."""
        pairs = super().pairs(ranges)  # type: ignore[arg-type]  # sabotage
        next(pairs, None)
        return pairs


@pytest.mark.parametrize(
    ("sabotage", "sentence"),
    [
        (LosesARow, "accounted for"),
        (DigestsTooMuch, "do not explain"),
    ],
)
def test_a_store_that_lies_is_found_out(sabotage: type[MemorySnapshot], sentence: str) -> None:
    """Counts, digests and pairs that do not belong together end the comparison without a conclusion."""
    primary, secondary = stores(30)
    secondary._wrap = lambda s: sabotage(s._all, s._dataset)
    with pytest.raises(InternalFault, match=sentence):
        compared(primary, secondary)


def test_a_pair_that_gets_lost_is_noticed() -> None:
    """A row that the drill-down does not see leaves its range unequal, so that nothing is concluded."""
    primary, secondary = stores(30)
    key = min(secondary.held)
    secondary.held[key]["title"] = "other"
    for store in (primary, secondary):
        store._wrap = lambda s: LosesPairs(s._all, s._dataset)
    with pytest.raises(InternalFault, match="do not explain"):
        compared(primary, secondary)
