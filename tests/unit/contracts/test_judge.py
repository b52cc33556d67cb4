"""The judge of a contract: counts, samples, bounded memory, and that it fails closed."""

from collections.abc import Callable
from dataclasses import replace

import pandera.config
import pyarrow as pa
import pytest

from contracts.errors import ConfigurationError
from contracts.judge import SAMPLES, ContractJudge, Evaluator, Failures, inherited
from contracts.registry import contract_for
from contracts.verdicts import CheckResult
from contracts.vocabulary import CheckStatus, StoreName
from tests.support.planning_rows import KEY, batch, content, row

CONTRACT = contract_for("planning")
RULE = "planning.status_known"


def key(number: int) -> str:
    """Return the number-th key."""
    return f"{number:08x}-0000-4000-8000-000000000000"


def rows(numbers: range, **changes: str | None) -> pa.RecordBatch:
    """Return valid rows with these keys and the given changes."""
    return batch([row(id=key(n), content=content(id=key(n)), **changes) for n in numbers])


def one(results: tuple[CheckResult, ...], rule: str = RULE) -> CheckResult:
    """Return the result of one rule."""
    return next(result for result in results if result.id == rule)


def sabotaged(run: Callable[[pa.RecordBatch], Failures]) -> ContractJudge:
    """Return a judge whose status rule is evaluated by `run` and whose other rules work."""

    def evaluators(store: StoreName) -> tuple[Evaluator, ...]:
        return tuple(replace(e, run=run) if e.rules == (RULE,) else e for e in CONTRACT.evaluators(store))

    return ContractJudge(replace(CONTRACT, evaluators=evaluators), StoreName.PRISMA)


def assert_only_errored(results: tuple[CheckResult, ...], *rules: str) -> None:
    """Assert that these rules are errored, without a finding, and that all others passed."""
    assert {r.id for r in results if r.status is CheckStatus.ERRORED} == set(rules)
    assert {r.status for r in results if r.id not in rules} <= {CheckStatus.PASSED}
    assert all(
        r.failing_rows == 0 and r.sample_keys == () and "could not be judged" in r.message
        for r in results
        if r.id in rules
    )


def test_failures_are_counted_over_all_batches_and_the_smallest_keys_are_kept() -> None:
    """Counts add up over batches; the samples are the smallest keys of all batches, each once, in order."""
    judge = ContractJudge(CONTRACT, StoreName.SUPABASE)
    judge.judge(rows(range(100, 160), status="queued"))
    judge.judge(rows(range(50)))
    judge.judge(rows(range(200, 210), status="queued"))
    judge.judge(rows(range(90, 95), status="queued"))
    result = one(judge.results(125))
    assert (result.status, result.failing_rows, result.checked_rows) == (CheckStatus.FAILED, 75, 125)
    assert result.sample_keys == tuple(key(n) for n in [*range(90, 95), *range(100, 100 + SAMPLES - 5)])


def test_a_raising_rule_is_errored_and_the_others_go_on() -> None:
    """What raises inside a rule errors that rule only, and its text, which may hold values, is not told."""

    def explode(_: pa.RecordBatch) -> Failures:
        msg = "secret value"
        raise RuntimeError(msg)

    judge = sabotaged(explode)
    judge.judge(rows(range(3)))
    results = judge.results(3)
    assert_only_errored(results, RULE)
    assert "RuntimeError" in one(results).message
    assert "secret" not in one(results).message


def test_a_rule_that_ends_python_is_errored() -> None:
    """A rule that exits with code 0 must not end the run with it."""

    def leave(_: pa.RecordBatch) -> Failures:
        raise SystemExit(0)

    judge = sabotaged(leave)
    judge.judge(rows(range(3)))
    assert_only_errored(judge.results(3), RULE)


def test_a_rule_that_raises_late_is_errored_and_tells_what_it_found_before() -> None:
    """A rule that fails on some rows and raises on later ones is errored, not failed."""

    def late(part: pa.RecordBatch) -> Failures:
        if part.num_rows == 1:
            raise KeyError
        return {RULE: [0, 1]}

    judge = sabotaged(late)
    judge.judge(rows(range(2)))
    judge.judge(rows(range(2, 3)))
    results = judge.results(3)
    assert_only_errored(results, RULE)
    assert "2 violations were found before" in one(results).message


def test_a_rule_without_an_answer_is_errored() -> None:
    """A rule that its evaluator leaves out of an answer, even once, is errored."""
    judge = sabotaged(lambda part: {RULE: []} if part.num_rows > 1 else {})
    judge.judge(rows(range(2)))
    judge.judge(rows(range(2, 3)))
    assert_only_errored(judge.results(3), RULE)


def test_a_rule_that_nothing_answers_for_is_errored() -> None:
    """A rule without any evaluator is errored."""

    def without(store: StoreName) -> tuple[Evaluator, ...]:
        return tuple(e for e in CONTRACT.evaluators(store) if e.rules != (RULE,))

    judge = ContractJudge(replace(CONTRACT, evaluators=without), StoreName.PRISMA)
    judge.judge(rows(range(3)))
    assert_only_errored(judge.results(3), RULE)


def test_rules_that_cannot_be_built_are_errored() -> None:
    """When the evaluators cannot even be made, every rule is errored, even on an empty table."""

    def broken(_: StoreName) -> tuple[Evaluator, ...]:
        raise ImportError

    judge = ContractJudge(replace(CONTRACT, evaluators=broken), StoreName.PRISMA)
    assert {r.status for r in judge.results(0)} == {CheckStatus.ERRORED}
    judge.judge(rows(range(3)))
    assert {r.status for r in judge.results(3)} == {CheckStatus.ERRORED}


def test_a_missing_column_errors_the_rules_that_read_it() -> None:
    """Rows that came without a column error every rule about it and no other."""
    judge = ContractJudge(CONTRACT, StoreName.PRISMA)
    judge.judge(rows(range(3)).drop_columns(["updated_at"]))
    assert_only_errored(judge.results(3), "planning.required_present", "planning.created_before_updated")


def test_a_column_that_is_no_text_errors_the_rules_that_read_it() -> None:
    """A column of another type than text errors every rule about it."""
    part = rows(range(3))
    wrong = part.set_column(part.schema.get_field_index("version"), "version", pa.array([1, 1, 1]))
    judge = ContractJudge(CONTRACT, StoreName.PRISMA)
    judge.judge(wrong)
    assert_only_errored(judge.results(3), "planning.version_positive")


@pytest.mark.parametrize("expected", [None, 1, 1_000])
def test_no_row_seen_is_errored(expected: int | None) -> None:
    """Having seen no row proves nothing, unless someone else counted none."""
    judge = ContractJudge(CONTRACT, StoreName.PRISMA)
    judge.judge(rows(range(0)))
    assert {r.status for r in judge.results(expected)} == {CheckStatus.ERRORED}


def test_an_empty_table_is_skipped_when_it_is_known_to_be_empty() -> None:
    """On a table that was counted as empty the rules are skipped, not passed."""
    assert {r.status for r in ContractJudge(CONTRACT, StoreName.PRISMA).results(0)} == {CheckStatus.SKIPPED}


@pytest.mark.parametrize("expected", [0, 2, 4])
def test_another_number_of_rows_than_the_table_holds_is_errored(expected: int) -> None:
    """Rules that passed on too few or too many rows are errored; violations that were found stay."""
    judge = ContractJudge(CONTRACT, StoreName.PRISMA)
    judge.judge(rows(range(3), status="queued"))
    results = judge.results(expected)
    assert one(results).status is CheckStatus.FAILED
    assert {r.status for r in results if r.id != RULE} == {CheckStatus.ERRORED}


def test_a_body_that_is_not_json_errors_the_rules_about_bodies() -> None:
    """A text that no JSON column can hold is not judged but errored."""
    judge = ContractJudge(CONTRACT, StoreName.PRISMA)
    judge.judge(rows(range(3)))
    judge.judge(batch([row(id=KEY, content="{not json")]))
    names = ("is_object", "valid", "id_matches", "type_matches")
    assert_only_errored(judge.results(4), *(f"planning.content_{name}" for name in names))


def test_a_text_that_is_no_instant_errors_the_rule_about_times() -> None:
    """A time that cannot be read is not judged but errored."""
    judge = ContractJudge(CONTRACT, StoreName.PRISMA)
    judge.judge(rows(range(3), created_at="yesterday"))
    assert_only_errored(judge.results(3), "planning.created_before_updated")


def test_rules_are_judged_even_when_pandera_is_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pandera's switch that makes every validation pass does not reach the judge."""
    monkeypatch.setattr(pandera.config.CONFIG, "validation_enabled", False)
    judge = ContractJudge(CONTRACT, StoreName.PRISMA)
    judge.judge(rows(range(3), status="queued"))
    assert one(judge.results(3)).failing_rows == 3


def test_large_strings_are_text_too() -> None:
    """Columns of Arrow's large string type are judged like others."""
    part = rows(range(3), status="queued")
    large = part.cast(pa.schema([(name, pa.large_string()) for name in part.schema.names]))
    judge = ContractJudge(CONTRACT, StoreName.PRISMA)
    judge.judge(large)
    assert one(judge.results(3)).failing_rows == 3


def test_inherited_results_keep_the_verdict_and_name_the_store() -> None:
    """A side that was proven equal takes over every result, marked as inherited."""
    judge = ContractJudge(CONTRACT, StoreName.PRISMA)
    judge.judge(rows(range(3), status="queued"))
    results = judge.results(3)
    taken = inherited(results, StoreName.SUPABASE)
    assert taken == tuple(replace(r, store=StoreName.SUPABASE, inherited=True) for r in results)


def test_an_unknown_dataset_is_refused() -> None:
    """Asking for the contract of an unknown dataset names the known ones."""
    with pytest.raises(ConfigurationError, match="planning"):
        contract_for("scenes")
