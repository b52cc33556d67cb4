"""Two stores of a test that are repaired: steps from the rows that they hold, applied, read again and taken back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from contracts.planning import PLANNING
from contracts.repair import Act, Done, Mended, Mode, Plan, Step, Verified, Winner
from contracts.vocabulary import StoreName
from storage.migrations.values import Side
from storage.ports import Row
from storage.repair.applying import apply
from storage.repair.doors import DoorSide
from storage.repair.fields import unlike
from storage.repair.forms import held
from storage.repair.journal import Journal
from storage.repair.plan_file import write_plan
from storage.repair.ports import RepairSide, Seen, hash_of
from storage.repair.undoing import undo_steps
from storage.repair.verifying import verify
from tests.support.repair_plans import COLUMNS, MADE, make_header
from tests.support.replication import World

PRISMA, SUPABASE = StoreName
Change = tuple[StoreName, str, Row | None]
"""What becomes of a row: the store, the key, and the row as it is to be."""


def sides_of(world: World) -> dict[StoreName, RepairSide]:
    """Return both stores as repair sees them."""
    return {PRISMA: DoorSide(world.primary), SUPABASE: DoorSide(world.secondary)}


def side_of(store: StoreName) -> Side:
    """Return the side that a store is."""
    return Side.PRIMARY if store is PRISMA else Side.SECONDARY


def in_form(store: StoreName, row: Row | None) -> Row | None:
    """Return a row as a store writes it."""
    if row is None:
        return None
    return {column.name: held(column, store, row[column.name]) for column in PLANNING.columns}


def plan_of(
    sides: Mapping[StoreName, RepairSide], changes: Sequence[Change], *, needs: Mapping[int, int] | None = None
) -> Plan:
    """Plan changes of rows, from how both stores stand now.

    Args:
        sides: Both stores.
        changes: What becomes of which rows.
        needs: By number of a step, the number of one that must have been written before.
    """
    keys = list(dict.fromkeys(key for _, key, _ in changes))
    seen: dict[StoreName, dict[str, Seen]] = {store: {} for store in sides}
    for store, side in sides.items():
        for start in range(0, len(keys), 500):
            seen[store] |= side.see(keys[start : start + 500])
    steps = []
    for number, (store, key, after) in enumerate(changes, start=1):
        own, other = seen[store][key], seen[store.other][key]
        act = Act.INSERT if own.row is None else Act.DELETE if after is None else Act.UPDATE
        steps.append(
            Step(
                number=number,
                store=store,
                key=key,
                act=act,
                before=own.row,
                after=after,
                other=hash_of(COLUMNS, other.row),
                line=own.line,
                other_line=other.line,
                winner=Winner.SOURCE,
                fields=unlike(PLANNING, own.row, after),
                reason="The test says so.",
                needs=(needs or {}).get(number),
            )
        )
    return Plan(header=make_header(), steps=tuple(steps))


def copies(world: World, store: StoreName, *some: str) -> list[Change]:
    """Return what makes a store hold what the other one holds."""
    rows = world.doors(side_of(store.other)).look(some)
    return [(store, key, in_form(store, rows[key].row)) for key in some]


@dataclass(slots=True, kw_only=True)
class Repairing:
    """A plan that is carried out in a folder of the test.

    Attributes:
        world: The stores.
        plan: The plan.
        folder: Where its journal is.
    """

    world: World
    plan: Plan
    folder: Path
    sides: Mapping[StoreName, RepairSide] = field(init=False)
    plan_hash: str = field(init=False)

    def __post_init__(self) -> None:
        self.sides = sides_of(self.world)
        self.plan_hash = write_plan(self.plan, self.folder)

    @property
    def journal(self) -> Journal:
        """The journal as it is on the disk."""
        return Journal.open(self.folder)

    @property
    def done(self) -> dict[int, Done]:
        """What became of the steps."""
        return self.journal.done

    @property
    def outcomes(self) -> list[Mended]:
        """What became of each step, in their order."""
        done = self.done
        return [done[step.number].outcome for step in self.plan.steps]

    def apply(
        self, *, may_go_on: Callable[[], None] = lambda: None, wait: Callable[[float], None] | None = None
    ) -> None:
        """Apply the plan, or what is left of it."""
        journal = self.journal
        journal.begin(plan_hash=self.plan_hash, by="a test", overrides=(), now=datetime.now(UTC))
        apply(
            self.plan,
            self.sides,
            journal,
            columns=COLUMNS,
            progress=lambda _: None,
            may_go_on=may_go_on,
            wait=wait or (lambda _: None),
        )

    def verify(self) -> Verified:
        """Read both stores again."""
        return verify(self.plan, self.done, self.sides, PLANNING)

    def undo(self, folder: Path) -> Repairing:
        """Plan to take it back."""
        header = replace(
            self.plan.header, id="undo", mode=Mode.UNDO, source=None, undoes=self.plan.header.id, made_at=MADE
        )
        plan = undo_steps(self.plan, self.done, self.sides, header=header)
        return Repairing(world=self.world, plan=plan, folder=folder)


def canonical(world: World) -> dict[StoreName, dict[str, Row]]:
    """Return all rows of both stores, as they write them."""
    found: dict[StoreName, dict[str, Row]] = {}
    for store in StoreName:
        names = [key for (key,) in world.ask(side_of(store), "SELECT id::text FROM public.planning ORDER BY 1")]
        looked = world.doors(side_of(store)).look(names)
        found[store] = {key: row for key in names if (row := looked[key].row) is not None}
    return found
