"""The runner of suites, sabotaged: whatever goes wrong is errored with a clear sentence, and never passed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from contracts.errors import ConfigurationError
from contracts.verdicts import CheckResult
from contracts.vocabulary import CheckStatus, Severity, StoreName
from expectations.engine import load_gx
from expectations.planning import SUITE
from expectations.queries import ask_for_violations
from expectations.registry import declared_checks, suite_for
from expectations.runner import Target, evaluate, run_suite
from expectations.suite import Ask, DeclaredCheck, Facts, Finding, Skip, Suite
from tests.support.servers import SEEDED_AT, Pair

SECRET = "hunter2$word"
GOOD = next(check for check in SUITE.checks if check.id == "planning.id_unique")


def planning(url: str, **options: Any) -> tuple[CheckResult, ...]:
    """Run the planning suite on the primary store behind a URL."""
    return run_suite(
        "planning",
        StoreName.PRISMA,
        url=url,
        schema=options.pop("schema", "public"),
        table=options.pop("table", "planning"),
        now=SEEDED_AT,
        **options,
    )


def of(pair: Pair, *checks: DeclaredCheck[Any]) -> dict[str, CheckResult]:
    """Evaluate a suite of these checks on the primary store; return its results by id."""
    suite: Suite[Any] = Suite(dataset_name="planning", checks=checks, thresholds=SUITE.thresholds)
    target = Target(store=StoreName.PRISMA, url=pair.primary, schema="public", table="planning")
    results = evaluate(suite, target, now=SEEDED_AT)
    assert len(results) == len(checks)
    return {result.id: result for result in results}


def check(name: str, plan: Callable[[Facts[Any]], Ask | Skip]) -> DeclaredCheck[Any]:
    """Declare a check for a test."""
    return DeclaredCheck(id=name, severity=Severity.CRITICAL, sentence="It holds.", plan=plan)


def asking(query: str, read: Callable[[Any], Finding] | None = None) -> Callable[[Facts[Any]], Ask | Skip]:
    """Plan a query that must return no row."""

    def plan(_: Facts[Any]) -> Ask | Skip:
        ask = ask_for_violations(query, str)
        return replace(ask, read=read or ask.read)

    return plan


def assert_errored(results: tuple[CheckResult, ...], sentence: str) -> None:
    """Assert that every declared check is errored with this sentence, and shows no secret."""
    assert [r.id for r in results] == [key for key, _, _ in declared_checks("planning")]
    assert {r.status for r in results} == {CheckStatus.ERRORED}
    assert {r.message for r in results} == {f"The check could not be evaluated on prisma: {sentence}."}
    assert all(SECRET not in repr(r) for r in results)


@dataclass(frozen=True)
class Stranger:
    """A login role that may connect and nothing else, and the URL that it uses."""

    name: str
    url: str


@pytest.fixture
def stranger(seeded_pair: Pair) -> Iterator[Stranger]:
    """A role of the primary server without any grant, with a password that needs escaping."""
    name = "stranger"
    with psycopg.connect(seeded_pair.primary_superuser, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{SECRET}'")
        connection.execute(f"GRANT CONNECT ON DATABASE {connection.info.dbname} TO {name}")
        url = make_url(seeded_pair.primary).set(username=name, password=SECRET)
        yield Stranger(name=name, url=url.render_as_string(hide_password=False))
        connection.execute(f"DROP OWNED BY {name}")
        connection.execute(f"DROP ROLE {name}")


def test_an_expectation_that_raises_is_errored_and_the_others_are_judged(still_pair: Pair) -> None:
    """A query that fails on the server errors its own check only."""
    results = of(still_pair, check("raises", asking("SELECT 1 / 0 AS sample_key FROM {batch}")), GOOD)
    assert results["raises"].status is CheckStatus.ERRORED
    assert "DivisionByZero" in results["raises"].message
    assert results[GOOD.id].status is CheckStatus.PASSED


def test_an_empty_suite_is_errored() -> None:
    """A suite without checks gives one errored result, before anything is connected to."""
    suite: Suite[Any] = Suite(dataset_name="planning", checks=(), thresholds=None)
    target = Target(store=StoreName.SUPABASE, url="postgresql://nowhere", schema="public", table="planning")
    (result,) = evaluate(suite, target, now=SEEDED_AT)
    assert (result.status, result.severity, result.store) == (
        CheckStatus.ERRORED,
        Severity.CRITICAL,
        StoreName.SUPABASE,
    )


Answers = list[Any]


@pytest.fixture
def spoil(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Answers], Answers]], None]:
    """Let Great Expectations spoil the answers that it gives."""

    def install(change: Callable[[Answers], Answers]) -> None:
        load_gx()
        batch = import_module("great_expectations.datasource.fluent.interfaces").Batch
        validate = batch.validate

        def spoilt(*args: Any, **options: Any) -> Any:
            answer = validate(*args, **options)
            answer.results = change(answer.results)
            return answer

        monkeypatch.setattr(batch, "validate", spoilt)

    return install


Spoil = Callable[[Callable[[Answers], Answers]], None]


def test_a_dropped_result_is_errored(still_pair: Pair, spoil: Spoil) -> None:
    """A check whose result was lost is errored, and the others are judged."""
    spoil(lambda results: [r for r in results if r.expectation_config.meta["id"] != GOOD.id])
    results = of(still_pair, GOOD, replace(GOOD, id="twin"))
    assert results[GOOD.id].message.endswith("it was not answered.")
    assert results["twin"].status is CheckStatus.PASSED


def test_no_results_at_all_are_errored(still_pair: Pair, spoil: Spoil) -> None:
    """A suite that lost all of its expectations, which Great Expectations calls a success, is errored."""
    spoil(lambda _: [])
    assert_errored(planning(still_pair.primary, trend=(300, 300, 300)), "it was not answered")


@pytest.mark.parametrize("names", [("twin", "twin"), (GOOD.id, "stranger")])
def test_results_that_cannot_be_told_apart_are_errored(still_pair: Pair, spoil: Spoil, names: tuple[str, str]) -> None:
    """Two results of one id, or a result that nobody asked for, discredit all of them."""

    def rename(results: Answers) -> Answers:
        for result, name in zip(results, names, strict=True):
            result.expectation_config.meta = {"id": name}
        return results

    spoil(rename)
    results = of(still_pair, GOOD, replace(GOOD, id="twin"))
    assert {r.message.partition(": ")[2] for r in results.values()} == {"the answers cannot be told apart."}


@pytest.mark.parametrize("success", [None, "yes", 1])
def test_an_answer_that_is_neither_yes_nor_no_is_errored(still_pair: Pair, spoil: Spoil, success: object) -> None:
    """Only a plain yes is a yes."""

    def blur(results: Answers) -> Answers:
        results[0].success = success
        return results

    spoil(blur)
    assert of(still_pair, GOOD)[GOOD.id].message.endswith("its answer is neither yes nor no.")


def test_a_check_that_cannot_be_planned_is_errored(still_pair: Pair) -> None:
    """A plan that raises errors its own check only, and its text is not told."""

    def broken(_: Facts[Any]) -> Ask | Skip:
        raise ValueError(SECRET)

    results = of(still_pair, check("broken", broken), GOOD)
    assert results["broken"].message.endswith("its expectation could not be made (ValueError).")
    assert results[GOOD.id].status is CheckStatus.PASSED


def test_an_answer_that_cannot_be_read_is_errored(still_pair: Pair) -> None:
    """A success whose evidence is not there is errored."""
    unreadable = asking("SELECT 1 AS sample_key FROM {batch} WHERE false", lambda result: result["evidence"])
    results = of(still_pair, check("unreadable", unreadable))
    assert results["unreadable"].message.endswith("its answer could not be read (KeyError).")


def test_a_violation_without_the_agreed_columns_is_errored(still_pair: Pair) -> None:
    """Rows that cannot be understood as violations are not counted as such."""
    results = of(still_pair, check("odd", asking("SELECT id FROM {batch} LIMIT 1")))
    assert results["odd"].status is CheckStatus.ERRORED


def test_nothing_is_written(still_pair: Pair) -> None:
    """An expectation that writes is refused by the server, since the transactions are read-only."""
    results = of(still_pair, check("writes", asking("SELECT lo_create(0) AS sample_key FROM {batch} LIMIT 1")))
    assert "ReadOnlySqlTransaction" in results["writes"].message


def test_a_missing_column_is_errored(seeded_pair: Pair) -> None:
    """Checks of a column that is gone are errored; the others are judged."""
    with psycopg.connect(seeded_pair.primary) as connection:
        connection.execute("ALTER TABLE planning DROP COLUMN metadata")
    results = {r.id: r for r in planning(seeded_pair.primary)}
    errored = {key for key, r in results.items() if r.status is CheckStatus.ERRORED}
    assert errored == {"planning.null_rate.metadata"}


def test_a_missing_table_is_errored(still_pair: Pair) -> None:
    """A table or schema that is not there is said to be missing."""
    assert_errored(planning(still_pair.primary, table="scenes"), "the table is missing")
    assert_errored(planning(still_pair.primary, schema="private"), "the table is missing")


def test_a_missing_grant_is_errored(stranger: Stranger) -> None:
    """A role that may not read the table is told so; its odd password is passed on unharmed."""
    assert_errored(planning(stranger.url), "a grant on the table is missing")


def test_rows_hidden_by_policies_are_errored(stranger: Stranger, seeded_pair: Pair) -> None:
    """A role from which rows are hidden is told so, instead of being shown a part of the table."""
    with psycopg.connect(seeded_pair.primary_superuser) as connection:
        connection.execute(f"GRANT SELECT ON public.planning TO {stranger.name}")
        connection.execute("ALTER TABLE public.planning ENABLE ROW LEVEL SECURITY")
    assert_errored(planning(stranger.url), "row level security may hide rows")


def test_an_empty_table_is_errored_unless_it_may_be_empty(pair: Pair) -> None:
    """Zero rows are errored without permission, and skipped with it."""
    assert_errored(planning(pair.primary), "not a single row is seen in the table")
    assert {r.status for r in planning(pair.primary, allow_empty=True)} == {CheckStatus.SKIPPED}


def test_a_wrong_password_is_errored(still_pair: Pair) -> None:
    """A refused login is told apart from a store that is down, and shows neither password nor user."""
    url = make_url(still_pair.primary).set(password=SECRET).render_as_string(hide_password=False)
    assert_errored(planning(url), "the store refuses user or password")


def test_a_server_that_is_down_is_errored(still_pair: Pair) -> None:
    """A store that does not answer is errored."""
    url = make_url(still_pair.primary).set(port=1, password=SECRET).render_as_string(hide_password=False)
    assert_errored(planning(url), "the store cannot be reached")


def test_a_missing_database_is_errored(still_pair: Pair) -> None:
    """A database that does not exist is said to be missing."""
    url = make_url(still_pair.primary).set(database="nowhere").render_as_string(hide_password=False)
    assert_errored(planning(url), "there is no such database")


def test_an_unusable_url_is_errored() -> None:
    """A URL that cannot be parsed is not shown."""
    assert_errored(planning(f"not a url {SECRET}"), "ArgumentError was raised")


def test_a_statement_that_takes_too_long_is_errored(seeded_pair: Pair) -> None:
    """A table that somebody holds locked is given up after the time limit."""
    with psycopg.connect(seeded_pair.primary) as connection:
        connection.execute("LOCK TABLE planning IN ACCESS EXCLUSIVE MODE")
        assert_errored(planning(seeded_pair.primary, timeout_s=0.2), "a statement took longer than its limit")


def test_nothing_is_printed_or_logged(
    still_pair: Pair, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Neither a good nor a failing run prints, draws a progress bar or logs."""
    with caplog.at_level(logging.WARNING):
        of(still_pair, GOOD, check("raises", asking("SELECT 1 / 0 AS sample_key FROM {batch}")))
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


def test_the_url_is_in_no_repr() -> None:
    """A target does not show its URL."""
    target = Target(store=StoreName.PRISMA, url=f"postgresql://u:{SECRET}@h/d", schema="public", table="planning")
    assert SECRET not in repr(target)


def test_a_moment_without_a_time_zone_is_refused() -> None:
    """The moment of the run needs a time zone."""
    with pytest.raises(ValueError, match="time zone"):
        run_suite(
            "planning",
            StoreName.PRISMA,
            url="postgresql://",
            schema="public",
            table="planning",
            now=SEEDED_AT.replace(tzinfo=None),
        )


def test_an_unknown_dataset_is_refused() -> None:
    """Asking for the suite of an unknown dataset names the known ones."""
    with pytest.raises(ConfigurationError, match="planning"):
        suite_for("scenes")
