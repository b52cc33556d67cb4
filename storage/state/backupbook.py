"""What is remembered of backups, so that their age is known where their folder cannot be seen."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, func, insert, select, update

from contracts.alerts import Backup
from storage.state.backup_tables import BACKUPS
from storage.state.book import Book

_C = BACKUPS.c


class Backupbook(Book):
    """What the memory of one environment knows about backups."""

    def made(self, backup_id: str, at: datetime) -> None:
        """Remember a backup that was made."""
        with self._database.writing() as connection:
            connection.execute(delete(BACKUPS).where(self._this(backup_id)))
            connection.execute(insert(BACKUPS).values(environment=self._environment, id=backup_id, made_at=at))

    def verified(self, backup_id: str, at: datetime | None, *, made_at: datetime) -> None:
        """Remember what the last drill of a backup came to.

        Args:
            backup_id: Id of the backup.
            at: When it ended; None where it found a flaw.
            made_at: When the backup was made, for one that was not remembered.
        """
        with self._database.writing() as connection:
            changed = connection.execute(update(BACKUPS).where(self._this(backup_id)).values(verified_at=at))
            if changed.rowcount == 0:
                row = {"environment": self._environment, "id": backup_id, "made_at": made_at, "verified_at": at}
                connection.execute(insert(BACKUPS).values(**row))

    def removed(self, backup_id: str) -> None:
        """Remember no more that there was a backup, but that backups are made."""
        with self._database.writing() as connection:
            others = and_(_C.environment == self._environment, _C.id != backup_id)
            if connection.execute(select(_C.id).where(others).limit(1)).first() is not None:
                connection.execute(delete(BACKUPS).where(self._this(backup_id)))

    def known(self, now: datetime | None = None) -> Backup | None:
        """Return when one was verified last; None where no backup was ever made.

        Args:
            now: The present, UTC: what was noted while a clock was ahead of it does not count.
        """
        with self._database.reading() as connection:
            mine = _C.environment == self._environment
            latest = func.max(_C.verified_at)
            seen = latest if now is None else latest.filter(_C.verified_at <= now)
            number, last = connection.execute(select(func.count(), seen).where(mine)).one()
        return Backup(verified_at=last) if number else None

    def _this(self, backup_id: str) -> ColumnElement[bool]:
        return and_(_C.environment == self._environment, _C.id == backup_id)
