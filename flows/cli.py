"""The command line: what can be said, in one place. What is done lies in `flows.commands`, loaded when it is needed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from contracts.errors import TwinstoreError
from flows import cli_backup, cli_repair, cli_sync
from flows.bench.parts import Part

EXIT_UNKNOWN = 2

app = typer.Typer(
    name="twinstore",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help=(
        "Prove that PostgreSQL and Supabase hold the same records, and say what is wrong, why and since when.\n\n"
        "Without DATABASE_URL and SUPABASE_DB_URL it works on an embedded pair of stores of its own.\n\n"
        "Exit codes: 0 passed (warnings allowed), 1 failed, 2 could not tell."
    ),
)
stack = typer.Typer(no_args_is_help=True, help="The embedded pair of stores: start, stop, look, fill.")
report = typer.Typer(no_args_is_help=True, help="Reports of earlier runs.")
dataset_app = typer.Typer(no_args_is_help=True, help="Datasets: the tables that are checked.")
app.add_typer(dataset_app, name="dataset")
app.add_typer(stack, name="stack")
app.add_typer(report, name="report")
cli_sync.add_to(app)
cli_repair.add_to(app)
cli_backup.add_to(app)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Side = Annotated[str, typer.Option(help="primary, secondary or both.")]


@app.callback()
def common(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks and what happens inside.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Options of every command."""
    if debug:
        from flows.commands.common import show_details

        show_details()


@app.command()
def check(
    *,
    dataset: Annotated[list[str] | None, typer.Option(help="Check only this dataset; may be given again.")] = None,
    flow: Annotated[bool, typer.Option("--flow", help="Run as a Prefect flow.")] = False,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show personal values in the report.")] = False,
    share: Annotated[bool, typer.Option("--share", help="Hide internal values too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare both stores, judge contracts and suites, write the report.

    The exit code is 0 when the verdict is passed or warned, 1 when it is failed, and 2 when it could not be told.
    """
    from flows.commands.check import check_command

    check_command(dataset, flow=flow, reveal=reveal, share=share, as_json=as_json)


@app.command()
def gate(
    *,
    policy: Annotated[
        Path | None, typer.Option(help="What is let through: YAML or TOML; without it nothing is. See docs/gate.md.")
    ] = None,
    dataset: Annotated[list[str] | None, typer.Option(help="Check only this dataset; may be given again.")] = None,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML to this file.")] = None,
    summary: Annotated[
        Path | None, typer.Option(envvar="GITHUB_STEP_SUMMARY", help="Append Markdown to this file.")
    ] = None,
    code_quality: Annotated[Path | None, typer.Option(help="Write GitLab's Code Quality JSON to this file.")] = None,
    annotate: Annotated[
        bool, typer.Option("--annotate/--no-annotate", envvar="GITHUB_ACTIONS", help="Print GitHub's annotations.")
    ] = False,
    accept_baseline: Annotated[
        bool, typer.Option("--accept-baseline", help="Accept what this run finds; later gates may count only new ones.")
    ] = False,
    owner: Annotated[str | None, typer.Option(help="Who accepts the baseline.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why it is accepted.")] = None,
    share: Annotated[bool, typer.Option("--share", help="Hide internal values too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check, and say by a policy whether a deploy may go on.

    The exit code is 0 when it may, 1 when something stands against it, and 2 when that could not be told; only 0 may
    let a deploy pass.
    """
    from flows.commands.gate import Outputs, gate_command

    outputs = Outputs(junit=junit, summary=summary, code_quality=code_quality, annotate=annotate, as_json=as_json)
    gate_command(policy, dataset, share=share, accept=accept_baseline, owner=owner, reason=reason, outputs=outputs)


@app.command()
def demo(
    records: Annotated[int, typer.Option(min=1000, help="Number of records in each store.")] = 5000,
) -> None:
    """Check the embedded pair clean, with every known fault and partly mended; repair, take back, repair again."""
    from flows.commands.demo import demo_command

    demo_command(records)


@app.command()
def doctor(*, as_json: AsJson = False) -> None:
    """Say what is configured, reachable, granted and migrated, what each channel can do, and what to do next."""
    from flows.commands.doctor import doctor_command

    doctor_command(as_json=as_json)


@app.command()
def migrate(
    *,
    side: Side = "both",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done; change nothing.")] = False,
    print_sql: Annotated[bool, typer.Option("--print", help="Print the SQL for psql -f; needs one side.")] = False,
    uninstall: Annotated[bool, typer.Option("--uninstall", help="Remove what was installed; rows stay.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before what waits or is in conflict is lost.")] = False,
) -> None:
    """Install twinstore's own objects in both stores, or bring them up to date. Running it again changes nothing."""
    from flows.commands.migrate import migrate_command

    migrate_command(side, dry_run=dry_run, print_sql=print_sql, uninstall=uninstall, yes=yes)


@app.command()
def bench(
    *,
    rows: Annotated[int, typer.Option(min=1000, help="Number of records in each store.")] = 1_000_000,
    only: Annotated[list[Part] | None, typer.Option(help="A part; all unless given. May be repeated.")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure speed and memory against the named alternatives, on two servers of its own; takes minutes."""
    from flows.commands.bench import bench_command

    bench_command(rows, only=only or (), as_json=as_json)


@stack.command("up")
def stack_up() -> None:
    """Start the embedded pair, and make it if it is not there."""
    from flows.commands.stack import up_command

    up_command()


@stack.command("down")
def stack_down(
    *, remove: Annotated[bool, typer.Option("--remove", help="Remove the pair with all its records, too.")] = False
) -> None:
    """Stop the embedded pair, and the demo's; their records stay unless they are to be removed."""
    from flows.commands.stack import down_command

    down_command(remove=remove)


@stack.command("status")
def stack_status(*, as_json: AsJson = False) -> None:
    """Say where the embedded pair is and whether it runs; exit code 1 when it does not."""
    from flows.commands.stack import status_command

    status_command(as_json=as_json)


@stack.command("keys")
def stack_keys(*, as_json: AsJson = False) -> None:
    """Print URL and keys of the embedded secondary's REST service. They are secrets, of this pair only."""
    from flows.commands.stack import keys_command

    keys_command(as_json=as_json)


@stack.command("seed")
def stack_seed(
    *,
    records: Annotated[int, typer.Option(min=1, help="Number of records.")] = 5000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same records.")] = 1,
    replace: Annotated[bool, typer.Option("--replace", help="Remove the records that are there first.")] = False,
) -> None:
    """Fill the embedded pair with realistic planning records, the same in both stores."""
    from flows.commands.stack import seed_command

    seed_command(records, seed=seed, replace=replace)


@dataset_app.command("new")
def dataset_new(
    table: Annotated[str, typer.Argument(help="The table, as the primary calls it.", show_default=False)],
    *,
    name: Annotated[str | None, typer.Option(help="Name of the dataset; the secondary's table unless given.")] = None,
    secondary: Annotated[
        str | None, typer.Option(help="The table of the secondary; the same name in snake_case unless given.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Where the files are written; TWINSTORE_DATASETS, or ./datasets, unless given.")
    ] = None,
    without: Annotated[list[str] | None, typer.Option(help="Leave this column out; may be given again.")] = None,
) -> None:
    """Write contract and suite of a table from the live tables, as a starting point that can be checked at once."""
    from flows.commands.dataset import new_command

    new_command(table, name=name, secondary=secondary, folder=folder, without=without or ())


@report.command("list")
def report_list(*, as_json: AsJson = False) -> None:
    """List the runs, newest first."""
    from flows.commands.report import list_command

    list_command(as_json=as_json)


@report.command("open")
def report_open(
    run: Annotated[str | None, typer.Argument(help="Run id, or its beginning; the newest run unless given.")] = None,
    *,
    print_path: Annotated[bool, typer.Option("--print", help="Print the path instead of opening a browser.")] = False,
) -> None:
    """Open the report of a run in the browser."""
    from flows.commands.report import open_command

    open_command(run, print_path=print_path)


def main() -> None:
    """Run the command line; every error is one sentence of what is wrong and one of what to do, exit code 2."""
    from flows.commands.common import explain_and_exit
    from flows.quiet import plain_sessions, quiet_drivers

    quiet_drivers()
    plain_sessions()
    try:
        app()
    except TwinstoreError as exc:
        explain_and_exit(exc.what, exc.todo, exc)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(EXIT_UNKNOWN)
    except OSError as exc:
        what = f"A file could not be used: {exc.strerror or exc}."
        explain_and_exit(what, f"Look at {Path(str(exc.filename)) if exc.filename else 'the disk'}.", exc)
    except Exception as exc:  # noqa: BLE001 - the last resort: a sentence instead of a traceback
        explain_and_exit(f"An unexpected {type(exc).__name__} ended the command.", "Run it again with --debug.", exc)
