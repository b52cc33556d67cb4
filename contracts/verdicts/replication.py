"""How the replication of a dataset stood when a run looked at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from contracts.replication import Place, ReplicationState, Standing
from contracts.vocabulary import DifferenceKind, StoreName


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderWay:
    """A key on which the stores differ, and whose change waits to be carried over for no longer than it may.

    Attributes:
        key: Canonical key.
        kind: One-sided, or differing.
        waiting_s: For how many seconds it has waited.
    """

    key: str
    kind: DifferenceKind
    waiting_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreCapture:
    """Whether the writes to a store are captured, as a run found it.

    Attributes:
        store: The store.
        standing: What the store says; None where it could not be asked.
        note: Why it could not be asked.
    """

    store: StoreName
    standing: Standing | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicationReport:
    """How the replication of a dataset stood when a run looked at it.

    Attributes:
        state: Whether the stores replicate.
        stores: Whether their writes are captured, primary first.
        conflicts: Number of open conflicts; None where the primary could not be asked.
        dead_letters: Number of dead letters; likewise.
        failing: Number of keys that were refused and are tried again; likewise.
        places: Number of confirmed differences by place; those under way are not among them.
        pending: Keys whose change is under way, the oldest first; at most some of them.
        pending_total: How many there are.
        max_lag_s: For how many seconds a change may be under way before it counts as a difference.
        adopting: True in the comparison that an adoption rests on: it ends only afterwards.
    """

    state: ReplicationState
    stores: tuple[StoreCapture, ...] = ()
    conflicts: int | None = None
    dead_letters: int | None = None
    failing: int | None = None
    places: Mapping[Place, int] = field(default_factory=dict)
    pending: tuple[UnderWay, ...] = ()
    pending_total: int = 0
    max_lag_s: float = 0.0
    adopting: bool = False

    @property
    def adopted_at(self) -> datetime | None:
        """Since when changes are carried over; None where nobody adopted the stores, or nobody could tell."""
        return next((s.standing.adopted_at for s in self.stores if s.standing and s.standing.adopted_at), None)
