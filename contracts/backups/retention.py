"""Which backups are kept when old ones are removed. Pure, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.backups.values import Form, KeptBackup
from contracts.vocabulary import StoreName


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
    verified one of each dataset of each database, never the newest of an environment, never one in use, never one that
    another version made or that cannot be read now, never one that lies in the future, as after a clock was ahead. A
    backup whose manifest is damaged is kept as long as another would be.

    Args:
        backups: All backups.
        now: The present, UTC.
        keep: How many of each environment are kept.
        keep_days: For how many days.
    """
    ordered = sorted(backups, key=lambda backup: backup.id, reverse=True)
    proven = _last_verified_of_each(backup for backup in ordered if not _ahead(backup, now))
    places: dict[str | None, int] = {}  # of all, below None, for those whose environment nobody can read
    stay, go = [], []
    for backup in ordered:
        made, ahead = _made(backup), _ahead(backup, now)
        environment = backup.manifest.environment if backup.manifest else None
        place = places.get(environment, 0)
        for counted in () if ahead else {environment, None}:
            places[counted] = places.get(counted, 0) + 1
        young = made is None or now - made <= timedelta(days=keep_days)
        if backup.in_use:
            stay.append(Kept(id=backup.id, why="in use"))
        elif ahead:
            stay.append(Kept(id=backup.id, why="dated in the future"))
        elif backup.foreign:
            stay.append(Kept(id=backup.id, why="made by another version"))
        elif backup.unread:
            stay.append(Kept(id=backup.id, why="cannot be read now"))
        elif backup.id in proven:
            stay.append(Kept(id=backup.id, why="the last verified one"))
        elif place == 0:
            stay.append(Kept(id=backup.id, why="the newest one"))
        elif place < keep and young:
            stay.append(Kept(id=backup.id, why=f"among the newest {keep}"))
        else:
            go.append(Kept(id=backup.id))
    return tuple(stay), tuple(go)


def _made(backup: KeptBackup) -> datetime | None:
    return backup.manifest.created_at if backup.manifest else made_at(backup.id)


def _ahead(backup: KeptBackup, now: datetime) -> bool:
    made = _made(backup)
    return made is not None and made > now


def _last_verified_of_each(ordered: Iterable[KeptBackup]) -> set[str]:
    """Return the newest verified backups, of each dataset of each database of each environment.

    Each side counts for itself. A dump holds what an export of rows does, and not the other way round.
    """
    newest: dict[tuple[str, StoreName, str | None, str, Form], str] = {}
    for backup in ordered:
        if backup.manifest is None:
            continue
        for side in filter(lambda side: backup.proves(side.store), backup.manifest.sides):
            for content in side.datasets:
                for form in tuple(Form) if side.form is Form.DUMP else (Form.EXPORT,):
                    key = (backup.manifest.environment, side.store, side.identity, content.dataset, form)
                    newest.setdefault(key, backup.id)
    return {*newest.values()}


def made_at(backup_id: str) -> datetime | None:
    """Return when a backup was begun, as its id says; None for anything else."""
    try:
        return datetime.strptime(backup_id[:15] + "+0000", "%Y%m%dT%H%M%S%z")
    except ValueError:
        return None
