"""Taking a repair back: the plan of it, which is shown, approved and carried out like any other."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from contracts.errors import ConfigurationError
from contracts.repair import Ended, Header, Mode, Why, best_known
from flows.check import make_run_id
from flows.repair.applying import LEAST_DIGITS, repairing
from flows.repair.files import chosen
from flows.repair.known import Known, known
from flows.repair.planning import VALID, Made, keep
from flows.repair.sides import Pair, Standing, open_pair, require_same_pair, standing
from flows.repair.work import Work
from flows.version import VERSION


def planned_undo(work: Work, found: Known) -> Made:
    """Make the plan that takes a repair back, as far as the rows still are as it left them.

    Raises:
        ConfigurationError: Nothing of it was written, or nobody knows all that was; its file was changed since; the
            settings lead to other stores; nobody sees what waits; the contract lost a column of it; or every row is as
            it was before, by which it counts as taken back.
        TwinstoreError: A store cannot be read.
    """
    from storage.repair.undoing import undo_steps

    found.require_unchanged()
    found.require_told()
    require_same_pair(work.settings, work.stores, found.plan.header)
    found = _recollected(work, found)
    if not found.done:
        why = "was not carried out" if found.plan.steps else "has no steps"
        raise ConfigurationError(
            f"Plan {found.repair.id} {why}, so that there is nothing to take back.",
            "`twinstore repair list` says what became of each plan.",
        )
    if found.repair.ended is Ended.UNDONE:
        raise ConfigurationError(f"Repair {found.repair.id} was taken back before.", "There is nothing left to undo.")
    name = found.plan.header.dataset
    work.progress("count the rows of both stores")
    stand = standing(work.settings, work.stores, name)
    with open_pair(work.settings, work.stores, name) as pair:
        pair.require_sight()
        found.require_columns(pair.dataset, more=True)
        work.progress("read the rows that were written")
        header = _header(work, found, pair, stand)
        plan = undo_steps(found.plan, found.done, pair.sides, header=header, adopted=pair.adopted)
    if plan.left and not plan.steps and all(one.why is Why.SETTLED for one in plan.left):
        work.memory.repairs.taken_back(found.repair.id)
        raise ConfigurationError(
            f"Every row of repair {found.repair.id} is as it was before: it counts as taken back.",
            "There is nothing left to undo.",
        )
    return Made(known=keep(work, plan), standing=stand)


def _recollected(work: Work, found: Known) -> Known:
    """Find out what became of steps that a killed repair was just taking, so that they are taken back, too."""
    from storage.repair.journal import Journal
    from storage.repair.recollecting import recollect

    if not Journal.open(found.folder).unanswered:
        return found
    header = found.plan.header
    with repairing(work, header, "undo") as lease, open_pair(work.settings, work.stores, header.dataset) as pair:
        pair.require_sight()
        found.require_columns(pair.dataset, more=True)
        work.progress("find out what became of the last steps")
        journal = Journal.open(found.folder)  # as it is now that nobody else has it
        journal.trim()
        recollect(found.plan, pair.sides, journal, may_go_on=lease.assert_held)
    return replace(found, done=dict(journal.done))


def undo_of(work: Work, beginning: str, digits: str) -> Known:
    """Return the plan that takes a repair back and was made before, by the beginning of its hash.

    Raises:
        ConfigurationError: There is none with that hash.
    """
    repair = chosen(work.memory, beginning)
    if len(digits) >= LEAST_DIGITS:
        for one in work.memory.repairs.list(repair.dataset):
            if one.undoes == repair.id and one.plan_hash.startswith(digits.lower()):
                return known(work.settings, work.memory, one.id)
    raise ConfigurationError(
        f"No plan that takes {repair.id} back has that hash.",
        f"Make one with `twinstore repair undo {repair.id}`, then approve the hash that it prints.",
    )


def _header(work: Work, found: Known, pair: Pair, stand: Standing) -> Header:
    now = datetime.now(UTC)
    return Header(
        id=make_run_id(now),
        dataset=found.plan.header.dataset,
        environment=work.stores.environment,
        made_at=now,
        expires_at=now + VALID,
        mode=Mode.UNDO,
        source=None,
        run_id=None,
        identities=best_known(found.plan.header.identities, stand.identities),
        channels=pair.channels,
        rows=stand.rows,
        columns=tuple(column.name for column in pair.dataset.columns),
        undoes=found.repair.id,
        version=VERSION,
    )
