"""What somebody asks a plan of repair for, and what is known of each difference that a check found."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.errors import ConfigurationError
from contracts.repair import Mode
from contracts.replication import Place
from contracts.vocabulary import Cause, DifferenceKind, Exclusion, StoreName
from storage.repair.courses import FIXES
from storage.repair.ports import Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked for. Empty filters let everything pass; several values of one filter are alternatives.

    Attributes:
        mode: What the plan may do.
        source: The source of truth; None for three-way.
        fixes: The causes whose values are put right, whatever the source is.
        rename: Whether records whose key supabase cannot hold get another one.
        restore: Whether the source, too, gets back what it lost with all others of its time; else people decide.
        causes: Words of `Cause`, or `id_not_replicable`: only what differs because of them.
        fields: Names of columns: only these, and no row that one store lacks.
        keys: Only these keys. A key that came back after a repair is planned again only when it is named here.
        users: Only records that belong to one of them, on either store.
        older_than: Only differences that were first seen longer ago than this.
        younger_than: Only those that were first seen since then.

    Raises:
        ConfigurationError: The mode has no such source, or a cause is unknown.
    """

    mode: Mode
    source: StoreName | None = None
    fixes: frozenset[Cause] = FIXES
    rename: bool = False
    restore: bool = False
    causes: frozenset[str] = frozenset()
    fields: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()
    older_than: timedelta | None = None
    younger_than: timedelta | None = None

    def __post_init__(self) -> None:
        if self.mode is Mode.UNDO:
            raise ConfigurationError("A plan that takes a repair back is made of that repair.", "Use `repair undo`.")
        if self.mode is Mode.THREE_WAY and self.source is not None:
            raise ConfigurationError(
                "In the mode three-way the side that changed wins, so that there is no source.", "Leave the source out."
            )
        if self.mode is not Mode.THREE_WAY and self.source is None:
            raise ConfigurationError(
                f"The mode {self.mode} needs to know which store is right.", "Name the source: prisma or supabase."
            )
        for blank, named in (("id names no user", self.users), ("key names no row", self.keys)):
            if not all(map(str.strip, named)):
                raise ConfigurationError(f"A blank {blank}.", "Name one, or leave the filter out.")
        if unknown := self.causes - {*Cause, *Exclusion}:
            raise ConfigurationError(
                f"There is no cause `{min(unknown)}`.", f"Use some of: {', '.join((*Cause, *Exclusion))}."
            )
        if useless := self.fixes - FIXES:
            raise ConfigurationError(
                f"There is no fix for the cause `{min(useless)}`.", f"Use some of: {', '.join(sorted(FIXES))}."
            )

    @property
    def target(self) -> StoreName | None:
        """The store that follows the source."""
        return None if self.source is None else self.source.other

    @property
    def everything(self) -> bool:
        """True when no filter leaves anything out."""
        return not any((self.causes, self.fields, self.keys, self.users, self.older_than, self.younger_than))

    @property
    def filters(self) -> dict[str, tuple[str, ...]]:
        """The filters in words, as a plan names them, and what else was chosen that changes what is done."""
        ages = {"older_than": self.older_than, "younger_than": self.younger_than}
        told: dict[str, Collection[str]] = {
            "cause": self.causes,
            "field": self.fields,
            "key": self.keys,
            "user": self.users,
            **{name: (_age(age),) for name, age in ages.items() if age is not None},
            "rename_keys": ("yes",) if self.rename else (),
            "no_fix": FIXES - self.fixes,
        }
        return {name: tuple(sorted(values)) for name, values in told.items() if values}

    def means(self, column: str, causes: Collection[Cause]) -> bool:
        """Tell whether a column is meant whose values differ for these causes."""
        return (not self.fields or column in self.fields) and (not self.causes or self.causes.issuperset(causes))

    def means_row(self, cause: str) -> bool:
        """Tell whether a whole row is meant that one store lacks for this cause."""
        return not self.fields and (not self.causes or cause in self.causes)

    def means_age(self, first_seen: datetime | None, now: datetime) -> bool:
        """Tell whether a difference is meant that was first seen then; one of unknown age has none to be meant by."""
        if self.older_than is None and self.younger_than is None:
            return True
        if first_seen is None:
            return False
        age = now - first_seen
        return (self.older_than is None or age > self.older_than) and (
            self.younger_than is None or age <= self.younger_than
        )


def _age(age: timedelta) -> str:
    """Return an age as it is asked for: `90m`, `12h`, `3d`."""
    seconds = int(age.total_seconds())
    size, unit = next(one for one in ((86_400, "d"), (3600, "h"), (60, "m"), (1, "s")) if seconds % one[0] == 0)
    return f"{seconds // size}{unit}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A difference that a check found.

    Attributes:
        key: Canonical key.
        kind: How the stores disagreed.
        runs_seen: In how many consecutive runs it was seen.
        place: How it stands in replication; None where the stores do not replicate.
        first_seen: When the ledger first recorded it; None without a ledger.
        causes: The causes that the check named. They count only where two rows cannot tell: a lost window,
            and a key that prisma spells otherwise.
        explained: False where a run could not tell whether the row was lost with all others of its time.
    """

    key: str
    kind: DifferenceKind
    runs_seen: int = 1
    place: Place | None = None
    first_seen: datetime | None = None
    causes: tuple[str, ...] = ()
    explained: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """A check that fails on a store.

    Attributes:
        check: Its id; that of a rule of the contract, as a rule.
        store: The store.
        rows: How many rows fail; None where it is about the table as a whole.
        alike: How many of them at least no difference is about, since the run names them.
        beside: How many of them may be rows that differed and that the plan does not look at.
    """

    check: str
    store: StoreName
    rows: int | None
    alike: int = 0
    beside: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All that is known of one key when it is decided.

    Attributes:
        found: What the check found.
        seen: Per store, how the key stands now.
        other_spelling: Another spelling of the key under which prisma holds a row, if it holds one.
        spelt_all: False where prisma may hold one of which nobody knows.
        referenced: The stores in which rows of other tables hang on it.
        came_back: Why it did not stay repaired; None where it was not, or did.
        adopted: Whether a relay carries over what waits.
        proven: Whether both stores are known to have agreed just before the changes of it that wait.
    """

    found: Found
    seen: dict[StoreName, Seen]
    other_spelling: str | None = None
    spelt_all: bool = True
    referenced: frozenset[StoreName] = frozenset()
    came_back: str | None = None
    adopted: bool = True
    proven: bool = False
