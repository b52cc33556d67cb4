"""Whatever a request holds, the answer is a proper one: no fault of ours, nothing changed that was not named."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from urllib.parse import urlencode

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.local.gateway.exchange import Request, Response
from storage.local.gateway.keys import ProjectKeys, make_keys
from storage.local.gateway.options import Options
from storage.local.gateway.service import PREFIX, Gateway
from tests.support.servers import Pair, Servers

_SIZE = settings(max_examples=150, deadline=None)
_SOUP_OF = """
    select id planning or and not eq in is null order limit offset columns on_conflict data content -> ->> :: ::text
    . , ( ) { } " \\ * % ' -- ; $1 $$ %s {} /* 1 -1 asc nullslast ';DROP/**/TABLE/**/planning;--
"""
_WORDS = st.sampled_from([*_SOUP_OF.split(), " ", "\0"])
_SOUP = st.lists(_WORDS | st.text(max_size=3), max_size=12).map("".join)
_NAMES = (
    st.sampled_from(["select", "id", "or", "and", "order", "limit", "offset", "content->>x", "on_conflict"]) | _SOUP
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _SOUP,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "title"]) | _SOUP, inner),
    max_leaves=8,
)


class Door:
    """A gateway that is asked without a network between."""

    def __init__(self, gateway: Gateway, keys: ProjectKeys) -> None:
        self._gateway = gateway
        self._keys = keys

    def ask(self, method: str, path: str, *, query: str = "", body: bytes = b"", **headers: str) -> Response:
        """Ask as the service."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._gateway.answer(
            Request(
                method=method, path=path, query=query, body=body, headers={"apikey": self._keys.secret_key, **names}
            )
        )


@pytest.fixture(scope="module")
def filled_pair(servers: Servers, _seeded_template: str) -> Iterator[Pair]:
    """Two databases with 300 records, to which all tests of the module may add some."""
    with servers.clones(_seeded_template) as pair:
        yield pair


@pytest.fixture(scope="module")
def door(filled_pair: Pair) -> Iterator[Door]:
    """A gateway over these records."""
    keys = make_keys(time.time())
    gateway = Gateway(filled_pair.secondary_gate, keys, Options())
    yield Door(gateway, keys)
    gateway.close()


def _proper(response: Response) -> None:
    if response.status >= 400 and response.body:
        said = json.loads(response.body)
        assert said.keys() == {"code", "message", "details", "hint"}
        assert response.status < 500, said
    assert all(name.isascii() and "\n" not in value for name, value in response.headers)


def _query(pairs: list[tuple[str, str]]) -> str:
    return urlencode(pairs, errors="replace")


@_SIZE
@given(st.sampled_from(["GET", "HEAD"]), st.lists(st.tuples(_NAMES, _SOUP), max_size=3), _SOUP, _SOUP)
def test_any_read_is_answered(door: Door, method: str, pairs: list[tuple[str, str]], prefer: str, accept: str) -> None:
    """A read of anything in any way gives rows or a refusal of the client's mistake."""
    _proper(door.ask(method, f"{PREFIX}planning", query=_query(pairs), prefer=prefer, range=accept))
    _proper(door.ask(method, f"{PREFIX}planning", query=_query(pairs), accept=accept))


@_SIZE
@given(_SOUP)
def test_any_path_is_answered(door: Door, path: str) -> None:
    """A path that leads nowhere is 404, whatever it holds."""
    for method in ("GET", "POST", "PATCH", "DELETE", "PUT", "FOO"):
        for place in (f"{PREFIX}x{path}", f"{PREFIX}rpc/x{path}"):
            response = door.ask(method, place, body=b"{}")
            _proper(response)
            assert response.status in {400, 404, 405}


@_SIZE
@given(_JSON | st.binary(max_size=8), st.lists(st.tuples(_NAMES, _SOUP), max_size=2))
def test_any_body_is_answered(door: Door, filled_pair: Pair, body: object, pairs: list[tuple[str, str]]) -> None:
    """A body of any shape is written or refused; without a matching row nothing changes."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    nobody = ("id", "eq.00000000-0000-4000-8000-000000000000")
    for method in ("PATCH", "DELETE"):
        _proper(door.ask(method, f"{PREFIX}planning", query=_query([nobody, *pairs]), body=content))
    _proper(door.ask("POST", f"{PREFIX}planning", query=_query(pairs), body=content))
    _proper(door.ask("POST", f"{PREFIX}rpc/missing", body=content))
    with psycopg.connect(filled_pair.secondary) as connection:
        assert connection.execute("SELECT count(*) >= 300 FROM planning").fetchone() == (True,)


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 100_000, b'"\\ud800"', b'{"\\ud800": 1}', b"\xff", b"NaN"])
def test_a_monstrous_body_is_refused(door: Door, body: bytes) -> None:
    """Bodies nested beyond measure, halves of characters, bytes that are no text: not JSON, or not a column."""
    response = door.ask("POST", f"{PREFIX}planning", body=body)
    assert response.status in {400, 201}
    if response.status == 400:
        assert json.loads(response.body)["code"] in {"PGRST102", "PGRST204"}
