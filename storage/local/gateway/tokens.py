"""JSON Web Tokens signed with HMAC-SHA256, the one algorithm that is accepted."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from storage.local.gateway.refusals import Refusal

SKEW_S = 30
"""So many seconds a token's times may be wrong."""

_PARTS = 3
_HEADER = {"alg": "HS256", "typ": "JWT"}
Claims = Mapping[str, Any]


def sign(claims: Claims, secret: str) -> str:
    """Return a token that carries `claims`."""
    body = ".".join(_encoded(json.dumps(part, separators=(",", ":")).encode()) for part in (_HEADER, claims))
    return f"{body}.{_signature(body, secret)}"


def verify(token: str, secret: str, *, now: float, audience: str | None = None) -> Claims:
    """Return the claims of a token, after its signature and its times were found right.

    Args:
        token: The token.
        secret: What it must be signed with.
        now: Seconds since 1970.
        audience: Whom a token must name that names an audience; None accepts all.

    Raises:
        Refusal: It is malformed, not signed so, expired, not valid yet, or meant for others.
    """
    parts = token.split(".")
    if not token:
        raise _refused("PGRST301", "Empty JWT is sent in Authorization header")
    if len(parts) != _PARTS:
        raise _refused("PGRST301", f"Expected {_PARTS} parts in JWT; got {len(parts)}")
    head, payload, signature = parts
    if (_decoded(head) or {}).get("alg") != _HEADER["alg"]:
        raise _refused("PGRST301", "Wrong or unsupported encoding algorithm")
    if not hmac.compare_digest(_signature(f"{head}.{payload}", secret).encode(), signature.encode()):
        raise _refused("PGRST301", "No suitable key or wrong key type")
    claims = _decoded(payload)
    if claims is None:
        raise _refused("PGRST303", "Parsing claims failed")
    _check_times(claims, now)
    _check_audience(claims.get("aud"), audience)
    return claims


def _check_times(claims: Claims, now: float) -> None:
    if _time(claims, "exp", now) < int(now) - SKEW_S:
        raise _refused("PGRST303", "JWT expired")
    if _time(claims, "nbf", now) > int(now) + SKEW_S:
        raise _refused("PGRST303", "JWT not yet valid")
    if _time(claims, "iat", now) > int(now) + SKEW_S:
        raise _refused("PGRST303", "JWT issued at future")


def _time(claims: Claims, name: str, default: float) -> float:
    value = claims.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _refused("PGRST303", f"The JWT '{name}' claim must be a number")
    return value


def _check_audience(named: object, audience: str | None) -> None:
    if named is None or named == []:
        return
    names = [named] if isinstance(named, str) else named
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise _refused("PGRST303", "The JWT 'aud' claim must be a string or an array of strings")
    if audience is not None and audience not in names:
        raise _refused("PGRST303", "JWT not in audience")


def _refused(code: str, message: str) -> Refusal:
    challenge = f'Bearer error="invalid_token", error_description="{message}"'
    return Refusal(status=401, code=code, message=message, headers=(("WWW-Authenticate", challenge),))


def _signature(body: str, secret: str) -> str:
    return _encoded(hmac.new(secret.encode(), body.encode(), hashlib.sha256).digest())


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _decoded(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
