"""The command line of replication: what can be said. What is done lies in `flows.commands`, loaded when needed."""

from __future__ import annotations

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
OfDataset = Annotated[
    str | None, typer.Option("--dataset", help="Only this dataset; all that are replicated unless given.")
]
OneDataset = Annotated[str | None, typer.Option("--dataset", help="The dataset, where several are replicated.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Keys = Annotated[list[str] | None, typer.Argument(help="Keys of records.", show_default=False)]
All = Annotated[bool, typer.Option("--all", help="All of them.")]

sync = typer.Typer(no_args_is_help=True, help="Carry changes between the stores, and decide what only a person can.")
conflicts = typer.Typer(no_args_is_help=True, help="Records that both sides changed: list, show, decide.")
letters = typer.Typer(no_args_is_help=True, help="Changes that a store refused: list, try again, give up.")
capture = typer.Typer(no_args_is_help=True, help="Whether writes to the stores are noted, to be carried over.")
sync.add_typer(conflicts, name="conflicts")
sync.add_typer(letters, name="dead-letters")


def add_to(app: typer.Typer) -> None:
    """Add the commands of replication to the command line."""
    app.command()(adopt)
    app.add_typer(capture, name="capture")
    app.add_typer(sync, name="sync")


def adopt(
    *,
    dataset: OfDataset = None,
    yes: Yes = False,
    accept_differences: Annotated[
        int, typer.Option(min=0, help="Accept up to so many differing keys, where that looks like a mistake.")
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Take over two stores that were there before: capture, compare, keep what differs, let changes be carried over.

    It says what it will do, and asks. The exit code is 1 when the stores look as if they should not be adopted, 2 when
    the comparison could not look everywhere.
    """
    from flows.commands.adopt import adopt_command

    adopt_command(dataset, yes=yes, accepted=accept_differences, as_json=as_json)


@capture.command("status")
def capture_status(*, dataset: OfDataset = None, as_json: AsJson = False) -> None:
    """Say since when writes are captured; exit code 1 when they are not, or have a gap, 2 when it cannot be told."""
    from flows.commands.capture import status_command

    status_command(dataset, as_json=as_json)


@capture.command("on")
def capture_on(*, dataset: OfDataset = None) -> None:
    """Note the writes of both stores from now on; `twinstore adopt` does that, too."""
    from flows.commands.capture import on_command

    on_command(dataset)


@capture.command("off")
def capture_off(*, dataset: OfDataset = None, yes: Yes = False) -> None:
    """Note no writes any more, and remove the triggers; the stores drift apart from then on."""
    from flows.commands.capture import off_command

    off_command(dataset, yes=yes)


@sync.command("run")
def sync_run(
    *,
    follow: Annotated[bool, typer.Option("--follow", help="Go on for as long as the process lives.")] = False,
    dataset: OfDataset = None,
    as_json: AsJson = False,
) -> None:
    """Carry over what waits on both sides.

    The exit code is 0 when everything was carried over that could be, 1 when something is left for a person, 2 when a
    store could not be reached. With --follow it is 0 when SIGTERM or SIGINT ended it.
    """
    from flows.commands.sync import run_command

    run_command(dataset, follow_on=follow, as_json=as_json)


@sync.command("status")
def sync_status(*, dataset: OfDataset = None, as_json: AsJson = False) -> None:
    """Say how far the stores have come: what waits, conflicts, dead letters, gaps.

    The exit code is 0 when all is fine, 1 when something waits for a person, 2 when it could not be told.
    """
    from flows.commands.sync import status_command

    status_command(dataset, as_json=as_json)


@conflicts.command("list")
def conflicts_list(
    *,
    dataset: OfDataset = None,
    everything: Annotated[bool, typer.Option("--all", help="Those that were decided, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """List conflicts; exit code 1 when some are open."""
    from flows.commands.sync_decide import conflicts_list_command

    conflicts_list_command(dataset, everything=everything, as_json=as_json)


@conflicts.command("show")
def conflicts_show(
    key: Annotated[str, typer.Argument(help="Key of a record.", show_default=False)],
    *,
    dataset: OneDataset = None,
    as_json: AsJson = False,
) -> None:
    """Show a conflict field by field; personal values are masked unless TWINSTORE_REVEAL is set."""
    from flows.commands.sync_decide import conflicts_show_command

    conflicts_show_command(key, dataset, as_json=as_json)


@conflicts.command("resolve")
def conflicts_resolve(
    keys: Keys = None,
    *,
    keep: Annotated[str, typer.Option(help="Whose row stays: primary or secondary.")],
    everything: All = False,
    dataset: OneDataset = None,
) -> None:
    """Decide conflicts; what is decided is carried over."""
    from flows.commands.sync_decide import conflicts_resolve_command

    conflicts_resolve_command(keys, dataset, keep=keep, everything=everything)


@letters.command("list")
def letters_list(
    *,
    dataset: OfDataset = None,
    everything: Annotated[bool, typer.Option("--all", help="Those that are tried again by themselves, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """List changes that a store refused and that are not tried again by themselves; exit code 1 when there are some."""
    from flows.commands.sync_decide import letters_list_command

    letters_list_command(dataset, everything=everything, as_json=as_json)


@letters.command("retry")
def letters_retry(keys: Keys = None, *, everything: All = False, dataset: OneDataset = None) -> None:
    """Have dead letters tried again, such as after a constraint was changed."""
    from flows.commands.sync_decide import letters_retry_command

    letters_retry_command(keys, dataset, everything=everything)


@letters.command("discard")
def letters_discard(
    keys: Keys = None, *, everything: All = False, dataset: OneDataset = None, yes: Yes = False
) -> None:
    """Give changes up for good; the secondary's row of each is kept as a conflict."""
    from flows.commands.sync_decide import letters_discard_command

    letters_discard_command(keys, dataset, everything=everything, yes=yes)
