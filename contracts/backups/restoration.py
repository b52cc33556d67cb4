"""What a restore would do, or did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contracts.vocabulary import StoreName


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChanges:
    """What restoring a dataset does to the rows of one table, or did.

    Attributes:
        dataset: The dataset.
        table: Schema and table.
        before: Rows that the table held.
        after: Rows of the backup.
        inserted: Rows that only the backup has.
        changed: Rows that the table had otherwise.
        deleted: Rows that only the table had.
    """

    dataset: str
    table: str
    before: int
    after: int
    inserted: int
    changed: int
    deleted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """How the rows of a backup compare with those that the other store holds now, in canonical form.

    Attributes:
        dataset: The dataset.
        store: The other store.
        same: Records that are the same.
        differing: Records that both have, and differ.
        only_backup: Records that the other store does not have.
        only_store: Records that the backup does not have.
    """

    dataset: str
    store: StoreName
    same: int
    differing: int
    only_backup: int
    only_store: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Restoration:
    """What a restore would do, or did.

    Attributes:
        id: Its id.
        backup: Id of the backup.
        environment: Name of the pair of stores.
        store: The store whose rows are replaced.
        at: When it began, UTC.
        state: `planned`, `begun`, `done`, or `failed` where an error ended it.
        changes: What it does to each dataset.
        beside: How the rows of the backup compare with the other store.
        overrides: What it was allowed to do that is refused otherwise.
        notes: Sentences about what else there is to know.
        unproven: Why the backup may not be restored from as it is; empty where it may.
    """

    id: str
    backup: str
    environment: str
    store: StoreName
    at: datetime
    state: str
    changes: tuple[RowChanges, ...] = ()
    beside: tuple[Beside, ...] = ()
    overrides: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unproven: str = ""
