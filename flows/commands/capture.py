"""`twinstore capture`: whether writes to the stores are noted, so that they can be carried over."""

from __future__ import annotations

import json
import sys

from contracts.errors import TwinstoreError
from contracts.replication import Standing, waiting
from flows.commands import sync_show
from flows.commands.common import confirmed, err, out
from flows.opening import opened
from flows.replicating import Replication
from flows.sync import survey

_OFF = (
    "Writes that are made from now on are not noted and never carried over; neither is anything that waits, until the "
    "stores are adopted again. The triggers of capture are removed from both tables."
)


def status_command(dataset: str | None, *, as_json: bool) -> None:
    """Print since when writes are captured; exit code 1 when they are not on both sides, or have a gap."""
    with opened(dataset, alone=True) as work:
        found = [(replication, survey(replication)) for replication in work.replications]
    code = 0
    documents = []
    for replication, one in found:
        sides = (one.status.primary, one.status.secondary)
        whole = all(side is not None and side.since is not None and side.gap is None for side in sides)
        code = max(code, 2 if one.errors else 0 if whole else 1)
        documents.append(sync_show.as_document(replication, one))
        if not as_json:
            for line in sync_show.lines(replication, one):
                out().print(line, soft_wrap=True)
    if as_json:
        sys.stdout.write(json.dumps(documents, indent=2) + "\n")
    sys.exit(code)


def on_command(dataset: str | None) -> None:
    """Capture the writes of both sides. Where capture was off or has a gap, nothing is carried over until `adopt`."""
    with opened(dataset, alone=True) as work:
        for replication in work.replications:
            out().print(f"{replication.dataset.name}: {_on(replication)}", soft_wrap=True)


def _on(replication: Replication) -> str:
    """Turn capture on, and return what holds now; without a way to the secondary, on the primary alone."""
    from storage.replication import adoption

    primary, secondary = replication.primary, replication.secondary
    sides = [primary.standing(), *([secondary.standing()] if secondary else [])]
    if all(side.since is not None and side.gap is None for side in sides):
        return f"writes of {_names(sides)} are captured already."
    if secondary is None:
        replication.book.halt()
        adoption.capture(primary, wanted=True)
        return "writes of prisma are captured. Run `twinstore adopt` once a key of service_role leads to supabase."
    adoption.begin(primary, secondary, replication.book)
    return "writes of both sides are captured. Run `twinstore adopt` to have them carried over."


def _names(sides: list[Standing]) -> str:
    return "both sides" if len(sides) > 1 else str(sides[0].store)


def off_command(dataset: str | None, *, yes: bool) -> None:
    """Capture nothing any more; a side that cannot be reached does not keep the other from being turned off."""
    with opened(dataset, alone=True) as work:
        confirmed(_OFF, yes=yes)
        errors = [error for replication in work.replications for error in _off(replication)]
    for error in errors:
        err().print(f"{error.what} {error.todo}", style="red", soft_wrap=True)
    sys.exit(2 if errors else 0)


def _off(replication: Replication) -> list[TwinstoreError]:
    from storage.replication import adoption

    sides = [replication.primary, *([replication.secondary] if replication.secondary else [])]
    errors: list[TwinstoreError] = []
    for doors in sides:
        try:
            standing: Standing = adoption.capture(doors, wanted=False)
        except TwinstoreError as error:
            errors.append(error)
            continue
        left = f"; {waiting(standing.dirty)} and will go on waiting" if standing.dirty else ""
        out().print(f"{replication.dataset.name} on {doors.store}: writes are not captured any more{left}.")
    return errors
