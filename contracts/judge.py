"""Judging rows by a contract, batch by batch, in bounded memory. What cannot be judged is errored, never passed."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from contracts.dataset import Dataset
from contracts.keys import join_key
from contracts.rules import Rule
from contracts.verdicts import CheckResult
from contracts.vocabulary import CheckSource, CheckStatus, StoreName

if TYPE_CHECKING:
    import pandera.pandas as pandera
    import pyarrow as pa

SAMPLES = 20  # keys kept per rule

Failures = Mapping[str, Sequence[int]]
"""Per rule id, the positions in the batch of the rows that break it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluator:
    """Code that judges one or more rules of a contract.

    Attributes:
        rules: Ids of the rules that it answers for; one that is missing from an answer is errored.
        columns: The columns that it is given.
        run: Judges a batch that has these columns, as strings.
    """

    rules: tuple[str, ...]
    columns: tuple[str, ...]
    run: Callable[[pa.RecordBatch], Failures]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What must hold for every row of a dataset.

    Attributes:
        dataset: The dataset.
        rules: All rules, in the order in which they are reported.
        evaluators: Makes the code that judges the rows of one store; every rule must be answered for.
    """

    dataset: Dataset
    rules: tuple[Rule, ...]
    evaluators: Callable[[StoreName], tuple[Evaluator, ...]]


def frame_evaluators(schema: pandera.DataFrameSchema, rules: Sequence[Rule]) -> tuple[Evaluator, ...]:
    """Make one evaluator per check of a Pandera frame; the name of a check is the id of its rule.

    The checks are run one by one and not by `schema.validate`: that can be switched off from outside by an environment
    variable, and then says that everything is valid.
    """
    reads = {rule.id: rule.columns for rule in rules}
    of_columns = [(check, (name,)) for name, column in schema.columns.items() for check in column.checks]
    of_frame = [(check, reads[str(check.name)]) for check in schema.checks]

    def evaluator(check: pandera.Check, columns: tuple[str, ...], *, whole: bool) -> Evaluator:
        def run(batch: pa.RecordBatch) -> Failures:
            frame = _frame(batch)
            held = check(frame if whole else frame[columns[0]]).check_output
            return {str(check.name): held.index[~held.astype(bool)].to_numpy()}

        return Evaluator(rules=(str(check.name),), columns=columns, run=run)

    return (
        *(evaluator(check, columns, whole=False) for check, columns in of_columns),
        *(evaluator(check, columns, whole=True) for check, columns in of_frame),
    )


def _frame(batch: pa.RecordBatch) -> Any:
    import pandas as pd

    return batch.to_pandas(types_mapper=pd.ArrowDtype)


@dataclass(slots=True)
class _Tally:
    """What is known so far about one rule."""

    failing: int = 0
    samples: list[str] = field(default_factory=list)
    trouble: str | None = None

    def add(self, keys: list[str | None]) -> None:
        self.failing += len(keys)
        named = (key for key in keys if key is not None)
        self.samples = heapq.nsmallest(SAMPLES, {*self.samples, *named})


class ContractJudge:
    """Judges the rows of one dataset in one store.

    Args:
        contract: What must hold.
        store: The store that the rows come from.
        key_text: Makes the key text of a row from its key columns as the store wrote them. The default takes the texts
            as they are, which is right for keys of UUIDs, texts and whole numbers.
    """

    def __init__(
        self, contract: Contract, store: StoreName, *, key_text: Callable[[Mapping[str, str]], str] | None = None
    ) -> None:
        self._contract = contract
        self._key_text = key_text or (lambda row: join_key([row[name] for name in contract.dataset.key]))
        self._store = store
        self._rows = 0
        self._tallies = {rule.id: _Tally() for rule in contract.rules}
        self._unanswered = set(self._tallies)
        try:
            self._evaluators = contract.evaluators(store)
        except (Exception, SystemExit) as exc:  # noqa: BLE001 - whatever it is, the rules are not judged
            self._evaluators = ()
            self._trouble(tuple(self._tallies), f"the rules could not be built ({type(exc).__name__})")

    def judge(self, batch: pa.RecordBatch) -> None:
        """Judge some rows: one string column per column of the dataset. Nothing that a rule raises gets out."""
        if batch.num_rows == 0:
            return
        self._rows += batch.num_rows
        for evaluator in self._evaluators:
            try:
                self._evaluate(evaluator, batch)
            except (Exception, SystemExit) as exc:  # noqa: BLE001 - these rules are errored, and the others go on
                # The text of the exception may hold values of the rows, so only its kind is told.
                self._trouble(evaluator.rules, f"its evaluation raised {type(exc).__name__}")

    def results(self, expected_rows: int | None = None) -> tuple[CheckResult, ...]:
        """Return one result per rule.

        Args:
            expected_rows: Number of rows that the table holds, as counted by someone else in the same snapshot. Having
                seen no row is errored unless it is 0; having seen another number of rows is errored unless violations
                were found in them.
        """
        return tuple(self._result(rule, expected_rows) for rule in self._contract.rules)

    def _evaluate(self, evaluator: Evaluator, batch: pa.RecordBatch) -> None:
        absent = [name for name in evaluator.columns if name not in batch.schema.names]
        if absent:
            self._trouble(evaluator.rules, f"the rows came without the column {absent[0]}")
            return
        wrong = [name for name in evaluator.columns if not _is_text(batch.schema.field(name).type)]
        if wrong:
            self._trouble(evaluator.rules, f"the column {wrong[0]} did not come as text")
            return
        failures = evaluator.run(batch.select(list(evaluator.columns)))
        self._unanswered -= failures.keys()
        for rule in evaluator.rules:
            if rule not in failures:
                self._trouble((rule,), "it was not answered")
            elif len(failures[rule]):
                self._tallies[rule].add(self._keys(batch, failures[rule]))

    def _keys(self, batch: pa.RecordBatch, positions: Sequence[int]) -> list[str | None]:
        """Return the key texts of some rows; None where a part of a key is NULL."""
        rows = batch.select(list(self._contract.dataset.key)).take(list(positions)).to_pylist()
        return [self._key_text(row) if None not in row.values() else None for row in rows]

    def _trouble(self, rules: tuple[str, ...], trouble: str) -> None:
        for rule in rules:
            self._tallies[rule].trouble = self._tallies[rule].trouble or trouble

    def _result(self, rule: Rule, expected_rows: int | None) -> CheckResult:
        tally = self._tallies[rule.id]
        result = CheckResult(
            id=rule.id,
            source=CheckSource.CONTRACT,
            store=self._store,
            severity=rule.severity,
            status=CheckStatus.PASSED,
            message=rule.sentence,
            checked_rows=self._rows,
        )
        if self._rows == 0 and expected_rows == 0 and tally.trouble is None:
            return replace(result, status=CheckStatus.SKIPPED, message="The table holds no row.")
        trouble = tally.trouble or self._shortfall(rule, expected_rows)
        if trouble and (tally.trouble or not tally.failing):
            found = f" {tally.failing} violations were found before." if tally.failing else ""
            message = f"The rule could not be judged on {self._store}: {trouble}.{found}"
            return replace(result, status=CheckStatus.ERRORED, message=message)
        if tally.failing:
            samples = tuple(tally.samples)
            return replace(result, status=CheckStatus.FAILED, failing_rows=tally.failing, sample_keys=samples)
        return result

    def _shortfall(self, rule: Rule, expected_rows: int | None) -> str | None:
        """Say why the rows that were seen cannot vouch for the whole table; None when they can."""
        if self._rows == 0:
            return "no row was seen" + (f", while the table holds {expected_rows}" if expected_rows else "")
        if expected_rows is not None and self._rows != expected_rows:
            return f"{self._rows} rows were seen, while the table holds {expected_rows}"
        return "nothing answers for it" if rule.id in self._unanswered else None


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def inherited(results: Sequence[CheckResult], store: StoreName) -> tuple[CheckResult, ...]:
    """Return the results for a store whose rows were proven equal to those that were judged, marked as inherited."""
    return tuple(replace(result, store=store, inherited=True) for result in results)
