"""Which rules of a contract single rows break: for rows that are to be written, many at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from contracts.judge import Contract, Evaluator
from contracts.vocabulary import Severity, StoreName

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_AT_ONCE = 2_000


class RowJudge:
    """Judges single rows by the contract of their dataset.

    Args:
        contract: What must hold.
    """

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._columns = [column.name for column in contract.dataset.columns]
        self._evaluators: dict[StoreName, tuple[Evaluator, ...]] = {}
        self.rules = frozenset(rule.id for rule in contract.rules)
        self.critical = frozenset(rule.id for rule in contract.rules if rule.severity is Severity.CRITICAL)

    def broken(self, store: StoreName, rows: Sequence[Mapping[str, str | None]]) -> list[frozenset[str]]:
        """Return, for each row, the ids of the rules that it breaks on a store.

        A rule that a row keeps from being judged counts as broken by it, and so does one that nothing answers for.

        Args:
            store: The store.
            rows: Its rows, a text per column of the dataset as the store writes it; None for NULL.
        """
        found: list[frozenset[str]] = []
        for start in range(0, len(rows), ROWS_AT_ONCE):
            found += self._judged(store, rows[start : start + ROWS_AT_ONCE])
        return found

    def _judged(self, store: StoreName, rows: Sequence[Mapping[str, str | None]]) -> list[frozenset[str]]:
        import pyarrow as pa

        broken: list[set[str]] = [set() for _ in rows]
        unanswered = {rule.id for rule in self._contract.rules}
        texts = {name: pa.array([row[name] for row in rows], pa.string()) for name in self._columns}
        batch = pa.RecordBatch.from_pydict(texts)
        for evaluator in self._of(store):
            unanswered.difference_update(evaluator.rules)
            for rule, places in self._failures(evaluator, batch.select(list(evaluator.columns))).items():
                for place in places:
                    broken[place].add(rule)
        return [frozenset(rules | unanswered) for rules in broken]

    def _failures(self, evaluator: Evaluator, batch: pa.RecordBatch) -> Mapping[str, Sequence[int]]:
        """Evaluate rows together; where that fails one by one, since any of them may be the reason."""
        try:
            found = evaluator.run(batch)
        except (Exception, SystemExit):  # noqa: BLE001 - whatever it is, these rows were not judged
            if batch.num_rows == 1:
                return {rule: [0] for rule in evaluator.rules}
            singly = [self._failures(evaluator, batch.slice(place, 1)) for place in range(batch.num_rows)]
            return {rule: [n for n, one in enumerate(singly) if len(one[rule])] for rule in evaluator.rules}
        everyone = range(batch.num_rows)
        return {rule: found.get(rule, everyone) for rule in evaluator.rules}

    def _of(self, store: StoreName) -> tuple[Evaluator, ...]:
        if store not in self._evaluators:
            self._evaluators[store] = self._contract.evaluators(store)
        return self._evaluators[store]
