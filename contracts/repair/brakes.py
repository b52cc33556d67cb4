"""What holds a repair back, decided from numbers alone: the same for a plan that is shown and one that is applied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.repair.pairing import Strange, strange_pair
from contracts.repair.plan import Act, Mode, Override, Plan
from contracts.vocabulary import StoreName

ROWS_PERCENT = 10
LEAST_ROWS = 100
DELETES_PERCENT = 1
LEAST_DELETES = 10
CUT_SHORT = 0.5  # a side with fewer rows than this share of the other looks truncated
LEAST_MISSING = 10


class Brake(StrEnum):
    """What can hold a repair back; its value is the name by which it is released."""

    ROWS = "rows"  # more steps than the cap
    DELETES = "deletes"  # more deletes than the cap
    EMPTY_SIDE = "empty-side"  # a store holds no row
    CUT_SHORT = "cut-short"  # a store holds far fewer rows than the other
    EXPIRED = "expired"  # the plan is old
    UNPROVEN_PAIR = "unproven-pair"  # what was begun or is taken back would insert rows into what may be other stores
    INCOMPLETE = "incomplete"  # the check could not look everywhere; cannot be released
    OTHER_PAIR = "other-pair"  # the plan was made for other stores, or may have been; cannot be released
    CHANGED = "changed"  # the plan is not the one that was approved; cannot be released
    FORGETFUL = "no-memory"  # nothing durable remembers what is done; cannot be released

    @property
    def releasable(self) -> bool:
        """True when somebody may take the responsibility."""
        return self in _RELEASABLE


_RELEASABLE = frozenset(
    {Brake.ROWS, Brake.DELETES, Brake.EMPTY_SIDE, Brake.CUT_SHORT, Brake.EXPIRED, Brake.UNPROVEN_PAIR}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """How much repair of a dataset may do within a day before somebody has to say that so much is meant.

    Attributes:
        rows: Number of steps; `LEAST_ROWS`, or `ROWS_PERCENT` of the larger side where that is more, unless given.
        deletes: Number of deletes; `LEAST_DELETES`, or `DELETES_PERCENT` of the store unless given.
    """

    rows: int | None = None
    deletes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What is known when a repair is about to begin.

    Attributes:
        now: The time, UTC.
        rows: Per store, the number of its rows now.
        identities: Per store, the id of the very database now, or where it is for one that shows none.
        environment: Name of the pair of stores.
        durable: Whether what is done will be remembered.
        begun: Whether the plan was begun before and is gone on with.
        approved: Whether the plan is, byte for byte, the one that was approved; None where nobody approved one yet.
        incomplete: Why the check could not look everywhere; None where it did.
        spent_rows: Steps that other repairs of the dataset took within a day, nobody having released that cap.
        spent_deletes: Likewise, deletes.
        done_rows: Steps that they took in all.
        done_deletes: Likewise, deletes.
        unfinished: Ids of those of them that were begun and have not ended: all of their steps count.
        outrun: Whether the repair that the plan takes back has gone on since the plan was made.
    """

    now: datetime
    rows: Mapping[StoreName, int]
    identities: Mapping[StoreName, str]
    environment: str
    durable: bool
    begun: bool = False
    approved: bool | None = None
    incomplete: str | None = None
    spent_rows: int = 0
    spent_deletes: int = 0
    done_rows: int = 0
    done_deletes: int = 0
    unfinished: tuple[str, ...] = ()
    outrun: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Braked:
    """One brake that holds.

    Attributes:
        brake: Which one.
        what: One sentence that says why.
        todo: One sentence that says what to do; for one that can be released, how.
        number: For a cap, the number up to which it would have to be released.
    """

    brake: Brake
    what: str
    todo: str
    number: int | None = None

    @property
    def allow(self) -> str | None:
        """What `--allow` names to release it; None for one that nobody can release."""
        if not self.brake.releasable:
            return None
        return str(self.brake) if self.number is None else f"{self.brake}={self.number}"


def brakes(plan: Plan, situation: Situation, *, caps: Caps = Caps(), released: Iterable[Override] = ()) -> list[Braked]:
    """Return what holds a plan back, the gravest first; empty when it may be carried out.

    Args:
        plan: The plan.
        situation: What is known now.
        caps: How much it may do.
        released: The brakes that somebody released; caps up to the number that was named.
    """
    strange = strange_pair(plan.header, situation.identities, situation.environment)
    found = [
        *_never(plan, situation, strange),
        *_inserts(plan, situation, strange),
        *_sides(plan, situation),
        *_caps(plan, situation, caps),
        *_age(plan, situation),
    ]
    return unreleased(found, released)


def unreleased(held: Iterable[Braked], overrides: Iterable[Override]) -> list[Braked]:
    """Return what still holds, of what is held without these overrides."""
    by_name = {override.brake: override for override in overrides}
    return [braked for braked in held if not _released(braked, by_name)]


def releasing(held: Iterable[Braked], overrides: Iterable[Override]) -> tuple[Override, ...]:
    """Return the overrides without which more would be held; the others release nothing, and count for nothing.

    Args:
        held: What is held without any of them.
        overrides: What somebody released.
    """
    found = list(held)
    return tuple(one for one in overrides if any(_released(braked, {one.brake: one}) for braked in found))


def _released(braked: Braked, by_name: Mapping[str, Override]) -> bool:
    override = by_name.get(braked.brake)
    if override is None or not braked.brake.releasable:
        return False
    return braked.number is None or (override.value is not None and braked.number <= override.value)


def _never(plan: Plan, situation: Situation, strange: Strange | None) -> Iterable[Braked]:
    header = plan.header
    if situation.approved is False:
        yield Braked(
            brake=Brake.CHANGED,
            what="The plan is not the one that was approved: its file has another hash.",
            todo="Make a new plan with `twinstore repair plan`, and have that one approved.",
        )
    if situation.outrun:
        yield Braked(
            brake=Brake.CHANGED,
            what="The repair that the plan takes back has gone on since: it wrote more than the plan knows of.",
            todo=f"Make a new plan with `twinstore repair undo {header.undoes}`, and have that one approved.",
        )
    if strange is not None and (strange.proven or not _goes_on(plan, situation)):
        yield Braked(brake=Brake.OTHER_PAIR, what=strange.what, todo=strange.todo)
    if situation.incomplete is not None:
        yield Braked(
            brake=Brake.INCOMPLETE,
            what=f"The check could not look everywhere: {situation.incomplete.rstrip('.')}.",
            todo="Mend that first; a repair rests on a complete check.",
        )
    if not situation.durable:
        yield Braked(
            brake=Brake.FORGETFUL,
            what="Nothing durable would remember what the repair does, so that it could not be taken back.",
            todo="Set TWINSTORE_STATE_URL, or TWINSTORE_HOME to a folder that is kept.",
        )


def _goes_on(plan: Plan, situation: Situation) -> bool:
    """Tell whether each row is one that the plan, or what it takes back, knows from before."""
    return situation.begun or plan.header.mode is Mode.UNDO


def _inserts(plan: Plan, situation: Situation, strange: Strange | None) -> Iterable[Braked]:
    """Hold what goes on in stores that may be others, where it would insert: of a missing row nothing is compared."""
    if strange is None or strange.proven or not _goes_on(plan, situation):
        return
    into = {store: number for store in strange.stores if (number := plan.count(Act.INSERT, store))}
    if into:
        rows = " and ".join(f"{number:,} rows into {store}" for store, number in into.items())
        yield Braked(
            brake=Brake.UNPROVEN_PAIR,
            what=f"{strange.what} It would insert {rows}.",
            todo=f"Make sure that these are the stores that it was made for. {_how(Brake.UNPROVEN_PAIR)}",
        )


def _sides(plan: Plan, situation: Situation) -> Iterable[Braked]:
    rows = {store: situation.rows.get(store, 0) for store in StoreName}
    fewer = min(rows, key=lambda store: rows[store])
    less, more = rows[fewer], rows[fewer.other]
    if more and not less:
        yield Braked(
            brake=Brake.EMPTY_SIDE,
            what=f"{fewer} holds no row at all, {fewer.other} {more:,}: such a state is an accident.",
            todo=f"Restore {fewer}, or fill it with `twinstore adopt`. {_how(Brake.EMPTY_SIDE)}",
        )
    elif less < more * CUT_SHORT and more - less >= LEAST_MISSING and plan.header.mode is not Mode.UNDO:
        yield Braked(
            brake=Brake.CUT_SHORT,
            what=f"{fewer} looks cut short: it holds {less:,} rows, {fewer.other} {more:,}.",
            todo=f"Find out why before anything is repaired. {_how(Brake.CUT_SHORT)}",
        )


def _caps(plan: Plan, situation: Situation, caps: Caps) -> Iterable[Braked]:
    if plan.header.mode is Mode.UNDO:  # as much as was approved before
        return
    more = max(situation.rows.values(), default=0)
    cap = caps.rows if caps.rows is not None else max(LEAST_ROWS, more * ROWS_PERCENT // 100)
    steps = len(plan.steps)
    if steps and steps + situation.spent_rows > cap:
        done = max(situation.done_rows, situation.spent_rows)
        yield Braked(
            brake=Brake.ROWS,
            what=f"The plan has {steps:,} steps{_after(done, situation)}; "
            f"without being told, a repair takes at most {cap:,}.",
            todo=f"If that is how it must be: {_how(Brake.ROWS, steps + done)}",
            number=steps + done,
        )
    deletes = len(plan.deletes)
    cap = caps.deletes if caps.deletes is not None else max(LEAST_DELETES, more * DELETES_PERCENT // 100)
    if deletes and deletes + situation.spent_deletes > cap:
        done = max(situation.done_deletes, situation.spent_deletes)
        yield Braked(
            brake=Brake.DELETES,
            what=f"The plan deletes {deletes:,} rows{_after(done, situation)}; "
            f"without being told, a repair deletes at most {cap:,}.",
            todo=f"If that is how it must be: {_how(Brake.DELETES, deletes + done)}",
            number=deletes + done,
        )


def _after(spent: int, situation: Situation) -> str:
    if not spent:
        return ""
    unfinished = "".join(
        f" ({one} was begun and has not ended, so that all of its steps count)" for one in situation.unfinished
    )
    return f", after {spent:,} of others within a day{unfinished}"


def _age(plan: Plan, situation: Situation) -> Iterable[Braked]:
    if situation.now >= plan.header.expires_at:
        yield Braked(
            brake=Brake.EXPIRED,
            what=f"The plan was made at {plan.header.made_at:%Y-%m-%d %H:%M} UTC and has expired.",
            todo=f"Make a new one with `twinstore repair plan`. {_how(Brake.EXPIRED)}",
        )


def _how(brake: Brake, number: int | None = None) -> str:
    value = "" if number is None else f"={number}"
    return f"`--allow {brake}{value}` takes this brake off, which is recorded."
