"""A key tells its role by its form, and nothing of an opaque key is decoded."""

from __future__ import annotations

import base64
import json

import pytest

from storage.supabase_keys import read_key


def token(claims: object) -> str:
    """Return a JSON web token with these claims and no signature to speak of."""
    parts = ({"alg": "HS256", "typ": "JWT"}, claims)
    return ".".join(base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts) + ".c2ln"


@pytest.mark.parametrize(
    ("key", "role", "legacy"),
    [
        ("sb_secret_abc", "service_role", False),
        ("sb_publishable_abc", "anon", False),
        (token({"role": "service_role"}), "service_role", True),
        (token({"role": "anon", "exp": 1}), "anon", True),
        (token({"role": "authenticated"}), "authenticated", True),
    ],
)
def test_a_key_tells_its_role(key: str, role: str, legacy: bool) -> None:  # noqa: FBT001 - a parameter of the table
    """Both generations of keys; only service_role sees all rows."""
    found = read_key(key)
    assert (found.role, found.legacy) == (role, legacy)
    assert found.sees_all_rows is (role == "service_role")


@pytest.mark.parametrize(
    "key",
    [
        "",
        "a.b",
        "a.b.c",
        "a.b.c.d",
        "..",
        "x.é.y",
        "x.{}.y",
        token([]),
        token({}),
        token({"role": None}),
        token({"role": ["service_role"]}),
        token({"role": "service_role; --"}),
        "x." + "W" * 20_000 + ".y",
        f"x.{base64.urlsafe_b64encode(b'[' * 9000).decode()}.y",
    ],
)
def test_what_tells_no_role_sees_nothing_for_sure(key: str) -> None:
    """A key of another form proves nothing, and does no harm."""
    found = read_key(key)
    assert found.role == ""
    assert not found.sees_all_rows
    assert found.called == "an unknown role"
