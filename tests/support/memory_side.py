"""A store that repair reads and writes, in memory: for unit tests only, kept honest beside one behind real doors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from contracts.repair import Done, Mended, Step
from contracts.repair.plan import Texts
from contracts.vocabulary import StoreName
from storage.repair.ports import Seen

NOTED = datetime(2026, 3, 14, 2, 0, tzinfo=UTC)
"""When the changes were noted that wait."""


class MemorySide:
    """Rows by key, with the line of each key that waits; a `storage.repair.ports.RepairSide`.

    Args:
        store: The store that it stands for.
        rows: Its rows by key.
        lines: The keys that wait to be carried over, with the number of their last line.
    """

    def __init__(self, store: StoreName, rows: Mapping[str, Texts], lines: Mapping[str, int] | None = None) -> None:
        self.store = store
        self.rows = {key: dict(row) for key, row in rows.items()}
        self.lines = dict(lines or {})
        self.asked: list[str] = []
        self._batches: dict[str, tuple[Done, ...]] = {}

    def see(self, keys: Sequence[str]) -> dict[str, Seen]:
        """Return how keys stand."""
        self.asked += keys
        return {
            key: Seen(self.rows.get(key), self.lines.get(key), since=NOTED if key in self.lines else None)
            for key in keys
        }

    def mend(
        self,
        steps: Sequence[Step],
        *,
        batch: str | None = None,
        seen: Mapping[str, Seen] | None = None,  # noqa: ARG002 - the port names it
    ) -> tuple[Done, ...]:
        """Take steps, each only if the row still is as planned."""
        done = tuple(Done(number=step.number, outcome=self._mend(step)) for step in steps)
        if batch is not None:
            self._batches[batch] = done
        return done

    def recall(self, batch: str, steps: Sequence[Step]) -> tuple[Done, ...]:
        """Tell what became of a call."""
        wanted = {step.number for step in steps}
        return tuple(done for done in self._batches.get(batch, ()) if done.number in wanted)

    def forget(self) -> None:
        """Forget the names of all calls, as a store does after some days."""
        self._batches.clear()

    def _mend(self, step: Step) -> Mended:
        row = self.rows.get(step.key)
        if row == step.after:
            return Mended.ALREADY
        if row != step.before:
            return Mended.MOVED
        if self.lines.get(step.key) != step.line:
            return Mended.WAITING
        if step.after is None:
            del self.rows[step.key]
        else:
            self.rows[step.key] = dict(step.after)
        return Mended.WRITTEN
