"""`twinstore migrate`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from contracts.errors import ConfigurationError
from contracts.vocabulary import StoreName
from flows.commands.common import confirmed, out
from flows.settings import load_settings
from flows.wiring import find_stores

if TYPE_CHECKING:
    from storage.migrations import Side

BOTH = "both"
_IDENTITY = "table twinstore.identity"


def migrate_command(side: str, *, dry_run: bool, print_sql: bool, uninstall: bool, yes: bool) -> None:
    """Apply, print or remove the migrations of the sides that are meant."""
    sides, settings = _sides(side), load_settings()  # the settings say which datasets there are
    if print_sql:
        _print(sides)
        return
    from storage.migrations import migrate

    stores = find_stores(settings, migrated=False, alone=StoreName.SUPABASE not in sides)
    console = out()
    reached = [(store, one, stores.sql(store).dsn) for store, one in sides.items()]
    if uninstall:
        _uninstall(reached, dry_run=dry_run, yes=yes)
        return
    for store, one, dsn in reached:
        report = migrate(dsn, one, dry_run=dry_run)
        names = ", ".join(report.migrations) or "nothing, it is up to date"
        console.print(f"{store}: {_would(dry_run, 'applied')} {names}", soft_wrap=True)
        for notice in report.notices:
            console.print(f"  {notice}", soft_wrap=True)


def _uninstall(reached: list[tuple[StoreName, Side, str]], *, dry_run: bool, yes: bool) -> None:
    """Remove what is ours from each store; what would be lost with it is told first, and asked about."""
    from reports.text import count
    from storage.migrations import uninstall

    found = [(store, uninstall(dsn, one, dry_run=True)) for store, one, dsn in reached]
    lost = [
        f"{store}: {count(report.conflicts, 'open conflict')} with the rows that lost, and "
        f"{count(report.waiting, 'key')} with changes that were not carried over."
        for store, report in found
        if report.conflicts or report.waiting
    ]
    if lost and not dry_run:
        confirmed("\n".join(["This is lost, and kept nowhere else:", *lost]), yes=yes)
    for (store, report), (_, one, dsn) in zip(found, reached, strict=True):
        objects = report.objects if dry_run else uninstall(dsn, one).objects
        out().print(f"{store}: {_would(dry_run, 'removed')} {', '.join(objects) or 'nothing'}", soft_wrap=True)
    for line in lost if dry_run else ():
        out().print(f"Lost with it, and kept nowhere else: {line}", soft_wrap=True)
    if any(_IDENTITY in report.objects for _, report in found):
        out().print(
            f"The ids of the databases {'would go' if dry_run else 'went'} with it: migrated again, they count as "
            "others. History begins anew then, and plans and repairs from before can neither be carried out, nor "
            "verified, nor taken back.",
            soft_wrap=True,
        )


def _print(sides: dict[StoreName, Side]) -> None:
    from storage.migrations import render

    if len(sides) > 1:
        raise ConfigurationError("--print needs one side.", "Say --side primary or --side secondary.")
    for one in sides.values():
        sys.stdout.write(render(one))


def _sides(side: str) -> dict[StoreName, Side]:
    from storage.migrations import Side

    both = {StoreName.PRISMA: Side.PRIMARY, StoreName.SUPABASE: Side.SECONDARY}
    chosen = {store: one for store, one in both.items() if side in (BOTH, str(one))}
    if not chosen:
        raise ConfigurationError(f"There is no side {side!r}.", "Say primary, secondary or both.")
    return chosen


def _would(dry_run: bool, done: str) -> str:  # noqa: FBT001 - two words of one sentence
    return f"would have {done}" if dry_run else done
