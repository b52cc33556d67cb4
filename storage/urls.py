"""Connection URLs as users have them: Prisma's own parameters are translated, unknown ones are named and left out."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from contracts.errors import ConfigurationError

SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")
PASSED_ON = frozenset(
    {
        "sslmode",
        "sslrootcert",
        "sslcert",
        "sslkey",
        "connect_timeout",
        "application_name",
        "options",
        "host",
        "hostaddr",
    }
    | {"keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout"}
    | {"target_session_attrs", "channel_binding", "gssencmode", "passfile", "service"}
)
PRISMA_ONLY = frozenset(
    {"schema", "pgbouncer", "connection_limit", "pool_timeout", "socket_timeout", "statement_cache_size"}
)
PLACEHOLDERS = ("please_set", "changeme", "change_me", "your-", "your_", "<", "[your", "placeholder", "xxxx")


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


def is_placeholder(value: str) -> bool:
    """Say whether a setting was copied from an example and never filled in; it counts as absent then."""
    text = value.strip().lower()
    return not text or any(text.startswith(p) or f"//{p}" in text for p in PLACEHOLDERS)


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
    kept = [(k, v) for k, v in query if k in PASSED_ON]
    ignored = tuple(k for k, _ in query if k not in PASSED_ON | PRISMA_ONLY)
    suffix = f"?{urlencode(kept, quote_via=quote)}" if kept else ""
    return StoreUrl(
        dsn=f"postgresql://{parts.netloc}{parts.path}{suffix}",
        schema=dict(query).get("schema", "public"),
        host=f"{host}:{port}",
        database=database,
        ignored=ignored,
    )
