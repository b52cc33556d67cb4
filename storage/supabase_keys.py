"""API keys of Supabase: what can be known of one without asking anybody."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass

SERVICE_ROLE = "service_role"
ANON = "anon"
_SECRET = "sb_secret_"  # noqa: S105 - the beginning of every such key
_PUBLISHABLE = "sb_publishable_"
_MAX_TOKEN = 16_384


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What a key says of itself.

    Attributes:
        role: The database role with which requests run; empty when the key does not say.
        legacy: True for a JSON web token, which Supabase replaces by opaque keys.
    """

    role: str
    legacy: bool

    @property
    def sees_all_rows(self) -> bool:
        """True when no policy hides rows from this key's role: only service_role bypasses row level security."""
        return self.role == SERVICE_ROLE

    @property
    def called(self) -> str:
        """What to call the role in a sentence."""
        return self.role or "an unknown role"


def read_key(key: str) -> ApiKey:
    """Tell the role of a key from its form.

    The new keys are opaque: their beginning says what they are, and nothing of them is decoded. An older key is a JSON
    web token that names its role. It is not verified here, which the server does; a forged one is refused there.
    """
    if key.startswith(_SECRET):
        return ApiKey(SERVICE_ROLE, legacy=False)
    if key.startswith(_PUBLISHABLE):
        return ApiKey(ANON, legacy=False)
    return ApiKey(_role_claim(key), legacy=True)


def _role_claim(token: str) -> str:
    parts = token.split(".")
    if len(parts) != 3 or len(token) > _MAX_TOKEN:  # noqa: PLR2004 - header, claims, signature
        return ""
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return ""
    role = claims.get("role") if isinstance(claims, dict) else None
    return role if isinstance(role, str) and role.isidentifier() else ""
