"""Bring one store back to a backup: a drill, a comparison that only reports, and, when it is confirmed, the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.backups import Beside, KeptSide, Restoration
from contracts.dataset import Dataset
from contracts.errors import ConfigurationError, Refused, SchemaMismatch, TwinstoreError
from contracts.registry import contract_for
from contracts.vocabulary import StoreName
from flows.backup import all_datasets, backups_folder, require_own_stores, scratch_servers
from flows.check import make_run_id
from flows.replicating import open_replication
from flows.restorable import (
    CASCADE,
    Wanted,
    names_of,
    reachable,
    readable,
    require_confirmation,
    require_same_store,
    unproven,
)
from flows.settings import Settings
from flows.wiring import Stores, make_meter, make_reader

if TYPE_CHECKING:
    from storage.backup.target import Rows, Target
    from storage.backup.verify import Drill, Servers
    from storage.state import State

Progress = Callable[[str], None]
PATIENCE_S = {"relay": 30.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a restore works with.

    Attributes:
        settings: The settings.
        stores: The pair of stores.
        memory: The tool's memory, which lets nobody else work on the dataset meanwhile.
        servers: Runs scratch servers; one of ours unless given.
        progress: Is told what happens now.
    """

    settings: Settings
    stores: Stores
    memory: State
    servers: Servers | None = None
    progress: Progress = lambda _: None


def restore_backup(work: Work, wanted: Wanted) -> Restoration:
    """Say what restoring would change, or, when it is confirmed, restore the rows of one store.

    The other store is only read. Where the stores replicate nothing is carried over afterwards until they are adopted
    again.

    Args:
        work: What it works with.
        wanted: What is to be restored.

    Raises:
        ConfigurationError: There is no such backup, it is not confirmed as it must be, or the store is reached by REST.
        Refused: The backup is damaged or was never verified, or belongs to another store.
        TwinstoreError: A store cannot be reached; then nothing was changed.
    """
    from storage.backup.folder import chosen, kept
    from storage.backup.verify import drilled

    settings, stores = work.settings, work.stores
    root = backups_folder(settings)
    backup = kept(root, chosen(root, wanted.backup))
    manifest, side = readable(backup, wanted)
    target = reachable(settings, stores, wanted.store)
    require_own_stores(settings, stores, [wanted.store])
    require_same_store(manifest, side, target, stores, wanted)
    require_confirmation(backup, wanted)
    names = names_of(side, wanted)
    now = datetime.now(UTC)
    base = Restoration(
        id=make_run_id(now),
        backup=backup.id,
        environment=stores.environment,
        store=wanted.store,
        at=now,
        state="planned",
        overrides=wanted.overrides,
        unproven=unproven(backup, wanted.store),
    )
    servers = work.servers or scratch_servers(settings)
    with drilled(root, backup.id, all_datasets(), servers, only=wanted.store, progress=work.progress) as drill:
        if drill.verification.flaws:  # the alert about backups that are not verified must not count this one
            work.memory.backups.verified(backup.id, None, made_at=manifest.created_at)
        rows = _rows(drill, target, stores, side, names)
        return _planned(work, base, target, rows) if wanted.confirm is None else _restored(work, base, target, rows)


def _rows(drill: Drill, target: Target, stores: Stores, side: KeptSide, names: Sequence[str]) -> tuple[Rows, ...]:
    """Return how each dataset is brought back, from a drill that found nothing.

    Raises:
        Refused: The backup is damaged.
    """
    from storage.backup.target import rows_of

    if drill.verification.flaws:
        raise Refused(
            f"The backup is damaged: {drill.verification.flaws[0].text}", "`twinstore backup list` lists others."
        )
    restored = drill.sides[side.store]
    kept = {dataset.name: dataset for dataset in restored.datasets}
    contents = {content.dataset: content for content in side.datasets}
    datasets = {name: stores.dataset(contract_for(name).dataset) for name in names}
    return tuple(
        rows_of(target, restored.scratch, kept[name], dataset, contents[name]) for name, dataset in datasets.items()
    )


def _planned(work: Work, base: Restoration, target: Target, rows: Sequence[Rows]) -> Restoration:
    from storage.backup.refusals import foreseen, unforeseeable
    from storage.backup.target import plan_rows

    changes, beside = [], []
    notes: list[str] = []
    for one in rows:
        work.progress(f"compare {one.dataset.name} on {target.store} with the backup")
        planned = plan_rows(target, one)
        changes.append(planned)
        cascade = CASCADE in base.overrides
        notes.extend(map(str, foreseen(target, one, planned, together=_tables(rows, target), cascade=cascade)))
        notes.extend(unforeseeable(one, planned))
        try:
            beside.append(_beside(work, target.store.other, one))
        except TwinstoreError as exc:
            notes.append(f"{target.store.other} was not compared: {exc.what}")
    return replace(base, changes=tuple(changes), beside=tuple(beside), notes=tuple(notes))


def _beside(work: Work, other: StoreName, rows: Rows) -> Beside:
    """Compare the rows of the backup with those that the other store holds now."""
    from storage.backup.comparing import canonical_by_key, common_kind, count_differences
    from storage.postgres import PostgresReader

    if other is StoreName.SUPABASE and work.stores.alone:
        raise ConfigurationError(f"Nothing leads to {other}.", "See env.example.", store=other)
    work.progress(f"compare {rows.dataset.name} on {other} with the backup")
    converted = replace(rows.kept, tables={**rows.kept.tables, other.other: rows.source})
    here = PostgresReader(rows.scratch.superuser, other.other, converted)
    there = make_reader(work.settings, work.stores, other, rows.dataset, make_meter(work.settings))
    with closing(there):
        kind = common_kind((here, there))
        with here.snapshot(kind) as ours, there.snapshot(kind) as theirs:
            found = count_differences(canonical_by_key(ours, converted), canonical_by_key(theirs, rows.dataset))
    return Beside(
        dataset=rows.dataset.name,
        store=other,
        same=found.same,
        differing=found.differing,
        only_backup=found.only_first,
        only_store=found.only_second,
    )


def _restored(work: Work, base: Restoration, target: Target, rows: Sequence[Rows]) -> Restoration:
    from storage.backup.journal import note_restoration
    from storage.backup.restore import apply_rows

    root = backups_folder(work.settings)
    lease = partial(
        work.memory.lease,
        kind="restore",
        owner=f"twinstore backup restore {base.id}",
        now=lambda: datetime.now(UTC),
        patience_s=PATIENCE_S,
    )
    with ExitStack() as stack:
        leases = [stack.enter_context(lease(one.dataset.name)) for one in rows]
        cascade = CASCADE in base.overrides
        _require_nothing_foreseen(target, rows, cascade=cascade)
        note_restoration(root, replace(base, state="begun"))

        def check() -> None:
            for lease in leases:
                lease.assert_held()

        with _told_when_it_fails(root, base) as halted:
            halted.extend(one.dataset.name for one in rows if _halt(work, one.dataset))
            applied = apply_rows(target, rows, cascade=cascade, check=check, progress=work.progress)
        done = replace(base, state="done", changes=applied.changes, notes=tuple(map(_gone_on, applied.others)))
        try:
            note_restoration(root, done)
        except OSError as exc:  # the rows are back whatever can be noted
            unnoted = f"That it is done could not be noted in {root} ({exc.strerror}): its note says that it was begun."
            return replace(done, notes=(*done.notes, unnoted))
        return done


def _gone_on(name: str) -> str:
    return (
        f"Rows of {name} were written with them, by a reference or a trigger: nothing of {name} is carried over either "
        "until `twinstore adopt`."
    )


def _require_nothing_foreseen(target: Target, rows: Sequence[Rows], *, cascade: bool) -> None:
    """Refuse what can be foreseen to fail, before anything is halted for it."""
    from storage.backup.refusals import foreseen
    from storage.backup.target import plan_rows

    for one in rows:
        if one.references or one.fixed:
            planned = plan_rows(target, one)
            for refused in foreseen(target, one, planned, together=_tables(rows, target), cascade=cascade):
                raise refused


def _tables(rows: Sequence[Rows], target: Target) -> frozenset[tuple[str, str]]:
    return frozenset(one.dataset.tables[target.store] for one in rows)


@contextmanager
def _told_when_it_fails(root: Path, base: Restoration) -> Iterator[list[str]]:
    """Note that a restore failed, and say that nothing is carried over of the datasets that the block names."""
    from storage.backup.journal import note_restoration

    halted: list[str] = []
    try:
        yield halted
    except BaseException as exc:
        with suppress(OSError):
            note_restoration(root, replace(base, state="failed"))
        if isinstance(exc, TwinstoreError) and halted:
            exc.todo += f" Nothing of {', '.join(halted)} is carried over until `twinstore adopt`."
        raise


def _halt(work: Work, dataset: Dataset) -> bool:
    """Have nothing carried over between the stores until they are adopted again; tell whether they replicate.

    Raises:
        TwinstoreError: The primary cannot be asked: nobody can say that nothing is carried over.
    """
    if not dataset.replicated:
        return False
    alone = replace(work.stores, rest=None, urls={StoreName.PRISMA: work.stores.sql(StoreName.PRISMA)})
    with open_replication(work.settings, alone, dataset.name) as replication:
        try:
            known = replication.primary.standing().adopted_at is not None
        except SchemaMismatch:
            return False  # it was never installed there
        replication.book.halt()
    return known
