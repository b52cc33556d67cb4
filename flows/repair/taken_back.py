"""What of a repair was taken back since, so that nobody is blamed for it when both stores are read again."""

from __future__ import annotations

from contracts.repair import Ended, Mended
from flows.repair.known import Known, known
from flows.repair.work import Work


def taken_back(work: Work, found: Known) -> frozenset[str]:
    """Return the keys of a repair whose rows were taken back, those aside that were brought again.

    Args:
        work: What the repair works with.
        found: The repair, which may be an undo itself.

    Raises:
        ConfigurationError: The files of such a plan are gone, damaged or not whole, so that nobody knows.
    """
    from storage.repair.journal import Journal

    keys = set[str]()
    for repair in work.memory.repairs.list(found.repair.dataset):
        if repair.undoes == found.repair.id and repair.ended not in (Ended.PLANNED, Ended.UNDONE):
            undo = known(work.settings, work.memory, repair.id)
            undo.require_unchanged()
            undo.require_told()
            wrote = {number for number, done in undo.done.items() if done.outcome in (Mended.WRITTEN, Mended.UNCLEAR)}
            wrote |= Journal.open(undo.folder).intended  # killed: nobody knows whether they were
            keys |= {step.key for step in undo.plan.steps if step.number in wrote} - taken_back(work, undo)
    return frozenset(keys)
