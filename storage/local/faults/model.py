"""What a planted fault is: what it does to which rows, and what a check must find because of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from contracts.replication import Place
from contracts.vocabulary import Cause, DifferenceKind, StoreName, Verdict

ROWS = 3
"""How many rows a fault takes unless it says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One SQL statement of a fault, run on one store.

    Attributes:
        store: Where it runs.
        sql: The statement; `%(keys)s` is the list of the fault's keys as text, and a literal percent sign is doubled.
    """

    store: StoreName
    sql: str


class Step(StrEnum):
    """What happens to a pair that replicates between two statements of a fault."""

    RELAY = "relay"  # the relay carries over what waits


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a check must say because of one fault.

    Attributes:
        kind: How the stores disagree about its keys; None where they do not.
        causes: The causes that must be named for each of its keys, and no other.
        fields: The fields that disagree: columns, or paths below a JSON column such as `content.title`. What differs
            inside a column that differs as a whole is left out; see `outermost`.
        at_fault: The store whose value is at fault, where the two rows tell.
        checks: The contract rules that must fail because of it, with the store on which they fail.
        excluded: Number of rows that are counted but not compared.
        representation: Number of rows that are equal in canonical form only and are read to find that out. Times are
            brought to milliseconds before they are hashed, so that rows which round alike are not among them.
        verdict: What the run says when this is the only fault; its exit code is the run's.
        place: How its differences stand in replication, where the stores replicate.
        pending: Number of its keys whose change is under way; these are no differences yet.
        conflicts: Number of conflicts that wait for a decision because of it.
        dead_letters: Number of changes that were given up because of it.
    """

    kind: DifferenceKind | None = None
    causes: frozenset[Cause] = frozenset()
    fields: frozenset[str] = frozenset()
    at_fault: StoreName | None = None
    checks: frozenset[tuple[str, StoreName]] = frozenset()
    excluded: int = 0
    representation: int = 0
    verdict: Verdict = Verdict.FAILED
    place: Place | None = None
    pending: int = 0
    conflicts: int = 0
    dead_letters: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One way in which two stores go wrong, to be planted and to be found.

    Attributes:
        id: Its stable name.
        title: What is wrong, in one sentence for people.
        origin: Why this happens in real systems, or the rule that it breaks.
        inject: The statements that plant it, in order; in an adopted pair, with steps between them.
        expects: What a check must say.
        rows: How many keys it takes.
        where: SQL condition on the primary's row that says which rows can be its victims.
        spared: How many of its keys, the last ones, it leaves equal on both stores.
        decoy: True for what looks like a cause and is none: it must not be explained by that cause.
        exclusive: True for a fault of the whole table, which can be planted only alone; it takes every key.
        adopted: True for one that needs a pair that replicates.
    """

    id: str
    title: str
    origin: str
    inject: tuple[Statement | Step, ...]
    expects: Expected
    rows: int = ROWS
    where: str = "true"
    spared: int = 0
    decoy: bool = False
    exclusive: bool = False
    adopted: bool = False

    @property
    def statements(self) -> tuple[Statement, ...]:
        """What it does to the stores, without what happens between."""
        return tuple(step for step in self.inject if isinstance(step, Statement))


@dataclass(frozen=True, slots=True, kw_only=True)
class Injected:
    """A fault that was planted.

    Attributes:
        fault: The fault.
        keys: Its keys as they were before, in canonical form, in the order in which the statements got them.
    """

    fault: Fault
    keys: tuple[str, ...]

    @property
    def found(self) -> tuple[str, ...]:
        """The keys that a check must find: all but the spared ones."""
        return self.keys[: len(self.keys) - self.fault.spared]


def outermost(fields: Iterable[str]) -> frozenset[str]:
    """Drop the paths below a column that differs as a whole: where one side is a string, a path is only inside it."""
    named = frozenset(fields)
    return frozenset(field for field in named if "." not in field or field.split(".")[0] not in named)
