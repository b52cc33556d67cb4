"""The gateway over a real database: cap, roles, stale schema cache, lost connections, many requests at once."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.local.gateway.tokens import sign
from tests.integration.storage.local.gateway.conftest import client_of, eventually
from tests.support.gateway import Rest, serve
from tests.support.servers import Pair


def _run(dsn: str, *statements: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


@pytest.mark.parametrize("cap", [2, 1000, *(pytest.param(cap, marks=pytest.mark.soak) for cap in (1, 7, None))])
def test_the_cap_cuts_reads_and_sets_without_a_word(seeded_pair: Pair, cap: int | None) -> None:
    """Rows beyond the cap are missing with status 200; only an exact count, or one single value, tells of them."""
    _run(
        seeded_pair.secondary,
        "CREATE FUNCTION numbers() RETURNS SETOF integer LANGUAGE sql STABLE AS 'SELECT generate_series(1, 300)'",
        "CREATE FUNCTION document() RETURNS jsonb LANGUAGE sql STABLE AS 'SELECT jsonb_agg(n) FROM numbers() n'",
    )
    shown = min(cap or 300, 300)
    with serve(seeded_pair.secondary_gate, cap=cap) as rest, client_of(rest.url, rest.service_key) as client:
        client.headers["Authorization"] = f"Bearer {rest.service_key}"
        for answer in (client.get("planning?select=id"), client.post("rpc/numbers")):
            assert (answer.status_code, len(answer.json())) == (200, shown)
            assert answer.headers["content-range"] == f"0-{shown - 1}/*"
        counted = client.get("planning?select=id", headers={"Prefer": "count=exact"})
        assert counted.headers["content-range"] == f"0-{shown - 1}/300"
        assert counted.status_code == (200 if shown == 300 else 206)
        assert len(client.post("rpc/document").json()) == 300


def test_every_row_comes_once_by_pages_of_keys(client: httpx.Client) -> None:
    """Pages by key reach the end, each row once."""
    seen: list[str] = []
    while page := client.get(
        "planning",
        params={"select": "id", "order": "id", "limit": 70, **({"id": f"gt.{seen[-1]}"} if seen else {})},
    ).json():
        seen += [row["id"] for row in page]
    assert len(seen) == len(set(seen)) == 300


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_any_text_finds_exactly_its_row(client: httpx.Client, text: str) -> None:
    """Whatever a text holds, a filter with it finds the row that has it, and no other."""
    key = "00000000-0000-4000-8000-000000000001"
    quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    changed = client.patch("planning", params={"order": "id", "id": f"eq.{_first(client)}"}, json={"source": text})
    assert changed.status_code == 204, changed.text
    for filters in (
        {"source": f"eq.{text}"},
        {"source": f"in.({quoted},{quoted})"},
        {"or": f"(source.eq.{quoted},id.eq.{key})"},
        {"not.and": f"(source.neq.{quoted},id.neq.{key})"},
    ):
        found = client.get("planning", params={"select": "source::text", **filters})
        assert found.status_code == 200, found.text
        assert [row["source"] for row in found.json()] == [text]


def _first(client: httpx.Client) -> str:
    return str(client.get("planning?select=id&order=id&limit=1").json()[0]["id"])


def test_roles_see_what_their_policies_let_them(seeded_pair: Pair, rest: Rest) -> None:
    """The service sees every row, a visitor none, a user his own: row level security is the server's."""
    with psycopg.connect(seeded_pair.secondary) as connection:
        row = connection.execute(
            "SELECT user_id::text, count(*) FROM planning WHERE user_id IS NOT NULL GROUP BY 1 LIMIT 1"
        ).fetchone()
    assert row is not None
    user, own = row
    token = sign({"role": "authenticated", "sub": user, "exp": time.time() + 60}, rest.jwt_secret)
    with client_of(rest.url, rest.anon_key) as client:
        assert client.get("planning?select=id").json() == []
        mine = client.get("planning?select=user_id", headers={"Authorization": f"Bearer {token}"}).json()
        assert mine == [{"user_id": user}] * own
    with client_of(rest.url, rest.secret_key) as client:
        assert len(client.get("planning?select=id").json()) == 300


def test_the_schema_cache_is_stale_until_it_is_told(seeded_pair: Pair, client: httpx.Client) -> None:
    """New columns and functions are unknown to writes and calls until `NOTIFY pgrst`; dropped tables fail in words."""
    assert client.post("rpc/fresh").json()["code"] == "PGRST202"  # the cache has been read by now
    _run(
        seeded_pair.secondary,
        "ALTER TABLE planning ADD COLUMN extra text",
        "CREATE FUNCTION fresh() RETURNS integer LANGUAGE sql STABLE AS 'SELECT 1'",
    )
    assert client.get("planning?select=extra&limit=1").json() == [{"extra": None}]  # a read asks the server itself
    assert client.patch("planning?extra=eq.x", json={"extra": "y"}).json()["code"] == "PGRST204"
    assert client.post("rpc/fresh").json()["code"] == "PGRST202"
    _run(seeded_pair.secondary, "NOTIFY pgrst, 'reload schema'")
    eventually(lambda: client.post("rpc/fresh").status_code == 200)
    assert client.patch("planning?extra=eq.x", json={"extra": "y"}).status_code == 204
    _run(seeded_pair.secondary, "DROP FUNCTION fresh()")
    gone = client.post("rpc/fresh")
    assert (gone.status_code, gone.json()["code"]) == (404, "42883")


def test_lost_connections_are_made_anew(seeded_pair: Pair, client: httpx.Client) -> None:
    """Sessions that the server ends cost one refused request each, never a wrong answer; then all is well."""
    assert client.get("planning?limit=1").status_code == 200
    _run(
        seeded_pair.secondary_superuser,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE usename = 'authenticator' AND datname = current_database()",
    )
    refused = client.get("planning?limit=1")
    assert refused.status_code == 503
    assert refused.json()["code"] in {"57P01", "PGRST001"}
    eventually(lambda: client.get("planning?limit=1").status_code == 200)
    _run(
        seeded_pair.secondary,
        "CREATE FUNCTION fresh() RETURNS integer LANGUAGE sql STABLE AS 'SELECT 1'",
        "NOTIFY pgrst, 'reload schema'",
    )
    eventually(lambda: client.post("rpc/fresh").status_code == 200)  # the listener came back as well


def test_an_unreachable_database_is_503(seeded_pair: Pair) -> None:
    """Without its database the gateway says so, with a code, a time to wait, and no part of the URL."""
    nowhere = seeded_pair.secondary_gate.replace("authenticator:", "authenticator:wrong-", 1)
    with serve(nowhere) as rest, client_of(rest.url, rest.secret_key) as client:
        answer = client.get("planning?limit=1")
    assert (answer.status_code, answer.json()["code"]) == (503, "PGRST002")
    assert answer.headers["retry-after"] == "1"
    assert "authenticator" not in answer.text


def test_a_statement_out_of_time_is_ended(seeded_pair: Pair, rest: Rest) -> None:
    """The time limit of the role counts, and a new one counts after a reload."""
    _run(
        seeded_pair.secondary,
        "CREATE FUNCTION slow() RETURNS integer LANGUAGE plpgsql STABLE AS 'BEGIN PERFORM pg_sleep(5); RETURN 1; END'",
    )
    _run(seeded_pair.secondary_superuser, "ALTER ROLE service_role SET statement_timeout = '100ms'")
    try:
        _run(seeded_pair.secondary, "NOTIFY pgrst, 'reload schema'")
        with client_of(rest.url, rest.secret_key) as client:
            eventually(lambda: client.post("rpc/slow").status_code == 500)
            assert client.post("rpc/slow").json()["code"] == "57014"
    finally:
        _run(seeded_pair.secondary_superuser, "ALTER ROLE service_role RESET statement_timeout")


def test_many_requests_at_once_do_not_mix(rest: Rest, seeded_pair: Pair) -> None:
    """Twenty clients of three roles, forty requests each: every answer is that of its own role."""
    _run(
        seeded_pair.secondary,
        "CREATE FUNCTION who() RETURNS text LANGUAGE sql STABLE AS "
        "$$SELECT current_user || ':' || coalesce(auth.uid()::text, '-')$$",
        "NOTIFY pgrst, 'reload schema'",
    )
    with client_of(rest.url, rest.secret_key) as client:
        eventually(lambda: client.post("rpc/who").status_code == 200)

    def ask(number: int) -> set[str]:
        user = f"00000000-0000-4000-8000-{number:012}"
        token = sign({"role": "authenticated", "sub": user}, rest.jwt_secret)
        key, headers, expected = [
            (rest.secret_key, {}, "service_role:-"),
            (rest.publishable_key, {}, "anon:-"),
            (rest.anon_key, {"Authorization": f"Bearer {token}"}, f"authenticated:{user}"),
        ][number % 3]
        with client_of(rest.url, key) as client:
            return {client.post("rpc/who", headers=headers).text for _ in range(40)} - {json.dumps(expected)}

    with ThreadPoolExecutor(20) as pool:
        assert set().union(*pool.map(ask, range(20))) == set()


def test_a_request_waits_for_its_turn(seeded_pair: Pair, rest: Rest) -> None:
    """More requests than connections are all answered, one after another."""
    _run(
        seeded_pair.secondary,
        "CREATE FUNCTION nap() RETURNS integer LANGUAGE plpgsql STABLE AS 'BEGIN PERFORM pg_sleep(.1); RETURN 1; END'",
        "NOTIFY pgrst, 'reload schema'",
    )
    with client_of(rest.url, rest.secret_key) as client:
        eventually(lambda: client.post("rpc/nap").status_code == 200)
        with ThreadPoolExecutor(30) as pool:
            answers = list(pool.map(lambda _: client.post("rpc/nap").status_code, range(30)))
    assert answers == [200] * 30


def test_latency_is_added_to_each_answer(seeded_pair: Pair) -> None:
    """A far network can be had on one machine, and requests overlap in it."""
    with serve(seeded_pair.secondary_gate, latency_s=0.5) as rest, client_of(rest.url, rest.secret_key) as client:
        client.get("planning?limit=1")
        begin = time.monotonic()
        with ThreadPoolExecutor(30) as pool:
            list(pool.map(lambda _: client.get("planning?limit=1"), range(30)))
        assert 0.5 <= time.monotonic() - begin < 12  # 15 s if they were answered one after another


def test_what_is_outside_of_rest_does_not_exist(rest: Rest) -> None:
    """Other paths than `/rest/v1/` have no route, and the root describes nothing."""
    with httpx.Client(trust_env=False, headers={"apikey": rest.secret_key}, timeout=60) as client:
        assert client.get(f"{rest.url}/planning").status_code == 404
        assert client.get(f"{rest.url}/auth/v1/user").json() == {"message": "no Route matched with those values"}
        assert client.get(f"{rest.url}/rest/v1/").json()["code"] == "PGRST126"
        assert client.get(f"{rest.url}/rest/v1/planning/../../auth").status_code == 404


def test_nothing_is_left_behind(seeded_pair: Pair) -> None:
    """After the context no thread of the gateway lives, and no session of it is open."""
    before = set(threading.enumerate())  # some of them may end meanwhile
    with serve(seeded_pair.secondary_gate) as rest, client_of(rest.url, rest.secret_key) as client:
        client.get("planning?limit=1")
    assert set(threading.enumerate()) <= before
    with psycopg.connect(seeded_pair.secondary_superuser, autocommit=True) as connection:
        # each look is a transaction of its own: within one, the sessions that it saw first stay
        query = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'authenticator' AND datname = current_database()"
        eventually(lambda: connection.execute(query).fetchone() == (0,))
