"""Connection URLs as users have them."""

from __future__ import annotations

import pytest

from contracts.errors import ConfigurationError
from storage.urls import is_placeholder, parse_url, project_of

SECRET = "s3c%20r3t%2F"


def test_a_url_is_taken_apart_and_the_password_kept_as_it_was() -> None:
    """User and password reach libpq as they were written; people see host and database only."""
    url = parse_url(f"postgres://app:{SECRET}@db.example:6543/my%20app", "DATABASE_URL")
    assert url.dsn == f"postgresql://app:{SECRET}@db.example:6543/my%20app"
    assert url.sqlalchemy == f"postgresql+psycopg://app:{SECRET}@db.example:6543/my%20app"
    assert (url.host, url.database, url.schema, url.ignored) == ("db.example:6543", "my app", "public", ())
    assert SECRET not in repr(url)


def test_prismas_parameters_are_translated_and_unknown_ones_named() -> None:
    """`schema` names the schema, what only Prisma knows is left out, what libpq knows is passed on."""
    url = parse_url(
        "postgresql://u:p@h/db?schema=app&pgbouncer=true&connection_limit=1&sslmode=require&colour=blue", "DATABASE_URL"
    )
    assert url.dsn == "postgresql://u:p@h/db?sslmode=require"
    assert (url.schema, url.ignored) == ("app", ("colour",))


def test_a_host_may_stand_in_the_query() -> None:
    """A socket folder is given as `host=`; the URL's own host is empty then."""
    assert parse_url("postgresql:///db?host=%2Fvar%2Frun", "DATABASE_URL").host == "/var/run:5432"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mysql://u:p@h/db",
        "postgresql://u:p@h",
        "postgresql:///db",
        "postgresql://u:p@h:port/db",
        "postgresql://u:p@[::1/db",
        f"host=h password={SECRET}",
        "postgresql://u:p@h/db?schema",
    ],
)
def test_what_is_no_url_is_refused_without_being_quoted(url: str) -> None:
    """The message names the setting, says how a URL is written, and holds nothing of what was given."""
    with pytest.raises(ConfigurationError, match="SUPABASE_DB_URL is not a PostgreSQL URL") as caught:
        parse_url(url, "SUPABASE_DB_URL")
    assert SECRET not in str(caught.value)


HALF_FILLED = (
    "postgresql://app:<password>@db/app",
    "postgresql://app:changeme@db.example/app",
    "postgresql://postgres:[YOUR-PASSWORD]@db.abc.supabase.co:5432/postgres",
    "postgresql://postgres:%5BYOUR-PASSWORD%5D@db.abc.supabase.co:5432/postgres",
)


@pytest.mark.parametrize(
    "value", ["", "  ", "PLEASE_SET_IN_ENV_LOCAL", "changeme", "<your url>", "[YOUR-PASSWORD]", *HALF_FILLED]
)
def test_placeholders_count_as_absent(value: str) -> None:
    """What was copied from an example and never filled in is not taken for a setting."""
    assert is_placeholder(value)


@pytest.mark.parametrize("value", ["postgresql://u:p@h/db", "https://abc.supabase.co", "postgresql://your_app:pw@h/db"])
def test_real_values_are_no_placeholders(value: str) -> None:
    """A filled-in value is taken."""
    assert not is_placeholder(value)


def test_what_is_about_safety_is_passed_on_or_refused() -> None:
    """No parameter that protects a connection is left out: passed on, translated from Prisma, or refused."""
    url = parse_url("postgresql://u:p@h/db?require_auth=scram-sha-256&sslcrl=c&sslaccept=strict", "DATABASE_URL")
    assert url.dsn == "postgresql://u:p@h/db?require_auth=scram-sha-256&sslcrl=c&sslmode=verify-full"
    with pytest.raises(ConfigurationError, match="sslidentity"):
        parse_url("postgresql://u:p@h/db?sslidentity=client.p12", "DATABASE_URL")


@pytest.mark.parametrize(
    ("url", "project"),
    [
        ("https://abcdefghijklmnopqrst.supabase.co", "abcdefghijklmnopqrst"),
        ("postgresql://postgres:x@db.abcdefghijklmnopqrst.supabase.co:5432/postgres", "abcdefghijklmnopqrst"),
        ("postgresql://postgres.abcdefghijklmnopqrst:x@aws-0-eu.pooler.supabase.com/postgres", "abcdefghijklmnopqrst"),
        ("postgresql://postgres:x@aws-0-eu.pooler.supabase.com/postgres", None),
        ("postgresql://app.name:x@db.example.com/app", None),
        ("http://127.0.0.1:54321", None),
        ("https://abcdefghijklmnopqrst.supabase.co.example.com", None),
    ],
)
def test_a_project_is_known_by_host_or_user(url: str, project: str | None) -> None:
    """The reference of a project stands in its host, or in the user of a pooler; nothing else is taken for one."""
    assert project_of(url) == project
