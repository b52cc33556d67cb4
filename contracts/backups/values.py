"""What a backup is, and what a drill finds out about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.replication import Standing
from contracts.vocabulary import Channel, StoreName

FORMAT = 3
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
    """All rows of a table as of one moment, every column of them that a dump holds.

    Attributes:
        name: Schema and table.
        rows: Number of rows; of a partitioned table those of all partitions, among which a restore may divide them
            otherwise.
        digest: Sum over hashes of the rows as texts.
        parts: Its partitions, each with its schema; none of one that is not partitioned.
    """

    name: str
    rows: int
    digest: str
    parts: tuple[str, ...] = ()


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
        foreign_keys: References to tables of other schemas, each by the OID by which the dump lists it.
    """

    roles: tuple[str, ...] = ()
    functions: tuple[tuple[str, str], ...] = ()
    extensions: tuple[tuple[str, str], ...] = ()
    foreign_keys: tuple[int, ...] = ()


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
        ctype: How the database classified letters (LC_CTYPE); empty where REST does not tell.
        settings: Settings by which the database reads texts as values, such as DateStyle, each with its value.
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
    ctype: str = ""
    settings: tuple[tuple[str, str], ...] = ()
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
        proven: The stores whose sides were restored and are as they were: by this drill, or by an earlier one of the
            same manifest where this one did not try them.
        flaws: What is wrong; nothing when the backup is good.
        untried: The stores whose sides could not be tried, neither by this drill nor by an earlier one.
        servers: Versions of the servers into which it was restored.
        notes: Sentences about what could not be tried.
    """

    at: datetime
    seconds: float
    seal: str
    proven: tuple[StoreName, ...]
    flaws: tuple[Flaw, ...] = ()
    untried: tuple[StoreName, ...] = ()
    servers: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """True when the backup was restored and is as it was."""
        return not self.flaws and not self.untried


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptBackup:
    """A backup as it lies in its folder.

    Attributes:
        id: Its id.
        manifest: What it says of itself; None when that cannot be read.
        verification: What the last drill found; None when there was none of this very manifest.
        in_use: True while somebody verifies or restores it.
        foreign: True when another version made it, so that nobody can tell here what it holds.
        unread: True when its disk did not answer, so that nobody can tell now what it holds.
        trouble: What is seen of it without reading its rows: why the manifest cannot be read, or that a file is missing
            or has another size; empty when nothing is.
        lacking: Stores whose files are missing, or have another size.
    """

    id: str
    manifest: Manifest | None
    verification: Verification | None = None
    in_use: bool = False
    foreign: bool = False
    unread: bool = False
    trouble: str = ""
    lacking: tuple[StoreName, ...] = ()

    def proves(self, store: StoreName) -> bool:
        """Tell whether a side was restored and found to be as it was, and nothing is known against it since."""
        if self.verification is None or self.unread:
            return False
        return store in self.verification.proven and store not in self.lacking

    @property
    def verified_at(self) -> datetime | None:
        """When it was restored and found to be as it was; None when it never was, or a flaw was found since."""
        proven = self.verification is not None and self.verification.passed and not self.trouble
        return self.verification.at if proven and self.verification is not None else None
