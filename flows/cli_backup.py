"""The command line of backups: what can be said. What is done lies in `flows.commands.backup`, loaded when needed."""

from __future__ import annotations

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Side = Annotated[str, typer.Option(help="primary, secondary or both.")]
Some = Annotated[
    list[str] | None,
    typer.Option("--dataset", help="Only this dataset; may be given again. All that are known unless given."),
]
Id = Annotated[str | None, typer.Argument(help="Id of a backup, or its beginning; the newest one unless given.")]

backup = typer.Typer(no_args_is_help=True, help="Backups of both stores: make, prove, list, restore, remove old ones.")


def add_to(app: typer.Typer) -> None:
    """Add the commands of backups to the command line."""
    app.add_typer(backup, name="backup")


@backup.command("create")
def backup_create(*, side: Side = "both", dataset: Some = None, as_json: AsJson = False) -> None:
    """Dump both stores, each as of one moment, with digests of that moment. Reads only.

    A store that is reached by SQL is dumped by pg_dump: the schemas of its datasets whole, and ours. Over REST the rows
    of the datasets are exported. A backup counts when `twinstore backup verify` has restored it.
    """
    from flows.commands.backup import create_command

    create_command(side, dataset, as_json=as_json)


@backup.command("verify")
def backup_verify(backup_id: Id = None, *, as_json: AsJson = False) -> None:
    """Restore a backup into a scratch server, and compare it with what it was.

    The exit code is 0 when it is as it was, 1 when it is damaged, and 2 when that could not be told.
    """
    from flows.commands.backup import verify_command

    verify_command(backup_id, as_json=as_json)


@backup.command("list")
def backup_list(*, as_json: AsJson = False) -> None:
    """List the backups, newest first; exit code 1 when none of them is verified."""
    from flows.commands.backup import list_command

    list_command(as_json=as_json)


@backup.command("prune")
def backup_prune(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be removed; remove nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove old backups, by TWINSTORE_BACKUPS_KEEP and TWINSTORE_BACKUPS_KEEP_DAYS.

    The last verified one always stays, and so does one that somebody makes, verifies or restores.
    """
    from flows.commands.backup import prune_command

    prune_command(dry_run=dry_run, as_json=as_json)


@backup.command("restore")
def backup_restore(
    backup_id: Id = None,
    *,
    side: Annotated[str, typer.Option(help="The store whose rows are brought back: primary or secondary.")],
    confirm: Annotated[
        str | None, typer.Option(help="The whole id of the backup: restore it. Without it, only say what would change.")
    ] = None,
    dataset: Annotated[
        list[str] | None,
        typer.Option("--dataset", help="Only this dataset; may be given again. All of the backup unless given."),
    ] = None,
    into_another_store: Annotated[
        bool,
        typer.Option("--into-another-store", help="Allow a database that is not the one which was backed up."),
    ] = False,
    allow_cascade: Annotated[
        bool, typer.Option("--allow-cascade", help="Allow what goes on into tables which refer to these.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring the rows of one store back to a backup; without --confirm, only say what that would change.

    The backup is restored into a scratch server first, and compared with the store as it is now and with the other one,
    which is never written. With --confirm the rows are replaced in one transaction, which is checked before it ends.
    Afterwards nothing is carried over between the stores until somebody runs `twinstore adopt`.
    """
    from flows.commands.restore import restore_command

    restore_command(
        backup_id,
        side,
        dataset,
        confirm=confirm,
        into_another_store=into_another_store,
        allow_cascade=allow_cascade,
        as_json=as_json,
    )
