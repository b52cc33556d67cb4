"""Prove on each store, in every run, that its queries show a difference: plant faults in them and find every one.

Some rows are read, and faults thought up for them that are as small as the types of the columns allow. Then the store
answers over these rows twice, by the queries of the comparison: as they are, and with the faults planted below those
queries. The two answers are compared as two stores are, and must name exactly the planted rows, by digests, by pairs
and by sketches. A fault that is not found, and a difference that nobody planted, end the run: nothing is concluded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from contracts.dataset import Dataset
from contracts.errors import InternalFault
from contracts.vocabulary import StoreName
from storage.parity import sketch
from storage.parity.candidates import Candidate, merge, unequal_ranges
from storage.parity.planting import Bed, all_faults, plant
from storage.parity.ranges import range_of
from storage.ports import Digest, FullRow, KeyHash, Rehearsal, Snapshot

SAMPLE = 60  # rows in which faults are planted
CELLS = 256  # per table of the sketch; enough that all faults are read off it
TRIES = 3  # how often a fault is planted anew when its row moved meanwhile


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """What was planted in one store; all of it was found.

    Attributes:
        found: Number of faults.
        untried: Columns and the like in which none could be tried, since the rows moved every time; sorted.
    """

    found: int = 0
    untried: tuple[str, ...] = ()


def prove(snapshot: Snapshot, dataset: Dataset, store: StoreName, *, rows: int) -> Planted:
    """Plant faults in a store's queries and find them. Nothing is written; where there is no row nothing is planted.

    Args:
        snapshot: The rows of the store.
        dataset: The dataset.
        store: The store.
        rows: About how many rows it holds.

    Raises:
        InternalFault: A fault was not found, or a difference that nobody planted was.
    """
    found = 0
    faults = all_faults(dataset, store)
    for _ in range(TRIES):
        held = snapshot.rows(snapshot.sample(SAMPLE, of=rows))
        beds = plant(dataset, faults, {key: full.row for key, full in held.items()})
        faults = ()
        for bed in beds:
            answers = snapshot.rehearse(bed.keys, tuple(bed.plants.values()), CELLS)
            moved = _moved(bed, held, answers[0])
            if moved and snapshot.frozen:
                raise _fault(store, "answered otherwise over rows than it had given them")
            judge(dataset, store, bed, answers, moved=moved)
            found += len(bed.plants) - len(moved)
            faults += tuple(bed.faults[key] for key in moved)
        if not faults:
            break
    return Planted(found=found, untried=tuple(sorted({fault.name for fault in faults})))


def judge(
    dataset: Dataset,
    store: StoreName,
    bed: Bed,
    answers: tuple[Rehearsal, Rehearsal],
    *,
    moved: frozenset[str] = frozenset(),
) -> None:
    """Compare the answers over a bed without and with its plants as two stores are compared.

    Args:
        dataset: The dataset.
        store: Who answered.
        bed: What was planted.
        answers: Over the rows as they are, and with the plants.
        moved: Keys of plants whose rows are no longer those that they were made for: they prove nothing.

    Raises:
        InternalFault: They do not name exactly what was planted.
    """
    pairs = merge(dataset, *(iter(each.pairs) for each in answers))
    found = {candidate.key: candidate for candidate in pairs}
    void = moved | {bed.moved[key] for key in moved & bed.moved.keys()}
    named = {key: (c.primary is not None, c.secondary is not None) for key, c in found.items() if key not in void}
    expected = {key: there for key, there in bed.expected().items() if key not in void}
    for key in expected.keys() - {k for k in expected if named.get(k) == expected[k]}:
        raise _fault(store, f"does not show a planted fault: {_name(bed, key)}")
    if named.keys() - expected.keys():
        raise _fault(store, "shows a difference that nobody planted")
    _judge_digests(dataset, store, answers, found)
    _judge_sketch(store, answers, found)


def _judge_digests(
    dataset: Dataset, store: StoreName, answers: tuple[Rehearsal, Rehearsal], found: Mapping[str, Candidate]
) -> None:
    for each in answers:
        summed: dict[int, Digest] = {}
        for pair in each.pairs:
            number = range_of(dataset, pair.key)
            summed[number] = summed.get(number, Digest()).plus(pair)
        if summed != each.digests:
            raise _fault(store, "digests rows otherwise than it hashes them")
    if unequal_ranges(answers[0].digests, answers[1].digests) != sorted({range_of(dataset, key) for key in found}):
        raise _fault(store, "gives equal digests for rows that differ")


def _judge_sketch(store: StoreName, answers: tuple[Rehearsal, Rehearsal], found: Mapping[str, Candidate]) -> None:
    peeled = sketch.peel(sketch.subtract(answers[0].sketch, answers[1].sketch), CELLS)
    sides = {True: [c.primary for c in found.values()], False: [c.secondary for c in found.values()]}
    held = {(side, row.hash1, row.hash2): row.key for side, rows in sides.items() for row in rows if row is not None}
    if peeled is None or {(f.on_primary, f.hash1, f.hash2) for f in peeled} != held.keys():
        raise _fault(store, "sketches rows otherwise than it hashes them")
    keys = {(held[f.on_primary, f.hash1, f.hash2], f.key_hash) for f in peeled}
    if not len(keys) == len({key for key, _ in keys}) == len({hashed for _, hashed in keys}):
        raise _fault(store, "takes two keys for one in its sketch")


def _moved(bed: Bed, held: Mapping[str, FullRow], now: Rehearsal) -> frozenset[str]:
    """Return the keys of plants whose rows are no longer as they were read."""
    hashes: dict[str, KeyHash] = {pair.key: pair for pair in now.pairs}
    return frozenset(key for key in bed.plants if hashes.get(key) != held[key].hash)


def _name(bed: Bed, key: str) -> str:
    """Return what was planted in a row, by its key before or after that."""
    before = {moved: own for own, moved in bed.moved.items()}.get(key, key)
    return bed.faults[before].name


def _fault(store: StoreName, what: str) -> InternalFault:
    return InternalFault(
        f"The comparison tested itself, and {store} {what}.",
        "Run the check again; if this comes back, report it with the server's version: nothing was concluded.",
        store=store,
    )
