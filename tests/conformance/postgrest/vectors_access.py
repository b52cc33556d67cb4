"""Vectors about who asks: keys, tokens, roles, row level security, settings of roles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.conformance.postgrest.vector import Vector, Who

AUTH = "references/auth.html"
RUNS = "references/transactions.html"
ERRORS = "references/errors.html"
NOTES = "GET tv_notes?select=id&order=id"
ANN: Mapping[str, Any] = {"role": "authenticated", "sub": "ann", "exp": 3600}
"""Claims; the times among them count from now."""


def _token(claims: Mapping[str, Any], code: str, *, page: str = f"{ERRORS}#pgrst303") -> Vector:
    """Return a request with a token that is refused."""
    return Vector(page=page, request=NOTES, who=Who.ANON, claims={**ANN, **claims}, status=401, code=code)


def _bearer(token: str, code: str = "PGRST301") -> Vector:
    """Return a request with something in place of a token."""
    return Vector(
        page=f"{ERRORS}#pgrst301",
        request=NOTES,
        who=Who.ANON,
        headers={"Authorization": f"Bearer {token}"},
        status=401,
        code=code,
    )


ANSWERED = [
    Vector(page=f"{AUTH}#roles", request=NOTES, body=[{"id": 1}, {"id": 2}, {"id": 3}]),
    Vector(page=f"{AUTH}#roles", request=NOTES, who=Who.ANON, body=[{"id": 3}]),
    Vector(page=f"{AUTH}#jwt-auth", request=NOTES, who=Who.ANON, claims=ANN, body=[{"id": 1}]),
    Vector(page=f"{AUTH}#jwt-auth", request=NOTES, who=Who.ANON, claims={**ANN, "sub": "ben"}, body=[{"id": 2}]),
    Vector(
        page=f"{AUTH}#jwt-auth",
        request="PATCH tv_notes?id=gt.0&select=id",
        who=Who.ANON,
        claims=ANN,
        sends={"note": "changed"},
        headers={"Prefer": "return=representation"},
        body=[{"id": 1}],
        then=("tv_notes?select=note&id=eq.2", [{"note": "of ben"}]),
    ),
    Vector(page=f"{AUTH}#jwt-claims-validation", request=NOTES, who=Who.ANON, claims={**ANN, "exp": -10}),
    Vector(page=f"{AUTH}#jwt-claims-validation", request=NOTES, who=Who.ANON, claims={**ANN, "nbf": 10}),
    Vector(page=f"{AUTH}#jwt-aud", request=NOTES, who=Who.ANON, claims={**ANN, "aud": "authenticated"}),
    Vector(page=f"{AUTH}#jwt-aud", request=NOTES, who=Who.ANON, claims={**ANN, "aud": []}),
    Vector(
        page=f"{RUNS}#guc-req-headers-cookies-claims",
        request="POST rpc/tv_setting",
        who=Who.ANON,
        claims=ANN,
        sends={"name": "role"},
        body="authenticated",
    ),
    Vector(
        page=f"{RUNS}#impersonated-settings",
        request="POST rpc/tv_setting",
        who=Who.ANON,
        sends={"name": "statement_timeout"},
        body="3s",  # as hosted Supabase sets it for `anon`
    ),
]

REFUSED = [
    _token({"exp": -100}, "PGRST303"),
    _token({"nbf": 100}, "PGRST303"),
    _token({"iat": 100}, "PGRST303"),
    _token({"exp": "tomorrow"}, "PGRST303"),
    _token({"aud": 7}, "PGRST303", page=f"{AUTH}#jwt-aud"),
    _token({"role": "tv_nobody"}, "22023", page=f"{ERRORS}#status-codes"),
    _bearer("not.a.token"),
    _bearer("nonsense"),
    _bearer("a.b.c.d"),
    # Signed with another secret; and one that says it needs no signature.
    _bearer(
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    ),
    _bearer("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJyb2xlIjoic2VydmljZV9yb2xlIn0."),
    Vector(page=f"{AUTH}#roles", request="GET tv_codes", who=Who.ANON, status=401, code="42501"),
    Vector(page=f"{AUTH}#roles", request="GET tv_codes", who=Who.ANON, claims=ANN, status=403, code="42501"),
    Vector(
        page=f"{AUTH}#roles",
        request="POST tv_notes",
        who=Who.ANON,
        claims=ANN,
        sends={"id": 9, "owner": "ben", "note": "forged"},
        status=403,
        code="42501",
        then=("tv_notes?select=id&id=eq.9", []),
    ),
]

VECTORS = [*ANSWERED, *REFUSED]
