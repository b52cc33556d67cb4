"""Connection URLs as users have them: Prisma's own parameters are translated, unknown ones are named and left out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from contracts.errors import ConfigurationError

SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")
PRISMA_ONLY = frozenset(
    {"schema", "pgbouncer", "connection_limit", "pool_timeout", "socket_timeout", "statement_cache_size"}
)
IN_THE_URL = frozenset({"user", "password", "dbname", "port"})  # libpq's names for what stands before the question mark
ABOUT_SAFETY = ("ssl", "gss", "require_", "channel_", "tls")  # a parameter that is left out must not be one of these
PLACEHOLDER = re.compile(
    r"<[^>]*>|\[your-[^\]]*\]|please_set\w*|change[-_]?me|placeholder|x{4,}|your[-_](password|user|host|project|key|url)[\w-]*",
    re.IGNORECASE,
)


PROJECT_DATABASE = "postgres"
"""Database of a Supabase project that its REST API serves."""
_PROJECT_HOST = re.compile(r"(?:db\.)?([a-z0-9]{20})\.supabase\.(?:co|in|red)")
_POOLER = ".pooler.supabase.com"


def project_of(url: str) -> str | None:
    """Return the reference of the Supabase project that a URL leads to; None where its host and user do not tell.

    Args:
        url: URL of a project, or of its database, by itself or through a pooler.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if found := _PROJECT_HOST.fullmatch(host):
        return found[1]
    _, _, project = unquote(parts.username or "").partition(".")
    return project or None if host.endswith(_POOLER) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreUrl:
    """A connection URL, taken apart.

    Attributes:
        dsn: URL for libpq; holds the password.
        schema: Schema that Prisma's `schema` parameter names, else `public`.
        host: Host and port, for people.
        database: Name of the database.
        ignored: Parameters that were left out because nobody knows them.
    """

    dsn: str
    schema: str
    host: str
    database: str
    ignored: tuple[str, ...] = ()

    @property
    def sqlalchemy(self) -> str:
        """The same URL for SQLAlchemy with psycopg 3."""
        return "postgresql+psycopg" + self.dsn.removeprefix("postgresql")

    def __repr__(self) -> str:
        return f"StoreUrl(host={self.host!r}, database={self.database!r}, schema={self.schema!r})"


def _libpq_parameters() -> frozenset[str]:
    """Return the parameters that the installed libpq knows, those aside that a URL has a place of its own for."""
    from psycopg import pq

    return frozenset(option.keyword.decode() for option in pq.Conninfo.get_defaults()) - IN_THE_URL


def is_placeholder(value: str) -> bool:
    """Say whether a setting was copied from an example and not filled in everywhere; it counts as absent then.

    Of a URL each part is looked at: user, password, host and database.
    """
    text = value.strip()
    parts = re.split(r"://|[:/@?.]", text)
    return not text or any(PLACEHOLDER.fullmatch(unquote(part)) for part in [text, *parts])


def parse_url(url: str, name: str) -> StoreUrl:
    """Take a PostgreSQL URL apart.

    Args:
        url: The URL, as Prisma or libpq write it.
        name: Name of the setting, for messages.

    Raises:
        ConfigurationError: It is no such URL. The message never quotes it.
    """
    wrong = ConfigurationError(
        f"{name} is not a PostgreSQL URL.",
        "Write it as postgresql://user:password@host:5432/database, with special characters percent-encoded.",
    )
    try:
        parts = urlsplit(url.strip())
        port = parts.port or 5432
        query = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        raise wrong from None
    host = parts.hostname or dict(query).get("host", "")
    database = unquote(parts.path.lstrip("/"))
    if parts.scheme not in SCHEMES or not host or not database:
        raise wrong
    query = [("sslmode", "verify-full") if pair == ("sslaccept", "strict") else pair for pair in query]
    passed_on = _libpq_parameters()
    kept = [(k, v) for k, v in query if k in passed_on]
    ignored = tuple(k for k, _ in query if k not in passed_on | PRISMA_ONLY)
    unsafe = [k for k in ignored if k.startswith(ABOUT_SAFETY)]
    if unsafe:
        raise ConfigurationError(
            f"{name} asks for {', '.join(unsafe)}, which is not known here.",
            "Say it in libpq's words, such as sslmode=verify-full&sslrootcert=…; it is not left out silently.",
        )
    suffix = f"?{urlencode(kept, quote_via=quote)}" if kept else ""
    return StoreUrl(
        dsn=f"postgresql://{parts.netloc}{parts.path}{suffix}",
        schema=dict(query).get("schema", "public"),
        host=f"{host}:{port}",
        database=database,
        ignored=ignored,
    )
