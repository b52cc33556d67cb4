"""What migrations are and what became of them, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from contracts.vocabulary import StoreName


class Side(StrEnum):
    """Which of the two stores a migration is for."""

    PRIMARY = "primary"
    SECONDARY = "secondary"

    @classmethod
    def of(cls, store: StoreName) -> Side:
        """Return the side of a store."""
        return cls.PRIMARY if store is StoreName.PRISMA else cls.SECONDARY

    @property
    def store(self) -> StoreName:
        """The store of this side."""
        return StoreName.PRISMA if self is Side.PRIMARY else StoreName.SUPABASE


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """Some SQL, applied in one transaction.

    Attributes:
        name: File name without `.sql`, such as `0001_identity`; such names sort in the order of application. One that
            is repeatable is named after what it makes, and comes after all that are numbered.
        sql: Its text, with line endings of one character.
        checksum: SHA-256 of `sql` in UTF-8, 64 hexadecimal digits; of one that is repeatable, of what it makes.
        repeatable: True when it replaces what it made before, whenever it changes.
    """

    name: str
    sql: str
    checksum: str
    repeatable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What the database remembers of one migration.

    Attributes:
        name: Name of the migration.
        checksum: Checksum of the file as it was applied.
        applied_at: When its transaction ended, by the server's clock.
        execution_ms: Time that its transaction took, waiting for locks included.
        version: Version of twinstore that applied it.
        succeeded: False when it was tried and rolled back.
    """

    name: str
    checksum: str
    applied_at: datetime
    execution_ms: int
    version: str
    succeeded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationState:
    """How far a database is.

    Attributes:
        side: The side that was asked for.
        identity: Id of the database, the same for as long as it is installed; None before the first migration.
        applied: Migrations that are done, in order.
        pending: Migrations that are not, in order.
        changed: Done migrations whose file is another one now; a repeatable one is pending instead.
        unknown: Names of done numbered migrations that this version has no file for.
        failed: Names of pending migrations whose last try was rolled back.
    """

    side: Side
    identity: UUID | None
    applied: tuple[Applied, ...]
    pending: tuple[Migration, ...]
    changed: tuple[Applied, ...]
    unknown: tuple[str, ...]
    failed: tuple[str, ...]

    @property
    def current(self) -> bool:
        """Whether everything is applied, and nothing else is."""
        return not (self.pending or self.changed or self.unknown)


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationReport:
    """What a call of `migrate` did, or would do.

    Attributes:
        side: The side that was migrated.
        dry_run: True when nothing was changed.
        migrations: Names of the migrations that were applied, or would be.
        notices: What the migrations said: rules that old rows do not keep, roles that are missing, triggers replaced.
    """

    side: Side
    dry_run: bool
    migrations: tuple[str, ...]
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UninstallReport:
    """What a call of `uninstall` removed, or would remove.

    Attributes:
        side: The side that was uninstalled.
        dry_run: True when nothing was changed.
        objects: What is removed, such as `table twinstore.identity`, sorted.
        conflicts: Number of open conflicts among it, each with the row that lost.
        waiting: Number of keys whose change was not carried over yet.
    """

    side: Side
    dry_run: bool
    objects: tuple[str, ...]
    conflicts: int = 0
    waiting: int = 0
