"""Bring one store back to a backup: a drill, a comparison that only reports, and, when it is confirmed, the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.backups import Beside, KeptBackup, KeptSide, Manifest, Restoration
from contracts.dataset import Dataset
from contracts.errors import ConfigurationError, Refused, SchemaMismatch, TwinstoreError
from contracts.registry import contract_for
from contracts.vocabulary import StoreName
from flows.backup import all_datasets, backups_folder, require_own_stores, scratch_servers, target_of
from flows.check import make_run_id
from flows.replicating import open_replication
from flows.settings import Settings
from flows.wiring import Stores, make_meter, make_reader

if TYPE_CHECKING:
    from storage.backup.target import Rows, Target
    from storage.backup.verify import Drill, Servers
    from storage.state import State

Progress = Callable[[str], None]
OTHER_STORE, CASCADE = "--into-another-store", "--allow-cascade"
PATIENCE_S = {"relay": 30.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be restored.

    Attributes:
        backup: Beginning of the id of the backup; the newest one where it is None.
        store: The store whose rows are brought back.
        datasets: Names of the datasets; all that the backup holds unless given.
        confirm: The whole id of the backup, to do it; empty to say what would be done.
        into_another_store: Whether the target may be another database than the one that was backed up.
        allow_cascade: Whether deletions may go on into tables that refer to these.
    """

    backup: str | None
    store: StoreName
    datasets: tuple[str, ...] = ()
    confirm: str = ""
    into_another_store: bool = False
    allow_cascade: bool = False

    @property
    def overrides(self) -> tuple[str, ...]:
        """What is allowed that is refused otherwise."""
        named = ((OTHER_STORE, self.into_another_store), (CASCADE, self.allow_cascade))
        return tuple(name for name, allowed in named if allowed)


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
    manifest, side = _readable(backup, wanted)
    target = _target(settings, stores, wanted.store)
    require_own_stores(settings, stores, [wanted.store])
    _require_same_store(manifest, side, target, stores, wanted)
    _require_confirmation(backup, wanted)
    names = _names(side, wanted)
    now = datetime.now(UTC)
    base = Restoration(
        id=make_run_id(now),
        backup=backup.id,
        environment=stores.environment,
        store=wanted.store,
        at=now,
        state="planned",
        overrides=wanted.overrides,
    )
    servers = work.servers or scratch_servers(settings)
    with drilled(root, backup.id, all_datasets(), servers, only=wanted.store, progress=work.progress) as drill:
        rows = _rows(drill, target, stores, side, names)
        return _restored(work, base, target, rows) if wanted.confirm else _planned(work, base, target, rows)


def _readable(backup: KeptBackup, wanted: Wanted) -> tuple[Manifest, KeptSide]:
    if backup.manifest is None:
        raise Refused(
            f"The backup {backup.id} cannot be read: {backup.trouble}", "`twinstore backup list` lists others."
        )
    side = backup.manifest.side(wanted.store)
    if side is None:
        raise ConfigurationError(
            f"The backup {backup.id} does not hold {wanted.store}.", "`twinstore backup list` says what each one holds."
        )
    return backup.manifest, side


def _target(settings: Settings, stores: Stores, store: StoreName) -> Target:
    if store not in stores.urls:
        raise ConfigurationError(
            f"{store} is reached over REST, which cannot replace rows in one transaction.",
            "Set SUPABASE_DB_URL to its database, then restore.",
            store=store,
        )
    return target_of(settings, stores, store)


def _require_same_store(manifest: Manifest, side: KeptSide, target: Target, stores: Stores, wanted: Wanted) -> None:
    """Refuse a target that is not known to be what was backed up, unless that was allowed.

    Raises:
        Refused: It is another one.
    """
    from storage.backup.target import identity_of

    if wanted.into_another_store:
        return
    todo = f"If that is how it must be, as after the database was lost, say {OTHER_STORE}."
    if manifest.environment != stores.environment:
        raise Refused(
            f"The backup {manifest.id} is of {manifest.environment}, and these stores are {stores.environment}.", todo
        )
    known = identity_of(target)
    if side.identity is None or known is None or known[0] != side.identity:
        raise Refused(
            f"{wanted.store} is not known to be the database from which the backup {manifest.id} was made.",
            todo,
            store=wanted.store,
        )


def _require_confirmation(backup: KeptBackup, wanted: Wanted) -> None:
    """Refuse what was confirmed with another id, or was never proven to restore.

    Raises:
        ConfigurationError: Another id was confirmed.
        Refused: The backup was never verified, or the last drill found a flaw.
    """
    if not wanted.confirm:
        return
    if wanted.confirm != backup.id:
        raise ConfigurationError(
            f"The backup is {backup.id}, and {wanted.confirm} was confirmed.", f"Say --confirm {backup.id}."
        )
    if backup.verified_at is None:
        known = "is damaged" if backup.verification else "was never proven to restore"
        raise Refused(f"The backup {backup.id} {known}.", f"Run `twinstore backup verify {backup.id}` first.")


def _names(side: KeptSide, wanted: Wanted) -> tuple[str, ...]:
    held = tuple(content.dataset for content in side.datasets)
    for name in wanted.datasets:
        if name not in held:
            raise ConfigurationError(f"The backup does not hold {name}.", f"It holds {', '.join(held)}.")
    return wanted.datasets or held


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
    from storage.backup.target import cascading, plan_rows

    changes, beside, notes = [], [], []
    for one in rows:
        work.progress(f"compare {one.dataset.name} on {target.store} with the backup")
        planned = plan_rows(target, one)
        changes.append(planned)
        if planned.deleted and one.cascades and CASCADE not in base.overrides:
            notes.append(str(cascading(one, planned.deleted)))
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
    here = PostgresReader(rows.scratch.superuser, other.other, rows.kept)
    there = make_reader(work.settings, work.stores, other, rows.dataset, make_meter(work.settings))
    with closing(there):
        kind = common_kind((here, there))
        with here.snapshot(kind) as ours, there.snapshot(kind) as theirs:
            found = count_differences(canonical_by_key(ours, rows.kept), canonical_by_key(theirs, rows.dataset))
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
        _require_no_cascade(target, () if cascade else rows)
        note_restoration(root, replace(base, state="begun"))

        def check() -> None:
            for lease in leases:
                lease.assert_held()

        with _told_when_it_fails(root, base) as halted:
            halted.extend(one.dataset.name for one in rows if _halt(work, one.dataset))
            changes = apply_rows(target, rows, cascade=cascade, check=check, progress=work.progress)
        done = replace(base, state="done", changes=changes)
        try:
            note_restoration(root, done)
        except OSError as exc:  # the rows are back whatever can be noted
            unnoted = f"That it is done could not be noted in {root} ({exc.strerror}): its note says that it was begun."
            return replace(done, notes=(*done.notes, unnoted))
        return done


def _require_no_cascade(target: Target, rows: Sequence[Rows]) -> None:
    """Refuse deletions that would go on into other tables, before anything is halted for them."""
    from storage.backup.target import cascading, plan_rows

    for one in rows:
        if one.cascades and (deleted := plan_rows(target, one).deleted):
            raise cascading(one, deleted)


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
