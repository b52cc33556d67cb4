"""`twinstore backup restore`: say what restoring would change, or do it when it is confirmed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from contracts.backups import Beside, Restoration, RowChanges
from contracts.errors import ConfigurationError
from contracts.vocabulary import StoreName
from flows.commands.backup import sides_of, write_json
from flows.commands.check import progress_line
from flows.commands.common import out
from flows.ending import terminable
from flows.restorable import Wanted
from flows.restoring import Work, restore_backup
from flows.settings import load_settings
from flows.wiring import find_stores, open_memory


def restore_command(
    backup_id: str | None,
    side: str,
    names: Sequence[str] | None,
    *,
    confirm: str | None,
    into_another_store: bool,
    allow_cascade: bool,
    as_json: bool,
) -> None:
    """Restore one side of a backup, or say what that would change."""
    stores_named = sides_of(side, ("primary", "secondary"))
    if len(stores_named) != 1:
        raise ConfigurationError(
            "One store is restored at a time.", "Say --side primary or --side secondary; the other one is not changed."
        )
    wanted = Wanted(
        backup=backup_id,
        store=stores_named[0],
        datasets=tuple(names or ()),
        confirm=confirm,
        into_another_store=into_another_store,
        allow_cascade=allow_cascade,
    )
    settings = load_settings()
    with terminable(), progress_line() as progress:
        stores = find_stores(settings, alone=wanted.store is StoreName.PRISMA, progress=progress)
        with open_memory(settings, stores.environment) as memory:
            work = Work(settings=settings, stores=stores, memory=memory, progress=progress)
            found = restore_backup(work, wanted)
    if as_json:
        write_json(document(found))
    else:
        _print(found, wanted)


def document(found: Restoration) -> dict[str, object]:
    """Return a restoration for machines."""
    made = asdict(found)
    made["at"] = found.at.isoformat()
    return made


def _print(found: Restoration, wanted: Wanted) -> None:
    console = out()
    done = found.state == "done"
    console.print(f"{found.store} {'is' if done else 'would be'} as in the backup {found.backup}:", style="bold")
    for changes in found.changes:
        console.print(f"  {_changes(changes)}", soft_wrap=True)
    for beside in found.beside:
        console.print(f"  {_beside(beside)}", soft_wrap=True)
    for note in found.notes:
        console.print(note, soft_wrap=True)
    if done:
        console.print(f"{found.store.other} was not changed, and nothing is carried over from now on.", soft_wrap=True)
        console.print("Look at both stores: `twinstore check`. Then run `twinstore adopt`.", soft_wrap=True)
    else:
        console.print(f"Nothing was changed. {found.store.other} would not be changed either.", soft_wrap=True)
        if found.unproven:
            console.print(
                f"{found.unproven} Verify it first: `twinstore backup verify {found.backup}`.", soft_wrap=True
            )
            return
        side = "primary" if found.store is StoreName.PRISMA else "secondary"
        more = "".join(f" {word}" for word in (*(f"--dataset {name}" for name in wanted.datasets), *found.overrides))
        console.print(
            f"Do it: `twinstore backup restore {found.backup} --side {side}{more} --confirm {found.backup}`.",
            soft_wrap=True,
        )


def _changes(changes: RowChanges) -> str:
    return (
        f"{changes.table}: {changes.before:,} rows become {changes.after:,}; {changes.inserted:,} inserted, "
        f"{changes.changed:,} changed, {changes.deleted:,} deleted"
    )


def _beside(beside: Beside) -> str:
    return (
        f"{beside.dataset} of the backup beside {beside.store} now: {beside.same:,} records are the same, "
        f"{beside.differing:,} differ, {beside.only_backup:,} only in the backup, {beside.only_store:,} only on "
        f"{beside.store}"
    )
