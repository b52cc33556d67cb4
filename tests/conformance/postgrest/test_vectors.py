"""PostgREST's protocol as its documentation describes it, request by request."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from tests.conformance.postgrest import vectors_access, vectors_calls, vectors_pages, vectors_rows, vectors_writes
from tests.conformance.postgrest.vector import UNSAID, Vector, Who
from tests.support.postgrest import Service

VECTORS = [
    *vectors_rows.VECTORS,
    *vectors_pages.VECTORS,
    *vectors_writes.VECTORS,
    *vectors_calls.VECTORS,
    *vectors_access.VECTORS,
]
_PAGE = re.compile(r"references/(api/)?[a-z_]+\.html(#[a-z0-9-]+)?")
_TIMES = frozenset({"exp", "nbf", "iat"})


@pytest.mark.parametrize("vector", [vector for vector in VECTORS if not vector.changes], ids=str)
def test_a_read_is_answered_as_documented(vector: Vector, service: Service, client: httpx.Client) -> None:
    """A request that reads gets the status, headers and body that its page promises."""
    _check(vector, service, client)


@pytest.mark.parametrize("vector", [vector for vector in VECTORS if vector.changes], ids=str)
@pytest.mark.usefixtures("fresh_rows")
def test_a_write_or_call_is_answered_as_documented(vector: Vector, service: Service, client: httpx.Client) -> None:
    """A request that may write gets what its page promises, and leaves the rows that it should."""
    _check(vector, service, client)


def test_the_vectors_are_many_and_a_third_of_them_is_refused() -> None:
    """There are at least 120 vectors, a third of them negative, and each names a page of the documentation."""
    assert len(VECTORS) >= 120
    assert sum(vector.negative for vector in VECTORS) * 3 >= len(VECTORS)
    assert [vector for vector in VECTORS if not _PAGE.fullmatch(vector.page)] == []
    assert [
        vector for vector in VECTORS if vector.status >= 400 and not (vector.code or vector.says or vector.body)
    ] == []


def _check(vector: Vector, service: Service, client: httpx.Client) -> None:
    answer = _send(vector, service, client)
    assert answer.status_code == vector.status, answer.text
    if vector.body is None and vector.status == 200 and answer.text == "null":
        pass  # a function that returned NULL
    elif vector.body is None:
        assert answer.content == b""
    elif vector.body is not UNSAID:
        assert answer.json() == vector.body
    if vector.code is not None:
        assert answer.json()["code"] == vector.code
        assert answer.json().keys() == {"code", "message", "details", "hint"}
    for name, value in vector.says.items():
        assert answer.headers.get(name) == value, name
    if vector.then is not None:
        request, rows = vector.then
        assert client.get(request, headers=_keys(service.service_key)).json() == rows


def _send(vector: Vector, service: Service, client: httpx.Client) -> httpx.Response:
    method, _, target = vector.request.partition(" ")
    key = {Who.SERVICE: service.service_key, Who.ANON: service.anon_key}.get(vector.who)
    headers = {} if key is None else _keys(key)
    if vector.claims is not None:
        headers["Authorization"] = f"Bearer {_token(vector.claims, service.jwt_secret)}"
    content: bytes | None = None
    if vector.sends is not None:
        headers["Content-Type"] = "application/json"
        content = vector.sends if isinstance(vector.sends, bytes) else json.dumps(vector.sends).encode()
    elif method in {"POST", "PATCH"}:
        headers["Content-Type"] = "application/json"
    return client.request(method, target, headers={**headers, **vector.headers}, content=content)


def _keys(key: str) -> dict[str, str]:
    return {"apikey": key, "Authorization": f"Bearer {key}"}


def _token(claims: Mapping[str, Any], secret: str) -> str:
    """Sign claims, whose times count from now."""
    now = int(time.time())
    dated = {
        name: now + value if name in _TIMES and isinstance(value, int) else value for name, value in claims.items()
    }
    parts = [_encoded(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, dated)]
    signature = hmac.new(secret.encode(), ".".join(parts).encode(), hashlib.sha256).digest()
    return ".".join([*parts, _encoded(signature)])


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
