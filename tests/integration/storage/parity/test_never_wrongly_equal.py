"""States of real stores that were once called equal, missing or passed and are not: each found by an attack."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import psycopg
import pytest
from psycopg import sql

from contracts.registry import contract_for
from contracts.vocabulary import Cause, CheckSource, CheckStatus, Verdict
from flows import stages
from storage.local.unguarded import triggers_off
from storage.parity.engine import compare
from tests.support.checking import check, job_of
from tests.support.servers import Pair

SHADOW = "CREATE FUNCTION public.{} RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN 7; END'"
SHADOWED = (
    "hash_record_extended(r record, s int)",
    "hash_record_extended(r record, s bigint)",
    "hashint8extended(a bigint, b bigint)",
    "hashtextextended(t text, s int)",
)


def neighbours(pair: Pair) -> list[tuple[str, str]]:
    """Return pairs of rows that lie in one range and have different titles."""
    with psycopg.connect(pair.primary) as connection:
        rows = connection.execute("SELECT id, title FROM public.planning ORDER BY id").fetchall()
    return [(one[0], other[0]) for one, other in pairwise(rows) if one[0][:2] == other[0][:2] and one[1] != other[1]]


@contextmanager
def rogue(pair: Pair) -> Iterator[psycopg.Connection]:
    """Change the secondary past its triggers."""
    with psycopg.connect(pair.secondary) as connection, triggers_off(connection):
        yield connection


@pytest.mark.parametrize(
    ("column", "times"),
    [
        ("title", 4),
        *(pytest.param(name, 20, marks=pytest.mark.soak) for name in ("title", "status", "created_at", "version")),
    ],
)
def test_rows_that_exchange_a_value_are_different(seeded_pair: Pair, column: str, times: int) -> None:
    """Two rows of one range that swap a column leave every sum over single columns as it was, and are still found."""
    found = []
    for one, other in neighbours(seeded_pair)[:times]:
        swap = sql.SQL(
            "UPDATE public.planning p SET {c} = o.{c} FROM public.planning o "
            "WHERE p.id = ANY(%s::uuid[]) AND o.id = ANY(%s::uuid[]) AND o.id <> p.id AND o.{c} <> p.{c}"
        ).format(c=sql.Identifier(column))
        with rogue(seeded_pair) as connection:
            moved = connection.execute(swap, ([one, other], [one, other])).rowcount
        if moved:
            found.append({d.key for d in check(job_of(seeded_pair), suite=()).differences} == {one, other})
            with rogue(seeded_pair) as connection:
                connection.execute(swap, ([one, other], [one, other]))
    assert found == [True] * len(found)
    assert found or column == "version"  # the seed gives all neighbours one version now and then


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("2026-02-28 12:00:00.123", "2026-04-02 02:38:18.669"),
        ("infinity", "-infinity"),
        pytest.param("2026-03-01 12:00:00.123", "2025-12-17 03:12:09.050", marks=pytest.mark.soak),
        pytest.param("2026-03-01 12:00:00.123", "infinity", marks=pytest.mark.soak),
    ],
)
def test_times_that_fold_to_one_hash_are_different(seeded_pair: Pair, ours: str, theirs: str) -> None:
    """The server folds the halves of 64-bit values before it hashes them, whatever the seed; times escape that."""
    ((key, _), *_) = neighbours(seeded_pair)
    with psycopg.connect(seeded_pair.primary) as primary, rogue(seeded_pair) as secondary:
        primary.execute("UPDATE public.planning SET updated_at = %s::timestamp WHERE id = %s", (ours, key))
        secondary.execute(
            "UPDATE public.planning SET updated_at = %s::timestamp AT TIME ZONE 'UTC' WHERE id = %s", (theirs, key)
        )
    assert [d.key for d in check(job_of(seeded_pair), suite=()).differences] == [key]


def test_functions_of_a_user_do_not_stand_in_for_built_in_ones(seeded_pair: Pair) -> None:
    """A function in schema public that fits our calls better than the built-in one is not called."""
    ((key, _), *_) = neighbours(seeded_pair)
    for dsn in (seeded_pair.primary, seeded_pair.secondary):
        with psycopg.connect(dsn) as connection:
            for function in SHADOWED:
                connection.execute(SHADOW.format(function).encode())
    with rogue(seeded_pair) as connection:
        connection.execute("UPDATE public.planning SET title = title || '!' WHERE id = %s", (key,))
    assert [d.key for d in check(job_of(seeded_pair), suite=()).differences] == [key]


def test_a_key_with_a_byte_order_mark_is_excluded_and_fails(seeded_pair: Pair) -> None:
    """The mark is part of the key, also in the very first row that is read: the rule fails and the run says so."""
    with psycopg.connect(seeded_pair.primary) as connection:
        (key,) = connection.execute("SELECT id FROM public.planning ORDER BY ctid LIMIT 1").fetchone() or ("",)
        connection.execute("UPDATE public.planning SET id = %s WHERE id = %s", (f"\ufeff{key}", key))
        connection.execute("CREATE INDEX by_id ON public.planning (id)")
        connection.execute("CLUSTER public.planning USING planning_pkey")
        connection.execute("UPDATE public.planning SET id = id WHERE id !~ '^\ufeff'")
    with rogue(seeded_pair) as connection:
        connection.execute("DELETE FROM public.planning WHERE id = %s", (key,))
    report = check(job_of(seeded_pair), suite=())
    assert report.rows.excluded == 1
    assert report.differences == ()
    assert "planning.id_replicable" in {c.id for c in report.checks if c.status is CheckStatus.FAILED}
    assert any("not compared" in r.text for r in report.reasons)


@contextmanager
def reloading(pair: Pair, seconds: float) -> Iterator[None]:
    """Reload the secondary in one transaction that takes a while, as a restore does."""
    began = threading.Event()

    def reload() -> None:
        with psycopg.connect(pair.secondary) as connection, triggers_off(connection):
            connection.execute("CREATE TEMP TABLE kept AS SELECT * FROM public.planning")
            connection.execute("TRUNCATE public.planning")
            connection.execute("INSERT INTO public.planning SELECT * FROM kept")
            began.set()
            time.sleep(seconds)

    thread = threading.Thread(target=reload)
    thread.start()
    began.wait(30)
    yield
    thread.join()


def test_a_store_in_reload_is_not_seen_as_empty(seeded_pair: Pair) -> None:
    """No committed state was ever empty, so the check waits for the reload and finds equal stores."""
    with reloading(seeded_pair, 1.5):
        report = check(job_of(seeded_pair), suite=())
    assert report.rows.matched == 300
    assert report.clusters == ()
    assert {c.status for c in report.checks if c.id == "planning.id_replicable"} == {CheckStatus.PASSED}


def test_an_empty_side_that_fills_within_the_grace_time_is_not_empty(seeded_pair: Pair) -> None:
    """A side is called empty only when it was so for the grace time."""
    with psycopg.connect(seeded_pair.secondary) as connection, triggers_off(connection):
        connection.execute("CREATE TABLE public.kept AS SELECT * FROM public.planning")
        connection.execute("DELETE FROM public.planning")
    job = job_of(seeded_pair, grace_s=1.0)

    def fill(_: float) -> None:
        with psycopg.connect(seeded_pair.secondary) as connection, triggers_off(connection):
            connection.execute("INSERT INTO public.planning SELECT * FROM public.kept")

    readers = [job.reader(store) for store in job.stores.urls]
    facts = (readers[0].facts(), readers[1].facts())
    parity = compare(readers[0], readers[1], facts, options=job.options(), sleep=fill)
    assert (parity.different, parity.rows.matched) == (0, 300)


def test_a_primary_of_excluded_rows_beside_an_empty_secondary_is_no_empty_side(seeded_pair: Pair) -> None:
    """Where no row can be compared on either side, none is missing; the excluded rows are said."""
    with psycopg.connect(seeded_pair.primary) as connection:
        connection.execute("UPDATE public.planning SET id = 'scenario_' || id")
    with rogue(seeded_pair) as connection:
        connection.execute("DELETE FROM public.planning")
    report = check(job_of(seeded_pair), suite=())
    assert Cause.SIDE_EMPTY not in {c.cause for c in report.clusters}
    assert report.rows.excluded == 300
    assert report.verdict is Verdict.FAILED


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("ALTER TABLE public.planning DROP CONSTRAINT planning_pkey", "no unique index on id"),
        ("CREATE TABLE public.child () INHERITS (public.planning)", "child tables"),
    ],
)
def test_a_table_whose_keys_may_repeat_is_refused(seeded_pair: Pair, statement: str, sentence: str) -> None:
    """Rows that cannot be told apart by their key are not compared."""
    with psycopg.connect(seeded_pair.primary) as connection:
        connection.execute(statement.encode())
    report = check(job_of(seeded_pair), suite=())
    assert report.verdict is Verdict.ERRORED
    assert sentence in report.reasons[0].text


@pytest.mark.parametrize(
    "setting",
    [
        "quote_all_identifiers = on",
        "client_encoding = 'LATIN1'",
        "TimeZone = 'Asia/Seoul'",
        *(
            pytest.param(setting, marks=pytest.mark.soak)
            for setting in (
                "DateStyle = 'German, DMY'",
                "client_encoding = 'SQL_ASCII'",
                "search_path = public",
                "row_security = on",
                "extra_float_digits = -15",
            )
        ),
    ],
)
def test_settings_of_a_database_change_nothing(seeded_pair: Pair, setting: str) -> None:
    """Whatever a database presets, equal stores pass: what matters is fixed in every transaction."""
    for dsn, superuser in (
        (seeded_pair.primary, seeded_pair.primary_superuser),
        (seeded_pair.secondary, seeded_pair.secondary_superuser),
    ):
        with psycopg.connect(superuser) as connection:
            name = psycopg.conninfo.conninfo_to_dict(dsn)["dbname"]
            connection.execute(sql.SQL("ALTER DATABASE {} SET ").format(sql.Identifier(str(name))) + sql.SQL(setting))
    report = check(job_of(seeded_pair))
    assert report.verdict is Verdict.PASSED, report.reasons


def test_what_was_not_judged_is_not_passed(seeded_pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the comparison counted rows and the contract saw none, the run cannot tell."""
    skipped = stages._unjudged
    monkeypatch.setattr(
        stages,
        "judge_contract",
        lambda job, look: skipped(
            look.store,
            CheckSource.CONTRACT,
            [(rule.id, rule.severity) for rule in contract_for(job.name).rules],
            CheckStatus.SKIPPED,
            "The table holds no row.",
        ),
    )
    report = check(job_of(seeded_pair))
    assert report.verdict is Verdict.ERRORED
    assert any("no contract was judged on prisma" in r.text for r in report.reasons)
