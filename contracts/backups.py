"""What a backup is, what a drill finds out about it, and which ones are kept. Pure values, no clock."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from contracts.replication import Standing
from contracts.vocabulary import Channel, StoreName

FORMAT = 1
"""The form of manifests that this version writes and reads."""


class Form(StrEnum):
    """How the rows of one side are kept."""

    DUMP = "pg_dump"  # a dump in custom format: schemas, rows, constraints
    EXPORT = "row_export"  # compressed texts of the rows of each dataset, as REST gave them


class Damage(StrEnum):
    """What may be wrong with a backup."""

    MANIFEST = "manifest"  # it is not what was sealed
    MISSING_FILE = "missing_file"
    SIZE = "size"  # a file is shorter or longer than it was
    CONTENT = "content"  # a file of the right size holds other bytes
    VERSION = "version"  # the dump was made from, or by, another version than the manifest says
    RESTORE = "restore"  # it cannot be restored, as after its pg_dump was killed
    MISSING_TABLE = "missing_table"
    ROWS = "rows"  # a table has another number of rows
    DIGEST = "digest"  # a table has as many rows, and others
    SHAPE = "shape"  # a constraint, index or trigger is missing, or not valid
    SEQUENCE = "sequence"  # a sequence would give a number that a row has
    PAGES = "pages"  # pg_amcheck found a table or an index that is not sound


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """Something that is wrong with a backup.

    Attributes:
        damage: What kind of thing.
        text: One sentence, without a value of a record.
    """

    damage: Damage
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TableContent:
    """All rows of a table as of one moment, every column of them.

    Attributes:
        name: Schema and table.
        rows: Number of rows.
        digest: Sum over hashes of the rows as texts.
    """

    name: str
    rows: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetContent:
    """The rows of a dataset as of one moment, in the form in which both stores are compared.

    Attributes:
        dataset: Name of the dataset.
        table: Schema and table.
        rows: Number of rows.
        excluded: How many of them have a key that the other store cannot hold; they are not in the digest.
        kind: How records were hashed.
        form: What changes when records are read or hashed otherwise; then digests are not compared.
        probe: The hash of a known record: digests are compared where another server hashes it alike.
        digest: Sums over hashes of the canonical records: the same on both stores where they agree.
    """

    dataset: str
    table: tuple[str, str]
    rows: int
    excluded: int
    kind: str
    form: str
    probe: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What keeps the rows in order, by name.

    Attributes:
        constraints: Each with its table and kind, and whether it is validated.
        indexes: Those that are valid, each with its table.
        triggers: Each with its table, and when it fires.
        behind: Sequences that would give a number that a row has already.
    """

    constraints: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()
    triggers: tuple[str, ...] = ()
    behind: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What the objects of a dump need and a dump does not hold.

    Attributes:
        roles: Roles that policies name.
        functions: Functions of other schemas, each as the statement that makes a stand-in.
        extensions: Extensions, each with its schema.
        foreign_keys: References to tables of other schemas: schema, table and name.
    """

    roles: tuple[str, ...] = ()
    functions: tuple[tuple[str, str], ...] = ()
    extensions: tuple[tuple[str, str], ...] = ()
    foreign_keys: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSide:
    """One side of a backup.

    Attributes:
        store: The store.
        channel: How it was reached.
        form: How its rows are kept.
        files: Names of its files, with size in bytes and SHA-256.
        taken_at: The moment of the snapshot, by the clock of this machine, UTC.
        server_version: Version of the server, such as `16.14`; empty where REST does not tell.
        program: Version of pg_dump; empty without it.
        identity: Id of the database, by which twinstore knows it; None where it has none, or none could be read.
        migrations: Numbered migrations that were applied, the last one of which is the version of the schema.
        schemas: Schemas that were dumped whole.
        tables: All tables of them; none in an export.
        datasets: The datasets.
        shape: What keeps the rows in order.
        outside: What the dump needs beside itself.
        standings: How replication stood, per dataset that is captured.
    """

    store: StoreName
    channel: Channel
    form: Form
    files: tuple[tuple[str, int, str], ...]
    taken_at: datetime
    server_version: str = ""
    program: str = ""
    identity: str | None = None
    migrations: tuple[str, ...] = ()
    schemas: tuple[str, ...] = ()
    tables: tuple[TableContent, ...] = ()
    datasets: tuple[DatasetContent, ...] = ()
    shape: Shape = Shape()
    outside: Outside = Outside()
    standings: tuple[tuple[str, Standing], ...] = ()

    @property
    def rows(self) -> int:
        """Rows of all datasets."""
        return sum(dataset.rows for dataset in self.datasets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup says of itself.

    Attributes:
        id: Id of the backup; ids sort by time.
        environment: Name of the pair of stores.
        version: Version of twinstore that made it.
        created_at: When it was begun, UTC.
        seconds: How long it took.
        sides: One or both sides, primary first.
    """

    id: str
    environment: str
    version: str
    created_at: datetime
    seconds: float
    sides: tuple[KeptSide, ...]

    @property
    def bytes(self) -> int:
        """Size of all files."""
        return sum(size for side in self.sides for _, size, _ in side.files)

    def side(self, store: StoreName) -> KeptSide | None:
        """Return the side of a store; None when it is not in the backup."""
        return next((side for side in self.sides if side.store is store), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What a drill found out about a backup.

    Attributes:
        at: When it ended, UTC.
        seconds: How long it took.
        seal: SHA-256 of the manifest that was verified.
        flaws: What is wrong; nothing when the backup is good.
        servers: Versions of the servers into which it was restored.
        notes: Sentences about what could not be tried.
    """

    at: datetime
    seconds: float
    seal: str
    flaws: tuple[Flaw, ...] = ()
    servers: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """True when the backup was restored and is as it was."""
        return not self.flaws


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptBackup:
    """A backup as it lies in its folder.

    Attributes:
        id: Its id.
        manifest: What it says of itself; None when that cannot be read.
        verification: What the last drill found; None when there was none of this very manifest.
        in_use: True while somebody verifies or restores it.
        trouble: Why the manifest cannot be read; empty when it can.
    """

    id: str
    manifest: Manifest | None
    verification: Verification | None = None
    in_use: bool = False
    trouble: str = ""

    @property
    def verified_at(self) -> datetime | None:
        """When it was restored and found to be as it was; None when that never was, or the last drill found a flaw."""
        return self.verification.at if self.verification is not None and self.verification.passed else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What becomes of one backup when old ones are removed.

    Attributes:
        id: The backup.
        why: Why it is kept, in a few words; empty when it is removed.
    """

    id: str
    why: str = ""


def plan_prune(
    backups: Sequence[KeptBackup], now: datetime, *, keep: int, keep_days: float
) -> tuple[tuple[Kept, ...], tuple[Kept, ...]]:
    """Return which backups stay, each with the reason, and which are removed.

    Of each environment those go that are not among the newest `keep`, or older than `keep_days`; never the last
    verified one of each dataset of each store, never the newest of an environment, never one in use, never one that
    lies in the future, as after a clock was ahead. A backup whose manifest cannot be read is kept as long as another
    would be.

    Args:
        backups: All backups.
        now: The present, UTC.
        keep: How many of each environment are kept.
        keep_days: For how many days.
    """
    ordered = sorted(backups, key=lambda backup: backup.id, reverse=True)
    proven = _last_verified_of_each(ordered)
    places: dict[str | None, int] = {}  # of all, below None, for those whose environment nobody can read
    stay, go = [], []
    for backup in ordered:
        made = backup.manifest.created_at if backup.manifest else made_at(backup.id)
        environment = backup.manifest.environment if backup.manifest else None
        ahead = made is not None and made > now
        place = places.get(environment, 0)
        for counted in () if ahead else {environment, None}:
            places[counted] = places.get(counted, 0) + 1
        young = made is None or now - made <= timedelta(days=keep_days)
        if backup.in_use:
            stay.append(Kept(id=backup.id, why="in use"))
        elif ahead:
            stay.append(Kept(id=backup.id, why="dated in the future"))
        elif backup.id in proven:
            stay.append(Kept(id=backup.id, why="the last verified one"))
        elif place == 0:
            stay.append(Kept(id=backup.id, why="the newest one"))
        elif place < keep and young:
            stay.append(Kept(id=backup.id, why=f"among the newest {keep}"))
        else:
            go.append(Kept(id=backup.id))
    return tuple(stay), tuple(go)


def _last_verified_of_each(ordered: Sequence[KeptBackup]) -> set[str]:
    """Return the newest verified backups, of each dataset of each store of each environment."""
    newest: dict[tuple[str, StoreName, str], str] = {}
    for backup in ordered:
        if backup.manifest is None or backup.verified_at is None:
            continue
        held = [(side.store, content.dataset) for side in backup.manifest.sides for content in side.datasets]
        for store, dataset in held:
            newest.setdefault((backup.manifest.environment, store, dataset), backup.id)
    return {*newest.values()}


def made_at(backup_id: str) -> datetime | None:
    """Return when a backup was begun, as its id says; None for anything else."""
    try:
        return datetime.strptime(backup_id[:15] + "+0000", "%Y%m%dT%H%M%S%z")
    except ValueError:
        return None


def last_verified(backups: Collection[KeptBackup]) -> datetime | None:
    """Return when one of these was verified last; None when none is."""
    return max((backup.verified_at for backup in backups if backup.verified_at is not None), default=None)


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
