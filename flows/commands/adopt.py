"""`twinstore adopt`: take over two stores that were there before."""

from __future__ import annotations

import json
import sys
from typing import Any

from contracts.replication import Standing
from contracts.vocabulary import StoreName
from flows.adopting import Adoption, adopt
from flows.check import threads
from flows.commands.check import progress_line
from flows.commands.common import confirmed, err, out
from flows.commands.sync_show import moment
from flows.opening import Opened, opened
from flows.quiet import quiet_libraries
from flows.replicating import Replication
from flows.sync import survey
from flows.wiring import home

_STEPS = """\
1. From now on every write to either store is captured, whoever makes it: triggers add one line per written row.
2. All rows are compared as by `twinstore check`; that reads only, and leaves a report.
3. What is equal counts as agreed. What differs is listed as a conflict to be decided, which holds the secondary's row;
   rows that somebody writes on one side only during 2. differ, too. The primary's row counts until then, and replaces
   the other one as soon as either changes. All rows are carried into a secondary that is empty.
4. Then changes may be carried over, by `twinstore sync run --follow`. Until this has ended, nothing is.
It can be interrupted and repeated; `twinstore capture off` undoes it."""


def adopt_command(dataset: str | None, *, yes: bool, accepted: int, as_json: bool) -> None:
    """Adopt each dataset; exit code 1 when one was refused, 2 when something could not be told."""
    with opened(dataset) as work:
        quiet_libraries(home(work.settings))
        for replication in work.replications:
            _print_plan(work, replication)
        confirmed(_STEPS, yes=yes)
        done = []
        for replication in work.replications:
            with progress_line() as progress, threads() as conductor:
                done.append(adopt(work, replication, conductor, accepted=accepted, progress=progress))
    if as_json:
        sys.stdout.write(json.dumps([_document(one) for one in done], indent=2) + "\n")
    else:
        for one in done:
            _print(one)
    sys.exit(max((one.refusal.exit_code if one.refusal else 0 for one in done), default=0))


def _print_plan(work: Opened, replication: Replication) -> None:
    """Say on stderr which stores are meant, and how they stand now."""
    console = err()
    found = survey(replication)
    if found.errors:
        raise found.errors[0]
    console.print(f"{replication.dataset.name}, {work.stores.environment}:", style="bold")
    for store, side in zip(StoreName, (found.status.primary, found.status.secondary), strict=True):
        console.print(f"  {store:9} {work.stores.where(store)}: {_standing(side)}", soft_wrap=True)


def _standing(side: Standing | None) -> str:
    if side is None or side.since is None:
        return "writes are not captured"
    gap = f", with a gap: {side.gap}" if side.gap else ""
    adopted = f", adopted {moment(side.adopted_at)}" if side.adopted_at else ""
    return f"writes are captured since {moment(side.since)}{gap}{adopted}"


def _print(one: Adoption) -> None:
    console = out()
    rows = f"{one.rows.primary:,} rows on {StoreName.PRISMA}, {one.rows.secondary:,} on {StoreName.SUPABASE}"
    if one.refusal is not None:
        console.print(f"{one.dataset} is not adopted: {one.refusal.what}", style="red", soft_wrap=True)
        console.print(one.refusal.todo, soft_wrap=True)
        console.print("Writes go on being captured, and nothing is carried over.", soft_wrap=True)
    else:
        console.print(f"{one.dataset} is adopted: {rows}.", style="green", soft_wrap=True)
        for sentence in _sentences(one):
            console.print(sentence, soft_wrap=True)
    console.print(f"Report: {one.report / 'report.html'}", soft_wrap=True)


def _sentences(one: Adoption) -> list[str]:
    from reports.text import count

    found = []
    if one.filled:
        found.append(f"{count(one.filled, 'row')} will be carried into {StoreName.SUPABASE}, which is empty.")
    elif one.differences:
        differ = "1 key differs" if one.differences == 1 else f"{one.differences:,} keys differ"
        are = "is" if one.conflicts == 1 else "are"
        found.append(f"{differ}; {count(one.conflicts, 'new conflict')} {are} kept.")
        found.append("Decide them: `twinstore sync conflicts list`, then `show` and `resolve`.")
    found.append("Carry changes over: `twinstore sync run --follow`.")
    return found


def _document(one: Adoption) -> dict[str, Any]:
    return {
        "dataset": one.dataset,
        "adopted": one.refusal is None,
        "rows": {"primary": one.rows.primary, "secondary": one.rows.secondary},
        "differences": one.differences,
        "conflicts": one.conflicts,
        "filled": one.filled,
        "run_id": one.report.name,
        "refusal": one.refusal and {"what": one.refusal.what, "todo": one.refusal.todo},
    }
