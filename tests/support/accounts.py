"""Login roles that a test makes and takes rights from, and URLs that are changed in one place."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg import sql

from contracts.vocabulary import StoreName
from tests.support.servers import Pair

PASSWORD = "hunter2-correct-horse"
DEAD_PORT = 1  # nobody listens there, and nobody is given it meanwhile as one that was free
_numbers = itertools.count(1)
_GRANTS = (
    "GRANT USAGE ON SCHEMA public, twinstore TO {role}",
    "GRANT SELECT ON public.planning TO {role}",
    "GRANT SELECT ON ALL TABLES IN SCHEMA twinstore TO {role}",
)


def url_of(pair: Pair, store: StoreName) -> str:
    """Return the URL of one of the two databases."""
    return pair.primary if store is StoreName.PRISMA else pair.secondary


def superuser_of(pair: Pair, store: StoreName) -> str:
    """Return the URL of one of the two databases for its superuser."""
    return pair.primary_superuser if store is StoreName.PRISMA else pair.secondary_superuser


def with_url(pair: Pair, store: StoreName, url: str) -> Pair:
    """Return the pair with another URL of one store."""
    return replace(pair, primary=url) if store is StoreName.PRISMA else replace(pair, secondary=url)


def changed(
    url: str,
    *,
    user: str | None = None,
    password: str | None = None,
    port: int | None = None,
    database: str | None = None,
) -> str:
    """Return a URL with other parts."""
    parts = urlsplit(url)
    login = f"{user or parts.username}:{quote(password or parts.password or '', safe='')}"
    place = f"{login}@{parts.hostname}:{port or parts.port}"
    return urlunsplit(parts._replace(netloc=place, path=f"/{database}" if database else parts.path))


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A login role that may read what a check reads, every row included, and nothing more.

    Attributes:
        role: Its name.
        url: The URL with which it reaches its database.
        superuser: The URL with which its rights are taken away.
    """

    role: str
    url: str
    superuser: str

    def run(self, *statements: str) -> None:
        """Run statements as the superuser of the database; `{role}` stands for the role."""
        with psycopg.connect(self.superuser, autocommit=True) as connection:
            for statement in statements:
                connection.execute(sql.SQL(statement).format(role=sql.Identifier(self.role)))


@contextmanager
def account(pair: Pair, store: StoreName) -> Iterator[Account]:
    """Make a role on the server of a store; it is removed at the end."""
    superuser, role = superuser_of(pair, store), f"reader_{next(_numbers)}"
    made = Account(role=role, url=changed(url_of(pair, store), user=role, password=PASSWORD), superuser=superuser)
    made.run(f"CREATE ROLE {{role}} LOGIN BYPASSRLS PASSWORD '{PASSWORD}'", *_GRANTS)
    try:
        yield made
    finally:
        made.run("DROP OWNED BY {role}", "DROP ROLE {role}")
