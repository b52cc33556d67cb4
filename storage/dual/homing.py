"""What only the secondary holds of a key: the primary judges it before anything is built on the primary's word alone.

That the primary lacks a record, or holds it already as somebody wants it, says nothing about a change that waits on the
secondary, or about a record in conflict there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from contracts.replication import Judged
from contracts.results import Outcome, StoreResult
from contracts.vocabulary import StoreName
from storage.dual.asking import Asked, Asking
from storage.dual.comparing import alike
from storage.dual.permission import NotSent, Permission
from storage.dual.writing import Done
from storage.ports import Row
from storage.replication.doors import PrimaryDoors, SecondaryDoors

if TYPE_CHECKING:
    from storage.replication.messages import Item

LENT = 10_000  # so many keys are remembered that were written while the primary was away
JUDGE_S = 3.0  # seconds that the primary has to judge a change
_DECIDED = (Judged.ACCEPTED, Judged.AGREED, Judged.CONFLICT, Judged.JUDGED)
WAITS = (
    "supabase holds a change of this record that prisma has not judged yet; `twinstore sync status` says what stands "
    "in its way"
)
APART = (
    "supabase holds another state of this record, and nothing carries it over: `twinstore sync conflicts list` or "
    "`twinstore check` says why"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the secondary holds of a key.

    Attributes:
        looked: How it answered.
        judged: True when a change of it waited there, and the primary has judged it since.
        owed: True when a change of the primary waited before, which a relay may have delivered since.
    """

    looked: Asked[Item]
    judged: bool = False
    owed: bool = False

    @property
    def waits(self) -> bool:
        """True when a change waits there that the primary has not judged."""
        return not self.judged and self.looked.answer is not None and self.looked.answer.change is not None

    def differs(self, row: Row | None) -> bool:
        """Tell whether it holds anything else than a row of the primary, or did before it was judged."""
        item = self.looked.answer
        return item is not None and (item.change is not None or not alike(row, item.row))

    def weighed(self, done: Done) -> tuple[Done, StoreResult]:
        """Return what can be said of a record that the primary lacks, or need not write, and what the secondary did."""
        item = self.looked.answer
        if item is None:
            if done.outcome is Outcome.MISSING:
                why = f"prisma has no such record, and nobody can say whether supabase has: {self.looked.error}"
                done = done._replace(why=why)
            return done, self.looked.result()
        apart = not self.judged and not alike(done.row, item.row)
        against = WAITS if self.waits else APART if apart and not (done.dirty or self.owed) else None
        if done.outcome is Outcome.MISSING and apart and against is not None:
            done = done._replace(outcome=Outcome.FAILED, why=against)
        said = None if against else done.outcome
        return done, self.looked.result(success=against is None, outcome=said, error=against)


class Homing:
    """Looks at what the secondary holds, and has the primary judge it. Threads may share it.

    Args:
        primary: Doors of the primary.
        secondary: Doors of the secondary; None when there is none.
        permission: Tells whether changes may be carried over; None where none are carried over here.
        asking: Asks stores.
    """

    def __init__(
        self,
        primary: PrimaryDoors,
        secondary: SecondaryDoors | None,
        permission: Permission | None,
        asking: Asking,
    ) -> None:
        self._primary = primary
        self._secondary = secondary
        self._permission = permission
        self._asking = asking
        self._lent: dict[str, None] = {}  # keys that were written here while the primary was away, oldest first

    def lend(self, key: str) -> None:
        """Remember a key that was written on the secondary while the primary was away."""
        self._lent[key] = None
        while len(self._lent) > LENT:
            self._lent.pop(next(iter(self._lent)), None)

    def lent(self, key: str) -> bool:
        """Tell whether a key was written here while the primary was away, and may wait on the secondary."""
        return key in self._lent

    def bring(self, key: str, *, deadline_s: float) -> Found | None:
        """Have the primary judge what waits on the secondary; None when there is no secondary.

        Args:
            key: The key.
            deadline_s: Seconds that the secondary has for an answer.
        """
        secondary, permission = self._secondary, self._permission
        if secondary is None:
            return None
        refusal = None if permission is None else permission.refusal()
        if refusal is not None and not isinstance(refusal.error, NotSent):
            return Found(looked=refusal)
        looked = self._asking.ask(StoreName.SUPABASE, lambda: secondary.look([key], deadline_s=deadline_s)[key])
        item = looked.answer
        if item is None:
            return Found(looked=looked)
        change = item.change
        if change is None:
            self._lent.pop(key, None)
        if change is None or permission is None or refusal is not None or not item.ready:
            return Found(looked=looked)
        judged = self._asking.ask(StoreName.PRISMA, lambda: self._primary.judge([item], deadline_s=JUDGE_S)[0])
        if judged.answer is None or judged.answer.outcome not in _DECIDED:
            return Found(looked=looked)
        self._lent.pop(key, None)
        self._asking.ask(StoreName.SUPABASE, lambda: secondary.settle([(key, change)], deadline_s=deadline_s))
        return Found(looked=looked, judged=True)
