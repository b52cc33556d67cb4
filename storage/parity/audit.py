"""Audit what was called equal: read a random sample of it from both stores and compare it field by field.

Digests and sketches are one code path, in SQL; this is another one, in Python (`storage.canonical`), and asks neither
of them. What it finds in a sample bounds, run by run, how much a comparison could have missed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial

from contracts.dataset import Dataset
from contracts.errors import InternalFault
from contracts.vocabulary import StoreName
from storage.canonical import canonical_value
from storage.parity.candidates import FirstLook
from storage.parity.ranges import range_of
from storage.parity.together import together
from storage.ports import FullRow, HashKind, Row, Snapshot

SAMPLE = 200  # rows per run
READ = (
    1  # raised whenever `storage.canonical` reads a value otherwise, so that what was audited before no longer counts
)
_NEWEST = 1_000_000  # a version of the server that has every function, so that the fingerprint is the same on all


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """What became of a sample.

    Attributes:
        rows: Rows that were called equal and are, field by field.
        moved: Rows that were changed after they had been compared; they prove nothing.
    """

    rows: int = 0
    moved: int = 0


def audit(dataset: Dataset, snapshots: tuple[Snapshot, Snapshot], look: FirstLook, *, rows: int) -> Audited:
    """Compare a sample of the rows that the first look called equal.

    Where both snapshots are frozen, the rows are those that were compared, and any disagreement is a fault of ours.
    Else they are read as they are now: rows that the stores hash differently by now moved meanwhile, and are not
    counted; rows that they hash alike must be alike.

    Args:
        dataset: The dataset.
        snapshots: Primary and secondary, as they were compared.
        look: What the first look found.
        rows: About how many rows the primary holds.

    Raises:
        InternalFault: A row that was called equal is not.
    """
    primary, secondary = snapshots
    unequal = {candidate.key for candidate in look.candidates}
    drawn = primary.sample(SAMPLE, of=rows)
    keys = [key for key in drawn if key not in unequal and range_of(dataset, key) not in look.overflow]
    ours, theirs = together(partial(primary.rows, keys), partial(secondary.rows, keys))
    frozen = primary.frozen and secondary.frozen
    moved = 0
    for key in keys:
        name = disagreement(dataset, ours.get(key), theirs.get(key))
        if name is None:
            continue
        if frozen or _hashed_alike(ours.get(key), theirs.get(key)):
            raise InternalFault(
                f"A row that was called equal is not: the stores disagree on {name}.",
                "Run the check again; if this comes back, report it: nothing was concluded.",
            )
        moved += 1
    return Audited(rows=len(keys) - moved, moved=moved)


def disagreement(dataset: Dataset, primary: FullRow | None, secondary: FullRow | None) -> str | None:
    """Return what two rows disagree on, in words; None when they are equal in canonical form, or both absent."""
    if primary is None or secondary is None:
        return None if primary is secondary else "whether it is there"
    ours, theirs = (
        _canonical(dataset, primary.row, StoreName.PRISMA),
        _canonical(dataset, secondary.row, StoreName.SUPABASE),
    )
    return next((f"`{name}`" for name, text in ours.items() if theirs[name] != text), None)


def fingerprint(dataset: Dataset, kind: HashKind) -> str:
    """Return what changes when rows are read or hashed otherwise, so that earlier audits no longer count."""
    from storage.canonical_sql import TableSql

    parts = [
        f"{READ}",
        *(f"{column.name}: {column.type} {sorted(column.aliases.items())}" for column in dataset.columns),
    ]
    parts += (TableSql(dataset, store, _NEWEST).hashed(kind).as_string() for store in StoreName)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _canonical(dataset: Dataset, row: Row, store: StoreName) -> dict[str, str | None]:
    compared = (column for column in dataset.columns if column.compared)
    return {column.name: canonical_value(column, row[column.name], store=store) for column in compared}


def _hashed_alike(primary: FullRow | None, secondary: FullRow | None) -> bool:
    return primary is not None and secondary is not None and primary.hash == secondary.hash
