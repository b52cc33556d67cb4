"""Reading by doors over REST: what SQL says of the same table, whatever the server's limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import psycopg
import pytest

from contracts.errors import Refused, SchemaMismatch, TimedOut
from contracts.planning import PLANNING
from contracts.vocabulary import Channel, StoreName
from storage.local.seed import load
from storage.meter import Meter
from storage.parity import sketch
from storage.parity.engine import ParityOptions, compare
from storage.parity.ranges import RANGES, range_of
from storage.parity.recheck import Patience as RecheckPatience
from storage.ports import Digest, HashKind, RangeCount
from storage.postgres import PostgresReader
from storage.rest.client import RestAccess
from storage.rest.patience import Patience
from storage.rest.rpc_reader import RestRpcReader, doors_answer
from tests.support.gateway import Rest, serve
from tests.support.servers import SEEDED, SEEDED_AT, Pair

EVERY = range(RANGES)
KINDS = pytest.mark.parametrize("kind", list(HashKind))
AT_ONCE = ParityOptions(patience=RecheckPatience(grace_s=0, rounds=1))
IMPATIENT = Patience(attempts=2, limit_s=30.0, first_wait_s=0.01)


@pytest.fixture(scope="module")
def rest(still_pair: Pair) -> Iterator[Rest]:
    """The shared secondary behind a gateway that gives two rows at a time."""
    with serve(still_pair.secondary_gate, cap=2) as rest:
        yield rest


@pytest.fixture
def own_rest(seeded_pair: Pair) -> Iterator[Rest]:
    """A secondary of the test's own behind such a gateway."""
    with serve(seeded_pair.secondary_gate, cap=2) as rest:
        yield rest


def by_doors(rest: Rest, meter: Meter | None = None) -> RestRpcReader:
    """Return a reader with the service key."""
    return RestRpcReader(RestAccess(url=rest.url, key=rest.service_key), PLANNING, meter=meter, patience=IMPATIENT)


def by_sql(pair: Pair) -> PostgresReader:
    """Return a reader of the same store by SQL."""
    return PostgresReader(pair.secondary, StoreName.SUPABASE, PLANNING)


def limit_statements(pair: Pair, milliseconds: int) -> None:
    """Let the server give up on statements over REST; in this database only."""
    with psycopg.connect(pair.secondary_superuser, autocommit=True) as connection:
        found = connection.execute("SELECT current_database()").fetchone()
        assert found is not None
        connection.execute(f"ALTER ROLE authenticator IN DATABASE {found[0]} SET statement_timeout = {milliseconds}")


@KINDS
def test_every_answer_is_that_of_sql(still_pair: Pair, rest: Rest, kind: HashKind) -> None:
    """Counts, digests, pairs, sketches and rows are those that SQL gives, past a row cap of two."""
    with by_sql(still_pair).snapshot(kind) as direct, by_doors(rest).snapshot(kind) as doors:
        assert doors.count() == direct.count()
        assert doors.digests() == direct.digests()
        pairs = list(direct.pairs(EVERY))
        assert list(doors.pairs(EVERY)) == pairs
        assert len(pairs) == SEEDED
        some = sorted(direct.digests())[::3]
        assert list(doors.pairs(some)) == list(direct.pairs(some))
        assert doors.sketch(some, 64) == direct.sketch(some, 64)
        found = sketch.peel(doors.sketch(some[:5], 1024), 1024)
        assert found is not None
        assert sorted(doors.find({f.key_hash for f in found})) == sorted(direct.pairs(some[:5]))
        keys = [pair.key for pair in pairs]
        assert doors.rows([*keys, "00000000-0000-4000-8000-000000000000"]) == direct.rows(keys)
        assert doors.excluded(10) == direct.excluded(10) == []
    assert by_doors(rest).hash_probe(kind) == by_sql(still_pair).hash_probe(kind)


def test_creation_times_are_counted_as_by_sql(still_pair: Pair, rest: Rest) -> None:
    """Both ends of an interval of milliseconds count."""
    kind = HashKind.RECORD
    with by_sql(still_pair).snapshot(kind) as direct, by_doors(rest).snapshot(kind) as doors:
        middle = 1_769_000_000_123
        for low, high in ((0, middle), (middle, 2 * middle), (0, 2 * middle), (middle, middle)):
            assert doors.created_between(low, high) == direct.created_between(low, high)
        assert doors.created_between(0, 2 * middle) == SEEDED


def test_batches_hold_every_row(still_pair: Pair, rest: Rest) -> None:
    """All rows come as text, as by SQL, though two at a time."""
    with (
        by_sql(still_pair).snapshot(HashKind.RECORD) as direct,
        by_doors(rest).snapshot(HashKind.RECORD) as doors,
    ):
        ours = {row["id"]: row for batch in doors.batches() for row in batch.to_pylist()}
        assert ours == {row["id"]: row for batch in direct.batches() for row in batch.to_pylist()}


def test_facts_are_those_of_sql(still_pair: Pair, rest: Rest) -> None:
    """The catalogue is judged alike; rows are seen by a role that bypasses row level security."""
    facts = by_doors(rest).facts()
    assert facts.channel is Channel.RPC
    assert facts.sees_all_rows
    assert replace(facts, channel=Channel.SQL) == by_sql(still_pair).facts()


def test_a_small_table_takes_few_requests(rest: Rest) -> None:
    """Facts, then all sums in one request."""
    meter = Meter()
    with by_doors(rest, meter).snapshot(HashKind.RECORD) as doors:
        doors.count()
        doors.digests()
    assert meter.requests <= 3


def test_what_pairs_read_is_what_sums_say_from_then_on(seeded_pair: Pair, own_rest: Rest) -> None:
    """Rows that go between digest and pairs are gone from counts and digests of their ranges after the pairs."""
    with by_sql(seeded_pair).snapshot(HashKind.RECORD) as direct:
        gone, *others = [pair.key for pair in direct.pairs(EVERY)]
    with by_doors(own_rest).snapshot(HashKind.RECORD) as doors:
        counts, digests = dict(doors.count()), dict(doors.digests())
        with psycopg.connect(seeded_pair.secondary) as connection:
            connection.execute("DELETE FROM public.planning WHERE id = %s", [gone])
        assert (doors.count(), doors.digests()) == (counts, digests)
        number = range_of(PLANNING, gone)
        left = [key for key in others if range_of(PLANNING, key) == number]
        assert [pair.key for pair in doors.pairs([number])] == left
        held = doors.count().get(number, RangeCount(0, 0)), doors.digests().get(number, Digest())
        assert (held[0].total, held[1].count) == (len(left), len(left))
        assert len(left) == counts[number].total - 1
        assert _without(number, doors.count()) == _without(number, counts)
        assert _without(number, doors.digests()) == _without(number, digests)


def _without(number: int, ranges: Mapping[int, object]) -> dict[int, object]:
    return {n: value for n, value in ranges.items() if n != number}


def test_spans_shrink_until_the_server_bears_them(seeded_pair: Pair) -> None:
    """A server that gives up on the whole table is asked for less at a time, and the answer is complete."""
    with by_sql(seeded_pair).snapshot(HashKind.RECORD) as direct:
        digests = direct.digests()
    _slow_down(seeded_pair)
    limit_statements(seeded_pair, 500)
    meter = Meter()
    with serve(seeded_pair.secondary_gate) as limited, by_doors(limited, meter).snapshot(HashKind.RECORD) as doors:
        assert doors.digests() == digests
    assert meter.requests > 3


def test_a_range_that_is_too_slow_ends_the_comparison(seeded_pair: Pair) -> None:
    """Where not even one range can be read in time, the store timed out; nothing is made up."""
    _slow_down(seeded_pair, seconds=0.3)
    limit_statements(seeded_pair, 200)
    with (
        serve(seeded_pair.secondary_gate) as limited,
        by_doors(limited).snapshot(HashKind.RECORD) as doors,
        pytest.raises(TimedOut, match="256th part"),
    ):
        doors.digests()


def _slow_down(pair: Pair, seconds: float = 0.003) -> None:
    """Let the store take its time for each row that a door reads."""
    with psycopg.connect(pair.secondary) as connection:
        connection.execute("ALTER TABLE public.planning RENAME TO planning_rows")
        connection.execute(
            "CREATE VIEW public.planning AS SELECT rows.* FROM public.planning_rows AS rows, "
            f"LATERAL (SELECT pg_sleep({seconds}) WHERE rows.id IS NOT NULL OFFSET 0) AS nap"
        )
        connection.execute("GRANT SELECT ON public.planning TO service_role")


def test_other_doors_are_refused(seeded_pair: Pair, own_rest: Rest) -> None:
    """Doors of another version digest something else: the user is told to migrate."""
    with psycopg.connect(seeded_pair.secondary) as connection:
        connection.execute(
            "CREATE OR REPLACE FUNCTION public.twinstore_planning_facts() RETURNS jsonb LANGUAGE sql STABLE AS "
            """$$SELECT '{"role": "a", "server_version": "1", "doors": "other", "identity": "b", "table": null, """
            """"statement_timeout_ms": "0"}'::jsonb$$"""
        )
    with pytest.raises(SchemaMismatch, match="another version") as caught:
        by_doors(own_rest).facts()
    assert "twinstore migrate" in caught.value.todo
    assert doors_answer(RestAccess(url=own_rest.url, key=own_rest.service_key), PLANNING)


def test_a_store_without_doors_is_told_from_one_with_them(seeded_pair: Pair, own_rest: Rest) -> None:
    """Whether rows must be pulled is known before anything is compared; for the anon key there are no doors."""
    assert doors_answer(RestAccess(url=own_rest.url, key=own_rest.secret_key), PLANNING)
    for key in (own_rest.anon_key, own_rest.publishable_key):
        assert not doors_answer(RestAccess(url=own_rest.url, key=key), PLANNING)
    with psycopg.connect(seeded_pair.secondary) as connection:
        connection.execute("DROP FUNCTION public.twinstore_planning_facts()")
        connection.execute("NOTIFY pgrst, 'reload schema'")
    with serve(seeded_pair.secondary_gate) as without:
        assert not doors_answer(RestAccess(url=without.url, key=without.service_key), PLANNING)


def test_a_role_that_policies_apply_to_is_refused_not_shown_less(seeded_pair: Pair, own_rest: Rest) -> None:
    """Where somebody lets another role through the doors, its rows are not silently fewer."""
    with psycopg.connect(seeded_pair.secondary) as connection:
        connection.execute("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO anon")
        connection.execute("GRANT USAGE ON SCHEMA twinstore TO anon")
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA twinstore TO anon")
        connection.execute("GRANT SELECT ON public.planning TO anon")
    reader = RestRpcReader(RestAccess(url=own_rest.url, key=own_rest.anon_key), PLANNING, patience=IMPATIENT)
    facts = reader.facts()
    assert not facts.sees_all_rows
    assert "row level security may hide rows from anon" in facts.note
    with reader.snapshot(HashKind.RECORD) as doors, pytest.raises(Refused):
        doors.count()


def test_a_missing_grant_is_named(seeded_pair: Pair, own_rest: Rest) -> None:
    """A role that may not read the table is told which grant it lacks."""
    with psycopg.connect(seeded_pair.secondary) as connection:
        connection.execute("REVOKE SELECT ON public.planning FROM service_role")
    with pytest.raises(Refused) as caught:
        by_doors(own_rest).facts()
    assert "GRANT SELECT ON public.planning TO service_role" in caught.value.todo


@pytest.mark.parametrize("cap", [2, pytest.param(7, marks=pytest.mark.soak)])
def test_a_comparison_is_exact_whatever_the_cap(pair: Pair, cap: int) -> None:
    """Tables around the row cap and far beyond it are compared whole: every edit is found, and nothing else."""
    primary = PostgresReader(pair.primary, StoreName.PRISMA, PLANNING)
    with serve(pair.secondary_gate, cap=cap) as rest:
        secondary = by_doors(rest)
        facts = primary.facts(), secondary.facts()
        for rows in (0, 1, cap - 1, cap, cap + 1, 5 * cap // 2, 10 * cap):
            keys = _hold(pair, rows)
            assert compare(primary, secondary, facts, options=AT_ONCE).rows.matched == rows
            with psycopg.connect(pair.secondary) as connection:
                connection.execute("UPDATE public.planning SET title = 'other' WHERE id = ANY(%s)", [keys[-1:]])
                connection.execute("DELETE FROM public.planning WHERE id = ANY(%s)", [keys[:-1][:1]])
            parity = compare(primary, secondary, facts, options=AT_ONCE)
            assert {d.key for d in parity.differences} == {*keys[-1:], *keys[:-1][:1]}
            assert all(account.secondary.balance == 0 for account in parity.ranges)


def _hold(pair: Pair, rows: int) -> list[str]:
    """Let both stores hold so many equal records, and return their keys in order."""
    for dsn in (pair.primary, pair.secondary):
        with psycopg.connect(dsn) as connection:
            connection.execute("DELETE FROM public.planning")
    load(pair.primary, pair.secondary, rows, now=SEEDED_AT)
    with psycopg.connect(pair.primary) as connection:
        return [key for (key,) in connection.execute('SELECT id FROM public.planning ORDER BY id COLLATE "C"')]
