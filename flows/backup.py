"""Backups as commands and flows make them: plain functions from settings to values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.backups import Kept, KeptBackup, Manifest, Verification, plan_prune
from contracts.dataset import Dataset
from contracts.errors import ConfigurationError, TwinstoreError
from contracts.registry import contract_for, known_datasets
from contracts.replication import Standing
from contracts.vocabulary import Channel, StoreName
from flows.check import make_run_id
from flows.replicating import channel_of, open_replication
from flows.settings import Settings
from flows.version import VERSION
from flows.wiring import Stores, home, make_meter

if TYPE_CHECKING:
    from storage.backup.create import Source
    from storage.backup.target import Target
    from storage.backup.verify import Servers
    from storage.ports import Reader
    from storage.state import State

Progress = Callable[[str], None]
DAY_S = 86_400.0


def backups_folder(settings: Settings) -> Path:
    """Return the folder of backups; it need not be there."""
    return settings.backups.absolute() if settings.backups is not None else settings.home.absolute() / "backups"


def known_backups(settings: Settings) -> tuple[KeptBackup, ...]:
    """Return all backups, newest first. Reads only."""
    from storage.backup.folder import list_backups

    return list_backups(backups_folder(settings))


def create_backup(
    settings: Settings,
    stores: Stores,
    *,
    sides: Sequence[StoreName] = tuple(StoreName),
    names: Sequence[str] = (),
    memory: State | None = None,
    progress: Progress = lambda _: None,
) -> Manifest:
    """Make a backup of both stores, or of one.

    Args:
        settings: The settings.
        stores: The pair of stores.
        sides: The sides, primary first.
        names: Names of the datasets; all that are known unless given.
        memory: The tool's memory, which keeps that a backup was made.
        progress: Is told what happens now.

    Raises:
        ConfigurationError: A side cannot be reached, no pg_dump fits, or the folder cannot be written.
        TwinstoreError: A store cannot be read.
    """
    from storage.backup.create import create
    from storage.backup.scratch import remove_leftovers as remove_servers

    remove_servers(home(settings))
    require_own_stores(settings, stores, sides)
    with ExitStack() as stack:
        sources = [_source(settings, stores, side, names, stack) for side in sides]
        now = datetime.now(UTC)
        manifest = create(
            backups_folder(settings),
            make_run_id(now),
            sources,
            environment=stores.environment,
            version=VERSION,
            progress=progress,
        )
    if memory is not None:
        memory.backups.made(manifest.id, manifest.created_at)
    return manifest


def verify_backup(
    settings: Settings,
    wanted: str | None,
    *,
    memory: State | None = None,
    servers: Servers | None = None,
    progress: Progress = lambda _: None,
) -> tuple[str, Verification]:
    """Restore a backup into scratch servers and compare it with what it was; return its id and what was found.

    Args:
        settings: The settings.
        wanted: Beginning of its id; the newest one unless given.
        memory: The tool's memory, which keeps when a backup was verified.
        servers: Runs scratch servers; one of ours for each side unless given.
        progress: Is told what happens now.

    Raises:
        ConfigurationError: There is no such backup, or it needs programs that are not here.
        TwinstoreError: The drill itself failed, which says nothing about the backup.
    """
    from storage.backup.folder import chosen, kept
    from storage.backup.verify import verify

    root = backups_folder(settings)
    backup_id = chosen(root, wanted)
    found = verify(root, backup_id, all_datasets(), servers or scratch_servers(settings), progress=progress)
    if memory is not None:
        made = kept(root, backup_id).manifest
        at = found.at if found.passed else None
        memory.backups.verified(backup_id, at, made_at=made.created_at if made else found.at)
    return backup_id, found


def prune_backups(
    settings: Settings, now: datetime, *, memory: State | None = None, dry_run: bool = False
) -> tuple[tuple[Kept, ...], tuple[Kept, ...]]:
    """Remove old backups, as the settings say; return which stay, each with the reason, and which are gone.

    Args:
        settings: The settings.
        now: The present, UTC.
        memory: The tool's memory.
        dry_run: Remove nothing.

    Raises:
        OSError: A backup cannot be removed.
    """
    from storage.backup.folder import remove

    root = backups_folder(settings)
    if not dry_run:
        remove_torn(settings)
    stay, go = plan_prune(
        known_backups(settings), now, keep=settings.backups_keep, keep_days=settings.backups_keep_days
    )
    if dry_run:
        return stay, go
    removed = tuple(one for one in go if remove(root, one.id))
    kept = tuple(Kept(id=one.id, why="in use") for one in go if one not in removed)
    for one in removed if memory is not None else ():
        memory.backups.removed(one.id)  # type: ignore[union-attr]  # asked above
    return stay + kept, removed


def remove_torn(settings: Settings) -> None:
    """Remove what killed processes left of backups and of scratch servers, which holds whatever they were made of.

    Raises:
        Conflict: Somebody else is at it, and goes on.
        OSError: It cannot be removed.
    """
    from storage.backup.folder import remove_leftovers
    from storage.backup.scratch import remove_leftovers as remove_servers

    remove_leftovers(backups_folder(settings))
    remove_servers(home(settings))


def all_datasets() -> tuple[Dataset, ...]:
    """Return all datasets that are known, their tables as contracts name them."""
    return tuple(contract_for(name).dataset for name in known_datasets())


def scratch_servers(settings: Settings) -> Servers:
    """Return what runs scratch servers below the home folder."""
    from storage.backup.scratch import scratch_server

    return partial(scratch_server, home(settings))


def target_of(settings: Settings, stores: Stores, store: StoreName) -> Target:
    """Return a store that is reached by SQL.

    Raises:
        ConfigurationError: It can be reached over REST only.
    """
    from storage.backup.target import Target
    from storage.session import Limits

    limits = Limits(connect_s=settings.connect_timeout_s, statement_s=DAY_S)
    return Target(store=store, dsn=stores.sql(store).dsn, limits=limits)


def require_own_stores(settings: Settings, stores: Stores, sides: Sequence[StoreName]) -> None:
    """Refuse settings that lead to the other store: a backup would be none of it, and a restore would overwrite it.

    Args:
        settings: The settings.
        stores: The pair of stores.
        sides: The stores that are asked, where they are reached by SQL.

    Raises:
        ConfigurationError: Two settings lead to one database, or one to the other store.
        TwinstoreError: A store cannot be asked.
    """
    from storage.backup.target import identity_of

    if len({(url.host, url.database) for url in stores.urls.values()}) < len(stores.urls):
        raise ConfigurationError(
            f"DATABASE_URL and SUPABASE_DB_URL lead to one database, {stores.where(StoreName.PRISMA)}.",
            "Point one of them at the other store.",
        )
    for side in sides:
        if side in stores.urls and (known := identity_of(target_of(settings, stores, side))) and known[1] is not side:
            raise ConfigurationError(
                f"The database at {stores.where(side)}, which the settings give as {side}, is {known[1]}.",
                "Point DATABASE_URL at the primary, and SUPABASE_DB_URL at the secondary.",
                store=side,
            )


def _source(settings: Settings, stores: Stores, side: StoreName, names: Sequence[str], stack: ExitStack) -> Source:
    from storage.backup.create import BySql, OverRest
    from storage.session import Limits

    datasets = tuple(stores.dataset(contract_for(name).dataset) for name in names or known_datasets())
    if side in stores.urls:
        limits = Limits(connect_s=settings.connect_timeout_s, statement_s=DAY_S)
        return BySql(store=side, dsn=stores.sql(side).dsn, datasets=datasets, limits=limits)
    if stores.rest is None:
        raise ConfigurationError(
            f"Nothing leads to {side}, so that it cannot be backed up.", "Say --side primary.", store=side
        )
    readers = tuple(_rows_reader(settings, stores, dataset) for dataset in datasets)
    for reader in readers:
        stack.callback(reader.close)
    return OverRest(
        store=side,
        readers=readers,
        standings=_standings(settings, stores, datasets),
        identity=_identity_over_rest(settings, stores, datasets[0]),
    )


def _rows_reader(settings: Settings, stores: Stores, dataset: Dataset) -> Reader:
    """Return what pulls whole rows over REST, whether functions of ours are there or not."""
    from flows.wiring import make_reader

    by_rows = settings.model_copy(update={"channel": Channel.ROWS})
    return make_reader(by_rows, stores, StoreName.SUPABASE, dataset, make_meter(settings))


def _identity_over_rest(settings: Settings, stores: Stores, dataset: Dataset) -> str | None:
    """Return the id of the database that a project has; None where functions of ours cannot be asked."""
    from flows.wiring import make_reader

    if settings.channel is Channel.ROWS:
        return None
    by_functions = settings.model_copy(update={"channel": Channel.RPC})
    with (
        suppress(TwinstoreError),
        closing(make_reader(by_functions, stores, StoreName.SUPABASE, dataset, make_meter(settings))) as reader,
    ):
        return reader.facts().identity
    return None


def _standings(settings: Settings, stores: Stores, datasets: Sequence[Dataset]) -> tuple[tuple[str, Standing], ...]:
    """Return how replication stands on a secondary that is asked over REST; nothing where it cannot be asked."""
    if channel_of(settings, stores) is not Channel.RPC:
        return ()
    found = []
    for dataset in datasets:
        with suppress(TwinstoreError), open_replication(settings, stores, dataset.name) as replication:
            if replication.secondary is not None and (standing := replication.secondary.standing()).since is not None:
                found.append((dataset.name, replace(standing, heard=())))  # keys of rows belong into no manifest
    return tuple(found)
