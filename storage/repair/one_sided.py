"""Deciding about a row that only one store holds: it is inserted where it is missing, or deleted, or left."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.dataset import Dataset
from contracts.repair import Why, Winner
from contracts.repair.plan import Texts
from contracts.vocabulary import Cause, DifferenceKind, StoreName
from storage.parity.causes import explain_one_sided
from storage.parity.causes.clusters import sentence
from storage.repair.courses import Doing
from storage.repair.decisions import Decision, Draft, capital, leave, may, not_by, refused_columns
from storage.repair.forms import held
from storage.repair.settled import cannot_hold
from storage.repair.spelling import Spelling, right_spelling
from storage.repair.wanted import Case, Wanted

DELETING_RUNS = 2  # that must have seen what is deleted
UNSPELT = (
    "Prisma may hold the record under another spelling of its key: it holds more keys that are no UUIDs than a plan "
    "reads. Raise TWINSTORE_ROW_BUDGET, then check and plan again."
)
_ONLY_ON = {StoreName.PRISMA: DifferenceKind.ONLY_PRIMARY, StoreName.SUPABASE: DifferenceKind.ONLY_SECONDARY}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lone:
    """A row that only one store holds.

    Attributes:
        key: Its key.
        holder: The store that holds it.
        row: The row.
        cause: Why the other store lacks it.
        words: The same in words.
    """

    key: str
    holder: StoreName
    row: Texts
    cause: Cause
    words: str


def decide_one_sided(
    dataset: Dataset, wanted: Wanted, case: Case, source: StoreName | None, winner: Winner
) -> Decision:
    """Decide what becomes of a row that only one store holds.

    Args:
        dataset: Its dataset.
        wanted: What is asked for.
        case: What is known of its key.
        source: The store that counts where nothing else tells; None where nothing does.
        winner: Why it counts.

    Raises:
        ProtocolError: A value of the row is none of its column's type.
    """
    lone = _lone(dataset, case)
    if not wanted.means_row(lone.cause):
        return Decision()
    lost = lone.cause is Cause.WRITE_WINDOW and lone.cause in wanted.fixes
    if lone.cause is Cause.KEY_CASE:
        return leave(lone.key, Why.KEY_NEEDED, causes=[lone.cause])
    if lone.holder is StoreName.SUPABASE and not case.spelt_all:
        return leave(lone.key, Why.KEY_NEEDED, UNSPELT, [lone.cause])
    if lost and lone.holder is not source:
        return _restored(dataset, wanted, lone)
    if source is None:
        return leave(lone.key, Why.NO_WINNER, causes=[lone.cause])
    return _inserted(dataset, wanted, lone, winner) if lone.holder is source else _deleted(wanted, case, lone, winner)


def _lone(dataset: Dataset, case: Case) -> Lone:
    holder = StoreName.SUPABASE if case.seen[StoreName.PRISMA].row is None else StoreName.PRISMA
    key, row = case.found.key, case.seen[holder].row or {}
    spellings = {key: case.other_spelling} if case.other_spelling is not None else {}
    (why,) = explain_one_sided(dataset, holder, row, other_keys_raw=spellings)
    if holder is StoreName.SUPABASE and Cause.KEY_CASE in case.found.causes:  # better left than deleted
        return Lone(key=key, holder=holder, row=row, cause=Cause.KEY_CASE, words=sentence(why))
    if why.cause is Cause.MISSING_ROW and Cause.WRITE_WINDOW in case.found.causes:
        words = f"it was lost on {holder.other} with all that was created at that time"
        return Lone(key=key, holder=holder, row=row, cause=Cause.WRITE_WINDOW, words=words)
    return Lone(key=key, holder=holder, row=row, cause=why.cause, words=sentence(why))


def _restored(dataset: Dataset, wanted: Wanted, lone: Lone) -> Decision:
    """Decide about a row that the source lacks with all others of its time: an outage and a clean-up look the same."""
    if not may(wanted, Doing.RESTORE):
        return leave(
            lone.key, Why.MODE, not_by(wanted, f"insert rows into {lone.holder.other}", Doing.RESTORE), [lone.cause]
        )
    if not wanted.restore:
        words = (
            f"{lone.holder.other} lost all rows of that time, or somebody deleted them there: `--cause {lone.cause}` "
            f"inserts them again, `--no-fix {lone.cause}` lets the source decide."
        )
        return leave(lone.key, Why.NO_WINNER, capital(words), [lone.cause])
    return insert(dataset, wanted, lone, Winner.AT_FAULT)


def _inserted(dataset: Dataset, wanted: Wanted, lone: Lone, winner: Winner) -> Decision:
    if not may(wanted, Doing.INSERT):
        return leave(lone.key, Why.MODE, not_by(wanted, "insert rows", Doing.INSERT), [lone.cause])
    return insert(dataset, wanted, lone, winner)


def _deleted(wanted: Wanted, case: Case, lone: Lone, winner: Winner) -> Decision:
    if lone.cause is Cause.REFUSED_BY_STORE:
        return _refused(lone)
    if not may(wanted, Doing.DELETE):
        return leave(lone.key, Why.MODE, not_by(wanted, "delete rows", Doing.DELETE), [lone.cause])
    if lone.holder in case.referenced:
        return leave(lone.key, Why.REFERENCED, causes=[lone.cause])
    saw = case.found.runs_seen if case.found.kind is _ONLY_ON[lone.holder] else 0  # another difference tells nothing
    if saw < DELETING_RUNS:
        words = f"It would be deleted on {lone.holder}, which two runs must have seen: run `twinstore check` again."
        return leave(lone.key, Why.ONE_RUN, words, [lone.cause])
    if not case.found.explained and Cause.WRITE_WINDOW in wanted.fixes:
        words = (
            f"It may have been lost on {lone.holder.other} with all others of its time, since not every run that saw "
            f"it missing could tell: `--no-fix {Cause.WRITE_WINDOW}` lets the source decide."
        )
        return leave(lone.key, Why.NO_WINNER, words, [lone.cause])
    draft = Draft(
        store=lone.holder,
        key=lone.key,
        before=lone.row,
        after=None,
        winner=winner,
        causes=(lone.cause,),
        reason=f"{capital(lone.words)}, {_because(winner, lone.holder.other)}.",
    )
    return Decision((draft,))


def _refused(lone: Lone) -> Decision:
    words = f"{capital(lone.words)}. Correct the row on {lone.holder}, then check again."
    return leave(lone.key, Why.CANNOT_HOLD, words, [lone.cause])


def insert(dataset: Dataset, wanted: Wanted, lone: Lone, winner: Winner) -> Decision:
    """Return the steps by which the other store gets a row, in a form that both can hold; or why it cannot be.

    A row that only prisma can hold as it is spelt is corrected there first, which counts for causes of its own.
    """
    other, spelt = lone.holder.other, _right_spellings(dataset, wanted, lone)
    right = dict(lone.row) | {name: one.text for name, one in spelt.items()}
    causes = sorted({one.cause for one in spelt.values()})
    after: dict[str, str | None] = {}
    for column in dataset.columns:
        try:
            after[column.name] = held(column, other, right[column.name])
        except ValueError:
            return _unholdable(lone, column.name)
    if refused := refused_columns(dataset, other, after):
        return _unholdable(lone, min(refused))
    if spelt and not may(wanted, Doing.CORRECT):
        return leave(
            lone.key,
            Why.MODE,
            not_by(wanted, f"correct rows of {lone.holder}, as this one needs", Doing.CORRECT),
            [lone.cause],
        )
    if unasked := [cause for cause in causes if not wanted.means_row(cause)]:
        words = (
            f"{capital(other)} cannot hold it as it is spelt, and to put that right on {lone.holder} was not asked for "
            f"({', '.join(unasked)}): plan without `--cause`, or name these causes, too."
        )
        return leave(lone.key, Why.CANNOT_HOLD, words, [lone.cause, *unasked])
    drafts = [
        Draft(
            store=other,
            key=lone.key,
            before=None,
            after=after,
            winner=winner,
            causes=(lone.cause,),
            reason=f"{capital(lone.words)}, {_because(winner, lone.holder)}.",
        )
    ]
    if spelt:
        words = f"{capital(other)} cannot hold the row as it is spelt: the values are put right on {lone.holder}."
        drafts.insert(
            0,
            Draft(
                store=lone.holder,
                key=lone.key,
                before=lone.row,
                after=right,
                winner=Winner.FIXED,
                causes=tuple(causes),
                reason=words,
            ),
        )
    return Decision(tuple(drafts))


def _unholdable(lone: Lone, column: str) -> Decision:
    if lone.cause is Cause.REFUSED_BY_STORE:
        return _refused(lone)
    return leave(lone.key, Why.CANNOT_HOLD, cannot_hold(lone.holder.other, column), [lone.cause])


def _right_spellings(dataset: Dataset, wanted: Wanted, lone: Lone) -> dict[str, Spelling]:
    """Return, by column, how that is spelt which only prisma can hold, where it is known what it stands for."""
    columns = dataset.columns if lone.holder is StoreName.PRISMA else ()
    found = {one.name: right_spelling(dataset, one, lone.row[one.name], wanted.fixes) for one in columns}
    return {name: spelt for name, spelt in found.items() if spelt is not None}


def _because(winner: Winner, store: StoreName) -> str:
    """Say why the store that holds a row, or lacks it, is right about that."""
    match winner:
        case Winner.SOURCE:
            return f"and {store} is the source of truth"
        case Winner.CHANGED:
            return f"and only {store} changed"
        case Winner.RENAMED:
            return "and the record gets a key that both stores can hold"
        case _:
            return f"and {store} still holds it"
