"""Who asks: the keys of a project as hosted Supabase has them, and what a request may do with each.

A project has a pair of old keys, which are tokens of the roles `anon` and `service_role`, and a pair of newer opaque
ones, `sb_publishable_...` and `sb_secret_...`, which stand for the same roles and are never decoded.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from storage.local.gateway.tokens import Claims, sign, verify

ANON, SERVICE = "anon", "service_role"
_YEARS_S = 10 * 365 * 24 * 3600
_BROWSERS = ("Mozilla/", "Opera/")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ProjectKeys:
    """The keys of a project. All of them are secrets except the two that `anon` has.

    Attributes:
        jwt_secret: What tokens are signed with.
        anon_key: Token of the role `anon`.
        service_key: Token of the role `service_role`.
        publishable_key: Opaque key of the role `anon`.
        secret_key: Opaque key of the role `service_role`.
    """

    jwt_secret: str
    anon_key: str
    service_key: str
    publishable_key: str
    secret_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks.

    Attributes:
        role: The role of the database that the request becomes.
        claims: What `request.jwt.claims` says.
    """

    role: str
    claims: Claims

    @property
    def authenticated(self) -> bool:
        """Whether it is more than an anonymous visitor."""
        return self.role != ANON


class Unidentified(Exception):
    """A request that the gate in front of PostgREST turns away; its body has another shape.

    Args:
        message: What is wrong.
        hint: What to do.
    """

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.body = json.dumps({"message": message, "hint": hint}).encode()


def make_keys(now: float, *, jwt_secret: str | None = None) -> ProjectKeys:
    """Make the keys of a new project.

    Args:
        now: Seconds since 1970.
        jwt_secret: What tokens are signed with; a random one unless given.
    """
    secret = jwt_secret or secrets.token_urlsafe(48)

    def token(role: str) -> str:
        claims = {"iss": "supabase", "ref": "local", "role": role, "iat": int(now), "exp": int(now) + _YEARS_S}
        return sign(claims, secret)

    return ProjectKeys(
        jwt_secret=secret,
        anon_key=token(ANON),
        service_key=token(SERVICE),
        publishable_key=f"sb_publishable_{secrets.token_urlsafe(24)}",
        secret_key=f"sb_secret_{secrets.token_urlsafe(24)}",
    )


def identify(headers: Mapping[str, str], keys: ProjectKeys, *, now: float, audience: str | None) -> Caller:
    """Tell who sent a request.

    The key in `apikey` lets a request in; the token in `Authorization` says who it is. An opaque key says so by
    itself: `Authorization` may then be missing, repeat it, or carry a user's token.

    Args:
        headers: Of the request.
        keys: Of the project.
        now: Seconds since 1970.
        audience: Whom tokens must be meant for, if they name anybody; None accepts all.

    Raises:
        Unidentified: There is no key, or not one of this project.
        Refusal: The token is not valid.
    """
    key = headers.get("apikey", "")
    if not key:
        hint = "No `apikey` request header or url param was found."
        raise Unidentified("No API key found in request", hint)
    roles = {keys.publishable_key: ANON, keys.secret_key: SERVICE, keys.anon_key: None, keys.service_key: None}
    known = next((known for known in roles if _same(known, key)), None)
    if known is None:
        raise Unidentified("Invalid API key", "Double check your API key.")
    if roles[known] == SERVICE and headers.get("user-agent", "").startswith(_BROWSERS):
        raise Unidentified("Forbidden use of secret API key in browser", "Secret API keys belong on servers.")
    token = _bearer(headers.get("authorization"))
    opaque = roles[known]
    if opaque and (token is None or _same(token, key)):
        return Caller(role=opaque, claims={"role": opaque})
    if token is None:
        return Caller(role=ANON, claims={"role": ANON})
    claims = verify(token, keys.jwt_secret, now=now, audience=audience)
    role = claims.get("role", ANON)
    return Caller(role=role if isinstance(role, str) else json.dumps(role), claims={**claims, "role": role})


def _bearer(header: str | None) -> str | None:
    scheme, _, token = (header or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _same(one: str, other: str) -> bool:
    # Digests have one length, so that the time of the comparison tells nothing.
    return hmac.compare_digest(hashlib.sha256(one.encode()).digest(), hashlib.sha256(other.encode()).digest())
