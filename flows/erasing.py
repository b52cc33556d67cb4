"""Erasing what twinstore itself keeps with values of one user: found first, told in counts, then removed.

The application's own records are not ours to delete, and are only read, so that reports about them are found.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.backups import KeptBackup, made_at
from contracts.dataset import Dataset
from contracts.errors import ConfigurationError
from contracts.registry import contract_for
from contracts.vocabulary import StoreName
from flows.backup import backups_folder, known_backups, remove_torn
from flows.erasing_files import plans_of, reports_of
from flows.repair.work import Work
from flows.replicating import replicated_datasets
from storage.migrations.values import Side

if TYPE_CHECKING:
    from storage.replication.by_sql import SqlCall


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """What holds values of one user.

    Attributes:
        user: Id of the user.
        plans: Plans of repair, with their journals and pages.
        under_way: Plans that are being carried out, and are therefore not removed.
        reports: Runs whose report shows personal values and is about the user.
        unlooked: Folders of plans and runs to which something may be writing now, so that nobody can tell what they
            will hold.
        losers: Number of decided conflicts that hold a row of the user.
        open_conflicts: Keys of those that wait for somebody to decide.
        audited: Keys in the secondary's audit log; None where it cannot be read.
        spooled: Folders of rows that dead processes left.
        requests: Number of answers that are kept for longer than they are promised.
        backups: Backups, which hold all records of their moment.
        by_hand: Statements that somebody has to run where we cannot.
    """

    user: str
    plans: tuple[Path, ...] = ()
    under_way: tuple[str, ...] = ()
    reports: tuple[Path, ...] = ()
    unlooked: tuple[Path, ...] = ()
    losers: int = 0
    open_conflicts: tuple[str, ...] = ()
    audited: int | None = None
    spooled: tuple[Path, ...] = ()
    requests: int = 0
    backups: tuple[KeptBackup, ...] = ()
    by_hand: tuple[str, ...] = ()

    @property
    def anything(self) -> bool:
        """True when there is something to remove, backups aside."""
        return any((self.plans, self.reports, self.losers, self.audited, self.spooled, self.requests))

    @property
    def unfinished(self) -> bool:
        """True when values of the user stay, or may, until somebody does something. Backups have their day."""
        return any((self.under_way, self.unlooked, self.open_conflicts, self.by_hand))


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What was removed.

    Attributes:
        counts: How much, by what it was.
        refused: Ids of backups that were meant, and stay since somebody uses them.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    refused: tuple[str, ...] = ()


def owned_datasets(dataset: str | None) -> tuple[Dataset, ...]:
    """Return the datasets whose contract says whose record a row is, or the one that is meant.

    Raises:
        ConfigurationError: Nothing says whose its records are.
    """
    names = replicated_datasets() if dataset is None else (dataset,)
    found = tuple(contract_for(name).dataset for name in names)
    owned = tuple(one for one in found if one.facts.owner is not None and one.replicated)
    if not owned:
        raise ConfigurationError(
            "No contract says whose the records are.", "Name the column of the owner in `facts` of the dataset."
        )
    return owned


def traces(work: Work, user: str, datasets: Collection[Dataset]) -> Traces:
    """Find what holds values of a user. Reads only.

    Raises:
        TwinstoreError: A store, or the memory, cannot be read.
    """
    from storage.rest.row_file import left_behind

    keys = set[str]()
    losers, still_open, audited, requests = 0, list[str](), 0, 0
    can_audit, by_hand = False, list[str]()
    with _calls(work, datasets) as calls:
        for dataset, by_store in calls:
            found = _in_stores(dataset, by_store, user)
            keys |= found.keys
            losers += found.losers
            still_open += found.open_conflicts
            requests = max(requests, found.requests)
            if found.audited is not None:
                can_audit, audited = True, audited + found.audited
            elif found.by_hand:
                by_hand.append(found.by_hand)
    plans = plans_of(work, user, datasets)
    reports = reports_of(work, user, keys | plans.keys)
    return Traces(
        user=user,
        plans=plans.removable,
        under_way=tuple(folder.name for folder in plans.under_way),
        reports=reports.removable,
        unlooked=(*plans.unlooked, *reports.unlooked),
        losers=losers,
        open_conflicts=tuple(still_open),
        audited=audited if can_audit else None,
        spooled=left_behind(),
        requests=requests,
        backups=known_backups(work.settings),
        by_hand=tuple(by_hand),
    )


def erase(
    work: Work,
    found: Traces,
    datasets: Collection[Dataset],
    *,
    backups: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Erased:
    """Remove what was found, and return how much that was.

    Args:
        work: Settings, stores and memory.
        found: What was found.
        datasets: The datasets.
        backups: Remove the backups, too.
        progress: Is told what happens now.

    Raises:
        TwinstoreError: A store cannot be written; what was removed by then is gone.
        OSError: A file cannot be removed; likewise.
    """
    from storage import erasing
    from storage.backup.folder import remove

    counts = dict.fromkeys(("plans", "reports", "conflicts", "audit_lines", "spooled", "requests", "backups"), 0)
    progress("remove files")
    remove_torn(work.settings)
    for folder in (*found.plans, *found.reports, *found.spooled):
        shutil.rmtree(folder, ignore_errors=not folder.exists())
    counts |= {"plans": len(found.plans), "reports": len(found.reports), "spooled": len(found.spooled)}
    progress("delete rows of ours")
    with _calls(work, datasets) as calls:
        for dataset, by_store in calls:
            primary, secondary = by_store[StoreName.PRISMA], by_store.get(StoreName.SUPABASE)
            counts["conflicts"] += erasing.erase_losers(primary, dataset, found.user)
            counts["requests"] += sum(erasing.erase_dead_requests(call) for call in by_store.values())
            if secondary is not None and found.audited is not None:
                counts["audit_lines"] += erasing.erase_audited(secondary, dataset, found.user)
    refused = []
    for one in found.backups if backups else ():
        if remove(backups_folder(work.settings), one.id):
            work.memory.backups.removed(one.id)
            counts["backups"] += 1
        else:
            refused.append(one.id)
    return Erased(counts=counts, refused=tuple(refused))


def gone_at(work: Work, backup: KeptBackup) -> datetime | None:
    """Return when retention removes a backup, unless it is the newest or the last verified one by then."""
    made = backup.manifest.created_at if backup.manifest else made_at(backup.id)
    return made and made + timedelta(days=work.settings.backups_keep_days)


@dataclass(frozen=True, slots=True, kw_only=True)
class _InStores:
    keys: set[str]
    losers: int
    open_conflicts: tuple[str, ...]
    requests: int
    audited: int | None
    by_hand: str


def _in_stores(dataset: Dataset, by_store: Mapping[StoreName, SqlCall], user: str) -> _InStores:
    from storage import erasing

    primary, secondary = by_store[StoreName.PRISMA], by_store.get(StoreName.SUPABASE)
    lost = erasing.losers(primary, dataset, user)
    seen = None if secondary is None else erasing.audited(secondary, dataset, user)
    keys = set().union(*(erasing.keys_of(call, dataset, user) for call in by_store.values()))
    return _InStores(
        keys=keys | set(lost.decided) | set(lost.open) | {key for key in seen or () if key is not None},
        losers=len(lost.decided),
        open_conflicts=lost.open,
        requests=sum(erasing.dead_requests(call) for call in by_store.values()),
        audited=None if seen is None else len(seen),
        by_hand=erasing.audit_statement(dataset, user) if secondary is None else "",
    )


@contextmanager
def _calls(work: Work, datasets: Collection[Dataset]) -> Iterator[list[tuple[Dataset, dict[StoreName, SqlCall]]]]:
    """Open each store that can be reached by SQL."""
    from storage.replication.by_sql import SqlCall

    with ExitStack() as stack:
        found = []
        for dataset in datasets:
            by_store = {
                store: stack.enter_context(
                    closing(SqlCall(work.stores.sql(store).dsn, work.stores.dataset(dataset), side))
                )
                for store, side in zip(StoreName, (Side.PRIMARY, Side.SECONDARY), strict=True)
                if store in work.stores.urls
            }
            found.append((dataset, by_store))
        yield found
