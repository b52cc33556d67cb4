"""A run in a terminal: the verdict, what did not pass, what differs, and where the rows went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from contracts.verdicts import DatasetReport, RunReport
from contracts.vocabulary import CheckStatus, Verdict
from reports.accounting import accounts
from reports.checks import outcome, tally
from reports.repair.offer import plan_offer
from reports.replication import replication_view
from reports.text import duration, more, number, one_line
from reports.words import CAUSES, SEVERITY_RANK, STATUS_RANK, SYMBOLS

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

LINES_MAX: Final = 20
_TEXT_MAX: Final = 240
_STYLES: Final[dict[str, str]] = {
    Verdict.PASSED: "bold green",
    Verdict.WARNED: "bold yellow",
    Verdict.INCOMPLETE: "bold yellow",
    Verdict.ERRORED: "bold magenta",
    Verdict.FAILED: "bold red",
    CheckStatus.SKIPPED: "dim",
    CheckStatus.WAIVED: "blue",
}


def print_report(report: RunReport, console: Console) -> None:
    """Print a run. Text from the stores cannot act on the terminal: it is made visible and never read as markup."""
    took = duration((report.finished_at - report.started_at).total_seconds())
    console.print(shown(f"{SYMBOLS[report.verdict]} {report.verdict}", _STYLES[report.verdict]), shown(report.reason))
    console.print(shown(f"{report.environment} · run {report.run_id} · {took}", "dim"))
    for reason in report.reasons[:LINES_MAX] if len(report.reasons) > 1 else ():
        console.print(mark(reason.verdict), shown(reason.text))
    for dataset in report.datasets:
        _print_dataset(dataset, console)
        if offer := plan_offer(report, dataset):
            console.print(shown(f"Plan a repair: {offer}"), soft_wrap=True)
    for note in report.notes[:LINES_MAX]:
        console.print(shown(note, "dim"))


def _print_dataset(dataset: DatasetReport, console: Console) -> None:
    console.print()
    parts = ", ".join(f"{number(n)} {status}" for status, n in tally(dataset.checks).parts) or "none evaluated"
    console.print(shown(dataset.name, "bold"), mark(dataset.verdict), shown(f"checks: {parts}", "dim"))
    for note in dataset.notes[:LINES_MAX]:
        console.print(shown(note, "dim"))
    if dataset.replication is not None:
        view = replication_view(dataset.replication)
        console.print(shown(view.sentence, "dim"))
        for line in view.todo:
            console.print(shown(line, "dim"))
    if dataset.clusters:
        console.print(_clusters(dataset))
    if any(check.status is not CheckStatus.PASSED for check in dataset.checks):
        console.print(_checks(dataset))
    if dataset.ranges:
        console.print(_rows(dataset))


def _clusters(dataset: DatasetReport) -> Table:
    table = _table("Rows", "What", "Cause", "New", right=("Rows", "New"))
    for c in dataset.clusters[:LINES_MAX]:
        new = "unknown" if c.new is None else number(c.new)
        table.add_row(shown(number(c.count)), shown(c.sentence), shown(CAUSES[c.cause]), shown(new))
    return _capped(table, len(dataset.clusters), "cluster")


def _checks(dataset: DatasetReport) -> Table:
    table = _table("Status", "Check", "Store", "Severity", "Outcome")
    checks = [check for check in dataset.checks if check.status is not CheckStatus.PASSED]
    checks.sort(key=lambda c: (STATUS_RANK[c.status], SEVERITY_RANK[c.severity], c.id, c.store))
    for c in checks[:LINES_MAX]:
        table.add_row(mark(c.status), shown(c.id), shown(c.store), shown(c.severity), shown(outcome(c)))
    return _capped(table, len(checks), "check")


def _rows(dataset: DatasetReport) -> Table:
    waits = dataset.rows.pending > 0
    columns = ("Rows read", "Equal", "Not equal", "Only here", "Moved", *(["Under way"] if waits else []), "Excluded")
    table = _table("Store", *columns, "Account", right=columns)
    for account in accounts(dataset):
        c = account.counts
        under_way = [c.pending] if waits else []
        terms = (c.read, c.matched, c.differing, c.only, c.deferred, *under_way, sum(c.excluded.values()))
        balance = shown("adds up", "green") if not c.balance else shown(f"{number(c.balance)} off", "bold red")
        table.add_row(shown(account.store), *(shown(number(term)) for term in terms), balance)
    return table


def _table(*columns: str, right: tuple[str, ...] = ()) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, header_style="dim", pad_edge=False)
    for name in columns:
        table.add_column(name, justify="right" if name in right else "left", overflow="fold")
    return table


def _capped(table: Table, total: int, noun: str) -> Table:
    if total > LINES_MAX:
        table.caption = f"and {more(total - LINES_MAX, noun)} in the report"
    return table


def mark(status: Verdict | CheckStatus) -> Text:
    """Return a verdict or status with its symbol and colour."""
    return shown(f"{SYMBOLS[status]} {status}", _STYLES[status])


def shown(text: str, style: str = "") -> Text:
    """Return text on one line that cannot act on a terminal."""
    from rich.text import Text

    return Text(one_line(text, _TEXT_MAX), style=style)
