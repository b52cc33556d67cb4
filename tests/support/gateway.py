"""A database of a test served over REST, as a hosted Supabase project would serve it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from storage.local.gateway.keys import ProjectKeys, make_keys
from storage.local.gateway.options import Options
from storage.local.gateway.server import served
from storage.local.gateway.service import Gateway
from storage.local.loopback import HOST


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """Where a project is served, and its keys.

    Attributes:
        url: What `SUPABASE_URL` would be.
        anon_key: Token of the role `anon`.
        service_key: Token of the role `service_role`.
        publishable_key: Opaque key of the role `anon`.
        secret_key: Opaque key of the role `service_role`.
        jwt_secret: What tokens are signed with.
    """

    url: str
    anon_key: str
    service_key: str
    publishable_key: str
    secret_key: str
    jwt_secret: str


@contextmanager
def serve(dsn: str, *, cap: int | None = 1000, latency_s: float = 0.0, again: Rest | None = None) -> Iterator[Rest]:
    """Serve a database for as long as the context lasts.

    Args:
        dsn: URL of the database as `authenticator`, such as `Pair.secondary_gate`.
        cap: At most so many rows are returned by a read or a function.
        latency_s: Time in seconds that every answer is held back.
        again: A project that was served before, which comes back under its URL, with its keys.
    """
    keys = make_keys(time.time()) if again is None else _keys_of(again)
    before = int(again.url.rpartition(":")[2]) if again else 0
    with served(Gateway(dsn, keys, Options(cap=cap, latency_s=latency_s)), before) as port:
        yield Rest(
            url=f"http://{HOST}:{port}",
            anon_key=keys.anon_key,
            service_key=keys.service_key,
            publishable_key=keys.publishable_key,
            secret_key=keys.secret_key,
            jwt_secret=keys.jwt_secret,
        )


def _keys_of(rest: Rest) -> ProjectKeys:
    return ProjectKeys(
        jwt_secret=rest.jwt_secret,
        anon_key=rest.anon_key,
        service_key=rest.service_key,
        publishable_key=rest.publishable_key,
        secret_key=rest.secret_key,
    )
