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
