"""A comparison that tests itself: a store that is blind, forgets or bends is found out before anything is concluded."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pytest

from contracts.dataset import Column, ColumnType
from contracts.errors import InternalFault, ProtocolError
from contracts.planning import PLANNING
from contracts.vocabulary import StoreName, Verdict
from storage.canonical import canonical_value
from storage.parity.alterations import altered, some_value
from storage.parity.audit import fingerprint
from storage.parity.planting import all_faults, plant
from storage.parity.torture import hard_values
from storage.ports import Cell, Digest, FullRow, HashKind, KeyHash, Plant, Rehearsal, Row
from tests.support.memory_pairs import PRISMA, SUPABASE, compared, stores
from tests.support.memory_store import MemorySnapshot

TYPES = {
    ColumnType.UUID: "uuid",
    ColumnType.TEXT: "text",
    ColumnType.JSON: "jsonb",
    ColumnType.INTEGER: "bigint",
    ColumnType.NUMERIC: "numeric",
    ColumnType.FLOAT: "double precision",
    ColumnType.BOOLEAN: "boolean",
    ColumnType.DATE: "date",
    ColumnType.TIME: "time without time zone",
    ColumnType.TIME_ZONED: "time with time zone",
    ColumnType.TIMESTAMP_MS: "timestamp with time zone",
    ColumnType.TIMESTAMP_US: "timestamp with time zone",
    ColumnType.INTERVAL: "interval",
    ColumnType.BYTES: "bytea",
}


class BlindToTitles(MemorySnapshot):
    """Hashes every row as if it had no title."""

    def _hash(self, key: str, row: Row) -> KeyHash:
        return super()._hash(key, {**row, "title": "same"})


class DigestsNothing(MemorySnapshot):
    """Adds the same number up for every row."""

    def digests(self) -> dict[int, Digest]:
        """Count rows only."""
        return {number: Digest(digest.count, 0, 0) for number, digest in super().digests().items()}


class SketchesNothing(MemorySnapshot):
    """Gives an empty sketch."""

    def sketch(self, ranges: Collection[int], cells: int) -> dict[int, Cell]:  # noqa: ARG002 - the port names them
        """Return no cell."""
        return {}


class KeepsRowsThatAreLeftOut(MemorySnapshot):
    """Answers from a list of keys of its own."""

    def rehearse(self, keys: Collection[str], plants: Collection[Plant], cells: int) -> tuple[Rehearsal, Rehearsal]:
        """Plant everything but rows that are left out."""
        return super().rehearse(keys, [each for each in plants if each.column is not None], cells)


class SeesGhosts(MemorySnapshot):
    """Has one more fault than was planted."""

    def rehearse(self, keys: Collection[str], plants: Collection[Plant], cells: int) -> tuple[Rehearsal, Rehearsal]:
        """Leave another row out."""
        free = next(key for key in keys if key not in {each.key for each in plants})
        return super().rehearse(keys, [*plants, Plant(free, None, None)], cells)


class ReadsRowsInAnyCase(MemorySnapshot):
    """Takes titles for equal that differ in letter case only."""

    def _hash(self, key: str, row: Row) -> KeyHash:
        return super()._hash(key, {**row, "title": str(row["title"]).casefold()})


class BendsTimes(MemorySnapshot):
    """Gives every time of creation back nine hours later."""

    def echo(self, rows: Sequence[Row]) -> list[FullRow]:
        """Change the zone."""
        return [
            FullRow(full.hash, {**full.row, "created_at": f"{full.row['created_at']}-09"})
            for full in super().echo(rows)
        ]


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        (DigestsNothing, "digests rows otherwise than it hashes them"),
        (SketchesNothing, "sketches rows otherwise than it hashes them"),
        (KeepsRowsThatAreLeftOut, r"does not show a planted fault: a row that is left out\."),
        (SeesGhosts, "a difference that nobody planted"),
    ],
)
@pytest.mark.parametrize("side", [0, 1])
def test_a_store_that_does_not_show_planted_faults_ends_the_run(
    broken: type[MemorySnapshot], sentence: str, side: int
) -> None:
    """Equal stores are not called equal when one of them would not have shown a difference."""
    pair = stores(80)
    pair[side]._wrap = lambda s: broken(s._all, s._dataset, s._kind)
    both = (pair[0].store, pair[1].store)
    with pytest.raises(InternalFault, match=f"{both[side]} .*{sentence}|do not explain"):
        compared(*pair)


def test_both_stores_blind_alike_are_found_out() -> None:
    """What neither digest holds would be equal for ever; the plants show it."""
    pair = stores(80)
    for reader in pair:
        reader._wrap = lambda s: BlindToTitles(s._all, s._dataset, s._kind)
    with pytest.raises(InternalFault, match="planted fault: title"):
        compared(*pair)


def test_a_store_that_hashes_otherwise_is_found_before_rows_are_compared() -> None:
    """With one store blind, equal values hash apart."""
    primary, secondary = stores(80)
    secondary._wrap = lambda s: BlindToTitles(s._all, s._dataset, s._kind)
    with pytest.raises(ProtocolError, match="hash a row that is NULL but for its key differently"):
        compared(primary, secondary)


def test_an_unequal_row_that_was_called_equal_is_found_by_the_audit() -> None:
    """A hash that takes two values for one is not caught by plants that differ more; the audit reads the fields."""
    primary, secondary = stores(80)
    for reader in (primary, secondary):
        reader._wrap = lambda s: ReadsRowsInAnyCase(s._all, s._dataset, s._kind)
    key = min(secondary.held)
    secondary.held[key]["title"] = str(secondary.held[key]["title"]).swapcase()
    with pytest.raises(InternalFault, match="called equal is not: the stores disagree on `title`"):
        compared(primary, secondary)


def test_a_channel_that_bends_values_is_named_before_rows_are_compared() -> None:
    """Column, store and setting are named."""
    primary, secondary = stores(5)
    secondary._wrap = lambda s: BendsTimes(s._all, s._dataset, s._kind)
    with pytest.raises(ProtocolError, match="`created_at` came back from supabase") as caught:
        compared(primary, secondary)
    assert "TimeZone" in caught.value.todo


def test_what_was_tried_is_told() -> None:
    """The numbers of a sound comparison: plants on both sides, all rows of a small table audited."""
    proof = compared(*stores(80)).proof
    assert proof is not None
    assert proof.planted > 2 * len(PLANNING.compared)
    assert (proof.audited, proof.moved, proof.untried) == (80, 0, ())
    assert proof.sent_through == (PRISMA, SUPABASE)
    assert proof.values > 100
    assert proof.bound == 3 / 80


def test_rows_that_differ_are_not_audited() -> None:
    """The sample is of what was called equal."""
    primary, secondary = stores(80)
    secondary.held[min(secondary.held)]["title"] = "other"
    proof = compared(primary, secondary).proof
    assert proof is not None
    assert proof.audited == 79


def test_two_empty_stores_prove_nothing() -> None:
    """There is no row to plant a fault in, and none to audit."""
    parity = compared(*stores(0))
    assert parity.proof is not None
    assert (parity.proof.planted, parity.proof.audited, parity.proof.bound) == (0, 0, None)
    assert not any(reason.verdict is Verdict.FAILED for reason in parity.reasons)


def test_one_row_carries_one_fault_at_a_time() -> None:
    """Where rows are few, faults are planted one after the other; none is left out."""
    primary, _ = stores(1)
    beds = plant(PLANNING, all_faults(PLANNING, PRISMA), primary.held)
    assert all(len(bed.plants) == 1 for bed in beds)
    assert {fault.name for bed in beds for fault in bed.faults.values()} == {
        "a row that is left out",
        *(column.name for column in PLANNING.compared),
    }


@pytest.mark.parametrize("array", [False, True], ids=["alone", "array"])
@pytest.mark.parametrize("kind", TYPES)
def test_an_alteration_is_another_value_of_the_type(kind: ColumnType, array: bool) -> None:  # noqa: FBT001 - a parameter
    """Whatever the value, its smallest change can be read and differs in canonical form."""
    types = dict.fromkeys(StoreName, frozenset({TYPES[kind] + "[]" * array}))
    column = Column(name="c", type=kind, sql_types=types, array=array)
    for text in (*hard_values(column, null=False), some_value(column)):
        assert text is not None
        other = altered(column, text, PRISMA)
        assert canonical_value(column, other) != canonical_value(column, text), text


def test_what_was_audited_counts_for_one_way_of_reading_only() -> None:
    """Another kind of hash, or a column more, gives another fingerprint; the same gives the same."""
    one = fingerprint(PLANNING, HashKind.RECORD)
    assert one == fingerprint(PLANNING, HashKind.RECORD)
    assert one != fingerprint(PLANNING, HashKind.TEXT)
