"""The command line of repair: what can be said. What is done lies in `flows.commands`, loaded when needed."""

from __future__ import annotations

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
ThePlan = Annotated[str, typer.Argument(help="Id of a plan, or its beginning.", show_default=False)]
Approve = Annotated[
    str | None, typer.Option(help="The hash of the plan, or its first 12 digits or more: carry out this one.")
]
Allow = Annotated[
    list[str] | None,
    typer.Option(help="Release a brake, such as rows=500 or empty-side; may be given again. It is recorded."),
]
Reveal = Annotated[bool, typer.Option("--reveal", help="Show personal values.")]

repair = typer.Typer(no_args_is_help=True, help="Repair what differs: plan, show, apply, verify, undo, close.")


def add_to(app: typer.Typer) -> None:
    """Add the commands of repair to the command line."""
    app.add_typer(repair, name="repair")
    app.command()(erase)


@repair.command("plan")
def repair_plan(
    *,
    run: Annotated[
        str | None, typer.Option(help="Plan from what this run found; a new check is made unless given.")
    ] = None,
    dataset: Annotated[str | None, typer.Option(help="The dataset, where several can be repaired.")] = None,
    mode: Annotated[
        str,
        typer.Option(help="source-of-truth, upsert-only, insert-only, fill-nulls or three-way."),
    ] = "upsert-only",
    source: Annotated[
        str | None,
        typer.Option(help="Whose rows count: primary, which is the default, or secondary; not for three-way."),
    ] = None,
    cause: Annotated[list[str] | None, typer.Option(help="Only this cause; may be given again.")] = None,
    field: Annotated[list[str] | None, typer.Option(help="Only this column; may be given again.")] = None,
    key: Annotated[list[str] | None, typer.Option(help="Only the row with this key; may be given again.")] = None,
    user: Annotated[list[str] | None, typer.Option(help="Only rows of this user; may be given again.")] = None,
    older_than: Annotated[
        str | None, typer.Option(help="Only differences known for longer, such as 12h or 3d.")
    ] = None,
    newer_than: Annotated[str | None, typer.Option(help="Only differences known for less, such as 12h or 3d.")] = None,
    no_fix: Annotated[
        list[str] | None, typer.Option(help="Do not put this cause right where it arose; may be given again.")
    ] = None,
    rename_keys: Annotated[
        bool, typer.Option("--rename-keys", help="Give rows whose key both stores cannot hold another one.")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Plan keys that did not stay repaired before, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say what would be repaired and how, and write it to a plan that can be reviewed. Nothing is changed.

    The exit code is 0 when the plan is made, also with nothing to do, and 2 when the check could not look everywhere.
    """
    from flows.commands.repair import Asked, plan_command

    asked = Asked(
        run=run,
        dataset=dataset,
        mode=mode,
        source=source,
        causes=tuple(cause or ()),
        fields=tuple(field or ()),
        keys=tuple(key or ()),
        users=tuple(user or ()),
        older_than=older_than,
        newer_than=newer_than,
        no_fix=tuple(no_fix or ()),
        rename_keys=rename_keys,
        again=again,
    )
    plan_command(asked, as_json=as_json)


@repair.command("show")
def repair_show(
    plan: ThePlan,
    *,
    key: Annotated[
        list[str] | None, typer.Option(help="Only what is done, or left, about this key; may be given again.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All steps, however many.")] = False,
    html: Annotated[bool, typer.Option("--html", help="Write the page anew and print its path.")] = False,
    reveal: Reveal = False,
) -> None:
    """Explain every step of a plan in words and field by field, before and after; personal values are masked."""
    from flows.commands.repair_show import show_command

    show_command(plan, keys=tuple(key or ()), everything=everything, html=html, reveal=reveal)


@repair.command("apply")
def repair_apply(plan: ThePlan, *, approve: Approve = None, allow: Allow = None, as_json: AsJson = False) -> None:
    """Carry an approved plan out, row by row and only where both stores still are as planned; then read both again.

    One that was killed is finished by saying it again. The exit code is 0 when all is as planned, 1 when something
    moved, was refused or did not stay so, 2 when a brake holds it or somebody at the terminal says no.
    """
    from flows.commands.repair import apply_command

    apply_command(plan, approve=approve, allow=tuple(allow or ()), as_json=as_json)


@repair.command("verify")
def repair_verify(plan: ThePlan, *, as_json: AsJson = False) -> None:
    """Read both stores again, and say whether they still are as the repair left them; exit code 1 when not."""
    from flows.commands.repair import verify_command

    verify_command(plan, as_json=as_json)


@repair.command("undo")
def repair_undo(plan: ThePlan, *, approve: Approve = None, allow: Allow = None, as_json: AsJson = False) -> None:
    """Plan to take a repair back, show that plan, and carry it out when it is approved.

    Rows that were changed since are left as they are, and listed. Exit codes as of `twinstore repair apply`.
    """
    from flows.commands.repair import undo_command

    undo_command(plan, approve=approve, allow=tuple(allow or ()), as_json=as_json)


@repair.command("close")
def repair_close(plan: ThePlan) -> None:
    """End a repair that was begun and cannot, or shall not, be finished: what it wrote stays, the rest is not done.

    For one whose journal is gone there is no other end. No store is asked, and nothing is written to one.
    """
    from flows.commands.repair import close_command

    close_command(plan)


@repair.command("list")
def repair_list(
    *,
    dataset: Annotated[str | None, typer.Option(help="Only this dataset.")] = None,
    as_json: AsJson = False,
) -> None:
    """List plans and what became of them, newest first."""
    from flows.commands.repair_show import list_command

    list_command(dataset, as_json=as_json)


def erase(
    *,
    user: Annotated[str, typer.Option(help="Id of the user whose values are erased.", show_default=False)],
    dataset: Annotated[str | None, typer.Option(help="Only of this dataset; of all unless given.")] = None,
    backups: Annotated[
        bool, typer.Option("--backups", help="Remove all backups, too, whosever records they hold.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase what twinstore itself keeps with values of one user: plans, journals, reports, losers of conflicts, spools.

    The application's own records are not touched: delete those in the application. It says what was erased, in counts.
    The exit code is 1 when something stays until somebody acts: each such thing is named with what to do.
    """
    from flows.commands.erase import erase_command

    erase_command(user, dataset, backups=backups, yes=yes, as_json=as_json)
