"""The real supabase-py client works on the gateway as on a hosted project."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import httpx
import psycopg
import pytest
from postgrest import CountMethod, ReturnMethod
from postgrest.exceptions import APIError
from supabase import Client, ClientOptions, create_client

from tests.integration.storage.local.gateway.conftest import eventually
from tests.support.gateway import Rest
from tests.support.servers import Pair


@pytest.fixture(params=["service_key", "secret_key"])
def supabase(request: pytest.FixtureRequest, rest: Rest) -> Iterator[Client]:
    """A client with the old or the new key of `service_role`."""
    with httpx.Client(trust_env=False, timeout=30) as http:
        options = ClientOptions(httpx_client=http, auto_refresh_token=False, persist_session=False)
        yield create_client(rest.url, getattr(rest, request.param), options=options)


def _rows(answer: Any) -> list[dict[str, Any]]:
    """Return the rows of an answer, which the client declares as any JSON."""
    rows = answer.data
    assert isinstance(rows, list)
    return rows


def test_reading(supabase: Client) -> None:
    """Selections, filters, order, ranges and counts."""
    table = supabase.table("planning")
    page = table.select("id,v:version::text", count=CountMethod.exact).order("id").range(10, 19).execute()
    assert (len(page.data), page.count) == (10, 300)
    ids = [row["id"] for row in _rows(page)]
    assert {row["id"] for row in _rows(table.select("id").in_("id", ids).execute())} == set(ids)
    later = table.select("id").gt("id", ids[-1]).neq("status", "draft").order("id").limit(3).execute()
    assert len(later.data) == 3
    either = table.select("id").or_(f"id.eq.{ids[0]},id.eq.{ids[1]}").not_.is_("title", "null").execute()
    assert len(either.data) == 2
    assert table.select("id").eq("id", ids[0]).single().execute().data == {"id": ids[0]}
    assert table.select("*").eq("id", str(uuid.uuid4())).maybe_single().execute() is None
    assert table.select("*", count=CountMethod.exact, head=True).execute().count == 300


def test_writing(supabase: Client) -> None:
    """Inserts, upserts, updates and deletes, with what they return."""
    table = supabase.table("planning")
    (row,) = _rows(table.select("*").order("id").limit(1).execute())
    new = {**row, "id": str(uuid.uuid4()), "title": 'a "new", (one)'}
    assert table.insert(new, returning=ReturnMethod.minimal).execute().data == []
    assert table.select("title").eq("title", new["title"]).execute().data == [{"title": new["title"]}]
    merged = table.upsert([{**new, "title": "merged"}, row], on_conflict="id", count=CountMethod.exact).execute()
    assert (merged.count, {item["title"] for item in _rows(merged)}) == (2, {"merged", row["title"]})
    kept = table.upsert({**new, "title": "ignored"}, ignore_duplicates=True).execute()
    assert kept.data == []
    assert [item["title"] for item in _rows(table.update({"title": "updated"}).eq("id", new["id"]).execute())] == [
        "updated"
    ]
    assert [item["id"] for item in _rows(table.delete().eq("id", new["id"]).execute())] == [new["id"]]


def test_calling(supabase: Client, seeded_pair: Pair) -> None:
    """Functions by POST and GET."""
    with psycopg.connect(seeded_pair.secondary) as connection:
        connection.execute(
            "CREATE FUNCTION echo(document jsonb) RETURNS jsonb LANGUAGE sql STABLE AS 'SELECT document';"
            "NOTIFY pgrst, 'reload schema'"
        )

    def known() -> bool:
        with suppress(APIError):
            return bool(supabase.rpc("echo", {"document": {"n": "12345678901234567890"}}).execute().data)
        return False

    eventually(known)
    assert supabase.rpc("echo", {"document": [1, None, "x"]}).execute().data == [1, None, "x"]


def test_errors_keep_their_codes(supabase: Client) -> None:
    """What the database or the gateway refuses arrives with its code."""
    planning = supabase.table("planning")
    refused: list[tuple[Callable[[], Any], str]] = [
        (supabase.table("missing").select("*").execute, "PGRST205"),
        (planning.select("missing").execute, "42703"),
        (planning.select("*").eq("id", "x").execute, "22P02"),
        (planning.select("*").single().execute, "PGRST116"),
        (planning.insert({"id": str(uuid.uuid4())}).execute, "23502"),
        (supabase.rpc("missing", {}).execute, "PGRST202"),
    ]
    for ask, code in refused:
        with pytest.raises(APIError) as caught:
            ask()
        assert caught.value.code == code
